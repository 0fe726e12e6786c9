"""People with people, the machine with people, and baselines with people, on the same sessions and draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from evaluation.agreement import bands, icc, table
from evaluation.agreement.confusion import MISSING, Codes, Counts
from evaluation.agreement.table import Figures, Pairs
from evaluation.findings import Comparison, Figure, Level
from evaluation.intervals import Draws, Estimate, Resampling, estimate
from evaluation.variables import CodeVariable, NumberVariable

RARE = 5
"""A code that people gave to fewer units than this is not judged."""

FEW_SESSIONS = 5
"""Corrected statistics of whole sessions need so many at least."""

LOW_HUMAN = 0.10
"""Below this human figure a share of it means nothing."""

MIDDLE = 3.0
"""The middle of the rating scale, for the constant baseline."""


@dataclass(frozen=True)
class Sides:
    """Columns of people and of the machine."""

    humans: list[int]
    machine: int | None


@dataclass(frozen=True)
class Compared:
    """One comparison: columns in pairs, and the data they are taken from (others' units blanked)."""

    comparison: Comparison
    pairs: Pairs
    codes: Codes | None = None
    values: Counts | None = None
    figures: list[Figures] = field(default_factory=list)
    by_code: list[Figures] = field(default_factory=list)


def code_figures(
    variable: CodeVariable, sides: Sides, clusters: Codes, resampling: Resampling
) -> tuple[list[Figure], list[Compared]]:
    """All figures of a variable coded by utterance; `clusters` gives the cluster of every session."""
    draws = Draws(clusters[variable.sessions], resampling)
    size = len(variable.categories)
    found = _code_comparisons(variable, sides, size)
    figures: list[Figure] = []
    for compared in found:
        codes = compared.codes if compared.codes is not None else variable.codes
        whole, each = table.pairs_of_codes(codes, compared.pairs, size, draws)
        if compared.comparison == "humans" and len(sides.humans) > 1:
            whole += table.group_of_codes(codes[:, sides.humans], size, draws)
        compared.figures.extend(whole)
        compared.by_code.extend(each)
        figures += _of_codes(variable, compared, found, codes, _how(draws, resampling))
    return figures, found


def _code_comparisons(variable: CodeVariable, sides: Sides, size: int) -> list[Compared]:
    people = [c for c in sides.humans if (variable.codes[:, c] != MISSING).any()]
    pairs = list(combinations(people, 2))
    found = [Compared("humans", pairs, codes=variable.codes)] if pairs else []
    codes = variable.codes
    if sides.machine is not None and (codes[:, sides.machine] != MISSING).any():
        seen = codes[:, sides.machine] != MISSING
        codes = np.where(seen[:, None], codes, MISSING)
        if pairs:
            found.append(Compared("humans_same", pairs, codes=codes))
        found.append(Compared("machine", [(person, sides.machine) for person in people], codes=codes))
    given = codes[:, people]
    commonest = int(np.bincount(given[given != MISSING], minlength=size).argmax()) if (given != MISSING).any() else 0
    with_majority = np.column_stack([codes, np.full(len(codes), commonest)])
    found.append(Compared("majority", [(person, codes.shape[1]) for person in people], codes=with_majority))
    return found


def _of_codes(
    variable: CodeVariable, compared: Compared, others: Sequence[Compared], codes: Codes, how: str
) -> list[Figure]:
    units, sessions = _paired(codes != MISSING, compared.pairs, variable.sessions)
    human = next((other for other in others if other.comparison == "humans_same"), None)
    base = Figure(
        level="utterance", variable=variable.id, variable_name=variable.name, comparison=compared.comparison,
        statistic="", statistic_name="", estimate=Estimate(value=None), pairs=len(compared.pairs), units=units,
        sessions=sessions, interval=how,
    )  # fmt: skip
    found = []
    for place, figures in enumerate(compared.figures):
        why = "no unit was coded by both" if not units else "every unit has the same code"
        beside = human.figures[place].values if human is not None and compared.comparison == "machine" else None
        found.append(_figure(base, figures, figures.values, why, beside))
    people = sorted({person for person, _ in compared.pairs})
    for number, (code, name) in enumerate(variable.categories):
        used = int((codes[:, people] == number).any(axis=1).sum())
        with_code = base.model_copy(update={"code": code, "code_name": name})
        for place, figures in enumerate(compared.by_code):
            values = figures.values[:, number]
            if used < RARE:
                values = np.full_like(values, np.nan)
            why = f"people gave it to {used} units; {RARE} are needed" if used < RARE else "given to every unit"
            beside = None
            if human is not None and compared.comparison == "machine":
                beside = human.by_code[place].values[:, number]
            found.append(_figure(with_code, figures, values, why, beside))
    return found


def number_figures(
    variable: NumberVariable, sides: Sides, clusters: Codes, resampling: Resampling
) -> tuple[list[Figure], list[Compared]]:
    """All figures of a variable that sessions have one number of."""
    draws = Draws(clusters, resampling, are_utterances=False)
    is_rating = variable.kind == "rating"
    found = _number_comparisons(variable, sides)
    figures: list[Figure] = []
    for compared in found:
        values = compared.values if compared.values is not None else variable.values
        compared.figures.extend(table.pairs_of_numbers(values, compared.pairs, is_rating, draws))
        if compared.comparison == "humans" and len(sides.humans) > 1:
            compared.figures.extend(table.group_of_numbers(values[:, sides.humans], is_rating, draws))
        figures += _of_numbers(variable, compared, found, (values, sides), _how(draws, resampling))
    return figures, found


def _number_comparisons(variable: NumberVariable, sides: Sides) -> list[Compared]:
    values = variable.values
    people = [c for c in sides.humans if (~np.isnan(values[:, c])).any()]
    pairs = list(combinations(people, 2))
    found = [Compared("humans", pairs, values=values)] if pairs else []
    if sides.machine is not None and (~np.isnan(values[:, sides.machine])).any():
        seen = ~np.isnan(values[:, sides.machine])
        values = np.where(seen[:, None], values, np.nan)
        if pairs:
            found.append(Compared("humans_same", pairs, values=values))
        found.append(Compared("machine", [(person, sides.machine) for person in people], values=values))
    last = values.shape[1]
    baselines: list[tuple[Comparison, Counts]] = [("median", _others_median(values[:, people]))]
    if variable.kind == "rating":
        baselines.insert(0, ("constant", np.full(len(values), MIDDLE)))
    for comparison, column in baselines:
        beside = np.column_stack([values, column])
        found.append(Compared(comparison, [(person, last) for person in people], values=beside))
    return found


def _others_median(values: Counts) -> Counts:
    """For every session the median of people's numbers of all others: a rater that learnt nothing but that."""
    found = np.full(len(values), np.nan)
    for session in range(len(values)):
        others = np.delete(values, session, axis=0)
        others = others[~np.isnan(others)]
        if len(others):
            found[session] = np.median(others)
    return found


def _of_numbers(
    variable: NumberVariable,
    compared: Compared,
    others: Sequence[Compared],
    of: tuple[Counts, Sides],
    how: str,
) -> list[Figure]:
    values, sides = of
    units, sessions = _paired(~np.isnan(values), compared.pairs, np.arange(len(values)))
    human = next((other for other in others if other.comparison == "humans_same"), None)
    level: Level = variable.kind
    base = Figure(
        level=level, variable=variable.id, variable_name=variable.name, comparison=compared.comparison, statistic="",
        statistic_name="", estimate=Estimate(value=None), pairs=len(compared.pairs), units=units, sessions=sessions,
        interval=how,
    )  # fmt: skip
    found = []
    for place, figures in enumerate(compared.figures):
        if figures.statistic.id == "bias" and compared.comparison in {"humans", "humans_same"}:
            continue  # which of two people stands first is chance
        numbers, why = figures.values, "the numbers do not vary"
        if figures.statistic.is_corrected and sessions < FEW_SESSIONS:
            numbers = np.full_like(numbers, np.nan)
            why = f"{sessions} sessions; {FEW_SESSIONS} are needed"
        beside = human.figures[place].values if human is not None and compared.comparison == "machine" else None
        figure = _figure(base, figures, numbers, why, beside)
        found.append(_with_f_interval(figure, values, compared.pairs, sides))
    return found


def _with_f_interval(figure: Figure, values: Counts, pairs: Pairs, sides: Sides) -> Figure:
    """The exact interval where there is one: two coders, or all coders complete, and sessions as clusters."""
    names = {"icc_a1": "agreement", "icc_a1_all": "agreement", "icc_c1": "consistency"}
    if figure.estimate.value is None or figure.statistic not in names or "by session" not in (figure.interval or ""):
        return figure
    columns = sides.humans if figure.statistic == "icc_a1_all" else list(pairs[0])
    used = values[:, columns]
    used = used[(~np.isnan(used)).sum(axis=1) >= 2]
    if (figure.statistic != "icc_a1_all" and len(pairs) > 1) or np.isnan(used).any():
        return figure
    form = next(
        f for f in icc.FORMS
        if f.model == "two-way random" and f.measures == "single" and f.definition == names[figure.statistic]
    )  # fmt: skip
    exact = icc.icc(icc.mean_squares(used), form)
    if exact.low is None or exact.high is None:
        return figure
    known = Estimate(value=figure.estimate.value, low=exact.low, high=exact.high)
    return _banded(figure.model_copy(update={"estimate": known, "interval": "F distribution"}))


def _figure(base: Figure, figures: Figures, values: Counts, why_not: str, beside: Counts | None) -> Figure:
    share = None
    if beside is not None and figures.statistic.id not in {"bias", "mae"}:
        share = _share(values, beside)
    return _banded(
        base.model_copy(
            update={
                "statistic": figures.statistic.id,
                "statistic_name": figures.statistic.name,
                "estimate": estimate(values, why_not),
                "share_of_human": share,
            }
        )
    )


def _share(machine: Counts, human: Counts) -> Estimate:
    if np.isnan(human[0]) or human[0] < LOW_HUMAN:
        return Estimate(value=None, reason="the human figure is too low, or not estimable, to take a share of")
    return estimate(np.where(human > 1e-9, machine / np.where(human > 1e-9, human, 1.0), np.nan), "not estimable")


def _banded(figure: Figure) -> Figure:
    value, low, high = figure.estimate.value, figure.estimate.low, figure.estimate.high
    if value is None:
        return figure
    is_icc = figure.statistic.startswith("icc")
    named: dict[str, str] = {}
    if is_icc and low is not None and high is not None:
        named["koo_li"] = bands.koo_li(low, high)
    if is_icc or "kappa" in figure.statistic:
        named["cicchetti"] = bands.cicchetti(value)
    if figure.statistic == "alpha":
        named["krippendorff"] = bands.krippendorff(value)
    return figure.model_copy(update=named)


def _paired(given: NDArray[np.bool_], pairs: Pairs, sessions: Codes) -> tuple[int, int]:
    """Units, and sessions, in which any of the pairs met."""
    met = np.zeros(len(given), dtype=bool)
    for first, second in pairs:
        met |= given[:, first] & given[:, second]
    return int(met.sum()), len(np.unique(sessions[met]))


def _how(draws: Draws, resampling: Resampling) -> str:
    if draws.is_by_cluster:
        return f"bootstrap of {draws.n_clusters} clusters, by {resampling.cluster}"
    return f"bootstrap of units within {draws.n_clusters} clusters, by {resampling.cluster}"
