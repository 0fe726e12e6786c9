"""Turns where each speaker has a channel: who is heard on it, less what leaks over from the other.

Speech on a channel counts unless the other one is much louder at that moment, each taken at its own level:
a leaked voice is quieter than its owner's, two people talking at once are about equal.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from msw_ml.session import Span, Turn
from msw_ml.speech.activity import find_speech
from msw_ml.speech.audio import Audio
from msw_ml.speech.turns import Piece, bridged

LEAK_DB = 12.0
"""A channel that is so much quieter than the other holds the other's voice. Telephone side tone and lapel
microphones at a metre leak at -15 to -30 dB."""
CELL = 0.05
"""Seconds."""
SMOOTHED_CELLS = 5
"""Levels are compared over a quarter of a second: shorter than a syllable they swing too much."""
LEAST_TURN = 0.15
"""Seconds: what remains of a leaked voice is shorter, "mm" is longer."""
BLOCK = 60.0
"""Seconds of sound in memory at a time."""


def channel_turns(audio: Audio) -> list[Turn]:
    """Turns of both speakers in time order; S1 is channel 0, S2 channel 1. Turns may overlap."""
    levels = np.stack([_levels(audio, channel) for channel in (0, 1)])
    turns: list[Turn] = []
    for channel in (0, 1):
        is_leak = levels[1 - channel] - levels[channel] > LEAK_DB
        pieces = [piece for span in find_speech(audio, channel) for piece in _own(span, is_leak, audio.held.start)]
        turns += [Turn(start=start, end=end, speaker=f"S{channel + 1}") for start, end, _ in bridged(pieces)]
    return sorted(turns, key=lambda turn: (turn.start, turn.end, turn.speaker))


def _levels(audio: Audio, channel: int) -> NDArray[np.float64]:
    """Smoothed level in dB of each cell of the held part."""
    size = round(CELL * audio.rate_hz)
    power = []
    for _, sound in audio.blocks(BLOCK, channel):
        whole = np.pad(sound, (0, -len(sound) % size)).reshape(-1, size)
        power.append(np.mean(np.square(whole, dtype=np.float64), axis=1))
    return np.asarray(10 * np.log10(uniform_filter1d(np.concatenate(power), SMOOTHED_CELLS) + 1e-10))


def _own(span: Span, is_leak: NDArray[np.bool_], origin: float) -> list[Piece]:
    """What is left of a stretch of speech without the cells that leaked over."""
    first, last = int((span.start - origin) / CELL), int(np.ceil((span.end - origin) / CELL))
    kept = np.concatenate([[False], ~is_leak[first:last], [False]])
    edges = np.flatnonzero(np.diff(kept.astype(np.int8)))
    parts: list[Piece] = []
    for begin, end in edges.reshape(-1, 2).tolist():
        start = max(span.start, origin + (first + begin) * CELL)
        stop = min(span.end, origin + (first + end) * CELL)
        if stop - start >= min(LEAST_TURN, span.duration):
            parts.append((round(start, 3), round(stop, 3), 0))
    return parts
