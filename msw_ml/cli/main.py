"""Gathers the sub-commands and turns our errors into one line and an exit code."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, entry_points
from typing import NoReturn

import typer

from msw_ml import __version__
from msw_ml.cli import codebook, doctor, models, report, score
from msw_ml.errors import MissingExtra, MswError, SetupError

FAILED, USAGE, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="msw",
    help="Scores recorded home visits for Motivational Social Work: speech to codes to ratings to agreement.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"msw {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Scoring sends nothing and needs no network.

    What does use one: `msw models pull`, a pyannote pipeline of the hub with its token, and the service as it is set
    up (its pages, webhooks, sign-in, storage, database).
    """


app.command("score")(score.score)
app.command("transcribe")(score.transcribe)
app.command("doctor")(doctor.doctor)
app.add_typer(models.app, name="models")
app.add_typer(codebook.app, name="codebook")
app.add_typer(report.app, name="report")


def _add(point: EntryPoint) -> None:
    """Adds a command of another package; one whose packages are missing says so when it is called."""
    try:
        command = point.load()
    except ImportError as error:
        command = _missing(point, error)
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=point.name)
    else:
        app.command(point.name)(command)


def _missing(point: EntryPoint, error: ImportError) -> typer.Typer:
    extra = {"serving": "serve", "evaluation": "evaluate"}.get(point.module.partition(".")[0], "train")
    part = typer.Typer(help="Not available here: packages are missing.", invoke_without_command=True)

    @part.callback(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
    def say() -> NoReturn:
        raise MissingExtra(f"`msw {point.name}` (missing: {error.name})", extra)

    return part


for _point in sorted(entry_points(group="msw.commands"), key=lambda point: point.name):
    _add(_point)


def run() -> NoReturn:
    """Entry point of the `msw` command: exit 0 all well, 1 some inputs failed, 2 usage."""
    try:
        app(prog_name="msw")
    except MswError as error:
        print(f"msw: {error}", file=sys.stderr)
        sys.exit(USAGE if isinstance(error, SetupError) else FAILED)
    except KeyboardInterrupt:
        print("msw: interrupted; the same command goes on where it stopped", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(FAILED)
    sys.exit(0)
