"""`msw train` and `msw evaluate`."""

from __future__ import annotations

import json
import sys
from difflib import unified_diff
from pathlib import Path
from typing import Annotated

import typer

from msw_ml.disk import write_text
from msw_ml.errors import MissingExtra, MswError

DATA = Path("../shared/data")


def train(
    recipe: Annotated[Path, typer.Argument(help="A recipe, e.g. training/recipes/behaviour_coder.toml.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the bundle and for what is unfinished.")],
    data: Annotated[Path, typer.Option(help="Folder in which the sets' files lie.")] = DATA,
    jobs: Annotated[int, typer.Option(min=1, help="Models trained beside each other, one thread each.")] = 2,
) -> None:
    """Train a behaviour coder on grouped folds, calibrate it and write its bundle with a card.

    A run that was interrupted goes on where it was when the same command is given again.
    """
    _need_torch()
    from training import assemble, plan, run
    from training import recipe as recipes
    from training.corpora import SETS

    try:
        made = plan.make(recipes.read(recipe), data)
        todo = run.jobs(made, recipe, data, out / ".work")
        run.train_all(todo, jobs, _say)
        bundle = assemble.assemble(made, todo, out, data, SETS)
    except MswError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{bundle.label}: {bundle.path}")


def evaluate(
    bundle: Annotated[Path, typer.Argument(help="A behaviour coder's bundle.")],
    data: Annotated[Path, typer.Argument(help="Folder in which the sets' files lie.")] = DATA,
    card: Annotated[Path | None, typer.Option(help="Write the card to this file as well.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Figures for machines.")] = False,
) -> None:
    """Compute every figure of a bundle's card again, and say whether the card holds.

    Reads the bundle's held-out predictions and the sets' labels, fits the baseline again and codes the
    sessions that were kept out. Exit 1 when the result is not the card.
    """
    _need_torch()
    from msw_ml import bundle as bundles
    from training import card as cards
    from training import report
    from training.corpora import SETS

    try:
        opened = bundles.load(bundle, "behaviour_coder")
        made, found = report.make(opened, data, SETS)
        text = cards.write(made, found)
        if card is not None:
            write_text(card, text)
        stated = opened.file("card.md").read_text(encoding="utf-8")
    except MswError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps([figure.model_dump() for figure in found.coder], indent=1))
    else:
        typer.echo(text, nl=False)
    changes = list(unified_diff(stated.splitlines(), text.splitlines(), "card.md", "computed now", lineterm="", n=0))
    typer.echo("\n".join(changes) if changes else "every line of the card was reproduced", err=True)
    if changes:
        raise typer.Exit(1)


def _say(stage: str, done: float) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r{stage} {done:.0%}", nl=False, err=True)


def _need_torch() -> None:
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingExtra("training", "train") from error
