"""Trains the session rater from a recipe.

A recipe (`kind = "session_rater"`) says which ratings, transcripts and machine codes to read, which
features to use and how to fit. The bundle holds one JSON file of weights and a card with the figures.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, ValidationError
from threadpoolctl import threadpool_limits

from msw_ml import bundle as bundles
from msw_ml.codebook import Codebook
from msw_ml.codebook import load as load_codebook
from msw_ml.errors import BadSetting
from msw_ml.rating.features import SIDES, Floats, Ints, feature_names, feature_row
from msw_ml.rating.limits import Limits
from msw_ml.rating.marks import Mark
from msw_ml.rating.rater import WEIGHTS, ElementModel, SessionModel
from msw_ml.session import Role, Value
from training.elements_baselines import MIDDLE, baselines
from training.elements_card import CardFacts, write_card
from training.elements_data import DataOptions, Gathered, gather
from training.elements_evidence import deletion_curve
from training.elements_figures import Part, Truth, figures, halo
from training.elements_fit import (
    DIGITS,
    CrossFitted,
    FitOptions,
    MannerOptions,
    Table,
    conformal_quantile,
    cross_fit,
    fit,
)
from training.marks import MarkOptions
from training.rated_sessions import FOLDS, RatedSession

DATA = Path("../shared/data")
"""Where the sets' files lie unless said otherwise, from the root of a checkout."""

RATER = "session rater"
"""How the trained model is called among the figures."""

GOOD = "high"
"""How the sets' makers call a session of good practice."""


class FeatureOptions(Value):
    """Which features are read."""

    kinds: tuple[str, ...] = Field(min_length=1)
    roles: tuple[Role, ...] = SIDES
    """Whose talk they are about."""
    is_fine: bool = False
    """Over codes instead of parent codes."""
    kinds_of: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Element → the kinds that its model reads, where it does not read all."""


class Recipe(Value):
    """Everything that decides a training run of the session rater."""

    kind: Literal["session_rater"]
    name: str
    version: str
    codebook: str
    note: str = ""
    """For the card: how the choices of this recipe were made."""
    data: DataOptions
    features: FeatureOptions
    fit: FitOptions = FitOptions()
    manner: MannerOptions = MannerOptions()
    marks: MarkOptions = MarkOptions()
    limits: Limits = Limits()


def train_elements(recipe: Path, out: Path, data: Path = DATA) -> Path:
    """Trains, cross-validates and writes the bundle `out`/NAME; gives its path back.

    `data` is where the sets' files lie. Raises `BadSetting`, what reading the sets raises, and `OutputError`.
    """
    return train_plan(read_recipe(recipe), recipe.name, out, data)


def train_plan(plan: Recipe, called: str, out: Path, data: Path = DATA) -> Path:
    """The same for a recipe that was read; its card names it as `called`."""
    # One thread adds numbers up in one order: the same weights for any number of processors.
    with threadpool_limits(limits=1):
        return _train(plan, called, out, data)


def _train(plan: Recipe, called: str, out: Path, data: Path) -> Path:
    codebook = load_codebook(plan.codebook)
    known = gather(plan.data, data, codebook, (plan.manner, plan.marks, plan.limits))
    table, truth, names = make_table(plan, known, codebook)
    crossed = cross_fit(table, plan.fit)
    model = _model(plan, known, table, (truth.elements, names), crossed.predicted)
    facts = CardFacts(
        recipe=called,
        note=plan.note,
        parts=tuple(_parts(plan, known, table, truth, crossed)),
        curve=tuple(deletion_curve(known.talks, model, codebook, plan.fit.seed)),
        sources=known.sources,
        marks=known.mark_figures,
        coder=_coder(plan.data.coder),
        declined=known.declined,
        sorted_sessions=known.sorted_sessions,
        spread=plan.fit.spread,
    )
    return _write(out / plan.name, plan, codebook, model, facts, known)


def make_table(plan: Recipe, known: Gathered, codebook: Codebook) -> tuple[Table, Truth, tuple[str, ...]]:
    """Features and ratings of all sessions, and the features' names."""
    elements = [e.id for e in codebook.elements if any(e.id in session.ratings for session in known.sessions)]
    names = _names(codebook, plan.features, known.marks)
    x = np.array([feature_row(talk, names, codebook, known.manner) for talk in known.talks])
    truth = _truth(known.sessions, known.groups, elements)
    used = np.array([_used(names, plan.features.kinds_of.get(element)) for element in elements])
    weights = np.array([plan.fit.counts_for.get(session.corpus, 1.0) for session in known.sessions])
    return Table(x, truth.y, known.groups, _emphasis(names, plan.fit), used, weights), truth, names


def _used(names: Sequence[str], kinds: tuple[str, ...] | None) -> list[bool]:
    return [kinds is None or name.split(":")[0] in kinds for name in names]


def _parts(plan: Recipe, known: Gathered, table: Table, truth: Truth, crossed: CrossFitted) -> list[Part]:
    """Each set apart, and of visits also those about what no other visit is about, and the middle of the scale."""
    guesses = {RATER: crossed.predicted, **baselines(known.sessions, known.talks, table, truth, plan.fit)}
    every = np.ones(truth.y.shape, dtype=np.bool_)
    middle = (truth.y >= MIDDLE - 1) & (truth.y <= MIDDLE + 1)
    test = np.array([session.is_test for session in known.sessions])
    made = []
    for corpus in dict.fromkeys(session.corpus for session in known.sessions):
        inside = known.of(corpus)
        name = plan.data.names.get(corpus, corpus)
        chosen = [(name, inside, every)]
        if (inside & test).any():
            chosen.append(
                (f"{name}: the part whose themes, families and workers are in no other", inside & test, every)
            )
            chosen.append((f"{name}: the same part, ratings from 2 to 4 only", inside & test, middle))
        for title, rows, cells in chosen:
            own = truth.of(rows, cells[rows])
            found = figures(own, {n: g[rows] for n, g in guesses.items()}, {RATER: crossed.half_widths[rows]})
            made.append(
                Part(
                    title=title, figures=tuple(f for f in found if f.n), halo=tuple(halo(own, crossed.predicted[rows]))
                )
            )
    return made


def _truth(sessions: Sequence[RatedSession], groups: Ints, elements: Sequence[str]) -> Truth:
    y = np.array([[session.ratings.get(element, np.nan) for element in elements] for session in sessions])
    return Truth(y, groups, np.array([session.quality == GOOD for session in sessions]), elements)


def read_recipe(path: Path) -> Recipe:
    """A recipe of this kind. Raises `BadSetting`."""
    try:
        return Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise BadSetting(f"the recipe {path} cannot be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise BadSetting(f"the recipe {path} is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise BadSetting(f"the recipe {path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _coder(path: Path) -> str:
    """Which coder, and which of its held-out codes: its card may change without them."""
    info = bundles.read(path).info
    return f"{info.name} {info.version} ({FOLDS} sha256 {info.files[FOLDS][:12]})"


def _names(codebook: Codebook, chosen: FeatureOptions, marks: Sequence[Mark]) -> tuple[str, ...]:
    ids = [mark.id for mark in marks]
    return tuple(feature_names(codebook, chosen.kinds, chosen.roles, ids, is_fine=chosen.is_fine))


def _emphasis(names: Sequence[str], options: FitOptions) -> Floats:
    return np.array([options.emphasis.get(name.split(":")[0], 1.0) for name in names])


def _model(
    plan: Recipe, known: Gathered, table: Table, named: tuple[Sequence[str], tuple[str, ...]], crossed: Floats
) -> SessionModel:
    """`named`: elements and features."""
    fitted = fit(table, plan.fit)
    errors = np.abs(crossed - table.y)
    models = []
    for number, element in enumerate(named[0]):
        rated = np.isfinite(errors[:, number])
        models.append(
            ElementModel(
                element=element,
                intercept=round(fitted.intercepts[number], DIGITS),
                weights=_rounded(fitted.weights[number]),
                half_width=round(conformal_quantile(errors[rated, number], plan.fit.coverage), DIGITS),
                sessions=int(rated.sum()),
                learned_from=_learned_from(
                    plan.data.names, [s for s, r in zip(known.sessions, rated, strict=True) if r]
                ),
            )
        )
    return SessionModel(
        features=named[1],
        means=_rounded(fitted.means),
        scales=_rounded(fitted.scales),
        elements=tuple(models),
        coverage=plan.fit.coverage,
        manner=known.manner,
        limits=plan.limits,
        marks=known.marks,
    )


def _learned_from(names: Mapping[str, str], sessions: Sequence[RatedSession]) -> str:
    counts = Counter(session.corpus for session in sessions)
    return " and ".join(f"{count} {names.get(corpus, corpus)}" for corpus, count in counts.items())


def _rounded(numbers: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(number, DIGITS) for number in numbers)


def _write(out: Path, plan: Recipe, codebook: Codebook, model: SessionModel, facts: CardFacts, known: Gathered) -> Path:
    info = bundles.BundleInfo(
        name=plan.name,
        version=plan.version,
        kind="session_rater",
        codebook=codebook.key,
        labels={"elements": tuple(one.element for one in model.elements)},
        parameters={
            "coverage": model.coverage,
            "half_widths": {one.element: one.half_width for one in model.elements},
            "sessions": {one.element: one.sessions for one in model.elements},
            "features": list(model.features),
        },
        licence="Apache-2.0 (weights); " + "; ".join(f"{s.name}: {s.licence}" for s in known.sources),
    )
    files = known.mark_files | {
        WEIGHTS: (model.model_dump_json(indent=1) + "\n").encode(),
        "card.md": write_card(plan.name, plan.version, codebook, model, facts).encode(),
    }
    return bundles.write(out, info, files).path
