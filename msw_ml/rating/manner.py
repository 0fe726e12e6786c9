"""How somebody talks, from the commonest words alone.

A score over the shares that everyday words ("how", "would", "should", "sounds") have in the worker's
talk, learned from sessions that somebody sorted into good and poor practice. Only words that most
sessions hold take part, so it cannot know what a visit is about.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from msw_ml.session import Value

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")


class Manner(Value):
    """Everyday words and what each is worth."""

    words: tuple[str, ...]
    weights: tuple[float, ...]

    def count(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Of each text, how often it holds each word, and in the last column all its words."""
        column = {word: number for number, word in enumerate(self.words)}
        counts = np.zeros((len(texts), len(self.words) + 1))
        for row, text in enumerate(texts):
            found = tokens(text)
            counts[row, -1] = len(found)
            for word in found:
                if word in column:
                    counts[row, column[word]] += 1
        return counts

    def score(self, counts: NDArray[np.float64]) -> float:
        """The score of talk with these counts (summed over texts); no unit, higher is better."""
        return float(shares(counts[None, :])[0] @ np.array(self.weights))


def tokens(text: str) -> list[str]:
    """Words in lower case; punctuation and figures are left out, as recognisers differ in them."""
    return _WORD.findall(text.lower().replace("\u2019", "'"))


def shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Square roots of the words' shares (Hellinger), which a frequent word does not dominate.

    (texts, words + 1) → (texts, words)
    """
    return np.sqrt(counts[:, :-1] / np.maximum(counts[:, -1:], 1.0))
