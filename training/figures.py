"""Every figure of a coder's card, from held-out predictions and the sets' labels.

Intervals resample whole conversations. A figure that a set cannot give is left out, not guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.agreement.confusion import Counts, confusion, sum_by
from evaluation.agreement.detection import f1, macro_f1
from evaluation.agreement.icc import single_agreement, unit_sums
from evaluation.agreement.kappa import kappa
from evaluation.intervals import Draws, Resampling, estimate
from msw_ml.session import Role, Value
from training.calibrate import Decided, Scheme
from training.heldout import HeldOut

ENOUGH = 30
"""Codes with fewer units than this have no figure of their own."""
BINS = 10
"""Bins of equal width for the expected calibration error."""


class Figure(Value):
    """One measured number with its 95% interval."""

    id: str
    name: str
    n: int
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Labelled:
    """Units of one kind with true and given label, as numbers into `labels`."""

    labels: tuple[str, ...]
    truth: NDArray[np.int64]
    given: NDArray[np.int64]
    groups: NDArray[np.int64]

    @classmethod
    def of(
        cls, labels: Sequence[str], truth: Sequence[str], given: Sequence[str], groups: NDArray[np.int64]
    ) -> Labelled:
        number = {label: place for place, label in enumerate(labels)}
        return cls(
            labels=tuple(labels),
            truth=np.array([number[label] for label in truth], dtype=np.int64),
            given=np.array([number[label] for label in given], dtype=np.int64),
            groups=groups,
        )

    def figure(self, id_: str, name: str, statistic: Callable[[Counts], Counts]) -> Figure:
        """A statistic of confusion matrices with its interval."""
        if not len(self.truth):
            return Figure(id=id_, name=name, n=0, value=None)
        draws = Draws(self.groups, Resampling(cluster="family"))
        tables = confusion(self.truth, self.given, len(self.labels), draws.groups, draws.n_groups)
        found = estimate(statistic(draws.sums(tables)), "undefined")
        return Figure(id=id_, name=name, n=len(self.truth), value=found.value, low=found.low, high=found.high)


def coding_figures(held: HeldOut, decided: Decided, scheme: Scheme, turns: str) -> list[Figure]:
    """Agreement with the labels; `turns` is the set that has whole turns with the human line beside it."""
    figures: list[Figure] = []
    whole = held.corpora == turns
    for side in scheme.sides:
        own = whole & (held.sides == side.value)
        labelled = parents(held, decided, scheme, side, own)
        figures.append(labelled.figure(f"{side.value}_macro_f1", f"{side.value}, parent codes, macro-F1", macro_f1))
        figures.append(labelled.figure(f"{side.value}_kappa", f"{side.value}, parent codes, kappa", kappa))
        figures.append(calibration_error(held, decided, scheme, side, own))
        figures += session_counts(held, decided, scheme, side, whole)
    figures += _subtypes(held, scheme, whole)
    figures += fine_figures(held, decided, scheme, ~whole)
    return figures


def parents(held: HeldOut, decided: Decided, scheme: Scheme, side: Role, chosen: NDArray[np.bool_]) -> Labelled:
    """True and given parent codes of chosen units of a side."""
    truth = held.parents(scheme.codebook)[chosen]
    labels = scheme.codebook.parent_codes(side)
    return Labelled.of(labels, truth.tolist(), decided.parents[chosen].tolist(), held.groups[chosen])


def fine(held: HeldOut, given: NDArray[np.str_], scheme: Scheme, chosen: NDArray[np.bool_]) -> Labelled:
    """True and given codes of chosen units of the worker whose label is one code."""
    known = chosen & np.array([len(codes) == 1 for codes in held.codes]) & (held.sides == Role.WORKER.value)
    truth = [codes[0] for codes, is_known in zip(held.codes, known, strict=True) if is_known]
    return Labelled.of(scheme.codebook.codes(Role.WORKER), truth, given[known].tolist(), held.groups[known])


def fine_figures(held: HeldOut, decided: Decided, scheme: Scheme, chosen: NDArray[np.bool_]) -> list[Figure]:
    """F1 of every worker code with enough units, and their mean."""
    labelled = fine(held, decided.codes, scheme, chosen)
    counts = np.bincount(labelled.truth, minlength=len(labelled.labels))
    enough = np.flatnonzero(counts >= ENOUGH)

    def mean_f1(tables: Counts) -> Counts:
        return np.asarray(np.nan_to_num(f1(tables)[..., enough]).mean(axis=-1))

    figures = [
        labelled.figure("fine_macro_f1", f"worker, {len(enough)} codes with {ENOUGH} or more, macro-F1", mean_f1)
    ]
    for place in enough:
        code = labelled.labels[place]
        figure = labelled.figure(f"fine_f1_{code}", f"{code}, F1", lambda tables, p=place: f1(tables)[..., p])  # type: ignore[misc]
        figures.append(figure.model_copy(update={"n": int(counts[place])}))
    return figures


@dataclass(frozen=True)
class Kinds:
    """A parent with two codes, and the units whose label is one of them."""

    parent: str
    codes: tuple[str, ...]
    inside: NDArray[np.bool_]
    truth: tuple[str, ...]

    def figure(self, given: Sequence[str], groups: NDArray[np.int64]) -> Figure:
        """How well the two are told apart, given the parent is right."""
        labelled = Labelled.of(self.codes, self.truth, given, groups[self.inside])
        return labelled.figure(f"{self.parent}_kind_f1", f"{' against '.join(self.codes)}, macro-F1", macro_f1)


def kinds(held: HeldOut, scheme: Scheme, chosen: NDArray[np.bool_]) -> list[Kinds]:
    """The worker's parents that have two codes, with the units to tell them apart on."""
    found = []
    for parent in scheme.codebook.parent_codes(Role.WORKER):
        codes = tuple(scheme.codes[place] for place in scheme.columns(parent))
        if len(codes) == 2:
            inside = chosen & np.array([len(own) == 1 and own[0] in codes for own in held.codes])
            truth = tuple(own[0] for own, is_in in zip(held.codes, inside, strict=True) if is_in)
            found.append(Kinds(parent, codes, inside, truth))
    return found


def _subtypes(held: HeldOut, scheme: Scheme, chosen: NDArray[np.bool_]) -> list[Figure]:
    """Which of two codes of a parent the network prefers."""
    return [
        kind.figure(
            [kind.codes[p] for p in held.logits[kind.inside][:, scheme.columns(kind.parent)].argmax(axis=1)],
            held.groups,
        )
        for kind in kinds(held, scheme, chosen)
    ]


def calibration_error(held: HeldOut, decided: Decided, scheme: Scheme, side: Role, chosen: NDArray[np.bool_]) -> Figure:
    """Expected calibration error of the confidence in the parent code given."""
    right = (held.parents(scheme.codebook)[chosen] == decided.parents[chosen]).astype(np.float64)
    sure = decided.confidence[chosen]
    bins = np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    draws = Draws(held.groups[chosen], Resampling(cluster="family"))
    by_bin = np.zeros((len(sure), BINS, 2))
    by_bin[np.arange(len(sure)), bins] = np.column_stack([np.ones(len(sure)), right - sure])
    sums = draws.sums(sum_by(draws.groups, draws.n_groups, by_bin))
    error = np.abs(sums[..., 1]).sum(axis=-1) / sums[..., 0].sum(axis=-1)
    found = estimate(error, "undefined")
    name = f"{side.value}, expected calibration error"
    return Figure(id=f"{side.value}_ece", name=name, n=len(sure), value=found.value, low=found.low, high=found.high)


def session_counts(
    held: HeldOut, decided: Decided, scheme: Scheme, side: Role, chosen: NDArray[np.bool_]
) -> list[Figure]:
    """ICC(A,1) of the number of units with each parent code, over sessions, machine against label."""
    inside = held.where(chosen)
    keys = np.array([f"{c}/{s}" for c, s in zip(inside.corpora, inside.sessions, strict=True)])
    names, session = np.unique(keys, return_inverse=True)
    groups = np.array([inside.groups[session == place][0] for place in range(len(names))])
    truth, given = inside.parents(scheme.codebook), decided.parents[chosen]
    figures = []
    for parent in scheme.codebook.parent_codes(side):
        pairs = np.zeros((len(names), 2))
        for column, labels in enumerate((truth, given)):
            np.add.at(pairs[:, column], session, (labels == parent).astype(np.float64))
        draws = Draws(groups, Resampling(cluster="family"), are_utterances=False)
        sums = draws.sums(sum_by(draws.groups, draws.n_groups, unit_sums(pairs)))
        found = estimate(single_agreement(sums), "undefined")
        name = f"{parent}, count a session, ICC(A,1)"
        figures.append(
            Figure(id=f"{parent}_icc", name=name, n=len(names), value=found.value, low=found.low, high=found.high)
        )
    return figures


def risk_coverage(held: HeldOut, decided: Decided, scheme: Scheme, side: Role) -> list[tuple[float, float, float]]:
    """(least confidence, share of units with at least it, share of those that are wrong), by steps."""
    own = held.sides == side.value
    right = held.parents(scheme.codebook)[own] == decided.parents[own]
    sure = decided.confidence[own]
    return [
        (least, float((sure >= least).mean()), float(1 - right[sure >= least].mean()))
        for least in (0.0, 0.5, 0.6, 0.7, 0.8, 0.9)
        if (sure >= least).any()
    ]
