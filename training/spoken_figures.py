"""Codes of the same units from the reference text and from recognised words, held against the labels.

Intervals resample whole conversations, both readings with the same draws, so a loss has an interval of its own.
A unit of which nothing was recognised has no code: it counts as wrong, never as left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.agreement.confusion import Counts, confusion, divide
from evaluation.agreement.detection import f1
from evaluation.agreement.kappa import kappa
from evaluation.intervals import Draws, Estimate, Resampling, estimate
from msw_ml.session import Role, Value
from training.calibrate import Decided, Scheme
from training.heldout import HeldOut

LOST = ""
"""The code of a unit of which nothing was recognised."""


class SideLoss(Value):
    """One side's figures on the same units: from reference text, from recognised words, and the loss."""

    side: Role
    units: int
    conversations: int
    lost: int
    """Units of which nothing was recognised."""
    changed: int
    """Units whose parent code became another, those that were lost included."""
    macro_f1: tuple[Estimate, Estimate, Estimate]
    """From reference text, from recognised words, the former less the latter."""
    kappa: tuple[Estimate, Estimate, Estimate]


@dataclass(frozen=True)
class BothReadings:
    """Parent codes of the same units, row by row."""

    sides: NDArray[np.str_]
    groups: NDArray[np.int64]
    truth: NDArray[np.str_]
    said: NDArray[np.str_]
    heard: NDArray[np.str_]
    """`LOST` where there is none."""


def pair(said: tuple[HeldOut, Decided], heard: tuple[HeldOut, Decided] | None, scheme: Scheme) -> BothReadings:
    """Brings both readings of the spoken units together; `heard` is `None` where nothing was recognised at all."""
    held, decided = said
    found = {} if heard is None else dict(zip(_keys(heard[0]), heard[1].parents.tolist(), strict=True))
    return BothReadings(
        sides=held.sides,
        groups=held.groups,
        truth=held.parents(scheme.codebook),
        said=decided.parents,
        heard=np.array([found.get(key, LOST) for key in _keys(held)]),
    )


def joined(readings: Sequence[BothReadings]) -> BothReadings:
    """Readings of several folds as one."""
    return BothReadings(**{name: np.concatenate([vars(one)[name] for one in readings]) for name in vars(readings[0])})


def side_loss(both: BothReadings, labels: Sequence[str], side: Role) -> SideLoss:
    """Figures of one side, whose parent codes are `labels`."""
    own = both.sides == side.value
    number = {label: place for place, label in enumerate([*labels, LOST])}
    truth, said, heard = (
        np.array([number[label] for label in column[own]], dtype=np.int64)
        for column in (both.truth, both.said, both.heard)
    )
    draws = Draws(both.groups[own], Resampling(cluster="family"))
    sums = [draws.sums(confusion(truth, given, len(number), draws.groups, draws.n_groups)) for given in (said, heard)]
    return SideLoss(
        side=side,
        units=int(own.sum()),
        conversations=draws.n_clusters,
        lost=int((heard == number[LOST]).sum()),
        changed=int((said != heard).sum()),
        macro_f1=_before_after(macro_f1_of_labels, sums),
        kappa=_before_after(kappa, sums),
    )


def macro_f1_of_labels(tables: Counts) -> Counts:
    """Mean F1 over the labels in use, from confusion matrices whose last code is `LOST`, which is no label."""
    scores = f1(tables)[..., :-1]
    used = ~np.isnan(scores)
    return divide(np.where(used, scores, 0.0).sum(axis=-1), used.sum(axis=-1).astype(np.float64))


def _before_after(statistic: Callable[[Counts], Counts], sums: Sequence[Counts]) -> tuple[Estimate, Estimate, Estimate]:
    before, after = (statistic(tables) for tables in sums)
    first, second, loss = (estimate(values, "undefined") for values in (before, after, before - after))
    return first, second, loss


def _keys(held: HeldOut) -> list[tuple[str, str, str]]:
    return list(zip(held.corpora.tolist(), held.sessions.tolist(), held.units.tolist(), strict=True))
