"""How far sessions lean to codes, beyond what a coder's probabilities say: measured on held-out units.

The model is that of `msw_ml.coding.intervals`: the log-odds of a code are the coder's own and a shift of the
session, normal with a mean and a spread of its own for each code. Estimated by EM with Laplace's
approximation (Breslow and Clayton 1993, Journal of the American Statistical Association 88:9-25).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.agreement.confusion import sum_by
from msw_ml.coding.decisions import CoderParameters
from msw_ml.coding.intervals import CountErrors, Leaning, SideErrors
from msw_ml.session import Role
from training.calibrate import Scheme
from training.heldout import HeldOut

STEPS = 500
CLOSE = 1e-4
"""EM ends when no spread changes by more."""
FIRST = 0.5
"""Spread to begin with; it stays with a code that no label names."""

Table = NDArray[np.float64]
Places = NDArray[np.int64]


def measure_errors(held: HeldOut, scheme: Scheme, parameters: CoderParameters) -> CountErrors:
    """Leanings of each side's sessions to parent codes, and to codes within their parent.

    `held` are units that people labelled, `parameters` the calibration that the leanings come on top of.
    """
    return CountErrors(sides={side: _side(held.of_side(side), scheme, side, parameters) for side in scheme.sides})


def shares(held: HeldOut, scheme: Scheme, side: Role, parameters: CoderParameters) -> Table:
    """Calibrated probabilities of units of one side, (n, the side's codes)."""
    logits = held.logits[:, [scheme.codes.index(code) for code in scheme.codebook.codes(side)]]
    return _softmax(logits / parameters.sides[side].temperature)


def session_places(held: HeldOut) -> Places:
    """The number of each unit's session."""
    keys = [f"{corpus}/{session}" for corpus, session in zip(held.corpora, held.sessions, strict=True)]
    places: Places = np.unique(keys, return_inverse=True)[1]
    return places


def lean(logs: Table, truth: Places, sessions: Places) -> tuple[Table, Table]:
    """Mean and spread of the sessions' shifts of each code's log-odds.

    `logs` are the coder's log probabilities, (n, codes), minus infinity where a code is not possible.
    """
    kinds, n = logs.shape[1], int(sessions.max()) + 1
    seen = sum_by(sessions, n, np.eye(kinds)[truth])
    mean, spread, shifts = np.zeros(kinds), np.full(kinds, FIRST), np.zeros((n, kinds))
    for _ in range(STEPS):
        precision = np.diag(1 / spread.clip(min=1e-6) ** 2)
        for _newton in range(2):
            found = _softmax(logs + mean + shifts[sessions])
            slope = seen - sum_by(sessions, n, found) - shifts @ precision
            bend = sum_by(sessions, n, found[:, :, None] * (np.eye(kinds) - found[:, None, :])) + precision
            shifts += np.linalg.solve(bend, slope[:, :, None])[:, :, 0]
        moved = shifts.mean(axis=0)
        mean, shifts, before = mean + moved, shifts - moved, spread
        variances = np.diagonal(np.linalg.inv(bend), axis1=1, axis2=2)
        spread = np.sqrt((shifts**2 + variances).mean(axis=0))
        if np.abs(spread - before).max() < CLOSE:
            break
    return mean, spread


def _side(held: HeldOut, scheme: Scheme, side: Role, parameters: CoderParameters) -> SideErrors:
    codebook, codes = scheme.codebook, scheme.codebook.codes(side)
    own, sessions, of_units = shares(held, scheme, side, parameters), session_places(held), held.parents(codebook)
    parents = codebook.parent_codes(side)
    columns = {parent: [codes.index(c) for c in codes if codebook.parent_of(c) == parent] for parent in parents}
    folded = np.stack([own[:, columns[parent]].sum(axis=1) for parent in parents], axis=1)
    truth = np.array([parents.index(parent) for parent in of_units])
    of_codes: dict[str, Leaning] = {}
    for parent in parents:
        of_codes |= _within(held, own, sessions, [codes[place] for place in columns[parent]], codes)
    return SideErrors(parents=_leanings(parents, np.log(folded), truth, sessions), codes=of_codes)


def _within(
    held: HeldOut, own: Table, sessions: Places, inside: list[str], codes: tuple[str, ...]
) -> dict[str, Leaning]:
    """Of the codes of one parent, on units whose label is one of them.

    In a set only those codes compete that a label of this set names alone: of the others nothing is known.
    """
    single = np.array([labels[0] if len(labels) == 1 else "" for labels in held.codes])
    known = np.isin(single, inside)
    corpora, labels, truth = held.corpora[known], single[known], np.array([inside.index(one) for one in single[known]])
    if len(inside) == 1:
        return {inside[0]: Leaning(shift=0, spread=0, labels=int(known.sum()))}
    possible = np.array([np.isin(inside, labels[corpora == corpus]) for corpus in corpora]).reshape(-1, len(inside))
    compete = possible.sum(axis=1) > 1
    if not compete.any():
        return {code: Leaning(shift=0, spread=FIRST, labels=0) for code in inside}
    columns = [codes.index(code) for code in inside]
    with np.errstate(divide="ignore"):
        logs = np.log(np.where(possible, own[known][:, columns], 0.0))[compete]
    return _leanings(inside, logs, truth[compete], np.unique(sessions[known][compete], return_inverse=True)[1])


def _leanings(labels: tuple[str, ...] | list[str], logs: Table, truth: Places, sessions: Places) -> dict[str, Leaning]:
    mean, spread = lean(logs, truth, sessions)
    counts = np.bincount(truth, minlength=len(labels))
    return {
        label: Leaning(shift=round(float(mean[n]), 4), spread=round(float(spread[n]), 4), labels=int(counts[n]))
        for n, label in enumerate(labels)
    }


def _softmax(logs: Table) -> Table:
    raised = np.exp(logs - logs.max(axis=1, keepdims=True))
    shares: Table = raised / raised.sum(axis=1, keepdims=True)
    return shares
