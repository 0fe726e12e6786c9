"""Target levels of the elements over the visits: exact shares, all but uncorrelated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.visits_ingredients import LevelPlan

Levels = NDArray[np.int64]
Floats = NDArray[np.float64]

_SWAPS = 40_000
_GAP = 3
_GAP_COST = 0.002
_OVER_COST = 20.0


def spread(plan: LevelPlan, elements: tuple[str, ...], strata: NDArray[np.str_], seed: int) -> Levels:
    """Levels, visits × elements. `strata` names each visit's band behind a slash, e.g. `test/narrow`.

    Every stratum gets the band's shares exactly (largest remainders). Swaps inside a stratum then pull
    the correlations towards the plan and take apart rows that nobody could play.
    """
    random = np.random.default_rng(seed)
    levels = np.zeros((len(strata), len(elements)), dtype=np.int64)
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        shares = plan.narrow if str(stratum).endswith("/narrow") else plan.wide
        for column in range(len(elements)):
            levels[rows, column] = random.permutation(_shares(shares, len(rows), column))
    close = np.array([element in plan.close for element in elements])
    aim = np.where(np.outer(close, close), plan.correlation_close, plan.correlation_else)
    return _swap(levels, strata, aim, plan.correlation_limit, random)


def _shares(shares: dict[int, float], visits: int, turn: int) -> Levels:
    """Whole numbers of visits a level that sum to `visits`; `turn` rotates who gets the remainder."""
    names = sorted(shares)
    wanted = np.array([shares[name] * visits / sum(shares.values()) for name in names])
    counts = np.floor(wanted).astype(int)
    order = np.argsort(-np.round(wanted - counts, 6) + 1e-9 * np.roll(np.arange(len(names)), turn), kind="stable")
    counts[order[: visits - counts.sum()]] += 1
    return np.repeat(np.array(names), counts)


def _swap(levels: Levels, strata: NDArray[np.str_], aim: Floats, limit: float, random: np.random.Generator) -> Levels:
    """Hill climbing over swaps of two visits' levels of one element."""
    members = {stratum: np.flatnonzero(strata == stratum) for stratum in np.unique(strata)}
    best = _cost(levels, aim, limit)
    for _ in range(_SWAPS):
        column = int(random.integers(levels.shape[1]))
        one = int(random.integers(levels.shape[0]))
        two = int(random.choice(members[strata[one]]))
        if levels[one, column] == levels[two, column]:
            continue
        levels[[one, two], column] = levels[[two, one], column]
        cost = _cost(levels, aim, limit)
        if cost <= best:
            best = cost
        else:
            levels[[one, two], column] = levels[[two, one], column]
    return levels


def _cost(levels: Levels, aim: Floats, limit: float) -> float:
    found = np.corrcoef(levels.T)
    over = np.clip(np.abs(found) - limit, 0, None)
    np.fill_diagonal(over, 0)
    close = aim > aim.min()
    wide_gaps = 0
    for column in np.flatnonzero(close.any(axis=0)):
        gaps = np.abs(levels[:, close[column]] - levels[:, [column]])
        wide_gaps += int((np.clip(gaps - _GAP + 1, 0, None) ** 2).sum())
    missed = found - aim
    np.fill_diagonal(missed, 0)
    return float((missed**2).sum() + _OVER_COST * over.sum() + _GAP_COST * wide_gaps)
