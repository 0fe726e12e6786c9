"""Mel spectrograms as the speaker encoder was trained on.

Power (not logarithmic) in 40 bands: Hann windows of 25 ms every 10 ms, centred, zero beyond the edges;
Slaney's mel scale and area normalisation (Auditory Toolbox, 1998), which librosa made the usual one.
Agrees with `librosa.feature.melspectrogram` 0.11 to 1e-5 of the loudest band.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

SAMPLE_RATE = 16000
WINDOW = 400
HOP = 160
BANDS = 40
FRAMES_PER_SECOND = SAMPLE_RATE // HOP

Floats = NDArray[np.float32]

_LINEAR_HERTZ_PER_MEL = 200 / 3
_BREAK_HERTZ = 1000.0
_BREAK_MEL = _BREAK_HERTZ / _LINEAR_HERTZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27
"""Slaney's scale: linear to 1 kHz, then 27 steps to 6.4 kHz."""


def mel_spectrogram(sound: Floats) -> Floats:
    """Mel bands of mono sound at 16 kHz: shape (1 + samples // 160, 40), frame i centred at i × 10 ms."""
    padded = np.pad(sound.astype(np.float32, copy=False), WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    spectrum = rfft(frames * _hann(), axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    mel: Floats = (power @ _filters().T).astype(np.float32)
    return mel


@cache
def _hann() -> Floats:
    phase = 2 * np.pi * np.arange(WINDOW) / WINDOW
    return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)


@cache
def _filters() -> Floats:
    """Triangles of equal area, shape (40, 201)."""
    bins = np.linspace(0, SAMPLE_RATE / 2, WINDOW // 2 + 1)
    edges = _to_hertz(np.linspace(0, _to_mel(SAMPLE_RATE / 2), BANDS + 2))
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


def _to_mel(hertz: float) -> float:
    return float(_BREAK_MEL + np.log(hertz / _BREAK_HERTZ) / _LOG_STEP)


def _to_hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _BREAK_HERTZ * np.exp(_LOG_STEP * (mel - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _LINEAR_HERTZ_PER_MEL, above)
