"""`msw report`: pages for people over sessions that were scored."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from msw_ml import codebook as codebooks
from msw_ml.codebook import Codebook
from msw_ml.disk import write_text
from msw_ml.errors import BadSetting, CodebookMismatch
from msw_ml.session import ScoredSession

if TYPE_CHECKING:
    from msw_ml.reports.practice import PracticeNotes

app = typer.Typer(help="Reports for people, over sessions that `msw score` has written.", no_args_is_help=True)

Paths = Annotated[list[Path], typer.Argument(help="session.json files, or folders that hold some.", show_default=False)]
Out = Annotated[Path, typer.Option("--output", "-o", help="The HTML file to write.", show_default=False)]
Scheme = Annotated[str, typer.Option("--codebook", help="Coding scheme: an id or a TOML file.")]


@app.callback()
def _report() -> None:
    """Written to a worker, a coach or a service; never a ranking."""


@app.command()
def practice(
    paths: Paths,
    output: Out,
    notes: Annotated[
        Path | None, typer.Option(help="TOML: worker = …, and [[session]] with name, date, parent_feedback, …")
    ] = None,
    codebook: Scheme = "msw",
) -> None:
    """One worker's visits for the worker and the coach: strengths, one next step, own trend, comments."""
    from msw_ml.reports.practice import practice_report

    book = codebooks.load(codebook)
    write_text(output, practice_report(_sessions(paths, book), book, _notes(notes)))
    typer.echo(output)


@app.command()
def service(
    paths: Paths,
    output: Out,
    groups: Annotated[
        Path,
        typer.Option(
            help="CSV: session, worker and, if wanted, team and period (2026-1, 2026-2: they sort by name).",
            show_default=False,
        ),
    ],
    indicative: Annotated[
        bool, typer.Option("--indicative", help="Show ratings that were never checked against your own coders.")
    ] = False,
    codebook: Scheme = "msw",
) -> None:
    """A service's visits: distributions and change for groups of at least five workers, without names."""
    from msw_ml.reports.service import members, service_report

    book = codebooks.load(codebook)
    belongs = members(_rows(groups), groups.name)
    page = service_report(_sessions(paths, book), belongs, book, is_indicative_shown=indicative)
    write_text(output, page)
    typer.echo(output)


def _sessions(paths: list[Path], book: Codebook) -> list[ScoredSession]:
    """Sessions in the order given, within a folder by name. Raises `BadSetting` where there are none."""
    from msw_ml.formats.session_json import load

    files: list[Path] = []
    for path in paths:
        found = sorted(path.rglob("session.json")) if path.is_dir() else [path]
        if not found or not found[0].is_file():
            raise BadSetting(f"{path} holds no session.json; give what `msw score -o` wrote")
        files += [file for file in found if file not in files]
    sessions = [load(file.read_text(encoding="utf-8"), str(file)) for file in files]
    for file, session in zip(files, sessions, strict=True):
        made = session.provenance
        if (made.codebook, made.codebook_version) != (book.id, book.version):
            raise CodebookMismatch(
                f"{file} was scored with codebook {made.codebook} {made.codebook_version}, this is {book.key}: "
                f"score it again, or choose its codebook with --codebook"
            )
    return sessions


def _notes(path: Path | None) -> PracticeNotes | None:
    from pydantic import ValidationError

    from msw_ml.reports.practice import PracticeNotes

    if path is None:
        return None
    try:
        return PracticeNotes.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path} cannot be read: {type(error).__name__}; check the path given with --notes") from error
    except tomllib.TOMLDecodeError as error:
        raise BadSetting(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadSetting(f"{path}: {place}: {first['msg']}") from error


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            rows = list(table)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadSetting(f"{path} cannot be read as CSV: {type(error).__name__}; check --groups") from error
    missing = {"session", "worker"} - set(table.fieldnames or ())
    if missing:
        raise BadSetting(f"{path} lacks the column {' and '.join(sorted(missing))}; the first row names the columns")
    return rows
