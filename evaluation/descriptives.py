"""What coders gave, before it is compared: n, mean, standard deviation, and which elements move together."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from evaluation.agreement.confusion import MISSING, Counts
from evaluation.comparisons import Sides
from evaluation.findings import Described, Halo
from evaluation.variables import CodeVariable, NumberVariable, Study


def of_codes(variable: CodeVariable, coders: list[str]) -> list[Described]:
    """Every coder's n and share of units with each code."""
    found = []
    for column, coder in enumerate(coders):
        given = variable.codes[:, column]
        n = int((given != MISSING).sum())
        for number, (code, name) in enumerate(variable.categories):
            share = float((given == number).sum()) / n if n else None
            found.append(
                Described(
                    level="utterance", variable=variable.id, variable_name=variable.name, code=code, code_name=name,
                    coder=coder, n=n, mean=share, sd=None,
                )
            )  # fmt: skip
    return found


def of_numbers(variable: NumberVariable, coders: list[str]) -> list[Described]:
    """Every coder's n, mean and standard deviation over sessions."""
    found = []
    for column, coder in enumerate(coders):
        given = variable.values[:, column]
        given = given[~np.isnan(given)]
        found.append(
            Described(
                level=variable.kind, variable=variable.id, variable_name=variable.name, coder=coder, n=len(given),
                mean=float(given.mean()) if len(given) else None,
                sd=float(given.std(ddof=1)) if len(given) > 1 else None,
            )
        )  # fmt: skip
    return found


def halo(compared: Study, sides: Sides) -> list[Halo]:
    """Spearman's correlation of every two elements over sessions."""
    ratings = [variable for variable in compared.by_session if variable.kind == "rating"]
    found = []
    for one, other in combinations(ratings, 2):
        people = [mean_of_people(variable.values[:, sides.humans]) for variable in (one, other)]
        human, n = _spearman(*people)
        machine = None
        if sides.machine is not None:
            machine = _spearman(one.values[:, sides.machine], other.values[:, sides.machine])[0]
        found.append(Halo(first=one.name, second=other.name, humans=human, machine=machine, sessions=n))
    return found


def mean_of_people(values: Counts) -> Counts:
    """Mean over coders of those who rated, NaN where nobody did."""
    given = ~np.isnan(values)
    count = given.sum(axis=1)
    found: Counts = np.where(count > 0, np.where(given, values, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)
    return found


def _spearman(first: Counts, second: Counts) -> tuple[float | None, int]:
    both: NDArray[np.bool_] = ~np.isnan(first + second)
    n = int(both.sum())
    if n < 5 or np.ptp(first[both]) == 0 or np.ptp(second[both]) == 0:
        return None, n
    return float(stats.spearmanr(first[both], second[both]).statistic), n
