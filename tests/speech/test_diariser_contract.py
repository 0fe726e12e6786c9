"""What every diariser promises, run on each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from msw_ml import bundle
from msw_ml.session import Span
from msw_ml.speech.activity import find_speech
from msw_ml.speech.audio import Audio, Segment, decode
from msw_ml.speech.listen import Diariser

DEMO = Path(__file__).resolve().parents[2] / "datasets" / "demo"


def voices(_: pytest.FixtureRequest) -> Diariser:
    from msw_ml.speech.voices import VoicesDiariser

    return VoicesDiariser(bundle.shipped("speaker_encoder"), threads=1)


def pyannote(request: pytest.FixtureRequest) -> Diariser:
    from msw_ml.speech.pyannote import PyannoteDiariser, folder_hash

    folder: Path = request.getfixturevalue("pyannote_folder")
    return PyannoteDiariser(str(folder), trusted=[folder_hash(folder)])


@pytest.fixture(scope="module", params=[voices, pytest.param(pyannote, marks=pytest.mark.slow)])
def diariser(request: pytest.FixtureRequest) -> Diariser:
    make: Callable[[pytest.FixtureRequest], Diariser] = request.param
    return make(request)


@pytest.fixture(scope="module")
def excerpt() -> Iterator[Audio]:
    """Ten seconds out of the middle, so that times of the excerpt and of the recording differ."""
    with decode(DEMO / "visit.ogg", Segment(minutes=1 / 6, seed=3)) as audio:
        yield audio


@pytest.fixture(scope="module")
def speech(excerpt: Audio) -> list[Span]:
    return find_speech(excerpt)


def test_has_a_label(diariser: Diariser) -> None:
    """Provenance names engine and weights."""
    assert len(diariser.label.split()) >= 2


def test_turns_are_in_order_inside_the_part_heard(diariser: Diariser, excerpt: Audio, speech: list[Span]) -> None:
    turns = diariser.diarise(excerpt, speech, 2)
    assert turns
    assert all(one.start <= other.start for one, other in pairwise(turns))
    assert all(excerpt.held.start - 0.05 <= turn.start and turn.end <= excerpt.held.end + 0.05 for turn in turns)


def test_speakers_are_named_by_first_speech(diariser: Diariser, excerpt: Audio, speech: list[Span]) -> None:
    names = list(dict.fromkeys(turn.speaker for turn in diariser.diarise(excerpt, speech, 2)))
    assert names == [f"S{place}" for place in range(1, len(names) + 1)]
    assert len(names) <= 2


def test_no_two_speak_at_once(diariser: Diariser, excerpt: Audio, speech: list[Span]) -> None:
    """Words are given to one speaker: turns are exclusive."""
    turns = diariser.diarise(excerpt, speech, 2)
    assert all(one.end <= other.start + 1e-6 for one, other in pairwise(turns))


def test_the_same_sound_gives_the_same_turns(diariser: Diariser, excerpt: Audio, speech: list[Span]) -> None:
    assert diariser.diarise(excerpt, speech) == diariser.diarise(excerpt, speech)


def test_no_speech_gives_no_turns(diariser: Diariser, excerpt: Audio) -> None:
    assert diariser.diarise(excerpt, []) == []


def test_progress_ends_at_one(diariser: Diariser, excerpt: Audio, speech: list[Span]) -> None:
    told: list[float] = []
    diariser.diarise(excerpt, speech, 2, lambda _, done: told.append(done))
    assert told == sorted(told)
    assert told[-1] == 1.0
