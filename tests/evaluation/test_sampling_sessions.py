"""The draw is fair, repeatable and blind, and the promised width is Bonett's."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation import sampling
from evaluation.agreement import icc
from evaluation.candidates import Candidate, Pool
from evaluation.codings import Visit
from evaluation.sampling import Design
from msw_ml.errors import InputError


def pool(n: int, workers: int = 4) -> Pool:
    candidates = [
        Candidate(
            session=f"v{number:03}", visit=Visit(worker=f"w{number % workers}"), score=1 + (number * 7 % n) / n * 4
        )
        for number in range(n)
    ]
    return Pool(candidates=tuple(candidates), left_out={})


@pytest.mark.parametrize(("n", "drawn"), [(20, 20), (100, 30), (150, 30), (400, 80)])
def test_a_fifth_and_at_least_thirty(n: int, drawn: int) -> None:
    assert len(sampling.draw(pool(n), Design()).drawn) == drawn


@given(st.integers(1, 300), st.integers(1, 20), st.integers(0, 5))
def test_every_stratum_gives_its_share(n: int, workers: int, seed: int) -> None:
    found = sampling.draw(pool(n, workers), Design(strata=("worker",), seed=seed))
    assert len(set(found.drawn)) == len(found.drawn) == min(n, max(30, -(-n // 5)))
    for size, taken in found.strata.values():
        assert taken >= 1
        assert abs(taken - len(found.drawn) * size / n) < 1.5 or taken == 1


def test_the_same_seed_draws_the_same_and_the_order_of_the_list_is_nothing() -> None:
    here = pool(100)
    there = here.model_copy(update={"candidates": here.candidates[::-1]})
    assert sampling.draw(here, Design(seed=3)).drawn == sampling.draw(there, Design(seed=3)).drawn
    assert sampling.draw(here, Design(seed=3)).drawn != sampling.draw(here, Design(seed=4)).drawn


def test_what_coders_get_carries_no_score() -> None:
    found = sampling.draw(pool(90), Design(strata=("score",)))
    assert sampling.as_csv(found).splitlines()[0] == "order,session"
    assert set(found.strata) == {"stratum 1", "stratum 2", "stratum 3"}
    assert "score" not in found.model_dump_json(exclude={"design"})


def test_bands_of_machine_scores_are_all_drawn_from() -> None:
    every = pool(90)
    band = {c.session: int((c.score or 0) > 2.33) + int((c.score or 0) > 3.67) for c in every.candidates}
    assert Counter(band[session] for session in sampling.draw(every, Design(strata=("score",))).drawn) == {
        0: 10,
        1: 10,
        2: 10,
    }


@pytest.mark.parametrize(
    ("k", "n", "widths"),
    [
        (2, 15, (0.39, 0.34, 0.27, 0.19, 0.10)),
        (2, 30, (0.27, 0.23, 0.19, 0.13, 0.07)),
        (2, 100, (0.15, 0.13, 0.10, 0.07, 0.04)),
        (3, 28, (0.22, 0.19, 0.16, 0.11, 0.06)),
    ],
)
def test_half_widths_by_bonett(k: int, n: int, widths: tuple[float, ...]) -> None:
    found = [sampling.half_width(value, n, k) for value in (0.5, 0.6, 0.7, 0.8, 0.9)]
    assert found == pytest.approx(widths, abs=0.005)


def test_the_promise_is_kept_by_simulated_sessions() -> None:
    """The interval that comes out is about as wide as was said beforehand."""
    rng, widths = np.random.default_rng(2), []
    for _ in range(60):
        truth = rng.normal(0, np.sqrt(0.7), size=(50, 1))
        one = icc.icc(icc.mean_squares(truth + rng.normal(0, np.sqrt(0.3), size=(50, 3))), icc.FORMS[0])
        widths.append((one.high - one.low) / 2)
    assert np.mean(widths) == pytest.approx(sampling.half_width(0.7, 50, 3), abs=0.02)


def test_what_to_stratify_by_must_be_known() -> None:
    with pytest.raises(InputError, match=r"session 'v000' has no team"):
        sampling.draw(pool(40), Design(strata=("team",)))
