"""A speaker a channel: the demo visit dealt out to two channels by its reference."""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from msw_ml.session import Turn
from msw_ml.speech.activity import find_speech
from msw_ml.speech.audio import Audio, decode
from msw_ml.speech.channels import channel_turns

LEAK = 10 ** (-20 / 20)
"""Each channel holds the other's voice 20 dB down, as a telephone's side tone does."""


@pytest.fixture(scope="module")
def two_channels(visit: Audio, visit_turns: list[Turn], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audio]:
    origin = visit.held.start
    sound = visit.read(origin, visit.held.end)
    sides = np.zeros((2, len(sound)))
    for turn in visit_turns:
        first, last = (round((edge - origin) * 16000) for edge in (turn.start, turn.end))
        sides[int(turn.speaker != "WORKER"), first:last] = sound[first:last]
    mixed = np.stack([sides[0] + LEAK * sides[1], sides[1] + LEAK * sides[0]])
    noisy = mixed + np.random.default_rng(0).normal(0, 1e-4, mixed.shape)
    path = tmp_path_factory.mktemp("channels") / "call.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes((np.clip(noisy.T, -1, 1) * 32767).astype("<i2").tobytes())
    with decode(path) as audio:
        yield audio


def test_each_channel_is_its_speaker_and_leaks_are_not(
    two_channels: Audio,
    visit: Audio,
    visit_turns: list[Turn],
    share_right: Callable[[list[Turn], list[Turn]], float],
) -> None:
    assert two_channels.channels == 2
    found = channel_turns(two_channels)
    origin = visit.held.start
    wanted = [
        Turn(start=t.start - origin, end=t.end - origin, speaker="S1" if t.speaker == "WORKER" else "S2")
        for t in visit_turns
    ]
    assert share_right(found, wanted) > 0.97
    assert {turn.speaker for turn in found} == {"S1", "S2"}
    for turn in found:  # S1 is channel 0, whoever began
        own = sum(
            max(0.0, min(turn.end, w.end) - max(turn.start, w.start)) for w in wanted if w.speaker == turn.speaker
        )
        assert own > 0.5 * turn.duration


def test_turns_are_in_time_order_and_inside(two_channels: Audio) -> None:
    found = channel_turns(two_channels)
    assert [turn.start for turn in found] == sorted(turn.start for turn in found)
    assert all(0 <= turn.start < turn.end <= two_channels.duration for turn in found)


@pytest.mark.shared
def test_two_people_at_once(shared: Path) -> None:
    """Two readers talk over each other: neither is taken for the leak of the other."""
    with decode(shared / "audio" / "faster_whisper_tests" / "stereo_diarization.wav") as audio:
        assert audio.channels == 2
        found = channel_turns(audio)
        heard = [sum(span.duration for span in find_speech(audio, channel)) for channel in (0, 1)]
    for speaker, seconds in zip(("S1", "S2"), heard, strict=True):
        assert sum(turn.duration for turn in found if turn.speaker == speaker) > 0.9 * seconds > 1
