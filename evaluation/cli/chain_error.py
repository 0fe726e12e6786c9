"""`msw chain`: what errors of hearing do to codes, measures and ratings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from msw_ml.errors import EngineError, InputError

Folder = Annotated[Path, typer.Argument(help="Recordings with reference transcripts beside them.", show_default=False)]
Out = Annotated[Path, typer.Option("--output", "-o", help="Folder for the table.", show_default=False)]


def chain(folder: Folder, output: Out) -> None:
    """Scores recordings with words, turns and roles from the reference and from the engines, in turn.

    Prints WER, cpWER, DER and role error beside what they do to counts, measures and ratings; writes chain.csv
    and chain.json.
    """
    from pydantic import TypeAdapter

    from evaluation import chain as chains
    from evaluation import chain_table, hearing, references
    from msw_ml import engines
    from msw_ml.disk import write_bytes, write_text
    from msw_ml.settings import Settings

    hearing.check_packages()
    pipeline = engines.pipeline(Settings())
    effects: list[chains.Effect] = []
    failed = []
    for sound, said in references.find(folder):
        typer.echo(f"{sound.name} …", err=True)
        try:
            effects += chains.compare(sound, said, pipeline)
        except (InputError, EngineError) as error:
            failed.append(sound.name)
            typer.echo(f"msw: {error}", err=True)
    write_text(output / "chain.csv", chain_table.as_csv(effects))
    write_bytes(output / "chain.json", TypeAdapter(list[chains.Effect]).dump_json(effects, indent=1) + b"\n")
    typer.echo(chain_table.as_text(effects))
    if failed:
        raise InputError(f"{len(failed)} recordings could not be compared: {', '.join(failed)}; see the messages above")
