"""How often the intervals of a session's counts hold what people counted, over sessions held out.

Beside them stands what one would get without knowing the coder's error: the binomial interval (Wilson)
about the codes given.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue
from scipy.stats import binomtest

from evaluation.agreement.confusion import sum_by
from evaluation.agreement.icc import single_agreement, unit_sums
from evaluation.intervals import Draws, Estimate, Resampling, estimate
from msw_ml.coding.decisions import CoderParameters
from msw_ml.coding.intervals import COVERAGE, DRAWS, PARAMETER, CountErrors, draw_codes, interval
from msw_ml.session import Role, Value
from training.calibrate import CalibrationOptions, Given, Scheme, calibrate, decide
from training.heldout import HeldOut
from training.leanings import Table, measure_errors, session_places, shares

_SEED = 1


class CountCoverage(Value):
    """One count, or ratio of counts, over the sessions in which people's labels say what it is."""

    id: str
    name: str
    side: Role
    sessions: int
    coverage: float
    """Share of sessions whose interval held the labelled figure."""
    low: float | None
    high: float | None
    """95% interval of `coverage`, resampling conversations."""
    width: float
    """Mean."""
    naive_coverage: float
    naive_width: float
    counted: Estimate | None = None
    """Of a count, not of a ratio: ICC(A,1) of the codes given with the labels."""
    expected: Estimate | None = None
    """The same of what the draws give on average."""


def spread_parameters(held: HeldOut, scheme: Scheme, parameters: CoderParameters) -> dict[str, JsonValue]:
    """What a bundle stores for `CountErrors.of`: from units that people labelled and the calibration that ships."""
    return {PARAMETER: json.loads(measure_errors(held, scheme, parameters).model_dump_json())}


def coverage(held: HeldOut, scheme: Scheme, options: CalibrationOptions, given: Given) -> list[CountCoverage]:
    """Coverage of parent codes, of codes, and of the codebook's counts and ratios, in its order.

    `held` are units that people labelled. Each fold's intervals come from calibration and errors that were
    measured on the other folds. Figures are taken before the volley rules: what the rules make of labels with
    alternatives cannot be known. A figure counts in sessions where no label leaves it open, and only if the
    errors of its codes are known.
    """
    figures = list(_figures(scheme))
    found: dict[str, list[_Row]] = {figure.id: [] for figure in figures}
    for own, parameters, errors in measured_apart(held, scheme, options, given):
        codes = decide(own, scheme, parameters).codes
        for side in scheme.sides:
            mine = own.sides == side.value
            units = _units(own.where(mine), codes[mine], scheme, side, (parameters, errors))
            for figure in figures:
                if figure.side is side and all(errors.is_known(code) for code in figure.needs):
                    found[figure.id] += units.rows(figure)
    return [_summary(figure, found[figure.id]) for figure in figures if found[figure.id]]


def measured_apart(
    held: HeldOut, scheme: Scheme, options: CalibrationOptions, given: Given
) -> Iterator[tuple[HeldOut, CoderParameters, CountErrors]]:
    """Each fold with calibration and errors that were measured on the other folds."""
    for fold in np.unique(held.folds):
        others, own = held.where(held.folds != fold), held.where(held.folds == fold)
        parameters = calibrate(others, scheme, options, given)
        yield own, parameters, measure_errors(others, scheme, parameters)


@dataclass(frozen=True)
class _Figure:
    """A count of codes, or the ratio of two."""

    id: str
    name: str
    side: Role
    above: tuple[str, ...]
    below: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """Codes whose own errors must be known."""

    def naive(self, above: float, below: float) -> tuple[float, float]:
        """Wilson's interval of a ratio of counts as if all codes given were right."""
        if set(self.above) <= set(self.below):
            return _wilson(above, below)
        low, high = _wilson(above, above + below)
        return low / (1 - low), high / (1 - high) if high < 1 else np.inf


@dataclass(frozen=True)
class _Row:
    """A figure in one session: what the labels give, and both intervals."""

    group: int
    true: float
    own: tuple[float, float]
    naive: tuple[float, float]
    given: float
    expected: float
    """Of a count; the last two have no meaning for a ratio."""


@dataclass(frozen=True)
class _Units:
    """Held-out units of one side by session, with the codes given and the codes drawn."""

    labels: tuple[tuple[str, ...], ...]
    sessions: NDArray[np.int64]
    groups: NDArray[np.int64]
    """By session."""
    codes: tuple[str, ...]
    given: Table
    """(sessions, codes): how often each was given."""
    drawn: NDArray[np.int64]
    """(sessions, codes, draws)"""

    def rows(self, figure: _Figure) -> Iterator[_Row]:
        """One row for each session whose labels tell the figure and in which the coder gives it."""
        true = [self._labelled(part) for part in (figure.above, figure.below)]
        places = [[self.codes.index(code) for code in part] for part in (figure.above, figure.below)]
        given = [self.given[:, part].sum(axis=1) for part in places]
        drawn = [self.drawn[:, part].sum(axis=1) for part in places]
        for place, group in enumerate(self.groups.tolist()):
            if figure.below:
                if not true[1][place] or not given[1][place]:
                    continue
                value, own = true[0][place] / true[1][place], interval(drawn[0][place], drawn[1][place])
                naive = figure.naive(given[0][place], given[1][place])
            else:
                value, own = true[0][place], interval(drawn[0][place])
                units = self.given[place].sum()
                low, high = _wilson(given[0][place], units)
                naive = float(np.ceil(low * units)), float(np.floor(high * units))
            if own is not None and not np.isnan(value):
                said = float(given[0][place]), float(drawn[0][place].mean())
                yield _Row(group, round(float(value), 4), own, naive, *said)

    def _labelled(self, codes: Sequence[str]) -> Table:
        """By session, how many labels mean one of the codes; not a number where a label leaves it open."""
        means = np.array([1.0 if set(codes).issuperset(labels) else 0.0 for labels in self.labels])
        may = np.array([not set(codes).isdisjoint(labels) for labels in self.labels])
        means[may & (means == 0)] = np.nan
        return sum_by(self.sessions, len(self.groups), means)


def _units(
    own: HeldOut, given: NDArray[np.str_], scheme: Scheme, side: Role, measured: tuple[CoderParameters, CountErrors]
) -> _Units:
    parameters, errors = measured
    codes, sessions = scheme.codebook.codes(side), session_places(own)
    n = int(sessions.max()) + 1
    of_units = shares(own, scheme, side, parameters)
    drawn = np.empty((n, len(codes), DRAWS), dtype=np.int64)
    for place in range(n):
        rng = np.random.default_rng(_SEED)
        labels = draw_codes(of_units[sessions == place], errors.sides[side], codes, scheme.codebook, rng)
        drawn[place] = (labels[:, None] == np.arange(len(codes))[:, None]).sum(axis=0)
    return _Units(
        labels=own.codes,
        sessions=sessions,
        groups=np.array([own.groups[sessions == place][0] for place in range(n)]),
        codes=codes,
        given=sum_by(sessions, n, (given[:, None] == np.array(codes)).astype(np.float64)),
        drawn=drawn,
    )


def _figures(scheme: Scheme) -> Iterator[_Figure]:
    codebook = scheme.codebook
    for side in scheme.sides:
        for parent in codebook.parents:
            if parent.speaker is side:
                inside = tuple(code for code in codebook.codes(side) if codebook.parent_of(code) == parent.id)
                kind = "parent code" if len(inside) > 1 else "count"
                yield _Figure(f"parent:{parent.id}", f"{parent.name}, {kind}", side, inside)
        for behaviour in codebook.behaviours:
            if behaviour.speaker is side and len(scheme.columns(behaviour.parent)) > 1:
                alone = (behaviour.id,)
                yield _Figure(behaviour.id, f"{behaviour.name}, count", side, alone, needs=alone)
        for rule in codebook.measures:
            if rule.numerator and codebook.behaviour(rule.numerator[0]).speaker is side:
                both = rule.numerator + rule.denominator
                name = f"{rule.name}, {'share' if rule.is_percent else rule.kind}"
                yield _Figure(rule.id, name, side, rule.numerator, rule.denominator, needs=both)


def _summary(figure: _Figure, rows: Sequence[_Row]) -> CountCoverage:
    own, naive = (np.array([getattr(row, name) for row in rows]) for name in ("own", "naive"))
    true = np.array([row.true for row in rows])
    held, held_naively = ((true >= ends[:, 0]) & (true <= ends[:, 1]) for ends in (own, naive.round(4)))
    draws = Draws(np.array([row.group for row in rows]), Resampling(), are_utterances=False)
    pairs = np.column_stack([held, np.ones(len(held))]).astype(np.float64)
    sums = draws.sums(sum_by(draws.groups, draws.n_groups, pairs))
    found = estimate(sums[:, 0] / sums[:, 1], "undefined")
    counted, expected = (
        None if figure.below else _agreement(draws, true, np.array([getattr(row, name) for row in rows]))
        for name in ("given", "expected")
    )
    return CountCoverage(
        id=figure.id,
        name=figure.name,
        side=figure.side,
        sessions=len(rows),
        coverage=float(held.mean()),
        low=found.low,
        high=found.high,
        width=float(np.diff(own).mean()),
        naive_coverage=float(held_naively.mean()),
        naive_width=float(np.diff(naive).mean()),
        counted=counted,
        expected=expected,
    )


def _agreement(draws: Draws, true: Table, said: Table) -> Estimate:
    sums = draws.sums(sum_by(draws.groups, draws.n_groups, unit_sums(np.column_stack([true, said]))))
    return estimate(single_agreement(sums), "undefined")


def _wilson(count: float, of: float) -> tuple[float, float]:
    if not of:
        return 0.0, 0.0
    found = binomtest(round(count), round(of)).proportion_ci(COVERAGE, method="wilson")
    return float(found.low), float(found.high)
