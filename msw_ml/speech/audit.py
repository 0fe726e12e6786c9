"""Which recognised words are not to be trusted, and which speech no words cover.

Recognisers of Whisper's kind invent fluent text on silence and noise and get caught in loops. What looks like
that is flagged, never deleted: a doubtful word stays in the transcript and is kept out of all counts.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from msw_ml.session import Doubt, Span, Word
from msw_ml.speech.timing import NEAR_SPEECH
from msw_ml.speech.windows import uncovered

LOOP_LEAST = {1: 6, 2: 4, 3: 4}
"""Phrase length in words → how often in a row it must stand to be a loop. People do say "no, no, no, no"."""
LOOP_LEAST_LONGER = 3
"""The same for longer phrases, which nobody says three times running."""
LONGEST_PHRASE = 12
"""Words; longer loops do not fit a window three times."""
RATE_WORDS = 8
"""Words in a row over which the rate is taken: a single short word says nothing."""
FASTEST_RATE = 9.0
"""Words a second; the fastest talkers reach 6 to 7 over a phrase."""
PROBABILITY_WORDS = 3
"""Words in a row over which probabilities are averaged: one alone says little (tiny.en gives .3 to right words)."""
LEAST_PROBABILITY = 0.4
"""Mean below which a run is doubted. With tiny.en on real and constructed sound of known words it holds for 4 of
3,137 right and 8 of 128 wrong words, and for a third of the words invented on noise."""

_NOT_WORD = re.compile(r"[^\w']+")


def audit_words(words: Sequence[Word], speech: Sequence[Span]) -> list[Word]:
    """The same words in the same order, the doubtful ones flagged with the first reason that holds.

    Each speaker's words are judged by themselves where words carry speakers.
    """
    doubts: list[Doubt | None] = [None] * len(words)
    for speaker in sorted({word.speaker or "" for word in words}):
        own = [index for index, word in enumerate(words) if (word.speaker or "") == speaker]
        for index, doubt in zip(own, _doubts([words[index] for index in own], speech), strict=True):
            doubts[index] = doubt
    return [
        word if doubt is None else word.model_copy(update={"doubt": doubt})
        for word, doubt in zip(words, doubts, strict=True)
    ]


def unheard_seconds(words: Sequence[Word], speech: Sequence[Span]) -> float:
    """Seconds of speech in stretches of half a second or more that no word covers, doubtful ones included."""
    return sum(span.duration for span in uncovered(speech, words, least=0.5))


def _doubts(words: Sequence[Word], speech: Sequence[Span]) -> list[Doubt | None]:
    looped, rushed, unsure = _loops(words), _rushed(words), _unsure(words)
    ends = [span.end for span in speech]
    doubts: list[Doubt | None] = []
    for index, word in enumerate(words):
        if not _is_near(word, speech, ends):
            doubts.append(Doubt.NON_SPEECH)
        elif index in looped:
            doubts.append(Doubt.REPEATED)
        elif index in rushed:
            doubts.append(Doubt.IMPOSSIBLE_RATE)
        elif index in unsure:
            doubts.append(Doubt.LOW_CONFIDENCE)
        else:
            doubts.append(None)
    return doubts


def _is_near(word: Word, speech: Sequence[Span], ends: Sequence[float]) -> bool:
    following = bisect_left(ends, word.start - NEAR_SPEECH)
    return following < len(speech) and speech[following].start <= word.end + NEAR_SPEECH


def _loops(words: Sequence[Word]) -> set[int]:
    """Indices of words in a loop, but for its first round, which may have been said."""
    spoken = [_NOT_WORD.sub("", word.text.lower()) for word in words]
    looped: set[int] = set()
    for length in range(1, LONGEST_PHRASE + 1):
        least = LOOP_LEAST.get(length, LOOP_LEAST_LONGER)
        first = 0
        while first + length * least <= len(spoken):
            last = first + length
            while last < len(spoken) and spoken[last] == spoken[last - length]:
                last += 1
            if (last - first) // length >= least:
                looped.update(range(first + length, last))
                first = last
            else:
                first += 1
    return looped


def _rushed(words: Sequence[Word]) -> set[int]:
    """Indices of words in a run that comes faster than anybody speaks."""
    rushed: set[int] = set()
    for first in range(len(words) - RATE_WORDS + 1):
        run = words[first : first + RATE_WORDS]
        if FASTEST_RATE * (run[-1].end - run[0].start) < RATE_WORDS:
            rushed.update(range(first, first + RATE_WORDS))
    return rushed


def _unsure(words: Sequence[Word]) -> set[int]:
    """Indices of words in a run that the recogniser itself gives little probability."""
    unsure: set[int] = set()
    length = min(PROBABILITY_WORDS, len(words))
    for first in range(len(words) - length + 1):
        run = words[first : first + length]
        if run and sum(word.probability for word in run) < LEAST_PROBABILITY * length:
            unsure.update(range(first, first + length))
    return unsure
