"""Fine-tuning on own visits, tried: the test part of the simulated visits is played as an organisation's own.

    python -m training.own_trial DIR

A rater is trained that knows nothing of that part, neither its ratings nor its marks. Then `msw train elements`
fine-tunes it, once on the part's two readers as they are and once on the same made one point stricter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from msw_ml.codebook import Codebook
from msw_ml.codebook import load as load_codebook
from msw_ml.disk import write_text
from msw_ml.session import Provenance, Quality, Recording, Role, RoleChoice, ScoredSession
from training.corpora import SETS
from training.elements import DATA, Recipe, read_recipe, train_plan
from training.own_card import as_lines
from training.own_data import OwnFiles
from training.own_visits import train_own
from training.rated_sessions import RatedSession
from training.rated_visits import read_visits
from training.visits_corpus import rows

RECIPE = Path("training/recipes/elements.toml")
RATERS = {"the readers as they are": 0, "the readers one point stricter": 1}


class Played(NamedTuple):
    """What an organisation would hand in, and the recipe of a rater that knows nothing of it."""

    files: OwnFiles
    recipe: Recipe


def main(
    out: Annotated[Path, typer.Argument(help="Folder for raters and visits.")],
    data: Annotated[Path, typer.Option(help="Folder in which the sets' files lie.")] = DATA,
) -> None:
    """Print how near the rater came to either pair of readers before and after fine-tuning."""
    plan = read_recipe(RECIPE)
    codebook = load_codebook(plan.codebook)
    before = train_plan(without_test(plan), f"{RECIPE.name} without the visits' test part", out / "before", data)
    for what, points in RATERS.items():
        folder = out / f"stricter_{points}"
        found = train_own(play(plan, codebook, folder, points), folder / "out", codebook, before).found
        typer.echo(f"\n## {what}")
        for line in as_lines(found):
            typer.echo(line)


def without_test(plan: Recipe) -> Recipe:
    """The recipe, learning nothing of the visits' test part."""
    return plan.model_copy(update={"data": plan.data.model_copy(update={"has_test": False})})


def play(plan: Recipe, codebook: Codebook, folder: Path, stricter: int) -> OwnFiles:
    """Writes the test part as an organisation hands in its own: codes of networks that did not learn from it."""
    visits = SETS / (plan.data.visits or "")
    test = {one.id: one for one in read_visits(visits, plan.data.coder, codebook).sessions if one.is_test}
    for one in test.values():
        write_text(folder / "scores" / one.id / "session.json", _scored(one, codebook).model_dump_json())
    given = [row for path in sorted((visits / "ratings").glob("*.csv")) for row in rows(path) if row["session"] in test]
    ratings = [row | {"value": str(max(1, int(row["value"]) - stricter))} for row in given]
    _write(folder / "coders.csv", ("session", "coder", "element", "value"), ratings)
    workers = [row for row in rows(visits / "design.csv") if row["session"] in test]
    _write(folder / "visits.csv", ("session", "worker"), workers)
    return OwnFiles(scored=folder / "scores", ratings=(folder / "coders.csv",), visits=folder / "visits.csv")


def _scored(one: RatedSession, codebook: Codebook) -> ScoredSession:
    """As `msw score` writes a transcript whose roles were given; there is no file whose hash it could name."""
    return ScoredSession(
        recording=Recording(name=one.id, source=f"{one.id}.csv", sha256=f"{one.id:0>64}", kind="transcript"),
        roles=RoleChoice(roles={role.value: role for role in Role}, margin=1.0, method="given"),
        quality=Quality(),
        utterances=tuple(one.coded),
        measures=(),
        ratings=(),
        provenance=Provenance(
            msw_ml="", codebook=codebook.id, codebook_version=codebook.version, engines={}, settings={}
        ),
    )


def _write(path: Path, columns: Sequence[str], table: Sequence[Mapping[str, str]]) -> None:
    lines = [columns, *([row[column] for column in columns] for row in table)]
    write_text(path, "".join(",".join(line) + "\n" for line in lines))


if __name__ == "__main__":
    typer.run(main)
