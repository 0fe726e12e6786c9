"""The embedded diariser: voice vectors, clustering, and a second look at each tenth of a second.

    mel spectrogram → a voice vector of 1.6 s every `STRIDE`, and of its first .8 s
                    → voices by spectral clustering (`clusters`)
                    → who is likest in each .1 s, with a price on changing (Viterbi) → turns

The second look is what keeps short answers with their owner: long windows are sure but blur what is
shorter than they are, short windows are the other way round, so both are heard. Vectors live only
as long as the call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from msw_ml import bundle
from msw_ml.errors import DiarisationFailed
from msw_ml.session import Progress, Span, Turn, silent
from msw_ml.speech.audio import Audio
from msw_ml.speech.clusters import find_voices, mean_voices
from msw_ml.speech.mel import FRAMES_PER_SECOND, mel_spectrogram
from msw_ml.speech.turns import Piece, bridged, named

WINDOW = 1.6
SHORT_WINDOW = 0.8
"""Seconds that one voice vector hears (fixed by the encoder's training, and half of it)."""
STRIDE = 0.3
"""Seconds between windows."""
CELL = 0.1
"""Seconds: how finely turns are cut."""
SPREAD, SHORT_SPREAD = 0.4, 0.25
"""Seconds: how far from its middle a window speaks for whom it heard (standard deviation of a bell)."""
CHANGE_PRICE = 0.25
"""What a change of speaker costs in cosine times cells; half of that across a pause."""
BLOCK = 60.0
"""Seconds of sound in memory at a time."""
BATCH = 32
"""Windows a call of the network: more gain nothing on two cores."""

Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]


class VoicesDiariser:
    """Implements `Diariser` with the shipped speaker encoder; needs no network and no account."""

    def __init__(self, bundle_path: Path, threads: int = 0) -> None:
        self._bundle = bundle.load(bundle_path, "speaker_encoder")
        self._threads = threads
        self.label = f"voices {self._bundle.label}"

    def diarise(
        self, audio: Audio, speech: Sequence[Span], speakers: int | None = None, progress: Progress = silent
    ) -> list[Turn]:
        if not speech:
            return []
        try:
            starts = _window_starts(speech, audio.held)
            vectors, short_vectors = self._listen(audio, starts, progress)
            voices = find_voices(vectors, speakers)
            by_voice = vectors @ voices.T
            short_voices = mean_voices(short_vectors, by_voice.argmax(axis=1), voices)  # they lie elsewhere
            likeness = _likeness(starts, by_voice, short_vectors @ short_voices.T, speech[-1].end)
            turns = _turns(speech, likeness)
        except (RuntimeError, ValueError, np.linalg.LinAlgError) as error:
            raise DiarisationFailed(f"{audio.source}: speakers could not be told apart ({error})") from error
        progress("turns", 1.0)
        return turns

    @cached_property
    def _network(self) -> ort.InferenceSession:
        return self._bundle.session(threads=self._threads)

    def _listen(self, audio: Audio, starts: Numbers, progress: Progress) -> tuple[Floats, Floats]:
        """Voice vectors of length 1 for each window, of all of it and of its first half: (windows, 256) each."""
        whole, half = [], []
        for batch in self._windows(audio, starts):
            voice, onset = self._network.run(None, {"mel": batch})
            whole.append(voice)
            half.append(onset)
            progress("turns", min(0.99, sum(map(len, whole)) / len(starts)))
        return np.concatenate(whole), np.concatenate(half)

    def _windows(self, audio: Audio, starts: Numbers) -> Iterator[Floats]:
        """Mel windows of shape (up to BATCH, 160, 40), from one spectrogram a block of sound."""
        frames = round(WINDOW * FRAMES_PER_SECOND)
        for block in np.split(starts, np.flatnonzero(np.diff(starts // BLOCK)) + 1):
            first = float(block[0])
            sound = audio.read(first, float(block[-1]) + WINDOW)
            mel = mel_spectrogram(sound)
            mel = np.pad(mel, ((0, max(0, round((block[-1] - first) * FRAMES_PER_SECOND) + frames - len(mel))), (0, 0)))
            places = np.round((block - first) * FRAMES_PER_SECOND).astype(int)
            for some in range(0, len(places), BATCH):
                yield np.stack([mel[place : place + frames] for place in places[some : some + BATCH]])


def _window_starts(speech: Sequence[Span], held: Span) -> Numbers:
    """Where windows begin, on the grid of mel frames: their middles evenly spread over each stretch of speech."""
    middles = []
    for span in speech:
        number = max(1, round(span.duration / STRIDE))
        middles.append(span.start + (np.arange(number) + 0.5) * span.duration / number)
    starts = np.clip(np.concatenate(middles) - WINDOW / 2, held.start, max(held.start, held.end - WINDOW))
    return np.round(starts * FRAMES_PER_SECOND) / FRAMES_PER_SECOND


def _likeness(starts: Numbers, whole: Floats, half: Floats, end: float) -> Numbers:
    """How like each voice each cell is, shape (cells, voices): bell-weighted means over the windows near it."""
    cells = int((end + WINDOW) / CELL) + 2
    by_long = _spread(starts + WINDOW / 2, whole, cells, SPREAD)
    by_short = _spread(starts + SHORT_WINDOW / 2, half, cells, SHORT_SPREAD)
    return (by_long + by_short) / 2


def _spread(middles: Numbers, scores: Floats, cells: int, spread: float) -> Numbers:
    total, weight = np.zeros((cells, scores.shape[1])), np.zeros(cells)
    places = np.clip((middles / CELL).astype(int), 0, cells - 1)
    np.add.at(total, places, scores)
    np.add.at(weight, places, 1.0)
    near = gaussian_filter1d(weight, spread / CELL, mode="constant")
    mean: Numbers = gaussian_filter1d(total, spread / CELL, axis=0, mode="constant") / np.maximum(near, 1e-4)[:, None]
    return mean


def _turns(speech: Sequence[Span], likeness: Numbers) -> list[Turn]:
    """Turns in time order, speakers named by first speech."""
    edges = [_cells_of(span, len(likeness)) for span in speech]
    price = np.concatenate([[CHANGE_PRICE / 2, *[CHANGE_PRICE] * (last - first - 1)] for first, last in edges])
    owners = _cheapest_path(np.concatenate([likeness[first:last] for first, last in edges]), price)
    pieces: list[Piece] = []
    seen = 0
    for span, (first, last) in zip(speech, edges, strict=True):
        mine = owners[seen : seen + last - first]
        seen += last - first
        changes = [0, *(np.flatnonzero(np.diff(mine)) + 1).tolist(), len(mine)]
        for begin, stop in pairwise(changes):
            start = span.start if begin == 0 else (first + begin) * CELL
            end = span.end if stop == len(mine) else (first + stop) * CELL
            pieces.append((start, max(start, end), int(mine[begin])))
    return named(bridged(pieces))


def _cells_of(span: Span, cells: int) -> tuple[int, int]:
    first = min(int(span.start / CELL), cells - 1)
    return first, max(first + 1, min(int(span.end / CELL), cells))


def _cheapest_path(likeness: Numbers, price: Numbers) -> NDArray[np.int64]:
    """Viterbi: the owners that are likest in sum, less the price of each change; (cells, voices) → (cells,)."""
    best = likeness[0].copy()
    came_from = np.zeros(likeness.shape, dtype=np.int8)
    stay = np.arange(likeness.shape[1], dtype=np.int8)
    for cell in range(1, len(likeness)):
        rival = int(best.argmax())
        changed = best[rival] - price[cell]
        came_from[cell] = np.where(best >= changed, stay, rival)
        best = np.maximum(best, changed) + likeness[cell]
    path = np.empty(len(likeness), dtype=np.int64)
    path[-1] = best.argmax()
    for cell in range(len(likeness) - 1, 0, -1):
        path[cell - 1] = came_from[cell, path[cell]]
    return path
