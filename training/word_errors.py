"""Spoils a transcript as a recogniser does: without capitals and marks, or with words wrong and words missing."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from msw_ml.session import Utterance

SUBSTITUTED = 2 / 3
"""Of all word errors; the rest are deletions. A choice made here."""

_MARKS = re.compile(r"[^\w\s'’-]|(?<!\w)[-'’]|[-'’](?!\w)")


def plain(utterances: Sequence[Utterance]) -> list[Utterance]:
    """Lower case, without punctuation; apostrophes and hyphens inside words stay."""
    return [
        said.model_copy(update={"text": " ".join(_MARKS.sub(" ", said.text.lower()).split())}) for said in utterances
    ]


def with_errors(utterances: Sequence[Utterance], rate: float, seed: str) -> list[Utterance]:
    """`rate` of all words wrong or missing, evenly at random over the whole transcript.

    A wrong word is another word of the same transcript. The same seed gives the same errors.
    """
    drawn = random.Random(seed)  # noqa: S311 - noise, not a secret
    texts = [said.text.split() for said in utterances]
    places = [(row, place) for row, words in enumerate(texts) for place in range(len(words))]
    known = sorted({core for words in texts for word in words if (core := _core(word))})
    spoiled: dict[tuple[int, int], str] = {}
    for row, place in sorted(drawn.sample(places, round(rate * len(places)))):
        word = texts[row][place]
        others = [other for other in known if other != _core(word)]
        is_wrong = bool(others) and drawn.random() < SUBSTITUTED
        spoiled[row, place] = _instead(word, drawn.choice(others)) if is_wrong else ""
    return [
        said.model_copy(
            update={
                "text": " ".join(
                    kept for place, word in enumerate(texts[row]) if (kept := spoiled.get((row, place), word))
                )
            }
        )
        for row, said in enumerate(utterances)
    ]


def _core(word: str) -> str:
    """A word without the marks around it, lower case."""
    return word.strip(".,!?…–—-:;\"'’‘“”()[]").lower()


def _instead(word: str, other: str) -> str:
    """Another word between the same marks."""
    core = _core(word)
    at = word.lower().find(core) if core else -1
    return other if at < 0 else word[:at] + other + word[at + len(core) :]
