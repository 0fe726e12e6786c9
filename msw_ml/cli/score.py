"""`msw score` and `msw transcribe`: many recordings in, one folder a session out."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from msw_ml.errors import BadSetting
from msw_ml.session import Role
from msw_ml.settings import Settings

Paths = Annotated[list[Path], typer.Argument(help="Audio, video, transcripts, or folders of them.", show_default=False)]
Out = Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.", show_default=False)]
Jobs = Annotated[int, typer.Option(help="Recordings worked on at the same time.", min=1, max=64)]
Speakers = Annotated[
    int | None, typer.Option(help="How many people speak; found by itself if left out.", min=1, max=12)
]
Language = Annotated[str | None, typer.Option(help="Language of the recording, e.g. en, cy.")]
Transcriber = Annotated[str | None, typer.Option(help="Engine that turns sound into words.")]
WhisperModel = Annotated[str | None, typer.Option(help="Whisper weights: `embedded`, a folder, or a pulled name.")]
Diariser = Annotated[str | None, typer.Option(help="Engine that tells speakers apart: voices or pyannote.")]
Device = Annotated[str | None, typer.Option(help="cpu or cuda.")]
Roles = Annotated[list[str] | None, typer.Option("--role", help="Who is who, e.g. S1=worker; may be given again.")]
Formats = Annotated[str, typer.Option("--format", help="Further outputs, e.g. srt,textgrid,eaf,rttm,docx,xlsx.")]
Segment = Annotated[float | None, typer.Option(help="Score a random stretch of so many minutes.")]
Seed = Annotated[int, typer.Option(help="Seed of the random stretch.")]
Force = Annotated[bool, typer.Option("--force", help="Score again what is done already.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a summary for machines.")]


def score(
    paths: Paths,
    output: Out,
    speakers: Speakers = None,
    language: Language = None,
    target: Annotated[str | None, typer.Option(help="The behaviour that change talk is about.")] = None,
    codebook: Annotated[str | None, typer.Option(help="Coding scheme: an id or a TOML file.")] = None,
    segment: Segment = None,
    seed: Seed = 1,
    transcriber: Transcriber = None,
    whisper_model: WhisperModel = None,
    diariser: Diariser = None,
    device: Device = None,
    jobs: Jobs = 1,
    units: Annotated[str | None, typer.Option(help="Rows of a transcript: as-given or split.")] = None,
    roles: Roles = None,
    formats: Formats = "",
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Scores recordings and transcripts: codes, counts, measures, ratings, and a report for each.

    What is done already under the same input and settings is skipped; an interrupted run goes on where
    it stopped. One bad file never stops the rest. Exit 0 all well, 1 some inputs failed, 2 usage.
    """
    settings = _settings(
        language=language,
        codebook=codebook,
        transcriber=transcriber,
        whisper_model=whisper_model,
        diariser=diariser,
        device=device,
        threads=_threads(jobs),
    )
    options = {
        "speakers": speakers,
        "target": target,
        "segment_minutes": segment,
        "seed": seed,
        "units": units,
        "roles": _roles(roles),
        "formats": _names(formats),
    }
    _run(paths, output, jobs, settings, options, force=force, as_json=as_json)


def transcribe(
    paths: Paths,
    output: Out,
    speakers: Speakers = None,
    language: Language = None,
    segment: Segment = None,
    seed: Seed = 1,
    transcriber: Transcriber = None,
    whisper_model: WhisperModel = None,
    diariser: Diariser = None,
    device: Device = None,
    jobs: Jobs = 1,
    roles: Roles = None,
    formats: Formats = "",
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Speech only: words, speakers and roles, without codes and ratings."""
    settings = _settings(
        language=language,
        transcriber=transcriber,
        whisper_model=whisper_model,
        diariser=diariser,
        device=device,
        threads=_threads(jobs),
    )
    options = {
        "speakers": speakers,
        "segment_minutes": segment,
        "seed": seed,
        "roles": _roles(roles),
        "formats": _names(formats),
        "is_speech_only": True,
    }
    _run(paths, output, jobs, settings, options, force=force, as_json=as_json)


def _run(
    paths: list[Path],
    output: Path,
    jobs: int,
    settings: Settings,
    options: Mapping[str, object],
    *,
    force: bool,
    as_json: bool,
) -> None:
    from pydantic import ValidationError

    from msw_ml.batch import run as batch
    from msw_ml.batch.options import ScoreOptions
    from msw_ml.cli.progress import display, report

    try:
        chosen = ScoreOptions.model_validate(options)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadSetting(f"--{first['loc'][0]}: {first['msg']}") from error
    planned = batch.plan(paths, output, settings, chosen, is_forced=force)
    with display(planned) as watch:
        summary = batch.run(planned, jobs, settings, chosen, watch)
    report(planned, summary, is_json=as_json)
    if summary.is_interrupted:
        sys.exit(130)
    if summary.failed:
        sys.exit(1)


def _settings(**given: object) -> Settings:
    from pydantic import ValidationError

    try:
        return Settings.model_validate(
            Settings().model_dump() | {name: value for name, value in given.items() if value is not None}
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise BadSetting(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from error


def _threads(jobs: int) -> int:
    """Cores are shared among the workers unless MSW_THREADS says otherwise."""
    return Settings().threads or max(1, (os.cpu_count() or 1) // jobs)


def _roles(given: list[str] | None) -> dict[str, Role]:
    roles: dict[str, Role] = {}
    for text in given or []:
        speaker, separator, role = text.rpartition("=")
        if not separator or role not in set(Role):
            raise BadSetting(f"--role {text}: write SPEAKER=ROLE with one of {', '.join(Role)}, e.g. S1=worker")
        roles[speaker] = Role(role)
    return roles


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())
