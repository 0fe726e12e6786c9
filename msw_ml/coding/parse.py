"""Cuts rows of a transcript into utterances: one complete thought each, the unit that gets one code.

By rule. A row with any sentence end is cut at those alone; one without (automatic transcripts) before a linking
word that opens a clause of its own, well into the row. Not sure whether to cut: no cut (MITI 4.2.1).

Measured against the cuts made by hand in the volleys of the two MISC sets in `datasets/`, as boundaries between
words; 95% intervals over sessions, ten a set; `pytest tests/coding/test_cuts_by_hand.py` measures it anew:

    set                            cuts by hand  precision         recall            sentence ends alone
    miv_manual, written                     518  .996 (.990-1)     .898 (.859-.930)  .996, .894
    hlqc_manual, mostly automatic         1,142  .820 (.644-.925)  .314 (.171-.518)  1, .162
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise, zip_longest

from msw_ml.session import Utterance
from msw_ml.text.sentences import ends_sentence

_LINKS = frozenset({"and", "but", "so"})
_SUBJECTS = frozenset({"i", "you", "it", "that", "he", "she", "we", "they", "there"})
_QUESTIONS = frozenset({"what", "how", "do", "did", "is", "are", "have", "maybe", "then", "if"})
"""What opens a clause of its own after a linking word; a subject also shortened, as in "you've"."""
WORDS_BEFORE = 8
WORDS_AFTER = 4
"""So many words must stand before a linking word, since the last cut, and after it."""


def cut_rows(rows: Sequence[Utterance]) -> list[Utterance]:
    """Rows in the order of the session → utterances in that order, numbered anew from 0; no word is lost.

    Speaker and role stay. A row's time is shared out by length of text, which is an estimate; a row with a start
    or an end alone gives it to all its parts. Rows that carry words came from sound and were cut where they were
    heard: they stay whole.
    """
    parts = [part for row in rows for part in ((row,) if row.words else _parts(row))]
    return [part.model_copy(update={"id": number}) for number, part in enumerate(parts)]


def cuts(words: Sequence[str]) -> list[int]:
    """Positions at which a new utterance begins, 0 not among them."""
    has_case = any(word[:1].isupper() for word in words)
    pairs = zip_longest(words, words[1:])
    ends = [place for place, (word, following) in enumerate(pairs, 1) if ends_sentence(word, following, has_case)]
    return [place for place in ends if place < len(words)] if ends else _clause_starts(words)


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


def _parts(row: Utterance) -> Iterator[Utterance]:
    words = row.text.split()
    starts = cuts(words)
    if not starts:
        yield row
        return
    edges = (0, *starts, len(words))
    letters = list(accumulate((len(word) + 1 for word in words), initial=0))
    times = _times(row, [letters[edge] / letters[-1] for edge in edges])
    for (first, last), (start, end) in zip(pairwise(edges), times, strict=True):
        yield row.model_copy(update={"text": " ".join(words[first:last]), "start": start, "end": end})


def _times(row: Utterance, shares: Sequence[float]) -> list[tuple[float | None, float | None]]:
    """Start and end of each part; `shares` of the row's text stand before each edge, from 0 to 1."""
    start, end = row.start, row.end
    if start is None or end is None:
        return [(start, end)] * (len(shares) - 1)
    inner = [min(max(round(start + share * (end - start), 3), start), end) for share in shares[1:-1]]
    return list(pairwise([start, *inner, end]))
