"""How far what was heard is from what was said: words, words with their speakers, turns, roles.

Errors and lengths are kept, so that recordings add up exactly: WER (Levenshtein over words), cpWER (the same
with every speaker's words apart, at the best assignment of speakers), DER (missed, false and confused speech
over speech, no collar, overlap scored) and role error (seconds under another role, of those that have one in
both).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evaluation.pairing import words
from msw_ml.errors import MissingExtra
from msw_ml.session import Role, Turn, Utterance, Value

if TYPE_CHECKING:
    from pyannote.core import Annotation

FRAME = 0.01
"""Seconds: resolution of the comparison of roles."""


class ErrorRate(Value):
    """Errors of a length; sums of rates are sums of both."""

    errors: float = 0.0
    length: float = 0.0

    @property
    def value(self) -> float | None:
        return self.errors / self.length if self.length else None

    def __add__(self, other: ErrorRate) -> ErrorRate:
        return ErrorRate(errors=self.errors + other.errors, length=self.length + other.length)


def check_packages() -> None:
    """Raises `MissingExtra` before any work where the scorers are not installed."""
    for package in ("jiwer", "meeteval.wer", "pyannote.metrics.diarization"):
        try:
            import_module(package)
        except ImportError as error:
            raise MissingExtra(f"comparing what was heard (missing: {error.name})", "evaluate") from error


def word_errors(reference: Sequence[Utterance], heard: Sequence[Utterance]) -> ErrorRate:
    """WER of all words in order of time, whoever said them."""
    import jiwer

    said = " ".join(word for utterance in reference for word in words(utterance.text))
    found = " ".join(word for utterance in heard for word in words(utterance.text))
    counted = jiwer.process_words(said, found) if said and found else None
    length = len(said.split())
    if counted is None:
        return ErrorRate(errors=max(length, len(found.split())), length=length)
    return ErrorRate(errors=counted.substitutions + counted.deletions + counted.insertions, length=length)


def speaker_word_errors(reference: Sequence[Utterance], heard: Sequence[Utterance]) -> ErrorRate:
    """cpWER: words count as right only with the right speaker."""
    from meeteval.wer import cp_word_error_rate

    found = cp_word_error_rate(
        reference=_by_speaker(reference),
        hypothesis=_by_speaker(heard),
        reference_sort=False,
        hypothesis_sort=False,
    )
    return ErrorRate(errors=float(found.errors), length=float(found.length))


def turn_errors(reference: Sequence[Utterance], turns: Sequence[Turn]) -> ErrorRate:
    """DER of a diariser's turns."""
    from pyannote.core import Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    said = [Turn(start=u.start or 0.0, end=u.end or 0.0, speaker=u.speaker) for u in reference]
    end = max((turn.end for turn in (*said, *turns)), default=0.0)
    metric = DiarizationErrorRate(collar=0.0, skip_overlap=False)
    whole = Timeline([Segment(0.0, end)])
    detail = metric(annotation(said), annotation(turns), uem=whole, detailed=True)
    errors = detail["confusion"] + detail["missed detection"] + detail["false alarm"]
    return ErrorRate(errors=float(errors), length=float(detail["total"]))


def role_errors(reference: Sequence[Utterance], heard: Sequence[Utterance]) -> ErrorRate:
    """Seconds that stand under another role, of those that somebody speaks in both."""
    frames = int(max((u.end or 0.0 for u in (*reference, *heard)), default=0.0) / FRAME) + 1
    ours, theirs = _roles(reference, frames), _roles(heard, frames)
    both = (ours >= 0) & (theirs >= 0)
    wrong = float((ours[both] != theirs[both]).sum()) * FRAME
    return ErrorRate(errors=round(wrong, 2), length=round(float(both.sum()) * FRAME, 2))


def _by_speaker(utterances: Sequence[Utterance]) -> dict[str, str]:
    said: defaultdict[str, list[str]] = defaultdict(list)
    for utterance in utterances:
        said[utterance.speaker] += words(utterance.text)
    return {speaker: " ".join(of) for speaker, of in said.items()}


def annotation(turns: Sequence[Turn]) -> Annotation:
    """Turns as pyannote.metrics takes them; those without length are left out."""
    from pyannote.core import Annotation, Segment

    found = Annotation()
    for number, turn in enumerate(turns):
        if turn.end > turn.start:
            found[Segment(turn.start, turn.end), number] = turn.speaker
    return found


def _roles(utterances: Sequence[Utterance], frames: int) -> NDArray[np.int64]:
    """Role of every frame by its place in `Role`, -1 where nobody of a known role speaks."""
    order = list(Role)
    found = np.full(frames, -1, dtype=np.int64)
    for utterance in utterances:
        if utterance.start is not None and utterance.end is not None and utterance.role is not Role.UNKNOWN:
            found[int(utterance.start / FRAME) : int(utterance.end / FRAME)] = order.index(utterance.role)
    return found
