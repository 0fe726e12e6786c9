"""What the design of the simulated visits is made of: themes, families, workers, lists, levels."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import Field, ValidationError

from msw_ml.errors import BadSetting, UnreadableInput
from msw_ml.session import Value

INGREDIENTS = "ingredients.toml"


class Theme(Value):
    """What a visit is about, with the worries it can turn on and the change each is about."""

    id: str
    name: str
    situations: tuple[tuple[str, str], ...]
    needs: tuple[str, ...] = ()
    bars: tuple[str, ...] = ()
    avoid: str | None = None
    """`partner`: neither a second parent nor a partner is in the room."""
    is_test: bool = False

    def fits(self, family: Family) -> bool:
        tags = set(family.tags)
        return (not self.needs or bool(tags & set(self.needs))) and not tags & set(self.bars)


class Family(Value):
    """An invented household. People are (name, who) and others (name, who, relation)."""

    id: str
    region: str
    talk: str
    home: str
    parents: tuple[tuple[str, str], ...]
    children: tuple[tuple[str, str], ...]
    others: tuple[tuple[str, str, str], ...]
    tags: tuple[str, ...]
    is_test: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(person[0] for person in (*self.parents, *self.children, *self.others))


class Worker(Value):
    """An invented social worker; how skilled the visit is belongs to the row, never to the worker."""

    name: str
    talk: str
    is_test: bool = False


class Lists(Value):
    """What is dealt out over the visits so that no two are alike."""

    stances: tuple[str, ...]
    visits: tuple[str, ...]
    openings: tuple[str, ...]
    tangents: tuple[str, ...]


class LevelPlan(Value):
    """How target levels are spread; shares are of the visits of a band."""

    narrow_share: float
    narrow: dict[int, float]
    wide: dict[int, float]
    test_share: float
    correlation_close: float
    correlation_else: float
    correlation_limit: float
    close: tuple[str, ...]
    """Elements that are hard to play far apart."""


class TalkRules(Value):
    """What the checks look for in the talk; lower case but for `capitals`."""

    stock: tuple[str, ...]
    american: tuple[str, ...]
    capitals: tuple[str, ...]
    """Words that may stand with a capital inside a sentence without being a speaker's name."""


class Ingredients(Value):
    """The whole of ingredients.toml."""

    themes: tuple[Theme, ...] = Field(alias="theme")
    families: tuple[Family, ...] = Field(alias="family")
    workers: tuple[Worker, ...] = Field(alias="worker")
    lists: Lists
    levels: LevelPlan
    talk: TalkRules

    @property
    def names(self) -> dict[str, str]:
        """Speaker's name → family id, or `worker`."""
        owners = {name: family.id for family in self.families for name in family.names}
        return owners | {worker.name: "worker" for worker in self.workers}


def load(folder: Path) -> Ingredients:
    """Reads the ingredients of a folder of simulated visits. Raises `UnreadableInput`, `BadSetting`."""
    path = folder / INGREDIENTS
    try:
        return Ingredients.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UnreadableInput(f"{path} cannot be read; give the folder of the simulated visits") from error
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise BadSetting(f"{path} is not a list of ingredients: {error}") from error
