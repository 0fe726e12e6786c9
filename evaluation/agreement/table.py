"""All statistics of a variable side by side. A new one is a file beside this and one line here.

Pair statistics compare two coders and are averaged over the pairs of a comparison, so that one machine
with each person stands beside one person with another: single-rater figures both. Group statistics take
all coders at once. Everything is computed for the data and all bootstrap draws together (first axis).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.agreement import ac1, alpha, components, confusion, detection, difference, fleiss, icc, kappa, percent
from evaluation.agreement.confusion import MISSING, Codes, Counts
from evaluation.intervals import Draws, mean_over

Pairs = Sequence[tuple[int, int]]
"""Columns of the two coders of each pair; the second is the one that is judged (the machine)."""

SCALE = 5
"""Ratings run from 1 to 5; fractions are rounded half up where a statistic needs whole numbers."""


@dataclass(frozen=True)
class Statistic:
    """One figure: its id and name in reports, and how it follows from counts."""

    id: str
    name: str
    of: Callable[[Counts], Counts]
    is_corrected: bool = True
    """Whether chance is taken account of: only then do bands and shares of the human figure mean much."""


PAIR_OF_CODES = (
    Statistic("agreement", "Exact agreement", percent.exact_agreement, is_corrected=False),
    Statistic("kappa", "Cohen's kappa", kappa.kappa),
    Statistic("ac1", "Gwet's AC1", ac1.gwet_of_pair),
    Statistic("macro_f1", "Macro-F1", detection.macro_f1),
)
"""From confusion matrices (draws, k, k)."""

ONE_CODE = (
    Statistic("f1", "F1", detection.f1),
    Statistic("kappa", "Cohen's kappa", kappa.kappa_of_each),
    Statistic("ac1", "Gwet's AC1", ac1.gwet_of_each),
)
"""From confusion matrices (draws, k, k): one figure a code, against the rest."""

GROUP_OF_CODES = (
    Statistic("alpha", "Krippendorff's alpha, nominal", alpha.alpha),
    Statistic("fleiss", "Fleiss' kappa", fleiss.fleiss_kappa),
    Statistic("ac1_all", "Gwet's AC1, all coders", lambda sums: ac1.gwet(sums, np.eye(sums.shape[-1] - 3))),
)
"""Alpha from coincidences (draws, k, k), the others from sums of `fleiss.unit_counts`."""

PAIR_OF_NUMBERS = (
    Statistic("icc_a1", "ICC(A,1)", icc.single_agreement),
    Statistic("icc_c1", "ICC(C,1)", icc.single_consistency),
)
"""From sums of `icc.unit_sums` of two coders."""

PAIR_OF_RATINGS = (
    Statistic("kappa_quadratic", "Weighted kappa, quadratic", lambda table: kappa.kappa(table, "quadratic")),
    Statistic("kappa_linear", "Weighted kappa, linear", lambda table: kappa.kappa(table, "linear")),
    Statistic("ac2", "Gwet's AC2, quadratic", lambda table: ac1.gwet_of_pair(table, "quadratic")),
)
"""From confusion matrices of whole ratings (draws, 5, 5)."""

PAIR_DIFFERENCES = (
    Statistic("bias", "Bias", lambda sums: difference.mean_of(sums, 1), is_corrected=False),
    Statistic("mae", "Mean absolute error", lambda sums: difference.mean_of(sums, 2), is_corrected=False),
    Statistic("within_one", "Within one point", lambda sums: difference.mean_of(sums, 3), is_corrected=False),
    Statistic("agreement", "Exact agreement", lambda sums: difference.mean_of(sums, 4), is_corrected=False),
)
"""From sums of `difference.unit_counts`."""


@dataclass(frozen=True)
class Figures:
    """A statistic in the data (first) and in every draw, (1 + draws,) or (1 + draws, codes)."""

    statistic: Statistic
    values: Counts


def pairs_of_codes(codes: Codes, pairs: Pairs, categories: int, draws: Draws) -> tuple[list[Figures], list[Figures]]:
    """Means over pairs: of the whole variable, and of each code against the rest."""
    whole: list[list[Counts]] = [[] for _ in PAIR_OF_CODES]
    each: list[list[Counts]] = [[] for _ in ONE_CODE]
    for first, second in pairs:
        counts = confusion.confusion(codes[:, first], codes[:, second], categories, draws.groups, draws.n_groups)
        table = draws.sums(counts)
        for found, statistic in zip(whole, PAIR_OF_CODES, strict=True):
            found.append(statistic.of(table))
        for found, statistic in zip(each, ONE_CODE, strict=True):
            found.append(statistic.of(table))
    return _means(PAIR_OF_CODES, whole), _means(ONE_CODE, each)


def group_of_codes(codes: Codes, categories: int, draws: Draws) -> list[Figures]:
    """All coders at once."""
    tallies = confusion.tally(codes, categories)
    together = draws.sums(confusion.sum_by(draws.groups, draws.n_groups, alpha.coincidences(tallies)))
    shares = draws.sums(confusion.sum_by(draws.groups, draws.n_groups, fleiss.unit_counts(tallies)))
    return [
        Figures(statistic, statistic.of(together if statistic.id == "alpha" else shares))
        for statistic in GROUP_OF_CODES
    ]


def pairs_of_numbers(values: Counts, pairs: Pairs, is_rating: bool, draws: Draws) -> list[Figures]:
    """Means over pairs of coders' numbers, (sessions, coders)."""
    statistics = (*PAIR_OF_NUMBERS, *PAIR_DIFFERENCES[: 4 if is_rating else 2], *(PAIR_OF_RATINGS if is_rating else ()))
    found: list[list[Counts]] = [[] for _ in statistics]
    whole = as_codes(values)
    for first, second in pairs:
        two = values[:, [first, second]]
        squares = draws.sums(confusion.sum_by(draws.groups, draws.n_groups, icc.unit_sums(two)))
        apart = draws.sums(confusion.sum_by(draws.groups, draws.n_groups, difference.unit_counts(two[:, 0], two[:, 1])))
        table = (
            draws.sums(confusion.confusion(whole[:, first], whole[:, second], SCALE, draws.groups, draws.n_groups))
            if is_rating
            else apart
        )
        for values_of, statistic in zip(found, statistics, strict=True):
            source = squares if statistic in PAIR_OF_NUMBERS else apart if statistic in PAIR_DIFFERENCES else table
            values_of.append(statistic.of(source))
    return _means(statistics, found)


def group_of_numbers(values: Counts, is_rating: bool, draws: Draws) -> list[Figures]:
    """All coders at once, whoever rated what: ICC from variance components, and alpha."""
    coders = values.shape[1]
    sums = draws.sums(confusion.sum_by(draws.groups, draws.n_groups, components.unit_sums(values)))
    single = Statistic("icc_a1_all", "ICC(A,1), all coders", lambda s: components.single_agreement(s, coders))
    if is_rating:
        tallies = confusion.tally(as_codes(values), SCALE)
        together = draws.sums(confusion.sum_by(draws.groups, draws.n_groups, alpha.coincidences(tallies)))
        level = Statistic("alpha", "Krippendorff's alpha, ordinal", lambda t: alpha.alpha(t, "ordinal"))
    else:
        together = draws.sums(confusion.sum_by(draws.groups, draws.n_groups, alpha.moments(values)))
        level = Statistic("alpha", "Krippendorff's alpha, interval", alpha.interval_alpha)
    return [Figures(single, single.of(sums)), Figures(level, level.of(together))]


def as_codes(ratings: Counts) -> Codes:
    """Ratings 1 to 5 as codes 0 to 4, halves rounded up, NaN as `MISSING`."""
    whole = np.floor(np.where(np.isnan(ratings), 0.0, ratings) + 0.5).astype(np.int64) - 1
    return np.where(np.isnan(ratings), MISSING, np.clip(whole, 0, SCALE - 1))


def _means(statistics: Sequence[Statistic], found: Sequence[Sequence[Counts]]) -> list[Figures]:
    return [
        Figures(statistic, mean_over(np.stack(values))) for statistic, values in zip(statistics, found, strict=True)
    ]
