"""`msw train` and `msw evaluate`: a recipe or a bundle says by its kind what is trained or evaluated.

`msw train elements SCORED RATINGS...` needs no recipe: it fine-tunes the session rater on own visits.
"""

from __future__ import annotations

import json
import sys
from difflib import unified_diff
from pathlib import Path
from typing import Annotated

import typer

from msw_ml.disk import write_text
from msw_ml.errors import BadSetting, MissingExtra, MswError, UnknownName

DATA = Path("../shared/data")
KINDS = ("behaviour_coder", "session_rater")
OWN = Path("elements")
"""What is given for a recipe to fine-tune the session rater on own visits."""

What = Annotated[
    Path,
    typer.Argument(
        metavar="RECIPE|elements",
        help="A recipe, e.g. training/recipes/behaviour_coder.toml; or `elements`: the session rater, on own visits.",
        show_default=False,
    ),
]
Own = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="SCORED RATINGS",
        help="After `elements`: the folder that `msw score` wrote, and coders' sheets, exports or CSV files.",
        show_default=False,
    ),
]


def train(
    recipe: What,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the bundle and for what is unfinished.")],
    own: Own = None,
    data: Annotated[Path, typer.Option(help="Folder in which the sets' files lie.")] = DATA,
    jobs: Annotated[int, typer.Option(min=1, help="Models trained beside each other, one thread each.")] = 2,
    visits: Annotated[Path | None, typer.Option(help="elements: table of sessions with their workers.")] = None,
    rater: Annotated[Path | None, typer.Option(help="elements: bundle to start from; the shipped one.")] = None,
    codebook: Annotated[str, typer.Option(help="elements: coding scheme, an id or a TOML file.")] = "msw",
) -> None:
    """Train a model by a recipe, or fine-tune the session rater on own visits; write a bundle with a card.

    msw train RECIPE -o DIR trains on grouped folds. A behaviour coder's run that was interrupted goes on where
    it was when the same command is given again.

    msw train elements SCORED RATINGS... -o DIR --visits visits.csv learns from at least 30 rated sessions, on
    folds by worker, and says whether the result is nearer to the coders than the rater it started from.
    """
    if recipe == OWN:
        _train_own(own or [], out, (visits, rater), codebook)
        return
    if own or visits or rater:
        raise BadSetting(f"own visits are learned from by `msw train {OWN} SCORED RATINGS... -o DIR`, not by a recipe")
    try:
        typer.echo(_train(recipe, out, data, jobs))
    except MswError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def evaluate(
    bundle: Annotated[Path, typer.Argument(help="A bundle made by `msw train`.")],
    data: Annotated[Path, typer.Argument(help="Folder of the sets' files; for a rater, of scored sessions.")] = DATA,
    card: Annotated[Path | None, typer.Option(help="Write a coder's card, computed anew, to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Figures for machines.")] = False,
) -> None:
    """Compute a bundle's figures again.

    A behaviour coder: every figure of its card, from its held-out predictions and the sets' labels; the
    baseline is fitted again and the sessions that were kept out are coded. Exit 1 when the result is not the
    card. A session rater: its agreement with people on sessions scored by `msw score`.
    """
    try:
        is_reproduced = _evaluate(bundle, data, card, as_json)
    except MswError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if not is_reproduced:
        raise typer.Exit(1)


def _train(path: Path, out: Path, data: Path, jobs: int) -> str:
    _need_torch()
    from training import assemble, elements, plan, recipe, run
    from training.corpora import SETS

    kind = recipe.kind(path)
    if kind not in KINDS:
        raise UnknownName("kind of recipe", kind, KINDS)
    if kind == "session_rater":
        return str(elements.train_elements(path, out, data))
    made = plan.make(recipe.read(path), data)
    todo = run.jobs(made, path, data, out / ".work")
    run.train_all(todo, jobs, _say)
    bundle = assemble.assemble(made, todo, out, data, SETS)
    return f"{bundle.label}: {bundle.path}"


def _train_own(given: list[Path], out: Path, options: tuple[Path | None, Path | None], codebook: str) -> None:
    from msw_ml import codebook as codebooks
    from training.own_card import as_lines
    from training.own_data import OwnFiles
    from training.own_visits import train_own

    if not given:
        raise BadSetting(f"name the folder of scored visits and the coders' files: msw train {OWN} SCORED RATINGS...")
    visits, rater = options
    files = OwnFiles(scored=given[0], ratings=tuple(given[1:]), visits=visits)
    made = train_own(files, out, codebooks.load(codebook), rater)
    for name, why in made.declined.items():
        typer.echo(f"{name} was not learned from: {why}", err=True)
    for line in as_lines(made.found):
        typer.echo(line)
    typer.echo(f"The card, {made.path / 'card.md'}, says what this means. Ratings stay indicative.")
    typer.echo(f"To use it, set MSW_SESSION_RATER={made.path.resolve()} and run `msw score` again.")


def _evaluate(path: Path, data: Path, card: Path | None, as_json: bool) -> bool:
    from msw_ml import bundle as bundles

    opened = bundles.read(path)
    if opened.info.kind not in KINDS:
        raise UnknownName("kind of bundle to evaluate", opened.info.kind, KINDS)
    if opened.info.kind == "session_rater":
        from training.own_evaluation import evaluate_elements

        typer.echo(evaluate_elements(path, data).model_dump_json(indent=1))
        return True
    _need_torch()
    from training import card as cards
    from training import report
    from training.corpora import SETS

    made, found = report.make(opened, data, SETS)
    text = cards.write(made, found)
    if card is not None:
        write_text(card, text)
    if as_json:
        typer.echo(json.dumps([figure.model_dump() for figure in found.coder], indent=1))
    else:
        typer.echo(text, nl=False)
    stated = opened.file("card.md").read_text(encoding="utf-8")
    changes = list(unified_diff(stated.splitlines(), text.splitlines(), "card.md", "computed now", lineterm="", n=0))
    typer.echo("\n".join(changes) if changes else "every line of the card was reproduced", err=True)
    return not changes


def _say(stage: str, done: float) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r{stage} {done:.0%}", nl=False, err=True)


def _need_torch() -> None:
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingExtra("training", "train") from error
