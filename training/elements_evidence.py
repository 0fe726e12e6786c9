"""Whether the evidence is evidence: how far a rating moves without it, against without as many other words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from msw_ml.codebook import Codebook
from msw_ml.rating.features import SIDES, Floats, Ints, Talk, feature_row
from msw_ml.rating.rater import SessionModel
from msw_ml.session import Role, Value

COUNTS = (1, 3, 5)
MOST_SESSIONS = 60
"""Sessions that the curve is drawn from at most, evenly from all of them."""
RANDOM_DRAWS = 20


class CurvePoint(Value):
    """Mean movement of a rating, in rating points, when some of the worker's utterances are unsaid."""

    utterances: int
    """How many, the strongest that pull one way."""
    moved: float
    by_chance: float
    """Without utterances drawn at random that together have at least as many words."""


def deletion_curve(talks: Sequence[Talk], model: SessionModel, codebook: Codebook, seed: int) -> list[CurvePoint]:
    """Means over sessions and elements, one point a count of `COUNTS`."""

    def rate(talk: Talk) -> Floats:
        return model.ratings(feature_row(talk, model.features, codebook, model.manner), reach=np.inf)

    chance = np.random.default_rng(seed)
    step = max(1, -(-len(talks) // MOST_SESSIONS))
    found = np.array([_session(talk, rate, chance) for talk in talks[::step]])
    means = found.mean(axis=0)
    return [
        CurvePoint(utterances=count, moved=round(float(moved), 3), by_chance=round(float(other), 3))
        for count, (moved, other) in zip(COUNTS, means, strict=True)
    ]


def _session(talk: Talk, rate: Callable[[Talk], Floats], chance: np.random.Generator) -> Floats:
    """(counts, 2): movement without the strongest, and without random ones, mean over elements."""
    worker = np.flatnonzero(talk.side == SIDES.index(Role.WORKER))
    whole = rate(talk)
    effects = np.array([whole - rate(talk.without(int(place))) for place in worker])
    points = []
    for count in COUNTS:
        moved, by_chance = [], []
        for element in range(len(whole)):
            pulls = effects[:, element]
            sign = np.sign(pulls[np.abs(pulls).argmax()])
            strongest = worker[np.argsort(-sign * pulls, kind="stable")[:count]]
            moved.append(abs(float(_moved(talk, strongest, rate, whole)[element])))
            length = talk.words[strongest].sum()
            drawn = [_moved(talk, _as_long(talk, worker, length, chance), rate, whole) for _ in range(RANDOM_DRAWS)]
            by_chance.append(float(np.mean([abs(one[element]) for one in drawn])))
        points.append([np.mean(moved), np.mean(by_chance)])
    return np.array(points)


def _moved(talk: Talk, places: Sequence[int] | Ints, rate: Callable[[Talk], Floats], whole: Floats) -> Floats:
    for place in places:
        talk = talk.without(int(place))
    return whole - rate(talk)


def _as_long(talk: Talk, worker: Ints, words: float, chance: np.random.Generator) -> list[int]:
    """Random utterances until they have as many words; all where the session has no more."""
    order = [int(place) for place in chance.permutation(worker)]
    lengths = np.cumsum([talk.words[place] for place in order])
    return order[: int(np.searchsorted(lengths, words)) + 1]
