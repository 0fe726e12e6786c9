"""What must hold for any data at all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evaluation.agreement import ac1, alpha, components, confusion, detection, fleiss, icc, kappa
from evaluation.agreement.confusion import MISSING, Codes, Counts

CATEGORIES = 4
coded = arrays(
    np.int64, st.tuples(st.integers(3, 25), st.integers(2, 5)), elements=st.integers(MISSING, CATEGORIES - 1)
)
rated = arrays(np.float64, st.tuples(st.integers(3, 15), st.integers(2, 5)), elements=st.integers(1, 5).map(float))


def table(codes: Codes) -> Counts:
    return confusion.confusion(codes[:, 0], codes[:, 1], CATEGORIES, np.zeros(len(codes), dtype=np.int64), 1)[0]


def ac1_of(codes: Codes) -> float:
    sums = fleiss.unit_counts(confusion.tally(codes, CATEGORIES)).sum(axis=0)
    return float(ac1.gwet(sums, np.eye(CATEGORIES)))


def against_rest(whole: Counts) -> Counts:
    """A confusion matrix as one two-by-two table a code, (codes, 2, 2), the code first."""
    tables = []
    for code in range(CATEGORIES):
        both, first, second = whole[code, code], whole[code].sum(), whole[:, code].sum()
        tables.append([[both, first - both], [second - both, whole.sum() - first - second + both]])
    return np.array(tables)


def close(found: float | None, expected: float | None) -> bool:
    if found is None or expected is None:
        return found is expected
    return found == pytest.approx(expected, abs=1e-9)


@given(coded, st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_order_of_coders_and_units_is_nothing(alpha_of: Callable[..., float], codes: Codes, random: object) -> None:
    shuffled = codes[::-1, ::-1]
    for level in ("nominal", "ordinal", "interval"):
        ours, theirs = (alpha_of(c, CATEGORIES, level) for c in (codes, shuffled))
        np.testing.assert_allclose(ours, theirs, equal_nan=True, atol=1e-9)
    np.testing.assert_allclose(ac1_of(codes), ac1_of(shuffled), equal_nan=True, atol=1e-9)
    ours, theirs = (fleiss.unit_counts(confusion.tally(c, CATEGORIES)).sum(axis=0) for c in (codes, shuffled))
    kappas = fleiss.fleiss_kappa(ours), fleiss.fleiss_kappa(theirs)
    np.testing.assert_allclose(*kappas, equal_nan=True, atol=1e-9)


@given(coded)
@settings(max_examples=30, deadline=None)
def test_kappa_and_f1_are_the_same_whoever_stands_first(codes: Codes) -> None:
    one = table(codes)
    np.testing.assert_allclose(kappa.kappa(one), kappa.kappa(one.T), equal_nan=True)
    np.testing.assert_allclose(detection.f1(one), detection.f1(one.T), equal_nan=True)


@given(coded)
@settings(max_examples=30, deadline=None)
def test_figures_of_one_code_are_those_of_its_two_by_two_table(codes: Codes) -> None:
    each = against_rest(table(codes))
    np.testing.assert_allclose(kappa.kappa_of_each(table(codes)), kappa.kappa(each), equal_nan=True, atol=1e-9)
    np.testing.assert_allclose(ac1.gwet_of_each(table(codes)), ac1.gwet_of_pair(each), equal_nan=True, atol=1e-9)


@given(arrays(np.int64, st.integers(4, 30), elements=st.integers(0, CATEGORIES - 1)), st.integers(2, 5))
@settings(max_examples=40, deadline=None)
def test_perfect_agreement_is_one(alpha_of: Callable[..., float], column: Codes, coders: int) -> None:
    codes = np.repeat(column[:, None], coders, axis=1)
    if len(np.unique(column)) == 1:
        assert np.isnan(alpha_of(codes, CATEGORIES)), "nothing varies: nothing to agree on"
        return
    assert alpha_of(codes, CATEGORIES, "ordinal") == pytest.approx(1)
    assert float(kappa.kappa(table(codes))) == pytest.approx(1)
    assert ac1_of(codes) == pytest.approx(1)


@given(rated, st.floats(-3, 3))
@settings(max_examples=30, deadline=None)
def test_a_lenient_coder_lowers_agreement_but_not_consistency(ratings: Counts, leniency: float) -> None:
    moved = ratings.copy()
    moved[:, 0] += leniency
    before, after = ({one.form.name: one.value for one in icc.forms(data)} for data in (ratings, moved))
    if before["ICC(C,1)"] is not None:
        assert close(after["ICC(C,1)"], before["ICC(C,1)"])


@given(rated, st.floats(-5, 5), st.floats(0.1, 9))
@settings(max_examples=30, deadline=None)
def test_icc_does_not_know_the_unit_of_measurement(ratings: Counts, shift: float, scale: float) -> None:
    for ours, theirs in zip(icc.forms(ratings), icc.forms(ratings * scale + shift), strict=True):
        if ours.value is not None and theirs.value is not None:
            assert theirs.value == pytest.approx(ours.value, abs=1e-6)


@given(rated)
@settings(max_examples=30, deadline=None)
def test_components_of_complete_ratings_give_the_icc_of_the_analysis_of_variance(ratings: Counts) -> None:
    expected = next(one.value for one in icc.forms(ratings) if one.form.name == "ICC(A,1)")
    found = components.components(ratings).value
    if expected is not None and found is not None and abs(expected) < 50:
        assert found == pytest.approx(expected, abs=1e-6)


@given(rated)
@settings(max_examples=30, deadline=None)
def test_intervals_hold_their_estimate(ratings: Counts) -> None:
    for one in icc.forms(ratings):
        if None not in (one.value, one.low, one.high) and 0 < one.value < 1:
            assert one.low - 1e-9 <= one.value <= one.high + 1e-9


def test_chance_agreement_is_nought(alpha_of: Callable[..., float]) -> None:
    rng = np.random.default_rng(4)
    codes = rng.integers(0, CATEGORIES, size=(20_000, 3))
    assert alpha_of(codes, CATEGORIES) == pytest.approx(0, abs=0.02)
    assert float(kappa.kappa(table(codes))) == pytest.approx(0, abs=0.02)
    assert icc.forms(codes.astype(float))[4].value == pytest.approx(0, abs=0.02)


def test_constant_ratings_have_no_icc() -> None:
    """A coder who gives 3 to everyone has said nothing that could be agreed with."""
    assert all(one.value is None for one in icc.forms(np.full((10, 3), 3.0)))
    assert components.components(np.full((10, 3), 3.0)).value is None


def test_sums_over_clusters_are_sums_over_units(alpha_of: Callable[..., float]) -> None:
    """What makes the bootstrap a matrix product: counts add up."""
    rng = np.random.default_rng(3)
    codes, clusters = rng.integers(-1, 3, size=(200, 4)), rng.integers(0, 7, size=200)
    parts = confusion.sum_by(clusters, 7, alpha.coincidences(confusion.tally(codes, 3)))
    whole = alpha_of(codes, 3)
    assert float(alpha.alpha(parts.sum(axis=0))) == pytest.approx(whole)
