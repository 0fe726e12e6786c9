"""Where somebody speaks: Silero VAD (v6, ONNX, as faster-whisper ships it) over sound of any length.

The network is recurrent: its state goes from one block to the next, so blocks give what one piece would.
Memory holds one block of sound and one probability a 32 ms window (four hours: 2 MB).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from msw_ml.session import Progress, Span, silent
from msw_ml.speech.audio import Audio

WINDOW_SAMPLES = 512
"""What Silero VAD hears at a time, 32 ms at 16 kHz (fixed by its training)."""
CONTEXT_SAMPLES = 64
"""Samples before each window that it hears with it (fixed by its training)."""
BLOCK_WINDOWS = 1024
"""About half a minute of sound a call."""

THRESHOLD = 0.4
"""Probability above which speech begins. Below Silero's own .5, since quiet speech across a room counts."""
HYSTERESIS = 0.15
"""Speech ends this much below `THRESHOLD`: Silero's own choice."""
LEAST_SILENCE = 0.3
"""Seconds; a shorter gap is a plosive or a breath, not a pause."""
LEAST_SPEECH = 0.1
"""Seconds; a click is shorter, "mm" is longer."""
PADDING = 0.05
"""Seconds kept on each side: the first consonant comes before the network is sure."""


def find_speech(audio: Audio, channel: int | None = None, progress: Progress = silent) -> list[Span]:
    """Stretches with speech in time order, without overlap, inside `audio.held`; empty where nobody speaks."""
    return _to_spans(_probabilities(audio, channel, progress), audio.held)


def _probabilities(audio: Audio, channel: int | None, progress: Progress) -> NDArray[np.float32]:
    """Probability of speech in each window of the held part, shape (windows,)."""
    network = _network()
    state = {name: np.zeros((1, 1, 128), dtype=np.float32) for name in ("h", "c")}
    before = np.zeros(CONTEXT_SAMPLES, dtype=np.float32)
    heard: list[NDArray[np.float32]] = []
    for start, block in audio.blocks(BLOCK_WINDOWS * WINDOW_SAMPLES / audio.rate_hz, channel):
        whole = np.pad(block, (0, -len(block) % WINDOW_SAMPLES))
        sound = np.concatenate([before, whole])
        windows = np.lib.stride_tricks.sliding_window_view(sound, CONTEXT_SAMPLES + WINDOW_SAMPLES)[::WINDOW_SAMPLES]
        speech, state["h"], state["c"] = network.run(None, {"input": np.ascontiguousarray(windows), **state})
        heard.append(np.asarray(speech, dtype=np.float32).reshape(-1))
        before = whole[-CONTEXT_SAMPLES:]
        progress("speech", min(1.0, (start + len(block) / audio.rate_hz - audio.held.start) / audio.held.duration))
    return np.concatenate(heard) if heard else np.zeros(0, dtype=np.float32)


def _to_spans(probabilities: NDArray[np.float32], held: Span) -> list[Span]:
    """Hysteresis: speech begins at `THRESHOLD` and lasts until it stays lower for `LEAST_SILENCE`."""
    seconds = WINDOW_SAMPLES / 16_000
    found: list[tuple[float, float]] = []
    for first, last in _runs(probabilities):
        start, end = first * seconds, last * seconds
        if found and start - found[-1][1] < LEAST_SILENCE:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    long_enough = [(start, end) for start, end in found if end - start >= LEAST_SPEECH]
    return [
        Span(
            start=round(held.start + max(start - PADDING, 0), 3),
            end=round(min(held.start + end + PADDING, held.end), 3),
        )
        for start, end in long_enough
    ]


def _runs(probabilities: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Half-open runs of windows from a rise over `THRESHOLD` until the fall below it less `HYSTERESIS`."""
    runs: list[tuple[int, int]] = []
    begun: int | None = None
    for window, probability in enumerate(probabilities.tolist()):
        if begun is None and probability >= THRESHOLD:
            begun = window
        elif begun is not None and probability < THRESHOLD - HYSTERESIS:
            runs.append((begun, window))
            begun = None
    if begun is not None:
        runs.append((begun, len(probabilities)))
    return runs


@cache
def _network() -> ort.InferenceSession:
    from faster_whisper.utils import get_assets_path

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1  # windows follow one another: more threads only wait
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    model = Path(get_assets_path()) / "silero_vad_v6.onnx"
    return ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
