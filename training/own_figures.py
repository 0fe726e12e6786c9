"""How the fine-tuned rater does beside the rater it came from, baselines, and the coders with each other.

All on the same folds by worker, so that no figure comes from a rater that knows the worker.
"""

from __future__ import annotations

import math

import numpy as np

from evaluation.agreement.confusion import Counts, sum_by
from evaluation.comparisons import Sides, number_figures
from evaluation.findings import Comparison
from evaluation.intervals import Draws, Estimate, Resampling, estimate
from evaluation.variables import NumberVariable
from msw_ml.rating.release import MINIMUM_SESSIONS
from msw_ml.session import Value
from training.elements_baselines import MIDDLE
from training.elements_figures import DRAWS, Part, Truth, figures, halo
from training.own_fit import LEAST_GROUPS, UNCHANGED
from training.own_model import Tuning

TUNED, BEFORE = "fine-tuned", "before fine-tuning"
SAME = "none: no change is clearly nearer"
FEW = f"none: {MINIMUM_SESSIONS} rated sessions of {LEAST_GROUPS} groups are needed"


class ElementFound(Value):
    """What was found of one element."""

    element: str
    sessions: int
    """Rated ones."""
    groups: int
    change: str
    """What fine-tuning did to the model, in words."""
    level: float | None
    """Mean of what the coders say less what the rater said before; `None` where nothing was learned."""
    gain: Estimate
    """Mean absolute error before less that after: above zero is nearer to the coders."""
    twice: int
    """Sessions that two coders or more rated: of these are the three figures below."""
    people: Estimate
    """ICC(A,1) of one coder with another."""
    tuned: Estimate
    """ICC(A,1) of the fine-tuned rater with one coder."""
    before: Estimate


class Found(Value):
    """Everything that the card says in figures."""

    part: Part
    elements: tuple[ElementFound, ...]


def compare(tuning: Tuning) -> Found:
    """All figures of a run."""
    said, width = tuning.crossed("predicted"), tuning.crossed("half_widths")
    truth = Truth(tuning.y, tuning.own.groups, np.zeros(len(tuning.y), dtype=np.bool_), tuning.elements)
    guesses = {
        TUNED: said,
        BEFORE: tuning.said_before,
        "constant 3": np.full(said.shape, MIDDLE),
        "training median": tuning.crossed("medians"),
    }
    before = np.tile([one.half_width for one in tuning.before.elements], (len(said), 1))
    rows = figures(truth, guesses, {TUNED: width, BEFORE: before})
    return Found(
        part=Part(title="own sessions", figures=tuple(rows), halo=tuple(halo(truth, said))),
        elements=tuple(_element(tuning, number, said[:, number]) for number in range(len(tuning.elements))),
    )


def _element(tuning: Tuning, number: int, said: Counts) -> ElementFound:
    own, tuned, y = tuning.own, tuning.tuned[number], tuning.y[:, number]
    rated = np.isfinite(y)
    given = own.given[:, own.elements.index(tuning.elements[number])]
    twice = np.isfinite(given).sum(axis=1) > 1
    before = tuning.said_before[:, number]
    people, after = _with_coders(tuning, given[twice], said[twice], own.groups[twice])
    _, earlier = _with_coders(tuning, given[twice], before[twice], own.groups[twice])
    return ElementFound(
        element=tuning.elements[number],
        sessions=int(rated.sum()),
        groups=len(np.unique(own.groups[rated])),
        change=FEW if tuned is None else _change(tuned.correction.strength),
        level=None if tuned is None else round(float((y - before)[rated].mean()), 3),
        gain=Estimate(value=None, reason="stays as it was")
        if tuned is None
        else _gain(np.abs(before - y)[rated] - np.abs(said - y)[rated], own.groups[rated]),
        twice=int(twice.sum()),
        people=people,
        tuned=after,
        before=earlier,
    )


def _change(strength: float | None) -> str:
    if strength is UNCHANGED:
        return SAME
    return "its level alone" if math.isinf(strength) else f"its weights, ridge {strength:g}"


def _gain(less: Counts, groups: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> Estimate:
    """Mean of paired differences, resampled by group."""
    draws = Draws(groups.astype(np.int64), Resampling(draws=DRAWS), are_utterances=False)
    sums = draws.sums(sum_by(draws.groups, draws.n_groups, np.stack([less, np.ones(len(less))], axis=1)))
    return estimate(sums[:, 0] / sums[:, 1], "no rated session")


def _with_coders(
    tuning: Tuning, given: Counts, said: Counts, groups: np.ndarray[tuple[int, ...], np.dtype[np.intp]]
) -> tuple[Estimate, Estimate]:
    """ICC(A,1) of coders with each other, and of ratings with one coder, as `msw agree` has them."""
    coders = given.shape[1]
    variable = NumberVariable(id="", name="", kind="rating", values=np.column_stack([given, said]))
    sides = Sides(humans=list(range(coders)), machine=coders)
    resampling = Resampling(draws=DRAWS, cluster=tuning.own.grouped_by)
    if not len(given):
        nobody = Estimate(value=None, reason="no session was rated twice")
        return nobody, nobody
    found, _ = number_figures(variable, sides, groups.astype(np.int64), resampling)
    by_name: dict[Comparison, Estimate] = {f.comparison: f.estimate for f in found if f.statistic == "icc_a1"}
    none = Estimate(value=None, reason="nothing to compare")
    return by_name.get("humans", none), by_name.get("machine", none)
