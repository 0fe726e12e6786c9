"""The numbers that R gives (`r/agreement.R`, output recorded in `r/agreement.json`), to 1e-6."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from evaluation.agreement import ac1, components, confusion, fleiss, icc, kappa
from evaluation.agreement.table import as_codes

R = json.loads((Path(__file__).parent / "r" / "agreement.json").read_text())
RATINGS = np.array(R["ratings"], dtype=np.float64)
GAPS = np.array(R["gaps"], dtype=np.float64)
SHROUT = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=np.float64
)
CLOSE = 1e-6


def first_two() -> confusion.Counts:
    """Confusion matrix of the first two coders, whole ratings 1 to 5."""
    codes = as_codes(RATINGS)
    return confusion.confusion(codes[:, 0], codes[:, 1], 5, np.zeros(len(codes), dtype=np.int64), 1)[0]


@pytest.mark.parametrize(("data", "recorded"), [(SHROUT, "icc_shrout"), (RATINGS, "icc_ratings")])
def test_six_forms_with_intervals(data: np.ndarray, recorded: str) -> None:
    """psych::ICC; McGraw and Wong's other four forms share these values and intervals."""
    named = {one.form.shrout_fleiss: (one.value, one.low, one.high) for one in icc.forms(data)}
    for name, row in zip(
        ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)"), R[recorded], strict=True
    ):
        assert named[name] == pytest.approx(row, abs=CLOSE)


def test_kappa_and_weighted_kappa() -> None:
    """psych::cohen.kappa."""
    found = [float(kappa.kappa(first_two(), weighting)) for weighting in ("nominal", "linear", "quadratic")]
    assert found == pytest.approx(R["kappas"], abs=CLOSE)


def test_fleiss_kappa() -> None:
    sums = fleiss.unit_counts(confusion.tally(as_codes(RATINGS), 5)).sum(axis=0)
    assert float(fleiss.fleiss_kappa(sums)) == pytest.approx(R["fleiss"][0], abs=CLOSE)


def test_ac1_with_gaps() -> None:
    """Of three coders, as reports compute it."""
    sums = fleiss.unit_counts(confusion.tally(as_codes(GAPS), 5)).sum(axis=0)
    assert float(ac1.gwet(sums, np.eye(5))) == pytest.approx(R["ac1"][0], abs=CLOSE)


def test_ac2_of_two_coders() -> None:
    """With quadratic weights, as reports compute it."""
    assert float(ac1.gwet_of_pair(first_two(), "quadratic")) == pytest.approx(R["ac2"][0], abs=CLOSE)


def test_alpha_with_gaps(alpha_of: Callable[..., float]) -> None:
    found = [alpha_of(as_codes(GAPS), 5, level) for level in ("nominal", "ordinal", "interval")]
    assert found == pytest.approx(R["alpha"], abs=CLOSE)


def test_variance_components_of_an_incomplete_design() -> None:
    """R's own sums of squares from lm()."""
    found = components.components(GAPS)
    assert (found.session, found.coder, found.error, found.value) == pytest.approx(R["components"], abs=CLOSE)


def test_spearman() -> None:
    assert stats.spearmanr(RATINGS[:, 0], RATINGS[:, 1]).statistic == pytest.approx(R["spearman"][0], abs=CLOSE)
