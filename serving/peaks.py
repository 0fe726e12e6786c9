"""The waveform as it is drawn: one loudness a tenth of a second, so that a page need not load the sound for it."""

from __future__ import annotations

import json

import numpy as np

from msw_ml.speech.audio import Audio

STEP = 0.1
_BLOCK = 60.0


def draw(audio: Audio) -> bytes:
    """JSON `{"seconds": 0.1, "peaks": [...]}`: the largest sample of each step as 0 to 255, from the very start."""
    width = round(audio.rate_hz * STEP)
    peaks: list[int] = []
    start = 0.0
    while start < audio.duration:
        block = np.abs(audio.read(start, start + _BLOCK))
        padded = np.pad(block, (0, -len(block) % width))
        peaks += [round(float(step) * 255) for step in padded.reshape(-1, width).max(axis=1)]
        start += _BLOCK
    return json.dumps({"seconds": STEP, "peaks": peaks}, separators=(",", ":")).encode()
