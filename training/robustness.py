"""`msw robustness`: how far ratings move when a visit changes in ways that leave its practice as it is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

VISITS = Path("datasets/simulated_visits")
DEMO = Path("datasets/demo/visit.ogg")
KNOWN = (
    "Every text was written by a language model. Where a bundle's card says that it learned from these visits, it knew "
    "them as they are and not as they were changed: movements on visits new to it may be smaller or larger."
)
HOUR_WORDS = 9_000
"""Words of a visit of an hour, at 150 a minute."""


def robustness(
    folder: Annotated[Path, typer.Argument(help="Folder of the simulated visits.")] = VISITS,
    spoken: Annotated[Path, typer.Option(help="The demo visit, its reference beside it.")] = DEMO,
    sessions: Annotated[int, typer.Option(min=1, help="At most so many visits of the test part.")] = 1000,
    timing: Annotated[bool, typer.Option("--timing", help="Also how long rating an hour takes.")] = False,
) -> None:
    """How far each rating moves: names, dialect, transcription, confused roles, long visits.

    Prints Markdown and writes nothing. But for `--timing`, the same bundles give the same text.
    """
    from evaluation import hearing
    from msw_ml import engines
    from msw_ml.settings import Settings
    from training import movements
    from training.disturbances import disturbances
    from training.joined_visits import join_by_words, join_fives
    from training.trial import SpokenVisit, Trial, read_cast, spoken_visit

    hearing.check_packages()
    pipeline = engines.pipeline(Settings())
    visits = read_cast(folder)[:sessions]
    trial = Trial(pipeline, _say)
    typer.echo(f"# How far ratings move\n{pipeline.rater.label}; {pipeline.coder.label}; {len(visits)} visits.")
    typer.echo(f"{KNOWN}\n")
    typer.echo(trial.as_they_are(visits))
    for disturbance in disturbances():
        typer.echo(movements.as_markdown(trial.disturb(visits, disturbance), pipeline.codebook))
    typer.echo(trial.joined(join_fives([trial.scored[visit.session] for visit in visits])))
    typer.echo(spoken_visit(pipeline, SpokenVisit(sound=spoken), _say))
    if timing:
        typer.echo(trial.timed(join_by_words(list(trial.scored.values()), HOUR_WORDS)))


def _say(stage: str, done: float) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r\x1b[K{stage} {done:.0%}", nl=False, err=True)
