"""`msw agree`: coders' files in, the reliability report out."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from msw_ml.errors import BadSetting
from msw_ml.rating.release import MINIMUM_SESSIONS, THRESHOLD

if TYPE_CHECKING:
    from evaluation.codings import Codings


class Clustering(StrEnum):
    """What is resampled as a whole."""

    SESSION = "session"
    FAMILY = "family"
    WORKER = "worker"


class LineUp(StrEnum):
    """How units of different coders are lined up."""

    ID = "id"
    TIME = "time"
    TEXT = "text"


Files = Annotated[
    list[Path],
    typer.Argument(help="Coders' files of any kind, folders of them, and `msw score` outputs.", show_default=False),
]
Out = Annotated[Path, typer.Option("--output", "-o", help="Folder for the report.", show_default=False)]
CodebookName = Annotated[str, typer.Option("--codebook", help="Coding scheme: an id or a TOML file.")]
Mapping = Annotated[Path | None, typer.Option(help="Another scheme's labels: a mapping.toml.")]
Sessions = Annotated[Path | None, typer.Option(help="Table of sessions with worker, family, team, visit_type.")]
Cluster = Annotated[Clustering | None, typer.Option(help="What is resampled whole; the widest known by default.")]
Pair = Annotated[LineUp | None, typer.Option(help="Line up units by id, time or text; what fits by default.")]
Machine = Annotated[list[str] | None, typer.Option(help="A coder in these files who is a machine.")]
Draws = Annotated[int, typer.Option(help="Bootstrap draws.", min=100, max=100_000)]
Release = Annotated[Path | None, typer.Option(help="Write what this agreement allows, for MSW_RELEASE_FILE.")]
Threshold = Annotated[float, typer.Option(help="Least lower bound of ICC(A,1) or kappa for a release.", min=0, max=1)]
Minimum = Annotated[
    int,
    typer.Option("--minimum-sessions", help="Least sessions with two people for a release.", min=MINIMUM_SESSIONS),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report for machines.")]
Seed = Annotated[int, typer.Option(help="Seed of everything that is drawn.")]


def agree(
    files: Files,
    output: Out,
    codebook: CodebookName = "msw",
    mapping: Mapping = None,
    sessions: Sessions = None,
    cluster: Cluster = None,
    pair: Pair = None,
    machine: Machine = None,
    draws: Draws = 2000,
    seed: Seed = 1,
    release: Release = None,
    threshold: Threshold = THRESHOLD,
    minimum_sessions: Minimum = MINIMUM_SESSIONS,
    as_json: AsJson = False,
) -> None:
    """Agreement between coders, and of the machine with them: the reliability section of a paper.

    Writes reliability.html, .json, .csv and .docx. Files of all kinds may be mixed: our own outputs, coding
    sheets, tables (session, unit, coder, code), CACTI exports, ELAN tiers.
    """
    from evaluation import releasing, report
    from evaluation.reading import visits
    from evaluation.reading.files import ReadOptions, read
    from evaluation.reliability import CompareOptions, compare
    from msw_ml import codebook as codebooks
    from msw_ml.disk import write_text

    if not 0 < threshold < 1:
        raise BadSetting(f"--threshold {threshold:g} must lie between 0 and 1")
    book = codebooks.load(codebook)
    codings = read(files, book, ReadOptions(mapping=mapping, machines=tuple(machine or ())))
    if sessions is not None:
        codings.visits.update(visits.read(sessions))
    options = CompareOptions(
        draws=draws,
        seed=seed,
        cluster=None if cluster is None else cluster.value,
        method=None if pair is None else pair.value,
    )
    engine = codings.machine
    rater, coder = (None, None) if engine is None else (engine.rater_label, engine.coder_label)
    found = compare(_unseen(codings, rater, must_know=release is not None), book, options)
    paths, told = report.write(found, output), [*found.summary, *found.warnings]
    if release is not None:
        terms = releasing.Terms(threshold=threshold, minimum_sessions=minimum_sessions)
        allowed = releasing.release(found, book, (rater, coder), terms)
        write_text(release, allowed.model_dump_json(indent=1) + "\n")
        paths.append(release)
        told += releasing.lines(allowed, book)
    if as_json:
        typer.echo(found.model_dump_json(indent=1))
        return
    for sentence in told:
        typer.echo(sentence)
    for path in paths:
        typer.echo(f"wrote {path}", err=True)


def _unseen(codings: Codings, rater: str | None, must_know: bool) -> Codings:
    """Without ratings of sessions that the rater learned from.

    Where nobody can say which those are, it says so, or raises `BadSetting` if it `must_know`.
    """
    from evaluation.unseen import known_to, unseen
    from msw_ml.settings import Settings

    known = known_to(rater, Settings().session_rater)
    if known is None:
        unknown = (
            f"the scores are by the rater '{rater}', which is neither the one that is set nor the shipped one, so "
            "which sessions it learned from is not known: set MSW_SESSION_RATER to its bundle"
        )
        if must_know:
            raise BadSetting(f"{unknown}, or score the sessions again, before you release anything")
        typer.echo(f"Note: {unknown}", err=True)
    return unseen(codings, known or frozenset())
