"""The embedded diariser and its parts, on the demo visit and on the measuring set."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate

from msw_ml import bundle
from msw_ml.errors import WrongHash
from msw_ml.session import Span, Turn
from msw_ml.speech.activity import find_speech
from msw_ml.speech.audio import Audio, decode
from msw_ml.speech.clusters import blend, find_voices
from msw_ml.speech.mel import mel_spectrogram
from msw_ml.speech.voices import VoicesDiariser


@pytest.fixture(scope="module")
def diariser() -> VoicesDiariser:
    return VoicesDiariser(bundle.shipped("speaker_encoder"), threads=1)


def test_mel_is_what_the_encoder_was_trained_on() -> None:
    """A 440 Hz tone: bands as `librosa.feature.melspectrogram` 0.11 gives them (n_fft 400, hop 160, 40 bands)."""
    time = np.arange(16000) / 16000
    mel = mel_spectrogram((0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32))
    assert mel.shape == (101, 40)
    np.testing.assert_allclose(mel[50, 4:7], [5.43924, 41.0777, 4.45481], rtol=1e-4)
    assert np.delete(mel[50], [4, 5, 6]).max() < 1e-6


def test_mel_of_a_stretch_is_that_of_the_whole() -> None:
    """Windows may be cut from one spectrogram of a block: away from its edges nothing changes."""
    sound = np.random.default_rng(0).normal(0, 0.1, 32000).astype(np.float32)
    np.testing.assert_allclose(mel_spectrogram(sound)[50:100], mel_spectrogram(sound[3200:])[30:80], rtol=1e-4)


def test_tells_two_people_apart(
    diariser: VoicesDiariser,
    visit: Audio,
    visit_speech: list[Span],
    visit_turns: list[Turn],
    share_right: Callable[[list[Turn], list[Turn]], float],
) -> None:
    found = diariser.diarise(visit, visit_speech, 2)
    assert {turn.speaker for turn in found} == {"S1", "S2"}
    assert share_right(found, visit_turns) > 0.95


def test_the_first_to_speak_is_s1_and_turns_do_not_overlap(
    diariser: VoicesDiariser, visit: Audio, visit_speech: list[Span]
) -> None:
    found = diariser.diarise(visit, visit_speech, 2)
    assert found[0].speaker == "S1"
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert all(visit.held.start <= turn.start <= turn.end <= visit.held.end for turn in found)


def test_a_short_answer_keeps_its_owner(diariser: VoicesDiariser, visit: Audio, visit_speech: list[Span]) -> None:
    """The mother's half second at 1:10.85, between two turns of the worker, is not swallowed by them."""
    found = diariser.diarise(visit, visit_speech, 2)
    before, answer, after = (owner_at(found, time) for time in (69.0, 71.1, 74.0))
    assert before == after
    assert answer not in (None, before)


def test_threads_do_not_change_the_turns(visit: Audio, visit_speech: list[Span], diariser: VoicesDiariser) -> None:
    two = VoicesDiariser(bundle.shipped("speaker_encoder"), threads=2)
    assert two.diarise(visit, visit_speech, 2) == diariser.diarise(visit, visit_speech, 2)


def test_all_speech_is_owned_and_progress_ends_at_one(
    diariser: VoicesDiariser, visit: Audio, visit_speech: list[Span]
) -> None:
    told: list[float] = []
    found = diariser.diarise(visit, visit_speech, 2, lambda _, done: told.append(done))
    assert told == sorted(told)
    assert told[-1] == 1.0
    shared = [
        min(turn.end, span.end) - max(turn.start, span.start)
        for turn in found
        for span in visit_speech
        if turn.end > span.start and turn.start < span.end
    ]
    assert sum(shared) == pytest.approx(sum(span.duration for span in visit_speech), abs=0.01)


@pytest.mark.parametrize("length", [0.2, 0.5, 2.0])
def test_very_little_speech_is_still_a_turn(diariser: VoicesDiariser, visit: Audio, length: float) -> None:
    span = Span(start=visit.held.start + 1, end=visit.held.start + 1 + length)
    found = diariser.diarise(visit, [span])
    assert (found[0].start, found[-1].end) == (span.start, span.end)


def test_no_speech_gives_no_turns(diariser: VoicesDiariser, visit: Audio) -> None:
    assert diariser.diarise(visit, []) == []


def test_a_changed_encoder_is_refused(tmp_path: Path) -> None:
    """Weights that are not those of the bundle are never run."""
    for file in bundle.shipped("speaker_encoder").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.onnx").write_bytes(b"other weights")
    with pytest.raises(WrongHash, match=r"model\.onnx"):
        VoicesDiariser(tmp_path)


def clouds(sizes: list[int], seed: int = 0) -> np.ndarray:
    """Voice vectors of length 1 around as many directions at right angles, one after the other."""
    rng = np.random.default_rng(seed)
    vectors = np.concatenate(
        [np.eye(256)[place] + rng.normal(0, 0.02, (size, 256)) for place, size in enumerate(sizes)]
    )
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


@pytest.mark.parametrize("sizes", [[40, 30], [40, 30, 12], [40, 30, 20, 20]])
def test_finds_how_many_voices_there_are(sizes: list[int]) -> None:
    assert len(find_voices(clouds(sizes), None)) == len(sizes)


def test_windows_between_two_voices_are_not_a_third() -> None:
    """Windows across a change of speaker lie between the two voices."""
    two = clouds([40, 40])
    between = two[:10] + two[40:50]
    between /= np.linalg.norm(between, axis=1, keepdims=True)
    assert len(find_voices(np.concatenate([two, between]), None)) == 2


def test_a_blend_is_recognised() -> None:
    one, other, third = np.eye(256, dtype=np.float32)[:3]
    assert blend(np.float32(0.6) * one + np.float32(0.8) * other, np.stack([one, other])) == pytest.approx(1.0)
    assert blend(third, np.stack([one, other])) == pytest.approx(0.0, abs=1e-6)


def test_long_recordings_are_sampled() -> None:
    """Four hours have fifty thousand windows, whose affinities would need 18 GB."""
    assert len(find_voices(clouds([30000, 18000]), 2)) == 2


def owner_at(turns: list[Turn], time: float) -> str | None:
    return next((turn.speaker for turn in turns if turn.start <= time <= turn.end), None)


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("constructed/session_a.wav", 0.12),
        ("constructed/session_b.wav", 0.12),
        ("pyannote_sample/sample.wav", 0.21),
        ("elan_example1/elan-example1.mp3", 0.22),
    ],
)
def test_error_on_the_measuring_set(
    diariser: VoicesDiariser, shared: Path, read_turns: Callable[[Path], list[Turn]], name: str, most: float
) -> None:
    """Diarisation error rate (collar 0, overlap scored, two speakers given) stays where it was measured."""
    path = shared / "audio" / name
    with decode(path) as audio:
        found = diariser.diarise(audio, find_speech(audio), 2)
        whole = Timeline([Segment(0, audio.duration)])
    wanted, got = Annotation(), Annotation()
    for annotation, turns in ((wanted, read_turns(path.with_suffix(".rttm"))), (got, found)):
        for number, turn in enumerate(turns):
            annotation[Segment(turn.start, turn.end), number] = turn.speaker
    assert DiarizationErrorRate(collar=0, skip_overlap=False)(wanted, got, uem=whole) <= most
