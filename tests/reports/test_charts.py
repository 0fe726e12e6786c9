"""Drawings say what the numbers say."""

from __future__ import annotations

import pytest

from msw_ml.codebook import Codebook
from msw_ml.reports import charts, wording
from msw_ml.session import CodedUtterance, Rating, RatingStatus, Role, ScoredSession, Utterance


def test_every_utterance_is_on_the_timeline_once(demo: ScoredSession, codebook: Codebook) -> None:
    """Nothing that was said is dropped from the drawing, and nothing leaves its frame."""
    drawing = charts.timeline(demo.utterances, codebook)
    marks = [mark for row in drawing.rows for mark in row.marks]
    assert sorted(mark.target for mark in marks) == [unit.utterance.id for unit in demo.utterances]
    assert all(mark.x >= charts.GUTTER and mark.x + mark.width <= charts.WIDTH for mark in marks)


@pytest.mark.parametrize(("minutes", "rows"), [(2, 1), (5, 1), (20, 4), (61, 5), (240, 4)])
def test_long_sessions_are_broken_into_rows(codebook: Codebook, minutes: int, rows: int) -> None:
    """Four hours stay readable: rows of equal length, six at most."""
    units = tuple(
        CodedUtterance(
            utterance=Utterance(id=n, speaker="S1", role=Role.WORKER, text="x", start=n * 60.0, end=n * 60.0 + 50),
            code="other",
            parent_code="other",
        )
        for n in range(minutes)
    )
    drawing = charts.timeline(units, codebook)
    assert len(drawing.rows) == rows
    assert sum(len(row.marks) for row in drawing.rows) == minutes


def test_parts_add_up_to_what_counts(demo: ScoredSession, codebook: Codebook) -> None:
    """The parent's counted talk is in exactly one part of the session."""
    parts = charts.parts(demo.utterances, ("change",), ("sustain",), Role.PARENT)
    counted = [code for unit in demo.utterances if unit.utterance.role is Role.PARENT for code in unit.counted]
    assert len(parts) == charts.PARTS
    assert sum(part.towards for part in parts) == counted.count("change")
    assert sum(part.away for part in parts) == counted.count("sustain")
    assert sum(part.neither for part in parts) == counted.count("neutral")


def test_scale_runs_from_one_to_five() -> None:
    """The dot stands where the value is."""
    rating = Rating(element="e", status=RatingStatus.INDICATIVE, value=3.0, low=1.0, high=5.0, reason="r")
    assert charts.on_scale(rating) == charts.Interval(at=0.5, low=0.0, high=1.0)
    assert charts.on_scale(Rating(element="e", status=RatingStatus.WITHHELD, reason="r")) is None


@pytest.mark.parametrize(
    ("seconds", "clock", "words"),
    [
        (0, "0:00", "0 seconds"),
        (61, "1:01", "1 minute 1 second"),
        (3661, "1:01:01", "1 hour 1 minute"),
        (262, "4:22", "4 minutes 22 seconds"),
    ],
)
def test_times_are_written_as_people_say_them(seconds: float, clock: str, words: str) -> None:
    """A reader finds the place in the recording by it."""
    assert wording.clock(seconds) == clock
    assert wording.long_time(seconds) == words
