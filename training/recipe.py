"""What a training run needs to know: a TOML file; an unknown key is an error before any work."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from msw_ml.errors import BadSetting
from msw_ml.session import Value
from msw_ml.text.packing import Window
from training.calibrate import CalibrationOptions
from training.loss import FitOptions
from training.network import NetworkOptions
from training.words import WordsOptions


class Tried(Value):
    """Something that was tried on the folds, and what it brought."""

    what: str
    worker: float
    """Macro-F1 of the worker's parent codes."""
    parent: float
    """Macro-F1 of the parent's talk."""
    on: str
    """The folds it was measured on."""
    kept: bool


class Recipe(Value):
    """One training run of a behaviour coder."""

    kind: Literal["behaviour_coder"] = "behaviour_coder"
    name: str
    version: str
    codebook: str = "msw"
    licence: str
    sets: tuple[str, ...] = Field(min_length=1)
    """Names of folders in `datasets/`."""
    turns: str
    """The set with whole turns, for which the main figures are given."""
    encoder: str
    """A package that carries known weights, or a BERT folder."""
    encoder_dropout: float = Field(default=0.1, ge=0, lt=1)
    folds: int = Field(default=5, ge=2)
    seed: int = 0
    window: Window = Window()
    network: NetworkOptions = NetworkOptions()
    fit: FitOptions = FitOptions()
    words: WordsOptions = WordsOptions()
    calibration: CalibrationOptions = CalibrationOptions()
    tried: tuple[Tried, ...] = ()
    """For the card: also what did not help."""


def kind(path: Path) -> str:
    """What a recipe trains; a behaviour coder, where it does not say."""
    return str(_table(path).get("kind", "behaviour_coder"))


def read(path: Path) -> Recipe:
    """Raises `BadSetting` with the first thing that is wrong in it."""
    try:
        return Recipe.model_validate(_table(path))
    except ValidationError as error:
        # A misspelt key also makes the right one missing: say the misspelling.
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        place = ".".join(str(part) for part in first["loc"])
        why = "no such key" if first["type"] == "extra_forbidden" else first["msg"]
        raise BadSetting(f"{path}: {place}: {why}") from error


def _table(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadSetting(f"there is no recipe {path}; those that ship stand in training/recipes") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path} is not TOML: {error}") from error
