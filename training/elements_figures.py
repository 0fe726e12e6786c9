"""How well ratings agree with people's, beside baselines, with intervals by resampled groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from evaluation.agreement.confusion import sum_by
from evaluation.agreement.icc import single_agreement, unit_sums
from evaluation.intervals import Draws, Estimate, Resampling, estimate
from msw_ml.rating.features import Floats, Ints
from msw_ml.session import Value

DRAWS = 1000
LEAST_PAIRS = 10
"""Sessions with both ratings, below which two elements are not compared."""
CONSTANT = "the ratings do not vary"


class ElementFigures(Value):
    """Agreement of one way of rating with the human ratings of one element."""

    model: str
    element: str
    n: int
    icc: Estimate
    """ICC(A,1), McGraw and Wong 1996."""
    mae: Estimate
    exact: Estimate
    """Share of ratings that round to the human one."""
    within_one: Estimate
    spearman: Estimate
    spearman_good: Estimate
    """Among the sessions sorted as good practice only, where that is known."""
    coverage: Estimate
    """Share of human ratings inside the interval, of models that give one."""


class Halo(Value):
    """Spearman correlation of two elements, as people rate them and as the machine does."""

    first: str
    second: str
    human: float
    machine: float


class Part(Value):
    """What was measured on some of the sessions."""

    title: str
    figures: tuple[ElementFigures, ...]
    halo: tuple[Halo, ...]


class Evaluation(Value):
    """How a rater did on sessions that it had not seen."""

    figures: tuple[ElementFigures, ...]
    halo: tuple[Halo, ...]
    declined: tuple[str, ...]
    """Sessions that were too short to be rated."""


class Truth:
    """What people said, and whose sessions belong together."""

    def __init__(self, y: Floats, groups: Ints, is_good: NDArray[np.bool_], elements: Sequence[str]) -> None:
        """`y` (sessions, elements), NaN where unrated; `groups`, `is_good` (sessions)."""
        self.y = y
        self.groups = np.unique(groups, return_inverse=True)[1].astype(np.int64)
        self.is_good = is_good
        self.elements = elements

    def of(self, rows: NDArray[np.bool_], cells: NDArray[np.bool_]) -> Truth:
        """Of these sessions, and of their ratings only those where `cells` (chosen sessions, elements) is true.

        Sessions of one group alone are resampled one by one: there is nothing else to resample.
        """
        groups = self.groups[rows]
        if len(np.unique(groups)) == 1:
            groups = np.arange(len(groups))
        return Truth(np.where(cells, self.y[rows], np.nan), groups, self.is_good[rows], self.elements)


def figures(truth: Truth, predictions: Mapping[str, Floats], half_widths: Mapping[str, Floats]) -> list[ElementFigures]:
    """A row for each model and element. Predictions (sessions, elements); half widths where a model has them."""
    made = []
    for name, predicted in predictions.items():
        widths = half_widths.get(name)
        for number, element in enumerate(truth.elements):
            rated = np.isfinite(truth.y[:, number]) & np.isfinite(predicted[:, number])
            if not rated.any():
                continue
            width = None if widths is None else widths[rated, number]
            made.append(_row(name, element, _Pairs(truth, number, predicted[:, number], rated), width))
    return made


def halo(truth: Truth, predicted: Floats) -> list[Halo]:
    """Every pair of elements, on the sessions that have both ratings."""
    made = []
    for a, b in combinations(range(len(truth.elements)), 2):
        both = np.isfinite(truth.y[:, [a, b]]).all(axis=1)
        if both.sum() < LEAST_PAIRS:
            continue
        human, machine = (spearman(m[both, a], m[both, b]) for m in (truth.y, predicted))
        made.append(Halo(first=truth.elements[a], second=truth.elements[b], human=human, machine=machine))
    return made


def spearman(first: Floats, second: Floats) -> float:
    """Rank correlation; NaN where one side does not vary."""
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])


class _Pairs:
    """Human and machine ratings of one element."""

    def __init__(self, truth: Truth, number: int, predicted: Floats, rated: NDArray[np.bool_]) -> None:
        self.human = truth.y[rated, number]
        self.machine = predicted[rated]
        self.is_good = truth.is_good[rated]
        groups = np.unique(truth.groups[rated], return_inverse=True)[1].astype(np.int64)
        self.draws = Draws(groups, Resampling(draws=DRAWS), are_utterances=False)

    def mean(self, values: Floats, why_not: str = "no rated session") -> Estimate:
        sums = self._sums(np.stack([values, np.ones(len(values))], axis=1))
        return estimate(sums[:, 0] / sums[:, 1], why_not)

    def icc(self) -> Estimate:
        return estimate(single_agreement(self._sums(unit_sums(np.stack([self.human, self.machine], axis=1)))), CONSTANT)

    def spearman(self, kept: NDArray[np.bool_]) -> Estimate:
        weights = self.draws.weights.astype(np.intp)[:, self.draws.groups]
        drawn = [np.repeat(np.flatnonzero(kept), row[kept]) for row in weights]
        return estimate(np.array([spearman(self.human[d], self.machine[d]) for d in drawn]), CONSTANT)

    def _sums(self, values: Floats) -> Floats:
        return self.draws.sums(sum_by(self.draws.groups, self.draws.n_groups, values))


def _row(name: str, element: str, pairs: _Pairs, width: Floats | None) -> ElementFigures:
    off = np.abs(np.floor(pairs.machine + 0.5) - pairs.human)
    error = np.abs(pairs.machine - pairs.human)
    inside = Estimate(value=None, reason="gives no interval")
    if width is not None:
        inside = pairs.mean((error <= width + 1e-9).astype(np.float64))
    return ElementFigures(
        model=name,
        element=element,
        n=len(error),
        icc=pairs.icc(),
        mae=pairs.mean(error),
        exact=pairs.mean((off < 0.5).astype(np.float64)),
        within_one=pairs.mean((off < 1.5).astype(np.float64)),
        spearman=pairs.spearman(np.ones(len(error), dtype=np.bool_)),
        spearman_good=pairs.spearman(pairs.is_good),
        coverage=inside,
    )


COLUMNS: tuple[tuple[str, Callable[[ElementFigures], Estimate]], ...] = (
    ("ICC(A,1)", lambda row: row.icc),
    ("MAE", lambda row: row.mae),
    ("exact", lambda row: row.exact),
    ("within one", lambda row: row.within_one),
    ("Spearman", lambda row: row.spearman),
    ("Spearman, good sessions", lambda row: row.spearman_good),
    ("inside the interval", lambda row: row.coverage),
)


def as_table(rows: Sequence[ElementFigures]) -> str:
    """A Markdown table, one row a model and element, 95% intervals in brackets."""
    lines = [
        "| element | rated by | n | " + " | ".join(title for title, _ in COLUMNS) + " |",
        "|---" * (len(COLUMNS) + 3) + "|",
    ]
    for row in sorted(rows, key=lambda r: r.element):
        cells = " | ".join(shown(of(row)) for _, of in COLUMNS)
        lines.append(f"| {row.element} | {row.model} | {row.n} | {cells} |")
    return "\n".join(lines)


def shown(figure: Estimate) -> str:
    """A figure with its interval."""
    if figure.value is None:
        return "–"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.2f}"
    return f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})"
