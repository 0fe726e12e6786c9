"""The design table of the simulated visits: who, where, what about, and how well it should go.

Writers see it, raters never do. The same ingredients and seed give the same table.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import numpy as np
import typer
from pydantic import ConfigDict, ValidationError

from msw_ml.codebook.book import load as load_codebook
from msw_ml.disk import write_text
from msw_ml.errors import MalformedTranscript, UnknownName, UnreadableInput
from msw_ml.session import Value
from training.visits_ingredients import Family, Ingredients, Theme, Worker, load
from training.visits_levels import spread

VISITS = 248
BATCHES = 8
DESIGN = "design.csv"
TARGETS = "targets.csv"
FOLDER = Path("datasets/simulated_visits")

T = TypeVar("T")


class Planned(Value):
    """One row of the design but for its levels."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

    session: str
    batch: int
    part: str
    band: str
    theme: str
    worry: str
    target: str
    family: str
    region: str
    talk: str
    home: str
    parent: str
    household: str
    present: str
    worker: str
    worker_talk: str
    stance: str
    visit: str
    opening: str
    tangent: str
    rows: int


class Visit(Value):
    """One row of the design."""

    plan: Planned
    levels: dict[str, int]
    """Element → target level."""


def visits_design(
    folder: Annotated[Path, typer.Argument(help="Folder of the simulated visits.")] = FOLDER, seed: int = 7
) -> None:
    """Writes the design table of the simulated visits, and the table of target behaviours."""
    visits = design(load(folder), seed)
    write_text(folder / DESIGN, _csv([{**v.plan.model_dump(), **v.levels} for v in visits]))
    write_text(folder / TARGETS, _csv([{"session": v.plan.session, "target": v.plan.target} for v in visits]))
    typer.echo(f"{len(visits)} visits in {BATCHES} batches: {folder / DESIGN}")


def visits_brief(batch: int, folder: Path = FOLDER) -> None:
    """Prints a batch of the design as a writer wants to read it."""
    chosen = [visit for visit in read_design(folder) if visit.plan.batch == batch]
    if not chosen:
        raise UnknownName("batch", str(batch), [str(number + 1) for number in range(BATCHES)])
    for visit in chosen:
        plan = visit.plan.model_dump(exclude={"session", "batch", "part", "band", "target", "rows", "theme", "family"})
        typer.echo(f"\n## {visit.plan.session} · {visit.plan.theme} · {visit.plan.rows} rows · {visit.plan.target}")
        typer.echo("LEVELS  " + "  ".join(f"{element} {level}" for element, level in visit.levels.items()))
        for name, value in plan.items():
            typer.echo(f"{name}: {value}")


def design(parts: Ingredients, seed: int) -> list[Visit]:
    """The whole table in the order of its sessions."""
    random = np.random.default_rng(seed)
    elements = tuple(element.id for element in load_codebook().elements)
    test = round(VISITS * parts.levels.test_share)
    rows = [*_cast(parts, VISITS - test, random, is_test=False), *_cast(parts, test, random, is_test=True)]
    strata = np.array([f"{row['part']}/{row['band']}" for row in rows])
    levels = spread(parts.levels, elements, strata, seed)
    dealt = sorted(random.permutation(len(rows)), key=lambda index: str(strata[index]))
    batches = {int(index): place % BATCHES + 1 for place, index in enumerate(dealt)}
    order = sorted(random.permutation(len(rows)), key=lambda index: batches[int(index)])
    return [
        Visit(
            plan=Planned.model_validate(rows[i] | {"session": f"sv{place:03d}", "batch": batches[i]}),
            levels=dict(zip(elements, levels[i].tolist(), strict=True)),
        )
        for place, i in enumerate(map(int, order), start=1)
    ]


def read_design(folder: Path) -> list[Visit]:
    """Reads design.csv. Raises `UnreadableInput`, `MalformedTranscript`."""
    path = folder / DESIGN
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise UnreadableInput(f"{path} cannot be read; write it with the visits design command") from error
    fields = set(Planned.model_fields)
    try:
        return [
            Visit(
                plan=Planned.model_validate({name: value for name, value in row.items() if name in fields}),
                levels={name: int(value) for name, value in row.items() if name not in fields},
            )
            for row in rows
        ]
    except (ValidationError, ValueError, TypeError) as error:
        raise MalformedTranscript(f"{path} does not have the design's columns: {error}") from error


def _cast(parts: Ingredients, visits: int, random: np.random.Generator, *, is_test: bool) -> list[dict[str, object]]:
    """Rows of one part; its themes, families and workers are in no other."""
    themes = [theme for theme in parts.themes if theme.is_test is is_test]
    families = [family for family in parts.families if family.is_test is is_test]
    pairs = _pair(themes, families, visits, random)
    dealt = {name: _deal(getattr(parts.lists, name), visits, random) for name in ("stances", "visits", "openings")}
    tangents = _deal(parts.lists.tangents, visits, random)
    workers = _deal([worker for worker in parts.workers if worker.is_test is is_test], visits, random)
    narrow = round(visits * parts.levels.narrow_share)
    bands = random.permutation(["narrow"] * narrow + ["wide"] * (visits - narrow))
    lengths = random.permutation(np.round(np.linspace(30, 60, visits)).astype(int))
    situations = {theme.id: _deal(theme.situations, visits, random) for theme in themes}
    return [
        {"part": "test" if is_test else "train", "band": str(bands[i]), "rows": int(lengths[i])}
        | {"stance": dealt["stances"][i], "visit": dealt["visits"][i], "opening": dealt["openings"][i]}
        | {"tangent": tangents[i]}
        | _scene(theme, family, workers[i], situations[theme.id].pop(), random)
        for i, (theme, family) in enumerate(pairs)
    ]


def _scene(
    theme: Theme, family: Family, worker: Worker, situation: tuple[str, str], random: np.random.Generator
) -> dict[str, object]:
    keep_apart = theme.avoid is not None
    speaking = 1 if len(family.parents) > 1 and not keep_apart and random.random() < 0.3 else 0
    children = [f"{name} ({who})" for name, who in family.children if not who.startswith("baby")]
    adults = [f"{name} ({who})" for i, (name, who) in enumerate(family.parents) if i != speaking and not keep_apart]
    adults += [f"{name} ({who})" for name, who, relation in family.others if relation != theme.avoid]
    present = [
        str(random.choice(people))
        for people, share in ((children, 0.5), (adults, 0.4))
        if people and random.random() < share
    ]
    household = [f"{name}, {who}" for name, who in (*family.parents, *family.children)]
    household += [f"{name}, {who}" for name, who, _ in family.others]
    return {
        "theme": theme.id,
        "worry": situation[0],
        "target": situation[1],
        "family": family.id,
        "region": family.region,
        "talk": family.talk,
        "home": family.home,
        "parent": f"{family.parents[speaking][0]}, {family.parents[speaking][1]}",
        "household": "; ".join(household),
        "present": "; ".join(present) or "nobody else",
        "worker": worker.name,
        "worker_talk": worker.talk,
    }


def _pair(
    themes: Sequence[Theme], families: Sequence[Family], visits: int, random: np.random.Generator
) -> list[tuple[Theme, Family]]:
    """Themes in equal numbers, each with families it fits, least used first and seldom the same twice."""
    used: Counter[str] = Counter()
    together: Counter[tuple[str, str]] = Counter()
    fitting = {theme.id: [family for family in families if theme.fits(family)] for theme in themes}
    pairs: list[tuple[Theme, Family]] = []
    for theme in sorted(themes, key=lambda t: (len(fitting[t.id]), t.id)):
        place = list(themes).index(theme)
        for _ in range(len(range(place, visits, len(themes)))):
            family = min(
                (fitting[theme.id][int(i)] for i in random.permutation(len(fitting[theme.id]))),
                key=lambda f: (together[theme.id, f.id], used[f.id]),
            )
            used[family.id] += 1
            together[theme.id, family.id] += 1
            pairs.append((theme, family))
    return [pairs[int(i)] for i in random.permutation(len(pairs))]


def _deal(items: Sequence[T], number: int, random: np.random.Generator) -> list[T]:
    """`number` items, each as often as any other, in random order."""
    dealt: list[T] = []
    while len(dealt) < number:
        dealt += [items[int(i)] for i in random.permutation(len(items))]
    return dealt[:number]


def _csv(rows: Sequence[dict[str, object]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
