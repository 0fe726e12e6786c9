"""Every statistic gives the number that was printed where it was published."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from evaluation.agreement import (
    ac1,
    bands,
    components,
    confusion,
    detection,
    difference,
    fleiss,
    icc,
    kappa,
    percent,
)
from evaluation.agreement.confusion import MISSING

SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=np.float64
)
"""Shrout and Fleiss 1979, table 2: six targets, four judges."""

_ = np.nan
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
        [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
    ]
).T
"""Krippendorff 2011, part C: twelve units, four observers, gaps; also Gwet's `cac.raw4raters`."""

ABSTRACTORS = np.array([[13, 0, 0], [0, 20, 7], [0, 4, 56]], dtype=np.float64)
"""Gwet's `cont3x3abstractors` (irrCAC): a hundred abstracts, two abstractors."""

FLEISS_EXAMPLE = np.array(
    [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ],
    dtype=np.float64,
)  # fmt: skip
"""Ten subjects, fourteen raters, five categories: the worked example that textbooks of Fleiss' kappa repeat (.210)."""


def codes() -> confusion.Codes:
    return np.where(np.isnan(KRIPPENDORFF), MISSING, np.nan_to_num(KRIPPENDORFF) - 1).astype(np.int64)


def fleiss_of(tallies: confusion.Counts) -> float:
    return float(fleiss.fleiss_kappa(fleiss.unit_counts(tallies).sum(axis=0)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ICC(1,1)", 0.17),
        ("ICC(2,1)", 0.29),
        ("ICC(3,1)", 0.71),
        ("ICC(1,k)", 0.44),
        ("ICC(2,k)", 0.62),
        ("ICC(3,k)", 0.91),
    ],
)
def test_icc_of_shrout_and_fleiss(name: str, value: float) -> None:
    found = {one.form.shrout_fleiss: one.value for one in icc.forms(SHROUT_FLEISS)}
    assert found[name] == pytest.approx(value, abs=0.005)


def test_mean_squares_of_shrout_and_fleiss() -> None:
    """Table 3: BMS 11.24, WMS 6.26, JMS 32.49, EMS 1.02."""
    squares = icc.mean_squares(SHROUT_FLEISS)
    found = (squares.units, squares.within, squares.coders, squares.residual)
    assert found == pytest.approx((11.24, 6.26, 32.49, 1.02), abs=0.005)


@pytest.mark.parametrize(("level", "value"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_of_krippendorff(level: str, value: float, alpha_of: Callable[..., float]) -> None:
    assert alpha_of(codes(), 5, level) == pytest.approx(value, abs=0.0005)


def test_gwets_four_raters(alpha_of: Callable[..., float]) -> None:
    """irrCAC on the same data: AC1 .77544, Fleiss' kappa .76117, alpha .74342."""
    tallies = confusion.tally(codes(), 5)
    assert float(ac1.gwet(fleiss.unit_counts(tallies).sum(axis=0), np.eye(5))) == pytest.approx(0.77544, abs=5e-6)
    assert fleiss_of(tallies) == pytest.approx(0.76117, abs=5e-6)
    assert alpha_of(codes(), 5) == pytest.approx(0.74342, abs=5e-6)


def test_gwets_abstractors() -> None:
    """irrCAC: Cohen's kappa .7964094, AC1 .8493305, agreement .89."""
    assert float(kappa.kappa(ABSTRACTORS)) == pytest.approx(0.7964094, abs=5e-8)
    assert float(ac1.gwet_of_pair(ABSTRACTORS)) == pytest.approx(0.8493305, abs=5e-8)
    assert float(percent.exact_agreement(ABSTRACTORS)) == pytest.approx(0.89)


def test_the_paradox_that_ac1_was_made_for() -> None:
    """Gwet 2008: 118 and 0 agreed, 5 and 2 not. Agreement .944, kappa -.023, AC1 .941."""
    table = np.array([[118.0, 5.0], [2.0, 0.0]])
    assert float(percent.exact_agreement(table)) == pytest.approx(0.944)
    assert float(kappa.kappa(table)) == pytest.approx(-0.023, abs=5e-4)
    assert float(ac1.gwet_of_pair(table)) == pytest.approx(0.941, abs=5e-4)


def test_cohens_own_example() -> None:
    """Cohen 1960, table 1 (proportions of 200): agreement .70, chance .41, kappa .492."""
    table = 200 * np.array([[0.44, 0.07, 0.09], [0.05, 0.20, 0.05], [0.01, 0.03, 0.06]])
    assert float(kappa.kappa(table)) == pytest.approx(0.492, abs=5e-4)


def test_fleiss_kappa_of_the_textbook() -> None:
    assert fleiss_of(FLEISS_EXAMPLE) == pytest.approx(0.210, abs=5e-4)


def test_limits_of_agreement() -> None:
    """Bias ± 1.96 SD of the differences, from sums (Bland and Altman 1986)."""
    first = np.array([494.0, 395.0, 516.0, 434.0, _])
    second = np.array([512.0, 430.0, 520.0, 428.0, 300.0])
    found = difference.differences(first, second)
    apart = (second - first)[:4]
    assert found.n == 4
    assert found.value == pytest.approx(apart.mean())
    assert found.limits == pytest.approx(
        (apart.mean() - 1.96 * apart.std(ddof=1), apart.mean() + 1.96 * apart.std(ddof=1))
    )
    sums = difference.unit_counts(first, second).sum(axis=0)
    assert float(difference.mean_of(sums, 2)) == pytest.approx(np.abs(apart).mean())


def test_components_of_complete_data_are_the_analysis_of_variance() -> None:
    found = components.components(SHROUT_FLEISS)
    assert found.value == pytest.approx(0.2897638, abs=1e-7)
    assert found.consistency == pytest.approx(0.7148407, abs=1e-7)


def test_f1_counts_are_those_of_the_table() -> None:
    """Of the second code: 20 by both, 7 by the first alone, 4 by the second alone."""
    assert detection.f1(ABSTRACTORS)[1] == pytest.approx(2 * 20 / (2 * 20 + 7 + 4))


def test_average_measures_step_down_to_single_ones() -> None:
    """domain: ICC .731 and .967 of means of three are .475 and .907 of one rater."""
    assert icc.spearman_brown(0.731, 1 / 3) == pytest.approx(0.475, abs=5e-4)
    assert icc.spearman_brown(0.967, 1 / 3) == pytest.approx(0.907, abs=5e-4)


@pytest.mark.parametrize(
    ("low", "high", "band"), [(0.2, 0.45, "poor"), (0.55, 0.8, "moderate to good"), (0.9, 0.99, "excellent")]
)
def test_koo_and_li_judge_the_interval(low: float, high: float, band: str) -> None:
    assert bands.koo_li(low, high) == band


def test_cicchetti_and_krippendorff() -> None:
    assert [bands.cicchetti(value) for value in (0.39, 0.5, 0.6, 0.75)] == ["poor", "fair", "good", "excellent"]
    assert [bands.krippendorff(value) for value in (0.5, 0.7, 0.8)] == ["not to be relied on", "tentative", "firm"]
