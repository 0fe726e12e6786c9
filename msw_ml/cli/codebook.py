"""`msw codebook`: the scheme in force."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel

from msw_ml import codebook as codebooks
from msw_ml.codebook import Codebook
from msw_ml.errors import UnknownName
from msw_ml.session import ScoredSession
from msw_ml.settings import Settings

app = typer.Typer(help="The coding scheme in force: codes, elements, measures, and the schema of session.json.")

_SCHEMAS: dict[str, type[BaseModel]] = {"session": ScoredSession, "codebook": Codebook}


@app.command()
def show(
    name: Annotated[str | None, typer.Argument(help="Id or TOML file; the one in force by default.")] = None,
    schema: Annotated[str | None, typer.Option(help="Print the JSON Schema of `session` or `codebook`.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Prints the codes with their rules, the elements with their anchors, and the measures."""
    if schema is not None:
        if schema not in _SCHEMAS:
            raise UnknownName("schema", schema, _SCHEMAS)
        typer.echo(json.dumps(_SCHEMAS[schema].model_json_schema(), indent=2))
        return
    book = codebooks.load(name or Settings().codebook)
    typer.echo(book.model_dump_json(indent=2, by_alias=True) if as_json else _plain(book))


@app.command()
def check(file: Annotated[Path, typer.Argument(help="A TOML file.")]) -> None:
    """Says whether a codebook holds together, and the first thing that does not."""
    if not file.is_file():
        raise UnknownName("codebook file", str(file), codebooks.known())
    book = codebooks.load(str(file))
    typer.echo(
        f"{book.key}: {len(book.behaviours)} codes, {len(book.elements)} elements, {len(book.measures)} measures"
    )


def _plain(book: Codebook) -> str:
    lines = [f"{book.name} ({book.key})", book.note, "", "Codes"]
    lines += [f"  {b.id:26}{b.speaker:8}{b.parent:12}{b.definition}" for b in book.behaviours]
    lines += ["", "Elements, rated 1 to 5"]
    for element in book.elements:
        lines.append(f"  {element.id:26}{element.meaning}")
        lines += [f"    {anchor.level}  {anchor.text}" for anchor in element.anchors]
    lines += ["", "Measures (fair and good are expert opinion, without norms)"]
    for rule in book.measures:
        marks = f" (fair {rule.fair}, good {rule.good})" if rule.fair is not None else ""
        lines.append(f"  {rule.id:30}{rule.meaning}{marks}")
    return "\n".join(lines)
