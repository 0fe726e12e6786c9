"""`msw sample` and `msw sheet`: which sessions to code twice, and the sheets to code them on."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from msw_ml.errors import BadSetting, InputError

_STRATA = ("worker", "family", "team", "visit_type", "score")

From = Annotated[Path, typer.Argument(help="Output folder of `msw score`, or a table of sessions.", show_default=False)]
Out = Annotated[Path, typer.Option("--output", "-o", help="Folder for the result.", show_default=False)]
By = Annotated[str, typer.Option(help=f"Strata, by comma: {', '.join(_STRATA)}.")]
Share = Annotated[float, typer.Option(help="Share of the sessions.", min=0.01, max=1)]
Least = Annotated[int, typer.Option(help="At least so many, while there are.", min=2)]
Coders = Annotated[int, typer.Option(help="How many people will code each.", min=2, max=20)]
Seed = Annotated[int, typer.Option(help="Seed of the draw.")]
Sessions = Annotated[Path | None, typer.Option(help="Table of sessions with worker, family, team, visit_type.")]
CodebookName = Annotated[str, typer.Option("--codebook", help="Coding scheme: an id or a TOML file.")]


def sample(
    source: From,
    output: Out,
    by: By = "",
    share: Share = 0.20,
    least: Least = 30,
    coders: Coders = 2,
    seed: Seed = 1,
    sessions: Sessions = None,
) -> None:
    """Draws the sessions to code twice, blind, and says how exact the agreement will be.

    Sessions without scores, and those that a fine-tuned rater learned from, are left out and named.
    Writes sample.csv (for coders: order and session, no score) and sample.json (for the file).
    """
    from evaluation import candidates, sampling
    from msw_ml.disk import write_text
    from msw_ml.settings import Settings

    strata = tuple(part.strip() for part in by.split(",") if part.strip())
    for part in strata:
        if part not in _STRATA:
            raise BadSetting(f"--by {part}: sessions can be stratified by {', '.join(_STRATA)}")
    design = sampling.Design(share=share, least=least, coders=coders, strata=strata, seed=seed)
    pool = candidates.find(source, sessions, Settings().session_rater)
    drawn = sampling.draw(pool, design)
    write_text(output / "sample.csv", sampling.as_csv(drawn))
    write_text(output / "sample.json", drawn.model_dump_json(indent=1) + "\n")
    for note in pool.notes:
        typer.echo(f"Note: {note}", err=True)
    typer.echo(f"{len(drawn.drawn)} of {drawn.candidates} sessions, {coders} coders each.")
    for reason, names in drawn.left_out.items():
        typer.echo(f"{len(names)} left out, {reason}: {', '.join(names)}")
    typer.echo("If one coder's agreement, ICC(A,1), is   the 95% interval will be about")
    for expected in drawn.expected:
        width = "–" if math.isinf(expected.single) else f"± {expected.single:.2f}"
        typer.echo(f"{expected.icc:>42.1f}   {width}")
    if len(drawn.drawn) < sampling.LEAST:
        typer.echo(f"Fewer than {sampling.LEAST} sessions: expect wide intervals, and nothing to be released.")
    typer.echo(f"wrote {output / 'sample.csv'}", err=True)


sheet = typer.Typer(help="Excel coding sheets from the codebook.", no_args_is_help=True)

Transcripts = Annotated[
    list[Path], typer.Argument(help="Transcripts, or `msw score` outputs (no score is shown).", show_default=False)
]
Coder = Annotated[list[str], typer.Option(help="Who will code; may be given again.", show_default=False)]
Only = Annotated[Path | None, typer.Option(help="Only the sessions of this sample.csv.")]


@sheet.command("write")
def write(
    transcripts: Transcripts, output: Out, coder: Coder, only: Only = None, codebook: CodebookName = "msw"
) -> None:
    """Writes one sheet a session and coder: DIR/CODER/SESSION.xlsx."""
    from evaluation import preparing
    from msw_ml import codebook as codebooks

    paths = preparing.write_sheets(transcripts, output, coder, codebooks.load(codebook), only)
    for path in paths:
        typer.echo(str(path))
    typer.echo(f"wrote {len(paths)} sheets", err=True)


@sheet.command("read")
def read(
    files: Annotated[list[Path], typer.Argument(help="Filled sheets, or folders of them.", show_default=False)],
    output: Out,
    codebook: CodebookName = "msw",
) -> None:
    """Checks filled sheets and writes codes.csv and ratings.csv. Every error names its cell; one bad sheet never
    stops the rest."""
    from evaluation import preparing
    from msw_ml import codebook as codebooks

    found = preparing.read_sheets(files, output, codebooks.load(codebook))
    typer.echo(f"{found.sheets} sheets: {found.codes} codes, {found.ratings} ratings, {found.empty} cells left empty")
    for error in found.errors:
        typer.echo(error, err=True)
    if found.errors:
        raise InputError(f"{len(found.errors)} sheets could not be read; correct the cells named above and read again")
