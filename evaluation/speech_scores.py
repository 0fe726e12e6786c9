"""How far what was heard is from the reference: words, speakers and their number, each with its counts.

Words are compared after Whisper's English normaliser (spelling, numbers, fillers, contractions), as its
authors do. Intervals are percentiles over resampled utterances, or over files where there are several.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from evaluation.hearing import ErrorRate, annotation
from evaluation.speech_set import MeasuredFile
from msw_ml.session import Span, Turn, Utterance, Word

DRAWS = 2000
FEWEST = 5
"""Fewer utterances or files than this give no interval."""


def word_errors(file: MeasuredFile, words: Sequence[Word]) -> list[ErrorRate]:
    """Errors and words of each reference utterance, all speakers in order of time; their sum is the WER.

    An inserted word counts with the utterance before it.
    """
    import jiwer

    said = [normal(utterance.text).split() for utterance in file.said]
    owner = [place for place, tokens in enumerate(said) for _ in tokens]
    heard = normal("".join(word.text for word in _scored(words, file.scored)))
    errors = np.zeros(len(said))
    if not owner:
        return []
    if not heard:
        return [ErrorRate(errors=len(tokens), length=len(tokens)) for tokens in said]
    found = jiwer.process_words(" ".join(token for tokens in said for token in tokens), heard)
    for chunk in found.alignments[0]:
        if chunk.type == "insert":
            place = owner[max(0, min(chunk.ref_start_idx, len(owner)) - 1)]
            errors[place] += chunk.hyp_end_idx - chunk.hyp_start_idx
        elif chunk.type != "equal":
            for token in range(chunk.ref_start_idx, chunk.ref_end_idx):
                errors[owner[token]] += 1
    return [ErrorRate(errors=float(wrong), length=len(tokens)) for wrong, tokens in zip(errors, said, strict=True)]


def speaker_word_errors(file: MeasuredFile, heard: Sequence[Utterance]) -> ErrorRate:
    """cpWER: each speaker's words apart, speakers paired as suits them best."""
    from meeteval.wer import cp_word_error_rate

    reference: dict[str, str] = {}
    for said in file.said:
        reference[said.speaker] = f"{reference.get(said.speaker, '')} {normal(said.text)}".strip()
    hypothesis: dict[str, list[Word]] = {}
    for utterance in heard:
        hypothesis.setdefault(utterance.speaker, []).extend(utterance.words)
    texts = {
        speaker: normal("".join(word.text for word in _scored(words, file.scored)))
        for speaker, words in hypothesis.items()
    }
    found = cp_word_error_rate(reference, texts or {"": ""}, reference_sort=False, hypothesis_sort=False)
    return ErrorRate(errors=float(found.errors), length=float(found.length))


def turn_errors(file: MeasuredFile, turns: Sequence[Turn], duration: float) -> dict[str, float]:
    """Seconds of each kind of diarisation error and of reference speech; no collar, overlap scored."""
    from pyannote.core import Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    part = file.scored or Span(start=0, end=duration)
    detail = DiarizationErrorRate(collar=0.0, skip_overlap=False)(
        annotation(file.turns), annotation(turns), uem=Timeline([Segment(part.start, part.end)]), detailed=True
    )
    return {kind: float(detail[kind]) for kind in ("confusion", "missed detection", "false alarm", "total")}


def owner_of(turns: Sequence[Turn], utterances: Sequence[Utterance], speaker: str) -> str | None:
    """The reference speaker with whom a heard speaker shares the most time; `None` where with nobody."""
    shared: dict[str, float] = {}
    for utterance in utterances:
        if utterance.speaker == speaker and utterance.start is not None and utterance.end is not None:
            for turn in turns:
                overlap = min(turn.end, utterance.end) - max(turn.start, utterance.start)
                shared[turn.speaker] = shared.get(turn.speaker, 0.0) + max(0.0, overlap)
    best = max(shared, key=lambda name: shared[name], default=None)
    return best if best is not None and shared[best] > 0 else None


def interval(parts: Sequence[ErrorRate], seed: int = 1) -> tuple[float, float] | None:
    """95 % percentile interval of the pooled rate over resampled parts; `None` for fewer than `FEWEST`."""
    if len(parts) < FEWEST:
        return None
    counts = np.array([[part.errors, part.length] for part in parts])
    weights = np.random.default_rng(seed).multinomial(len(parts), np.full(len(parts), 1 / len(parts)), size=DRAWS)
    errors, lengths = (weights @ counts).T
    low, high = np.percentile(errors[lengths > 0] / lengths[lengths > 0], [2.5, 97.5])
    return float(low), float(high)


def normal(text: str) -> str:
    """Whisper's English normaliser."""
    return _normaliser()(text)


@cache
def _normaliser() -> Callable[[str], str]:
    from whisper_normalizer.english import EnglishTextNormalizer  # type: ignore[import-untyped]

    normaliser: Callable[[str], str] = EnglishTextNormalizer()
    return normaliser


def _scored(words: Sequence[Word], part: Span | None) -> list[Word]:
    return [word for word in words if part is None or part.start <= (word.start + word.end) / 2 <= part.end]
