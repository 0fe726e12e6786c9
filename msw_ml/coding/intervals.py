"""Intervals of counts that include the coder's own error: a session's true codes are drawn many times over.

Adding up the codes given hides two errors. A single utterance may have another code: its calibrated
probabilities say how likely that is. And errors cluster: people, topics and annotators differ, so in one
session nearly all doubtful utterances are of one code, and in the next of another. So every draw takes

    how far this session leans to each code   a normal shift of its log-odds, measured on held-out sessions
    a code for every utterance                by its probabilities, shifted
    the counts                                after the volley rules

and the interval lies between the quantiles of the draws. This is the multinomial logit model with random
effects (Hartzel, Agresti and Caffo 2001, Statistical Modelling 1:81-102) with the coder's log probabilities
as offset; `training/count_intervals.py` estimates it and measures how often the intervals hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from msw_ml.bundle import BundleInfo
from msw_ml.codebook import Codebook
from msw_ml.errors import ModelNotFound
from msw_ml.session import CodedUtterance, Role, Value

COVERAGE = 0.9
DRAWS = 1000
ENOUGH_LABELS = 30
"""A code with fewer held-out labels has no interval: how often the coder is wrong on it is not known."""
UNDEFINED_SHARE = 0.05
"""A ratio with a zero denominator in a larger share of the draws has no interval."""
PARAMETER = "count_errors"
"""Where they stand in `BundleInfo.parameters`."""
_SEED = 1
_NONE = -1
_TINY = 1e-300

Labels = NDArray[np.int64]
"""(utterances, draws): the place of the code drawn among the codebook's behaviours; -1 for none."""


class Leaning(Value):
    """By how much the log-odds of a code differ from the coder's, over sessions."""

    shift: float
    spread: float = Field(ge=0)
    labels: int = Field(ge=0)
    """Held-out units of this code that it was measured on."""


class SideErrors(Value):
    """Leanings of one side's sessions: to parent codes, and to the codes within their parent."""

    parents: dict[str, Leaning]
    codes: dict[str, Leaning]


class CountErrors(Value):
    """What a coder's bundle says about the errors of its counts."""

    sides: dict[Role, SideErrors]

    @classmethod
    def of(cls, info: BundleInfo, codebook: Codebook) -> CountErrors | None:
        """`None` where the bundle does not say. Raises `ModelNotFound` where it says it of other codes, or badly."""
        stored = info.parameters.get(PARAMETER)
        if stored is None:
            return None
        try:
            made = cls.model_validate(stored)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in (PARAMETER, *first["loc"]))
            raise ModelNotFound(f"the bundle {info.name}: {place}: {first['msg']}; train it again") from error
        for side, of_side in made.sides.items():
            known = (*codebook.parent_codes(side), *codebook.codes(side))
            if sorted((*of_side.parents, *of_side.codes)) != sorted(known):
                raise ModelNotFound(
                    f"the bundle {info.name} has errors of other codes of the {side.value} than the codebook; "
                    f"train it again"
                )
        return made

    def is_known(self, code: str) -> bool:
        """Whether the error on a code was measured on enough labels."""
        found = (side.codes[code] for side in self.sides.values() if code in side.codes)
        return any(one.labels >= ENOUGH_LABELS for one in found)


@dataclass(frozen=True)
class DrawnCounts:
    """How often each code counts in every draw, (behaviours, draws); for which codes that means anything."""

    counts: NDArray[np.int64]
    places: dict[str, int]
    known: frozenset[str]

    def interval(self, numerator: Iterable[str], denominator: Iterable[str] = ()) -> tuple[float, float] | None:
        """Of a count, or of a ratio of two; `None` where it cannot be given."""
        above, below = list(numerator), list(denominator)
        if not self.known.issuperset(above + below):
            return None
        return interval(self._sum(above), self._sum(below) if below else None)

    def expected(self, codes: Iterable[str]) -> float | None:
        """Of a count: its mean over the draws, to one decimal; `None` where it cannot be given."""
        counted = list(codes)
        return round(float(self._sum(counted).mean()), 1) if self.known.issuperset(counted) else None

    def _sum(self, codes: Sequence[str]) -> NDArray[np.int64]:
        total: NDArray[np.int64] = self.counts[[self.places[code] for code in codes]].sum(axis=0)
        return total


def interval(drawn: NDArray[np.int64], divisor: NDArray[np.int64] | None = None) -> tuple[float, float] | None:
    """Lower and upper limit of a count, itself a count, or of a ratio, to four decimals; over all draws."""
    values = drawn.astype(np.float64)
    if divisor is not None:
        if (divisor == 0).mean() > UNDEFINED_SHARE:
            return None
        values = values[divisor > 0] / divisor[divisor > 0]
    tail = (1 - COVERAGE) / 2
    low, high = np.quantile(values, [tail, 1 - tail], method="inverted_cdf")
    return round(float(low), 4), round(float(high), 4)


def draw_counts(coded: Sequence[CodedUtterance], errors: CountErrors, codebook: Codebook) -> DrawnCounts | None:
    """Draws the counts of a session after the volley rules; `None` where no coder with known errors coded it.

    `coded` has gone through the volley rules; volleys stay as they are in all draws. A code that a person
    gave (without confidence) is certain. The same session gives the same draws.
    """
    places = {behaviour.id: place for place, behaviour in enumerate(codebook.behaviours)}
    given = [_NONE if unit.code is None else places[unit.code] for unit in coded]
    labels = np.repeat(np.array(given, dtype=np.int64)[:, None], DRAWS, axis=1)
    rng = np.random.default_rng(_SEED)
    known: set[str] = set()
    for side, of_side in errors.sides.items():
        mine = [n for n, unit in enumerate(coded) if unit.utterance.role is side and _is_of_machine(unit)]
        if not mine:
            continue
        codes = codebook.codes(side)
        shares = np.array([[coded[number].probabilities.get(code, 0.0) for code in codes] for number in mine])
        drawn = draw_codes(shares, of_side, codes, codebook, rng)
        labels[mine] = np.array([places[code] for code in codes])[drawn]
        known |= {code for code in codes if errors.is_known(code)}
    if not known:
        return None
    volleys = [_NONE if unit.volley is None else unit.volley for unit in coded]
    return DrawnCounts(counted(labels, volleys, codebook), places, frozenset(known))


def draw_codes(
    shares: NDArray[np.float64], errors: SideErrors, codes: Sequence[str], codebook: Codebook, rng: np.random.Generator
) -> Labels:
    """Codes of a side's utterances in every draw, as places in `codes`.

    `shares` are the coder's calibrated probabilities, (utterances, codes). One shift a code and draw is
    shared by all utterances of the session.
    """
    parents = list(errors.parents)
    member = np.array([[codebook.parent_of(code) == parent for code in codes] for parent in parents], dtype=np.float64)
    of_parents = _factors([errors.parents[parent] for parent in parents], rng)
    of_codes = _factors([errors.codes[code] for code in codes], rng)
    labels = np.empty((len(shares), DRAWS), dtype=np.int64)
    chance = rng.random((len(shares), DRAWS))
    for number, own in enumerate(shares):
        inside = own[:, None] * of_codes
        whole = (member @ own)[:, None] * of_parents
        # A parent's share is shifted as a whole, then divided among its codes by their own shifted shares.
        upto = (inside * (member.T @ (whole / np.maximum(member @ inside, _TINY)))).cumsum(axis=0)
        labels[number] = (chance[number] * upto[-1] > upto).sum(axis=0)
    return labels


def counted(labels: Labels, volleys: Sequence[int], codebook: Codebook) -> NDArray[np.int64]:
    """How often each code counts after the volley rules, (behaviours, draws), for all draws at once.

    `volleys` has the number of each utterance's volley, -1 for one that stands outside all. Counts as
    `apply_volley_rules` does: within a volley the best of a family, and no more families than the limit.
    """
    behaviours, (n, draws) = codebook.behaviours, labels.shape
    families = list(dict.fromkeys(b.family for b in behaviours if b.family is not None))
    # The last place of each is for -1: no code, hence no family.
    family_of = np.array([_NONE if b.family is None else families.index(b.family) for b in behaviours] + [_NONE])
    rank_of = np.array([b.rank for b in behaviours] + [0])
    rank_of -= rank_of.min()
    counts = np.zeros((len(behaviours) + 1, draws), dtype=np.int64)
    best = np.full((max(volleys, default=_NONE) + 1, len(families), draws), _NONE, dtype=np.int32)
    every = np.arange(draws)
    for number, volley in enumerate(volleys):
        drawn = labels[number]
        family = family_of[drawn] if volley != _NONE else np.full(draws, _NONE)
        free, bound = every[family == _NONE], every[family != _NONE]
        counts[drawn[free], free] += 1
        # The highest rank, and among equals the earliest: the larger the better, and the place can be read off.
        worth = rank_of[drawn[bound]] * n + (n - 1 - number)
        held = best[volley, family[bound], bound]
        best[volley, family[bound], bound] = np.maximum(held, worth)
    for stands in best:
        place = np.where(stands == _NONE, n, n - 1 - stands % max(n, 1))
        if len(families) > codebook.max_codes_per_volley:
            place = np.sort(place, axis=0)[: codebook.max_codes_per_volley]
        for earliest in place:
            there = every[earliest < n]
            counts[labels[earliest[there], there], there] += 1
    is_counted = np.array([behaviour.is_counted for behaviour in behaviours])
    return np.where(is_counted[:, None], counts[:-1], 0)


def _is_of_machine(unit: CodedUtterance) -> bool:
    return unit.code is not None and unit.confidence is not None and bool(unit.probabilities)


def _factors(leanings: Sequence[Leaning], rng: np.random.Generator) -> NDArray[np.float64]:
    """What the odds are multiplied by in every draw, (leanings, draws)."""
    shift, spread = (np.array([[getattr(one, name)] for one in leanings]) for name in ("shift", "spread"))
    # Evenly spread, in random order for each leaning (Latin hypercube): steadier than as many free draws.
    even = np.array([NormalDist().inv_cdf((number + 0.5) / DRAWS) for number in range(DRAWS)])
    normal = rng.permuted(np.tile(even, (len(leanings), 1)), axis=1)
    factors: NDArray[np.float64] = np.exp(shift + spread * normal)
    return factors
