"""The session rater's fit, its figures, and its way from recipe to bundle."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from msw_ml import bundle
from msw_ml.codebook import Codebook, load
from msw_ml.errors import BadSetting
from msw_ml.rating.manner import Manner
from msw_ml.rating.rater import BundleRater
from msw_ml.session import (
    CodedUtterance,
    Provenance,
    Quality,
    Recording,
    Role,
    RoleChoice,
    ScoredSession,
    Utterance,
)
from training.elements import read_recipe, train_elements
from training.elements_evidence import deletion_curve
from training.elements_figures import Truth, as_table, figures, halo
from training.elements_fit import (
    FitOptions,
    MannerOptions,
    Table,
    conformal_quantile,
    cross_fit,
    fit,
    fit_manner,
    folds,
)
from training.own_evaluation import evaluate_elements
from training.rated_sessions import SortedSession

RECIPE = Path(__file__).resolve().parents[2] / "training" / "recipes" / "elements.toml"

QUICK = FitOptions(alphas=(1.0, 30.0), folds=5, spread=0.0, coverage=0.9)


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    return load()


def invented(sessions: int = 120, noise: float = 0.5, seed: int = 3) -> Table:
    """Ratings that two of five features decide, three sessions a group, one rating missing."""
    chance = np.random.default_rng(seed)
    x = chance.normal(size=(sessions, 5))
    said = 3 + np.stack([x[:, 0], 0.5 * x[:, 0] - 0.7 * x[:, 1]], axis=1)
    y = np.clip(said + noise * chance.normal(size=said.shape), 1, 5)
    y[0, 1] = np.nan
    return Table.plain(x, y, np.arange(sessions) // 3)


def test_fit_finds_what_decides_the_ratings() -> None:
    fitted = fit(invented(noise=0.1), FitOptions(alphas=(0.1, 1.0), spread=0.0))
    first, second = np.array(fitted.weights)
    assert first[0] == pytest.approx(0.9, abs=0.15)
    assert second[1] == pytest.approx(-0.7, abs=0.15)
    assert np.abs(first[2:]).max() < 0.1


def test_an_element_reads_only_the_features_it_is_given() -> None:
    """Protects elements from each other's signs: what a model may not read weighs nothing, whatever it could tell."""
    table = invented(noise=0.1)
    used = np.ones((2, 5), dtype=np.bool_)
    used[0, 0] = False
    first, second = np.array(fit(replace(table, used=used), FitOptions(alphas=(1.0,), spread=0.0)).weights)
    assert first[0] == 0.0
    assert second[0] == pytest.approx(0.45, abs=0.1)


def test_a_session_that_counts_for_nothing_is_not_learned_from() -> None:
    """Protects the balance of sets: weights reach the fit."""
    table = invented(noise=0.1)
    turned = np.where(np.arange(120)[:, None] < 60, table.y, 6 - table.y)
    weights = np.where(np.arange(120) < 60, 1.0, 1e-9)
    fitted = fit(replace(table, y=turned, weights=weights), FitOptions(alphas=(1.0,), spread=0.0))
    assert np.array(fitted.weights)[0, 0] == pytest.approx(0.9, abs=0.15)


def test_spread_gives_back_what_the_ridge_took() -> None:
    """With `spread` 1 predictions vary as people's ratings do; with 0 they stay drawn to the mean."""
    table = invented(noise=1.0)
    narrow, wide = (cross_fit(table, QUICK.model_copy(update={"spread": s})).predicted[:, 0].std() for s in (0.0, 1.0))
    assert narrow < wide
    assert wide == pytest.approx(table.y[:, 0].std(), rel=0.25)


def test_no_group_is_on_both_sides_of_a_fold() -> None:
    """Two sessions of one video, or of one worker, would make every figure too good."""
    groups = np.arange(60) // 4
    for train, test in folds(groups, FitOptions(folds=5)):
        assert not set(groups[train]) & set(groups[test])


def test_nothing_is_learned_from_ratings_without_a_pattern() -> None:
    """A leak between folds would show as agreement with noise."""
    table = invented()
    shuffled = np.random.default_rng(0).permutation(table.y)
    predicted = cross_fit(replace(table, y=shuffled), QUICK).predicted
    rated = np.isfinite(shuffled[:, 1])
    assert np.corrcoef(predicted[rated, 1], shuffled[rated, 1])[0, 1] < 0.2


def test_intervals_hold_what_they_promise_on_groups_not_seen() -> None:
    table = invented(sessions=300, noise=0.8)
    crossed = cross_fit(table, QUICK)
    inside = np.abs(crossed.predicted - table.y) <= crossed.half_widths
    assert 0.85 <= inside[np.isfinite(table.y)].mean() <= 0.95


def test_conformal_quantile_by_hand() -> None:
    """Of 19 errors the ⌈20 · .9⌉ = 18th; of 5 none is large enough, so the whole scale."""
    assert conformal_quantile(np.arange(1.0, 20.0), 0.9) == 18.0
    assert conformal_quantile(np.arange(1.0, 6.0), 0.9) == 4.0


def test_too_few_groups_are_refused() -> None:
    with pytest.raises(BadSetting, match="independent sessions"):
        fit(invented(sessions=12), FitOptions(folds=10))


def test_manner_takes_common_words_only() -> None:
    """A word that few sessions hold is a topic, and topics must not rate a visit."""
    good, poor = "how would you like that", "you should do that"
    sessions = [SortedSession(id=str(n), worker=good if n % 2 else poor, is_good=bool(n % 2)) for n in range(20)]
    sessions[1] = SortedSession(id="1", worker=f"{good} methadone", is_good=True)
    manner = fit_manner(sessions, MannerOptions(common_share=0.25))
    assert "methadone" not in manner.words
    weights = dict(zip(manner.words, manner.weights, strict=True))
    assert weights["would"] > 0 > weights["should"]


def test_manner_scores_what_it_learned() -> None:
    manner = Manner(words=("should", "would"), weights=(-1.0, 1.0))
    better, worse = manner.count(["what would you do", "you should go now"])
    assert manner.score(better) == pytest.approx(0.5)
    assert manner.score(worse) == pytest.approx(-0.5)


def test_figures_of_a_perfect_and_of_a_constant_rater() -> None:
    """Perfect: 1 everywhere. Constant 3: no ICC to speak of, and no rank correlation at all."""
    y = np.tile([[1.0], [2.0], [3.0], [4.0], [5.0]], (6, 1))
    truth = Truth(y, np.arange(30), y[:, 0] > 2, ["one"])
    perfect, constant = figures(truth, {"perfect": y, "constant": np.full(y.shape, 3.0)}, {})
    assert (perfect.icc.value, perfect.exact.value, perfect.mae.value) == (pytest.approx(1.0), 1.0, 0.0)
    assert perfect.spearman_good.value == pytest.approx(1.0)
    assert constant.icc.value == pytest.approx(0.0, abs=0.05)
    assert constant.spearman.value is None
    assert constant.within_one.value == pytest.approx(0.6)
    assert as_table([perfect, constant]).count("\n") == 3


def test_halo_compares_pairs_of_elements() -> None:
    """Perfectly confused by the machine, told apart by people."""
    chance = np.random.default_rng(1)
    y = chance.integers(1, 6, size=(200, 2)).astype(float)
    (pair,) = halo(Truth(y, np.arange(200), y[:, 0] > 2, ["a", "b"]), np.repeat(y[:, :1], 2, axis=1))
    assert abs(pair.human) < 0.2
    assert pair.machine == pytest.approx(1.0)


def scored(name: str, codebook: Codebook, is_open: bool) -> ScoredSession:
    worker = (
        ("question_open", "how would you like things to be when he comes home from school")
        if is_open
        else ("persuade", "you should get him up and you need to do it better than you did")
    )
    rows = [(Role.WORKER, *worker), (Role.PARENT, "neutral", "it depends on the day and on the baby really")] * 10
    said = [
        CodedUtterance(utterance=Utterance(id=n, speaker=role, text=text, role=role), code=code)
        for n, (role, code, text) in enumerate(rows)
    ]
    return ScoredSession(
        recording=Recording(name=name, source=f"{name}.csv", sha256=f"{name:0>64}", kind="transcript"),
        roles=RoleChoice(roles={"worker": Role.WORKER, "parent": Role.PARENT}, margin=1.0, method="given"),
        quality=Quality(),
        utterances=tuple(said),
        measures=(),
        ratings=(),
        provenance=Provenance(
            msw_ml="0", codebook=codebook.id, codebook_version=codebook.version, engines={}, settings={}
        ),
    )


SAID = (
    (Role.WORKER, "question_open", "how would you like things to be when he comes home from school"),
    (Role.PARENT, "change", "calmer for all of us and no shouting on the stairs"),
    (Role.WORKER, "persuade", "you should get him up at six and you need to take the phone away from him"),
    (Role.PARENT, "sustain", "that has never worked with him and it never will"),
    (Role.WORKER, "reflection_complex", "sounds like you feel it would cost more than it gives"),
    (Role.PARENT, "neutral", "something like that I suppose"),
    (Role.WORKER, "giving_information", "the school opens its gate at half past eight and there is a club before"),
)
MIXED = [
    CodedUtterance(utterance=Utterance(id=n, speaker=role, text=text, role=role), code=code)
    for n, (role, code, text) in enumerate(SAID * 2)
]


@pytest.fixture
def visits(tmp_path: Path, codebook: Codebook) -> Path:
    """Twelve scored visits, rated by two coders."""
    rows = [["session", "coder", "group", *(element.id for element in codebook.elements)]]
    for number in range(12):
        is_open = bool(number % 2)
        folder = tmp_path / f"visit{number}"
        folder.mkdir()
        (folder / "session.json").write_text(scored(f"visit{number}", codebook, is_open).model_dump_json())
        for coder, step in (("A", 0), ("B", 1)):
            level = str(4 if is_open else 1 + step)
            rows.append([f"visit{number}", coder, f"worker{number // 2}", *[level] * len(codebook.elements)])
    with (tmp_path / "ratings.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return tmp_path


def test_unsaying_the_evidence_moves_ratings_more_than_unsaying_other_words(codebook: Codebook) -> None:
    """Otherwise the quotes beside a rating would be decoration."""
    rater = BundleRater(bundle.shipped("session_rater"), codebook)
    for point in deletion_curve([rater.talk(MIXED)], rater.model, codebook, seed=1):
        assert point.moved > point.by_chance


def test_shipped_rater_is_evaluated_on_own_visits(visits: Path, codebook: Codebook) -> None:
    shipped = bundle.shipped("session_rater")
    found = evaluate_elements(shipped, visits)
    labels = bundle.read(shipped).info.labels["elements"]
    own = [row for row in found.figures if row.model.startswith("session_rater")]
    assert [row.element for row in own] == list(labels)
    assert all(row.n == 12 for row in own)
    listening = [row for row in own if codebook.element(row.element).group != "good_authority"]
    assert all(row.spearman.value is not None and row.spearman.value > 0.8 for row in listening)
    assert found.declined == ()


def test_shipped_recipe_can_be_read() -> None:
    assert read_recipe(RECIPE).kind == "session_rater"


def test_misspelt_option_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(RECIPE.read_text().replace("spread =", "sprad ="))
    with pytest.raises(BadSetting, match="sprad"):
        read_recipe(path)


@pytest.mark.shared
@pytest.mark.slow
def test_training_again_gives_the_shipped_bundle(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bundle in the package is what the recipe makes: same data, same seed, same ratings.

    Not byte for byte: another processor adds in another order, and the regressions end a little elsewhere.
    """
    monkeypatch.chdir(RECIPE.parents[2])
    made, shipped = (
        BundleRater(path, load())
        for path in (train_elements(RECIPE, tmp_path, shared / "data"), bundle.shipped("session_rater"))
    )
    assert made.model.features == shipped.model.features
    rows = np.random.default_rng(4).normal(size=(200, len(made.model.features))) * np.array(shipped.model.scales)
    rows += np.array(shipped.model.means)
    ratings = [np.array([rater.model.ratings(row) for row in rows]) for rater in (made, shipped)]
    assert np.abs(ratings[0] - ratings[1]).max() < 0.05
    assert [one.half_width for one in made.model.elements] == pytest.approx(
        [one.half_width for one in shipped.model.elements], abs=0.05
    )
