"""`msw speech-check`: how well the engines hear, measured on recordings with references.

The real chain runs over a folder laid out as `speech_set` says: find speech, transcribe, diarise, join, name the
worker. Every figure is a count of errors over a count of words, seconds or files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from evaluation import speech_scores as scores
from evaluation.hearing import ErrorRate
from evaluation.speech_set import MeasuredFile, read_set
from msw_ml.errors import UnknownName
from msw_ml.session import Role, Span, Turn, Utterance, Value, Word
from msw_ml.speech.listen import Diariser, RoleFinder, Transcriber

MEASURES = ("wer", "der", "speakers", "cpwer", "worker")


class Heard(Value):
    """What the chain made of one recording; what was not asked for is empty."""

    file: MeasuredFile
    duration: float
    words: tuple[Word, ...] = ()
    turns: tuple[Turn, ...] = ()
    """With the number of speakers found."""
    turns_given: tuple[Turn, ...] = ()
    """With the number of speakers given."""
    utterances: tuple[Utterance, ...] = ()
    worker: str | None = None


class Row(Value):
    """One line of the table."""

    measure: str
    part: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: str


def speech_check(
    folder: Annotated[Path, typer.Argument(help="Recordings with references and a manifest.csv.", show_default=False)],
    what: Annotated[str, typer.Option(help=f"What to measure, of {','.join(MEASURES)}.")] = ",".join(MEASURES),
    only: Annotated[str | None, typer.Option(help="Only files whose path holds this text.")] = None,
    whisper_model: Annotated[str | None, typer.Option(help="Whisper weights, as for `msw score`.")] = None,
    diariser: Annotated[str | None, typer.Option(help="Engine that tells speakers apart.")] = None,
    threads: Annotated[int, typer.Option(help="Processor threads; 0 lets the engines choose.", min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Measures the engines on recordings with references: words, turns, number of speakers, who is the worker."""
    wanted = _wanted(what)
    chain = _Chain(wanted, whisper_model, diariser, threads)
    heard = []
    for file in read_set(folder):
        if only is None or only in str(file.path.relative_to(folder)):
            typer.echo(f"{file.path.name} …", err=True)
            heard.append(chain.hear(file))
    rows = [row for measure in wanted for row in _TABLES[measure](heard)]
    if as_json:
        typer.echo(json.dumps([row.model_dump() for row in rows], indent=1))
    else:
        typer.echo(chain.label)
        typer.echo(as_text(rows))


def as_text(rows: Iterable[Row]) -> str:
    """The table for a terminal."""
    lines = [f"{'measure':30}{'of':26}{'value':>8}   {'95% interval':17}n"]
    for row in rows:
        value = "–" if row.value is None else f"{row.value:.3f}"
        limits = "" if row.low is None or row.high is None else f"{row.low:.3f} to {row.high:.3f}"
        lines.append(f"{row.measure:30}{row.part:26}{value:>8}   {limits:17}{row.n}")
    return "\n".join(lines)


class _Chain:
    """The engines as set, and only those stages that the wanted measures need."""

    def __init__(self, wanted: Sequence[str], whisper_model: str | None, diariser: str | None, threads: int) -> None:
        from msw_ml import engines
        from msw_ml.settings import Settings

        given = {"whisper_model": whisper_model, "diariser": diariser}
        settings = Settings(threads=threads).model_copy(update={k: v for k, v in given.items() if v is not None})
        self._wanted = wanted
        needs_words = {"wer", "cpwer", "worker"} & set(wanted)
        needs_turns = {"der", "speakers", "cpwer", "worker"} & set(wanted)
        self._transcriber: Transcriber | None = engines.transcriber(settings) if needs_words else None
        self._diariser: Diariser | None = engines.diariser(settings) if needs_turns else None
        self._roles: RoleFinder | None = engines.role_finder(settings) if "worker" in wanted else None
        labels = [engine.label for engine in (self._transcriber, self._diariser, self._roles) if engine is not None]
        self.label = "engines: " + "; ".join(labels)

    def hear(self, file: MeasuredFile) -> Heard:
        from msw_ml.speech.activity import find_speech
        from msw_ml.speech.audio import decode
        from msw_ml.speech.utterances import join_words

        with decode(file.path) as audio:
            speech = find_speech(audio)
            heard = Heard(file=file, duration=audio.duration)
            if self._transcriber is not None and file.said:
                heard = heard.model_copy(update={"words": tuple(self._transcriber.transcribe(audio, speech))})
            if self._diariser is not None and file.turns:
                turns = self._diariser.diarise(audio, speech)
                heard = heard.model_copy(update={"turns": tuple(turns)})
                if "der" in self._wanted:
                    given = self._diariser.diarise(audio, speech, file.speakers)
                    heard = heard.model_copy(update={"turns_given": tuple(given)})
        if heard.words and heard.turns:
            joined = join_words(heard.words, heard.turns)
            heard = heard.model_copy(update={"utterances": tuple(joined), "worker": self._worker(joined, speech)})
        return heard

    def _worker(self, utterances: Sequence[Utterance], speech: Sequence[Span]) -> str | None:
        if self._roles is None or not speech:
            return None
        roles = self._roles.find(utterances).roles
        return next((speaker for speaker, role in roles.items() if role is Role.WORKER), None)


def _wer(heard: Sequence[Heard]) -> list[Row]:
    counted = [(one, scores.word_errors(one.file, one.words)) for one in heard if one.file.said]
    rows = []
    for name, members in _parts(heard):
        parts = [part for one, errors in counted if one in members for part in errors]
        files = sum(bool(errors) for one, errors in counted if one in members)
        if parts:
            rate = sum(parts, ErrorRate())
            n = f"{rate.length:.0f} words, {len(parts)} utterances, {files} files"
            rows.append(_row("word error rate", name, rate, scores.interval(parts), n))
    return rows


def _der(heard: Sequence[Heard]) -> list[Row]:
    rows = []
    for label, turns_of in (("DER, number given", _given), ("DER, number found", _found)):
        for name, members in _files_and_parts([one for one in heard if one.file.turns]):
            seconds = [scores.turn_errors(one.file, turns_of(one), one.duration) for one in members]
            parts = [ErrorRate(errors=sum(s.values()) - s["total"], length=s["total"]) for s in seconds]
            rate = sum(parts, ErrorRate())
            shares = "; ".join(
                f"{kind} {sum(s[kind] for s in seconds) / max(rate.length, 1e-9):.3f}"
                for kind in ("confusion", "missed detection", "false alarm")
            )
            rows.append(_row(label, name, rate, scores.interval(parts), f"{rate.length:.0f} s of speech: {shares}"))
    return rows


def _speakers(heard: Sequence[Heard]) -> list[Row]:
    with_turns = [one for one in heard if one.file.turns]
    rows = []
    for number in sorted({one.file.speakers for one in with_turns}):
        members = [one for one in with_turns if one.file.speakers == number]
        found = [len({turn.speaker for turn in one.turns}) for one in members]
        rate = ErrorRate(errors=sum(n == number for n in found), length=len(members))
        wrong = [f"{one.file.path.stem} {n}" for one, n in zip(members, found, strict=True) if n != number]
        n = f"{rate.errors:.0f} of {rate.length:.0f} files" + (f"; not: {', '.join(wrong)}" if wrong else "")
        rows.append(_row("number of speakers right", f"{number}-speaker files", rate, None, n))
    return rows


def _cpwer(heard: Sequence[Heard]) -> list[Row]:
    told = [one for one in heard if one.file.said and one.utterances]
    rows = []
    for name, members in _files_and_parts(told):
        apart = sum((scores.speaker_word_errors(one.file, one.utterances) for one in members), ErrorRate())
        together = sum((part for one in members for part in scores.word_errors(one.file, one.words)), ErrorRate())
        n = f"{apart.length:.0f} words, {len(members)} files"
        rows.append(_row("cpWER", name, apart, None, n))
        lost = ErrorRate(errors=apart.errors - together.errors, length=apart.length)
        rows.append(_row("cpWER less WER", name, lost, None, n))
    return rows


def _worker(heard: Sequence[Heard]) -> list[Row]:
    known = [one for one in heard if one.file.worker is not None and one.utterances]
    right, wrong = 0, []
    for one in known:
        owner = one.worker and scores.owner_of(one.file.turns, one.utterances, one.worker)
        right += owner == one.file.worker
        if owner != one.file.worker:
            wrong.append(one.file.path.stem)
    n = f"{right} of {len(known)} files" + (f"; not: {', '.join(wrong)}" if wrong else "")
    return [_row("worker found", "files with a known worker", ErrorRate(errors=right, length=len(known)), None, n)]


_TABLES: dict[str, Callable[[Sequence[Heard]], list[Row]]] = {
    "wer": _wer,
    "der": _der,
    "speakers": _speakers,
    "cpwer": _cpwer,
    "worker": _worker,
}


def _given(heard: Heard) -> tuple[Turn, ...]:
    return heard.turns_given


def _found(heard: Heard) -> tuple[Turn, ...]:
    return heard.turns


def _parts(heard: Sequence[Heard]) -> list[tuple[str, list[Heard]]]:
    """By source, then all real and all constructed ones."""
    groups = sorted({one.file.group for one in heard})
    parts = [(f"{group}/", [one for one in heard if one.file.group == group]) for group in groups]
    parts += [("all real", [one for one in heard if one.file.is_real])]
    parts += [("all constructed", [one for one in heard if not one.file.is_real])]
    return [(name, members) for name, members in parts if members]


def _files_and_parts(heard: Sequence[Heard]) -> list[tuple[str, list[Heard]]]:
    """Each file, then the parts with several files."""
    singles = [(one.file.path.stem, [one]) for one in heard]
    return singles + [(name, members) for name, members in _parts(heard) if len(members) > 1]


def _row(measure: str, part: str, rate: ErrorRate, limits: tuple[float, float] | None, n: str) -> Row:
    low, high = limits or (None, None)
    return Row(measure=measure, part=part, value=rate.value, low=low, high=high, n=n)


def _wanted(what: str) -> list[str]:
    wanted = [measure.strip().lower() for measure in what.split(",") if measure.strip()]
    for measure in wanted:
        if measure not in MEASURES:
            raise UnknownName("measure", measure, MEASURES)
    return wanted
