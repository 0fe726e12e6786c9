"""Voice activity: speech is found where it is, whatever its level, and noise is not speech."""

from __future__ import annotations

import itertools
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from msw_ml.session import Span
from msw_ml.speech import activity
from msw_ml.speech.activity import find_speech
from msw_ml.speech.audio import Audio, Segment, decode

RATE = 16_000
CLIP = Path(__file__).parents[1] / "data" / "short_visit.flac"


def reference() -> list[Span]:
    """Utterances of the clip; pauses of less than a second lie between and inside them."""
    rows = [line.split() for line in CLIP.with_suffix(".rttm").read_text().splitlines()]
    return [Span(start=float(row[3]), end=float(row[3]) + float(row[4])) for row in rows]


def seconds_shared(spans: list[Span], others: list[Span]) -> float:
    return sum(max(0.0, min(a.end, b.end) - max(a.start, b.start)) for a in spans for b in others)


def write(path: Path, sound: NDArray[np.float32]) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="module")
def clip() -> Iterator[Audio]:
    with decode(CLIP) as audio:
        yield audio


def test_speech_is_found_where_it_is(clip: Audio) -> None:
    speech, spoken = find_speech(clip), reference()
    found = sum(span.duration for span in speech)
    shared = seconds_shared(speech, spoken)
    assert shared > 0.85 * sum(span.duration for span in spoken)
    assert found - shared < 0.1 * found


def test_spans_are_in_order_apart_and_inside(clip: Audio) -> None:
    speech = find_speech(clip)
    assert all(before.end < after.start for before, after in itertools.pairwise(speech))
    assert speech[0].start >= 0
    assert speech[-1].end <= clip.duration


@pytest.mark.parametrize("gain", [0.01, 0.1, 2.0])
def test_level_makes_no_difference(tmp_path: Path, clip: Audio, gain: float) -> None:
    """A telephone on the far side of the room hears the visit too."""
    with decode(write(tmp_path / "v.wav", clip.read(0, 20) * gain)) as audio:
        assert seconds_shared(find_speech(audio), find_speech(clip)) > 0.93 * sum(
            span.duration for span in find_speech(clip)
        )


@pytest.mark.parametrize("windows", [7, 100, 4096])
def test_blocks_hear_what_one_piece_hears(clip: Audio, monkeypatch: pytest.MonkeyPatch, windows: int) -> None:
    """Memory is bounded by the block, and the block leaves no trace in the result."""
    whole = find_speech(clip)
    monkeypatch.setattr(activity, "BLOCK_WINDOWS", windows)
    assert find_speech(clip) == whole


@pytest.mark.parametrize("case", ["zero", "white", "hum", "tones", "clicks"])
def test_noise_is_not_speech(tmp_path: Path, case: str) -> None:
    """Nobody speaks in an empty room: no word may be looked for there, since recognisers invent some."""
    random, count = np.random.default_rng(3), 20 * RATE
    time = np.arange(count) / RATE
    sound = {
        "zero": np.zeros(count),
        "white": random.normal(0, 0.05, count),
        "hum": 0.1 * np.sin(2 * np.pi * 50 * time) + random.normal(0, 1e-3, count),
        "tones": 0.1 * np.sin(2 * np.pi * 220 * 2 ** (np.floor(time * 2) % 7 / 12) * time) * np.exp(-4 * (time % 0.5)),
        "clicks": (random.random(count) < 2e-4) * random.normal(0, 0.8, count) + random.normal(0, 1e-3, count),
    }[case].astype(np.float32)
    with decode(write(tmp_path / "noise.wav", sound)) as audio:
        assert find_speech(audio) == []


def test_a_segment_is_searched_at_its_own_place() -> None:
    """Times stay those of the recording, and nothing outside the segment is heard."""
    with decode(CLIP, Segment(minutes=0.1, seed=2)) as audio:
        speech = find_speech(audio)
        assert speech
        assert all(audio.held.start <= span.start and span.end <= audio.held.end for span in speech)
        assert seconds_shared(speech, reference()) > 0.8 * sum(span.duration for span in speech)


def test_progress_reaches_the_end(clip: Audio) -> None:
    heard: list[float] = []
    find_speech(clip, progress=lambda stage, done: heard.append(done))
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
