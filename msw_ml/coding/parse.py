"""Cuts turns into utterances: one complete thought each, the unit that gets one code.

By rule: at the end of a sentence; in text without punctuation (automatic transcripts) before a linking word
that opens a clause of its own, well into the turn. Not sure whether to cut: no cut (MITI 4.2.1). Measured
against the hand-cut volleys of the two MISC sets in `datasets/`, as boundaries between words: precision .99,
recall .90 on written text (518 cuts); .82 and .33 on automatic transcripts (1,142 cuts), where a learned rule
(logistic regression on the words around, session folds) came to .76 and .34.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msw_ml.session import Utterance

_SENTENCE_END = re.compile(r"[.?!][\"'”’)]*$")
_ABBREVIATION = re.compile(r"^(?:mr|mrs|ms|dr|st|prof|sr|jr|vs|etc|e\.g|i\.e|no|[a-z])\.$", re.IGNORECASE)
_LINKS = frozenset({"and", "but", "so"})
_SUBJECTS = frozenset({"i", "you", "it", "that", "he", "she", "we", "they", "there"})
_QUESTIONS = frozenset({"what", "how", "do", "did", "is", "are", "have", "maybe", "then", "if"})
"""What opens a clause of its own after a linking word; a subject also shortened, as in "you've"."""
WORDS_BEFORE = 8
WORDS_AFTER = 4
"""So many words must stand before a linking word, since the last cut, and after it."""


def parse(utterances: Sequence[Utterance]) -> list[Utterance]:
    """Turns in time order → utterances in time order, numbered anew from 0.

    Speaker and role stay. Times come from the words where there are any, else the turn's time is shared out
    by length of text, which is an estimate.
    """
    parts = [part for utterance in utterances for part in _cut(utterance)]
    return [part.model_copy(update={"id": number}) for number, part in enumerate(parts)]


def cuts(words: Sequence[str]) -> list[int]:
    """Positions at which a new utterance begins, 0 not among them."""
    is_written = any(_SENTENCE_END.search(word) for word in words[:-1])
    return _sentence_starts(words) if is_written else _clause_starts(words)


def _sentence_starts(words: Sequence[str]) -> list[int]:
    has_case = any(word[:1].isupper() for word in words)
    return [
        position
        for position in range(1, len(words))
        if _SENTENCE_END.search(words[position - 1])
        and not words[position - 1].endswith("...")
        and not _ABBREVIATION.match(words[position - 1])
        and not (has_case and words[position][:1].islower())
    ]


def _clause_starts(words: Sequence[str]) -> list[int]:
    starts: list[int] = []
    for position in range(1, len(words) - 1):
        before = position - (starts[-1] if starts else 0)
        if before < WORDS_BEFORE or len(words) - position < WORDS_AFTER:
            continue
        if _bare(words[position]) in _LINKS and _opens(words[position + 1]):
            starts.append(position)
    return starts


def _opens(word: str) -> bool:
    bare = _bare(word)
    return bare in _QUESTIONS or bare.partition("'")[0] in _SUBJECTS


def _bare(word: str) -> str:
    return re.sub(r"[^\w']", "", word.lower().replace("’", "'"))


def _cut(utterance: Utterance) -> list[Utterance]:
    heard = [word.text.strip() for word in utterance.words]
    words = heard or utterance.text.split()
    starts = [0, *cuts(words)]
    if len(starts) == 1:
        return [utterance]
    stops = [*starts[1:], len(words)]
    parts = []
    for start, stop in zip(starts, stops, strict=True):
        own = utterance.words[start:stop]
        first, last = (own[0].start, own[-1].end) if own else _share(utterance, words, start, stop)
        changed = {"text": " ".join(words[start:stop]), "words": own, "start": first, "end": last}
        parts.append(utterance.model_copy(update=changed))
    return parts


def _share(utterance: Utterance, words: Sequence[str], start: int, stop: int) -> tuple[float | None, float | None]:
    """Start and end by the share of the text that stands before and up to the part."""
    if utterance.start is None or utterance.duration is None:
        return utterance.start, utterance.end
    length = [len(word) + 1 for word in words]
    scale = utterance.duration / sum(length)
    return utterance.start + scale * sum(length[:start]), utterance.start + scale * sum(length[:stop])
