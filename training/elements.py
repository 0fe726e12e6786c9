"""Trains the session rater from a recipe, and checks a rater on rated sessions.

A recipe (`kind = "session_rater"`) says which ratings, transcripts and machine codes to read, which
features to use and how to fit. The bundle holds one JSON file of weights and a card with the figures.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, ValidationError

from msw_ml import bundle as bundles
from msw_ml.codebook import Codebook
from msw_ml.codebook import load as load_codebook
from msw_ml.errors import BadSetting
from msw_ml.rating.features import SIDES, Floats, Talk, feature_names, feature_row, read_talk
from msw_ml.rating.limits import Limits, length_obstacle
from msw_ml.rating.manner import Manner
from msw_ml.rating.rater import HIGHEST, LOWEST, WEIGHTS, ElementModel, SessionModel, read_model
from msw_ml.session import Role, Value
from training.elements_baselines import MIDDLE, baselines
from training.elements_card import CardFacts, write_card
from training.elements_evidence import deletion_curve
from training.elements_figures import Evaluation, Truth, figures, halo
from training.elements_fit import FitOptions, MannerOptions, Table, conformal_quantile, cross_fit, fit, fit_manner
from training.rated_sessions import FOLDS, RatedSession, RatedSet, read_rated
from training.scored_visits import read_scored

DATA = Path("../shared/data")
"""Where the sets' files lie unless said otherwise, from the root of a checkout."""

DIGITS = 6
"""Decimals of stored weights: far below what a rating shows, and the same on every machine."""

GOOD = "high"
"""How the sets' makers call a session of good practice."""


class DataOptions(Value):
    """What is read."""

    ratings: str
    """Folder of `datasets/` with an `elements.toml`."""
    sorted_sessions: str
    """Folder of `datasets/` with a `quality.toml`."""
    coder: Path
    """The behaviour coder's bundle, for what it says of sessions it was not trained on; a path from the
    folder that the command runs in."""


class FeatureOptions(Value):
    """Which features are read."""

    kinds: tuple[str, ...] = Field(min_length=1)
    roles: tuple[Role, ...] = SIDES
    """Whose talk they are about."""
    is_fine: bool = False
    """Over codes instead of parent codes."""


class Recipe(Value):
    """Everything that decides a training run of the session rater."""

    kind: Literal["session_rater"]
    name: str
    version: str
    codebook: str
    trained_on: str
    """What the sessions are, to follow "Learned from 100 …"."""
    note: str = ""
    """For the card: how the choices of this recipe were made."""
    data: DataOptions
    features: FeatureOptions
    fit: FitOptions = FitOptions()
    manner: MannerOptions = MannerOptions()
    limits: Limits = Limits()


def train_elements(recipe: Path, out: Path, data: Path = DATA) -> Path:
    """Trains, cross-validates and writes the bundle `out`/NAME; gives its path back.

    `data` is where the sets' files lie. Raises `BadSetting`, what reading the sets raises, and `OutputError`.
    """
    plan = read_recipe(recipe)
    codebook = load_codebook(plan.codebook)
    sets = plan.data
    rated = read_rated(sets.ratings, sets.sorted_sessions, sets.coder, data, codebook)
    manner = fit_manner(rated.sorted_sessions, plan.manner)
    names = _names(codebook, plan.features)
    sessions, talks = _long_enough(rated.sessions, codebook, manner, plan.limits)
    elements = [e.id for e in codebook.elements if any(e.id in session.ratings for session in sessions)]
    x = np.array([feature_row(talk, names, codebook, manner) for talk in talks])
    truth = _truth(sessions, elements)
    table = Table(x, truth.y, truth.groups.astype(np.intp), _emphasis(names, plan.fit))
    crossed = cross_fit(table, plan.fit)
    predictions = {"session rater": crossed.predicted, **baselines(sessions, talks, table, truth, plan.fit)}
    rows = figures(truth, predictions, {"session rater": crossed.half_widths})
    model = _model(plan, table, elements, names, manner, crossed.predicted)
    facts = CardFacts(
        recipe=recipe.name,
        note=plan.note,
        figures=tuple(rows),
        halo=tuple(halo(truth, crossed.predicted)),
        curve=tuple(deletion_curve(talks, model, codebook, plan.fit.seed)),
        sources=rated.sources,
        coder=_coder(sets.coder),
        declined=len(rated.sessions) - len(sessions),
        sorted_sessions=len(rated.sorted_sessions),
        spread=plan.fit.spread,
    )
    return _write(out / plan.name, plan, codebook, model, facts, rated)


def evaluate_elements(bundle: Path, data: Path) -> Evaluation:
    """How a rater agrees with people on sessions that `msw score` has scored.

    `data` is the folder of scored sessions with `ratings.csv` in it (`training.scored_visits` says how).
    The sessions must be none that the rater learned from; nothing here can check that.
    """
    read = bundles.read(bundle)
    codebook = load_codebook((read.info.codebook or "").split(" ")[0])
    model = read_model(bundles.load(bundle, "session_rater", codebook.key))
    every = read_scored(data, codebook)
    sessions, talks = _long_enough(every, codebook, model.manner, model.limits)
    elements = [one.element for one in model.elements]
    x = np.array([feature_row(talk, model.features, codebook, model.manner) for talk in talks])
    predicted = np.clip(np.array([model.ratings(row) for row in x]), LOWEST, HIGHEST)
    truth = _truth(sessions, elements)
    widths = np.tile([one.half_width for one in model.elements], (len(sessions), 1))
    constant = np.full(truth.y.shape, MIDDLE)
    return Evaluation(
        figures=tuple(figures(truth, {read.label: predicted, "constant 3": constant}, {read.label: widths})),
        halo=tuple(halo(truth, predicted)),
        declined=tuple(session.id for session in every if session not in sessions),
    )


def _truth(sessions: Sequence[RatedSession], elements: Sequence[str]) -> Truth:
    y = np.array([[session.ratings.get(element, np.nan) for element in elements] for session in sessions])
    groups = np.array([session.group for session in sessions], dtype=np.intp)
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


def _names(codebook: Codebook, chosen: FeatureOptions) -> tuple[str, ...]:
    return tuple(feature_names(codebook, chosen.kinds, chosen.roles, is_fine=chosen.is_fine))


def _long_enough(
    sessions: Sequence[RatedSession], codebook: Codebook, manner: Manner, limits: Limits
) -> tuple[list[RatedSession], list[Talk]]:
    """The sessions that the rater would not decline for their length: only those are learned from."""
    kept, talks = [], []
    for session in sessions:
        talk = read_talk(session.coded, codebook, manner)
        if length_obstacle(talk, limits) is None:
            kept.append(session)
            talks.append(talk)
    return kept, talks


def _emphasis(names: Sequence[str], options: FitOptions) -> Floats:
    return np.array([options.emphasis.get(name.split(":")[0], 1.0) for name in names])


def _model(
    plan: Recipe, table: Table, elements: Sequence[str], names: tuple[str, ...], manner: Manner, crossed: Floats
) -> SessionModel:
    fitted = fit(table, plan.fit)
    errors = np.abs(crossed - table.y)
    models = []
    for number, element in enumerate(elements):
        known = errors[np.isfinite(errors[:, number]), number]
        models.append(
            ElementModel(
                element=element,
                intercept=round(fitted.intercepts[number], DIGITS),
                weights=_rounded(fitted.weights[number]),
                half_width=round(conformal_quantile(known, plan.fit.coverage), DIGITS),
                sessions=len(known),
            )
        )
    return SessionModel(
        features=names,
        means=_rounded(fitted.means),
        scales=_rounded(fitted.scales),
        elements=tuple(models),
        coverage=plan.fit.coverage,
        manner=manner,
        limits=plan.limits,
        trained_on=plan.trained_on,
    )


def _rounded(numbers: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(number, DIGITS) for number in numbers)


def _write(out: Path, plan: Recipe, codebook: Codebook, model: SessionModel, facts: CardFacts, rated: RatedSet) -> Path:
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
        licence="Apache-2.0 (weights); " + "; ".join(f"{s.name}: {s.licence}" for s in rated.sources),
    )
    files = {
        WEIGHTS: (model.model_dump_json(indent=1) + "\n").encode(),
        "card.md": write_card(plan.name, plan.version, codebook, model, facts).encode(),
    }
    return bundles.write(out, info, files).path
