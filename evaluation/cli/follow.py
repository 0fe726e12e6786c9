"""`msw drift`: do coders, and the machine, still code as they did?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

Files = Annotated[list[Path], typer.Argument(help="Re-codings of the gold sessions.", show_default=False)]
Gold = Annotated[list[Path], typer.Option(help="The agreed coding of the gold sessions.", show_default=False)]
Out = Annotated[Path, typer.Option("--output", "-o", help="Folder for the charts.", show_default=False)]
Folders = Annotated[bool, typer.Option("--rounds-from-folders", help="Files lie in folders named after the round.")]
CodebookName = Annotated[str, typer.Option("--codebook", help="Coding scheme: an id or a TOML file.")]
Mapping = Annotated[Path | None, typer.Option(help="Another scheme's labels: a mapping.toml.")]


def drift(
    files: Files,
    gold: Gold,
    output: Out,
    rounds_from_folders: Folders = False,
    codebook: CodebookName = "msw",
    mapping: Mapping = None,
) -> None:
    """Control charts of coders and machine against gold sessions, round by round.

    Rounds are dates (2026-03-01) or numbers, in a column `round`, in `coded on` of a sheet, or in folder names.
    Writes drift.html, drift.csv and drift.json.
    """
    from evaluation import control
    from evaluation import drift as drifting
    from evaluation.reading.files import ReadOptions, batches
    from msw_ml import codebook as codebooks
    from msw_ml.disk import write_text

    book = codebooks.load(codebook)
    options = ReadOptions(mapping=mapping, rounds_from_folders=rounds_from_folders)
    charts = drifting.charts(drifting.gold_of(batches(gold, book, options)), batches(files, book, options), book)
    write_text(output / "drift.html", control.render(charts))
    write_text(output / "drift.csv", drifting.as_csv(charts))
    write_text(output / "drift.json", json.dumps([chart.model_dump() for chart in charts], indent=1) + "\n")
    signals = [(chart, one) for chart in charts for one in chart.rounds if one.signal]
    for chart, one in signals:
        typer.echo(f"{chart.coder}, {chart.what}, round {one.round}: {one.signal}")
    if not signals:
        typer.echo("No round stands out.")
    typer.echo(f"wrote {output / 'drift.html'}", err=True)
