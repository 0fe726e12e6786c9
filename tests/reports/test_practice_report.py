"""The practice report: one worker's visits, strengths first, no claim that the intervals do not bear."""

from __future__ import annotations

import pytest

from msw_ml.codebook import Codebook
from msw_ml.errors import BadSetting
from msw_ml.reports.practice import PracticeNotes, pooled, practice_report
from msw_ml.session import Measure, RatingStatus, ScoredSession


def visit(demo: ScoredSession, name: str, shift: float = 0.0) -> ScoredSession:
    ratings = tuple(
        r.model_copy(update={"value": r.value + shift, "low": r.low + shift, "high": r.high + shift})
        if r.value is not None and r.low is not None and r.high is not None
        else r
        for r in demo.ratings
    )
    recording = demo.recording.model_copy(update={"name": name})
    return demo.model_copy(update={"recording": recording, "ratings": ratings})


def test_visits_stand_in_order_of_date(demo: ScoredSession, codebook: Codebook) -> None:
    """A trend means nothing in the order of file names."""
    notes = PracticeNotes.model_validate(
        {"session": [{"name": "one", "date": "2026-05-01"}, {"name": "two", "date": "2026-03-01"}]}
    )
    page = practice_report([visit(demo, "one"), visit(demo, "two")], codebook, notes)
    assert page.index(">two <") < page.index(">one <")
    assert "in order of date" in page


def test_no_rating_of_a_trend_is_without_its_status(demo: ScoredSession, codebook: Codebook) -> None:
    """Status and reason once where all visits share them, by visit where they do not; in the drawing's name too."""
    one, two = visit(demo, "one"), visit(demo, "two")
    same = practice_report([one, two], codebook)
    assert same.count('class="status indicative"') == sum(r.status is RatingStatus.INDICATIVE for r in demo.ratings)
    assert same.count('class="status withheld"') == sum(r.status is RatingStatus.WITHHELD for r in demo.ratings)
    assert "one 3.7 (2.8 to 4.5), indicative; two 3.7" in same
    first, *others = two.ratings
    released = first.model_copy(update={"status": RatingStatus.RELEASED, "reason": "Checked on forty visits."})
    mixed = practice_report([one, two.model_copy(update={"ratings": (released, *others)})], codebook)
    assert ">Released</span> two: Checked on forty visits." in mixed
    assert ">Indicative</span> one: " in mixed


def test_overlapping_intervals_are_no_change(demo: ScoredSession, codebook: Codebook) -> None:
    """Half a point up, with intervals of nearly two, is not called progress."""
    page = practice_report([visit(demo, "one", -0.5), visit(demo, "two")], codebook)
    assert "no change can be read" in page
    assert "above the first by more than its uncertainty" not in page


def test_measures_of_several_visits_are_added_up_before_dividing(demo: ScoredSession) -> None:
    """1 of 1 and 0 of 3 are 1 of 4, not a half."""
    one = demo.model_copy(update={"measures": (Measure(id="m", numerator=1, denominator=1),)})
    two = demo.model_copy(update={"measures": (Measure(id="m", numerator=0, denominator=3),)})
    together = pooled("m", [one, two])
    assert together is not None
    assert together.value == 0.25


def test_words_of_people_are_shown_and_escaped(demo: ScoredSession, codebook: Codebook) -> None:
    """Feedback is text, whatever is in it; where there is none, there is room to write."""
    notes = PracticeNotes.model_validate(
        {"worker": "<b>W</b>", "session": [{"name": "one", "parent_feedback": "<script>alert(1)</script>"}]}
    )
    page = practice_report([visit(demo, "one")], codebook, notes)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert 'class="box"' in page


def test_notes_on_a_visit_that_is_not_there_are_an_error(demo: ScoredSession, codebook: Codebook) -> None:
    """A parent's words are never dropped because of a slip in a name."""
    notes = PracticeNotes.model_validate({"session": [{"name": "elsewhere"}]})
    with pytest.raises(BadSetting, match="elsewhere"):
        practice_report([visit(demo, "one")], codebook, notes)
    with pytest.raises(BadSetting, match="at least one"):
        practice_report([], codebook)
    with pytest.raises(BadSetting, match="two sessions"):
        practice_report([visit(demo, "one"), visit(demo, "one")], codebook)
