"""Ratings and marks of a set of visits: the consensus rule, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from msw_ml import bundle
from msw_ml.codebook import Codebook, load
from msw_ml.errors import BadSetting, MalformedTranscript
from msw_ml.rating.marks import PLACES, Mark, Rows
from msw_ml.text.buckets import BUCKETS
from training.marks import MarkOptions, cross_read, fit_marks, mark_figures
from training.rated_visits import rated_together, read_mark_list, read_visits

SHIPPED = Path(__file__).resolve().parents[2] / "datasets" / "simulated_visits"


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    return load()


def test_the_test_part_can_be_left_out(codebook: Codebook) -> None:
    """Protects figures of a rater that must not know it: sessions and their marks go together."""
    every = read_visits(SHIPPED, bundle.shipped("behaviour_coder"), codebook)
    rest = every.without_test()
    assert (len(every.sessions), len(rest.sessions)) == (248, 198)
    assert [len(carried) for carried in rest.carried] == [len(one.coded) for one in rest.sessions]
    assert not any(one.is_test for one in rest.sessions)


def ratings(folder: Path, coder: str, *lines: str) -> None:
    (folder / "ratings").mkdir(exist_ok=True)
    text = "\n".join(["session,coder,element,value", *lines]) + "\n"
    (folder / "ratings" / f"{coder}_1.csv").write_text(text, encoding="utf-8")


def test_two_ratings_give_their_mean_and_three_their_median(tmp_path: Path, codebook: Codebook) -> None:
    """Protects the consensus as `RATING.md` states it."""
    ratings(tmp_path, "a", "v1,a,empathy,2", "v1,a,autonomy,1")
    ratings(tmp_path, "b", "v1,b,empathy,3", "v1,b,autonomy,4")
    ratings(tmp_path, "c", "v1,c,autonomy,3")
    assert rated_together(tmp_path, codebook) == {"v1": {"empathy": 2.5, "autonomy": 3.0}}


def test_a_rating_of_no_element_is_named(tmp_path: Path, codebook: Codebook) -> None:
    """Protects against a rating that would silently be of nothing."""
    ratings(tmp_path, "a", "v1,a,warmth,2")
    with pytest.raises(MalformedTranscript, match=r"a_1\.csv row 1"):
        rated_together(tmp_path, codebook)


def test_shipped_marks_are_of_elements_of_the_codebook(codebook: Codebook) -> None:
    """Protects the list of marks, and that each says what it means."""
    marks = read_mark_list(SHIPPED, codebook)
    assert len({mark.id for mark in marks}) == len(marks)
    assert all(mark.meaning.endswith(".") for mark in marks)


def test_a_folder_without_marks_is_refused(tmp_path: Path, codebook: Codebook) -> None:
    """Protects from a training run that would end without what it is for."""
    with pytest.raises(BadSetting, match=r"marks\.toml does not list marks"):
        read_mark_list(tmp_path, codebook)


def invented(sessions: int, seed: int = 2) -> tuple[list[Rows], list[np.ndarray]]:
    """Sessions of ten rows of which one bucket and one direction of meaning decide two marks."""
    chance = np.random.default_rng(seed)
    rows, carried = [], []
    for _ in range(sessions):
        meaning = chance.normal(size=(10, 4))
        has_word = chance.random(10) < 0.4
        words = [(np.array([5 if has else 6]), np.array([1.0])) for has in has_word]
        rows.append(Rows(np.arange(10), meaning, np.zeros((10, PLACES)), words))
        carried.append(np.stack([has_word, meaning[:, 1] > 0.3, np.zeros(10, dtype=bool)], axis=1))
    return rows, carried


def test_marks_are_learned_from_meaning_and_from_words() -> None:
    """Protects the fit: each kind of sign is found on sessions that were not learned from."""
    rows, carried = invented(40)
    read = cross_read(rows, carried, np.arange(40) // 2, MarkOptions(folds=4))
    marks = [Mark(id=name, element="empathy", name=name) for name in ("word", "meaning", "never")]
    word, meaning, never = mark_figures(marks, rows, carried, read)
    assert word.average_precision == pytest.approx(1.0)
    assert (meaning.average_precision or 0) > 0.95
    assert (never.n, never.average_precision) == (0, None)


def test_a_mark_that_nobody_carries_is_never_read() -> None:
    """Protects from a mark that is read at chance because it was not in the data."""
    rows, carried = invented(20)
    weights = fit_marks(rows, carried, MarkOptions())
    assert weights.table.shape == (4 + PLACES + BUCKETS + 1, 3)
    assert (weights.probabilities(rows[0])[:, 2] < 1e-3).all()
