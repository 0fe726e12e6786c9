"""What is measured of a coder's counts: how sessions lean, and how often intervals hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from msw_ml.bundle import BundleInfo
from msw_ml.codebook import book
from msw_ml.coding.intervals import CountErrors
from msw_ml.session import Role
from msw_ml.text.packing import Window
from training.calibrate import CalibrationOptions, Given, Scheme, calibrate
from training.count_intervals import coverage, measured_apart, spread_parameters
from training.examples import Codes
from training.heldout import HeldOut
from training.leanings import lean

CODEBOOK = book.load()
CODES = Codes.of(CODEBOOK)
SCHEME = Scheme(CODEBOOK, CODES.ids, CODES.also)
GIVEN = Given(window=Window(), words_weight=0.0)
UNITS = 60


def drawn(sessions: int, spread: float, seed: int = 7) -> HeldOut:
    """Sessions that lean: labels follow the logits and a shift of each code that the logits do not know."""
    rng = np.random.default_rng(seed)
    n = sessions * UNITS
    sides = np.where(np.arange(n) % 2 == 0, Role.WORKER.value, Role.PARENT.value)
    masks = np.array([CODES.mask(Role(side)) for side in sides])
    session = np.arange(n) // UNITS
    logits = np.where(masks, rng.normal(scale=2.0, size=masks.shape), -np.inf)
    leaning = logits + (spread * rng.standard_normal((sessions, masks.shape[1])))[session]
    shares = np.exp(leaning) / np.exp(leaning).sum(axis=1, keepdims=True)
    return HeldOut(
        corpora=np.full(n, "tiny"),
        sessions=session.astype(np.str_),
        units=np.arange(n).astype(np.str_),
        groups=session,
        folds=session % 5,
        sides=sides,
        words=np.full(n, 5),
        codes=tuple((CODES.ids[rng.choice(len(row), p=row)],) for row in shares),
        logits=logits,
        also=np.zeros((n, len(CODES.also))),
    )


def test_leanings_are_found_again() -> None:
    """Protects the estimate of mean and spread that every interval is made from."""
    rng = np.random.default_rng(1)
    sessions = np.repeat(np.arange(200), 40)
    logs = np.log(rng.dirichlet(np.ones(3), size=len(sessions)))
    mean, spread = np.array([0.4, 0.0, -0.4]), np.array([1.0, 0.6, 0.3])
    raised = np.exp(logs + (mean + spread * rng.standard_normal((200, 3)))[sessions])
    upto = (raised / raised.sum(axis=1, keepdims=True)).cumsum(axis=1)
    truth = (rng.random((len(sessions), 1)) > upto).sum(axis=1)
    found_mean, found_spread = lean(logs, truth, sessions)
    assert (found_mean - found_mean.mean()).tolist() == pytest.approx(mean.tolist(), abs=0.15)
    assert found_spread.tolist() == pytest.approx(spread.tolist(), abs=0.2)


def test_codes_that_do_not_lean_get_little_spread() -> None:
    """Chance alone is not taken for a leaning: intervals stay as narrow as they may."""
    rng = np.random.default_rng(2)
    shares = rng.dirichlet(np.ones(3), size=6000)
    truth = (rng.random((6000, 1)) > shares.cumsum(axis=1)).sum(axis=1)
    _, spread = lean(np.log(shares), truth, np.repeat(np.arange(150), 40))
    assert spread.max() < 0.15


def test_intervals_hold_as_often_as_they_say_where_the_naive_ones_do_not() -> None:
    """Protects the nine of ten that the report promises, with errors measured on other folds."""
    rows = {row.id: row for row in coverage(drawn(50, spread=1.0), SCHEME, CalibrationOptions(), GIVEN)}
    parents = [row for row in rows.values() if row.id.startswith("parent:")]
    assert len(parents) == len(CODEBOOK.parents)
    assert np.mean([row.coverage for row in parents]) == pytest.approx(0.92, abs=0.06)
    assert np.mean([row.naive_coverage for row in parents]) < 0.8
    assert all(row.sessions == 50 and row.width > row.naive_width for row in parents)
    assert {"question_open", "percent_open_questions", "percent_change_talk"} <= set(rows)


def test_a_rare_code_that_is_seldom_the_likeliest_is_still_expected() -> None:
    """Sustain talk of 2 to 40 in a hundred: the expected count follows it, the codes given hardly do."""
    held = drawn(60, spread=0.0)
    parent = held.sides == Role.PARENT.value
    sustain, neutral = (CODES.ids.index(code) for code in ("sustain", "neutral"))
    logits = held.logits.copy()
    logits[parent] = -20.0
    share = np.linspace(0.02, 0.4, 60)[held.groups[parent]]
    logits[np.flatnonzero(parent), sustain], logits[np.flatnonzero(parent), neutral] = np.log(share), np.log(1 - share)
    chance = np.random.default_rng(3).random(len(share))
    codes = list(held.codes)
    for place, is_sustain in zip(np.flatnonzero(parent).tolist(), chance < share, strict=True):
        codes[place] = ("sustain",) if is_sustain else ("neutral",)
    found = coverage(replace(held, logits=logits, codes=tuple(codes)), SCHEME, CalibrationOptions(), GIVEN)
    rows = {row.id: row for row in found}
    counted, expected = rows["parent:sustain"].counted, rows["parent:sustain"].expected
    assert counted is not None
    assert expected is not None
    assert (expected.value or 0) > max(0.6, (counted.value or 0) + 0.1)
    assert (rows["percent_open_questions"].counted, rows["percent_open_questions"].expected) == (None, None)


def test_what_labels_leave_open_is_not_counted() -> None:
    """A label with alternatives tells the parent's count and not the code's; a code without labels has no row."""
    held = drawn(20, spread=0.5)
    both = ("reflection_simple", "reflection_complex")
    opened = tuple(both if codes[0] in both else codes for codes in held.codes)
    rows = {row.id: row for row in coverage(replace(held, codes=opened), SCHEME, CalibrationOptions(), GIVEN)}
    assert not rows.keys() & {*both, "percent_complex_reflections"}
    assert rows["parent:reflection"].sessions == 20


def test_a_fold_is_measured_without_its_own_labels() -> None:
    """Protects the card from intervals that were fitted to what they are measured on."""
    held = drawn(10, spread=0.5)
    first = (held.folds == 0) & (held.sides == Role.PARENT.value)
    wrong = tuple(("sustain",) if is_first else codes for is_first, codes in zip(first, held.codes, strict=True))
    one, two = (
        [errors for _, _, errors in measured_apart(table, SCHEME, CalibrationOptions(), GIVEN)]
        for table in (held, replace(held, codes=wrong))
    )
    assert one[0] == two[0]
    assert one[1] != two[1]


def test_a_bundle_gives_back_what_was_measured() -> None:
    """Protects the way from training to coding: what is stored can be read, and fits the codebook."""
    held = drawn(20, spread=0.5)
    parameters = calibrate(held, SCHEME, CalibrationOptions(), GIVEN)
    info = BundleInfo(
        name="b",
        version="1",
        kind="behaviour_coder",
        licence="none",
        parameters=spread_parameters(held, SCHEME, parameters),
    )
    errors = CountErrors.of(info, CODEBOOK)
    assert errors is not None
    assert all(errors.is_known(code) for code in CODEBOOK.codes(Role.PARENT))
