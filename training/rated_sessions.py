"""Reads rated sessions: transcripts, what a machine coded in them, and people's ratings.

    datasets/<set>/elements.toml    `RatingColumns`: which column rates which element
    datasets/<set>/quality.toml     `SortedColumns`: sessions sorted into good and poor practice
    a behaviour coder's folds.csv   its logits for every unit, by a network not trained on that session

So a rater learns from codes with the errors that it will meet in use. The text of a set stays in memory;
nothing of it is written anywhere.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import Field, ValidationError

from msw_ml import bundle as bundles
from msw_ml.codebook import Codebook
from msw_ml.coding.decisions import ALSO, CODES, CoderParameters, Decider
from msw_ml.disk import sha256
from msw_ml.errors import BadSetting, UnreadableInput, WrongHash
from msw_ml.session import CodedUtterance, Role, Utterance, Value
from training import heldout
from training.corpora import SETS, CodedTranscript, Source, Unit, load
from training.splits import group

T = TypeVar("T", bound=Value)

FOLDS = "folds.csv"
"""The coder bundle's file of held-out logits."""


class RatingColumns(Value):
    """A table of session ratings, one row a session."""

    codebook: str
    session: str
    quality: str | None = None
    transcripts: str
    """The set that holds the rated transcripts."""
    elements: dict[str, str]
    """Column → element."""
    unused: dict[str, str] = Field(default_factory=dict)
    """Column → why it rates no element."""


class SortedColumns(Value):
    """A table of turns of sessions that were sorted into good and poor practice."""

    session: str
    speaker: str
    text: str
    quality: str
    high: str
    """The cell that says good practice."""
    speakers: dict[str, Role]


class RatedSession(Value):
    """A session with machine codes and a person's ratings."""

    id: str
    corpus: str = ""
    """The set it comes from."""
    group: int
    """Sessions of one video, or of one worker, share a group."""
    is_test: bool = False
    """Whether its set keeps it for a test on what no other session is about."""
    coded: tuple[CodedUtterance, ...]
    ratings: dict[str, float]
    """Element → 1 to 5; an element that was not rated is not there."""
    quality: str = ""
    """How the set's makers sorted it, for reporting."""


class SortedSession(Value):
    """The worker's words in a session that was sorted into good or poor practice."""

    id: str
    worker: str
    is_good: bool


class RatedSet(Value):
    """Rated sessions, the sorted ones beside them, and where both come from."""

    sessions: tuple[RatedSession, ...]
    sorted_sessions: tuple[SortedSession, ...]
    sources: tuple[Source, ...]


def read_rated(ratings: str, sorted_set: str, coder: Path, data: Path, codebook: Codebook) -> RatedSet:
    """A set of ratings, its transcripts as `coder` codes them, and sorted sessions that overlap with none of these.

    Sessions of `Source.keep_out` are left out, those without machine codes are an error. Raises
    `UnreadableInput`, `ModelError`, `BadSetting` and `MalformedTranscript`.
    """
    columns = _describe(SETS / ratings / "elements.toml", RatingColumns)
    _check_elements(columns, codebook, ratings)
    source, rows = _table(ratings, data)
    corpus = load(columns.transcripts, data, codebook)
    sorted_source, sorted_transcripts, high = _sorted(sorted_set, data)
    every = [*corpus.transcripts, *corpus.kept_out, *sorted_transcripts]
    groups = group(every)
    taken = {groups[t.key] for t in every if t.corpus == corpus.id}
    machine = read_codes(coder, codebook)
    by_id = {transcript.id: transcript for transcript in corpus.transcripts}
    sessions = [
        _session(by_id[row[columns.session]], row, columns, machine, groups)
        for row in rows
        if row[columns.session] not in source.keep_out and row[columns.session] in by_id
    ]
    return RatedSet(
        sessions=tuple(sessions),
        sorted_sessions=tuple(
            SortedSession(id=t.id, worker=_said_by_worker(t), is_good=t.quality == high)
            for t in sorted_transcripts
            if groups[t.key] not in taken
        ),
        sources=(source, corpus.source, sorted_source),
    )


def read_codes(coder: Path, codebook: Codebook) -> dict[str, dict[str, CodedUtterance]]:
    """What a coder's networks say of sessions they were not trained on: `set/session` → unit → code, no text.

    Raises what `bundle.load` raises, and `MalformedTranscript`.
    """
    bundle = bundles.load(coder, "behaviour_coder", codebook.key)
    labels = bundle.info.labels
    held = heldout.read(bundle.file(FOLDS).read_bytes(), labels[CODES], labels[ALSO])
    decider = Decider(codebook, labels, CoderParameters.of(bundle.info))
    found: dict[str, dict[str, CodedUtterance]] = {}
    for row in range(len(held)):
        role = Role(str(held.sides[row]))
        unsaid = Utterance(id=row, speaker=role, text="", role=role)
        coded = decider.decide(unsaid, held.logits[row].astype(np.float32), held.also[row].astype(np.float32))
        found.setdefault(f"{held.corpora[row]}/{held.sessions[row]}", {})[str(held.units[row])] = coded
    return found


def _session(
    transcript: CodedTranscript,
    row: Mapping[str, str],
    columns: RatingColumns,
    machine: Mapping[str, Mapping[str, CodedUtterance]],
    groups: Mapping[str, int],
) -> RatedSession:
    if transcript.key not in machine:
        raise UnreadableInput(f"no machine codes for {transcript.key}; train the behaviour coder on this set first")
    return RatedSession(
        id=transcript.id,
        group=groups[transcript.key],
        corpus=transcript.corpus,
        coded=coded_units(transcript.units, machine[transcript.key]),
        ratings={element: float(row[c]) for c, element in columns.elements.items() if row[c].strip()},
        quality=row[columns.quality] if columns.quality else "",
    )


def coded_units(units: Sequence[Unit], machine: Mapping[str, CodedUtterance]) -> tuple[CodedUtterance, ...]:
    """A transcript's units with the machine's codes by unit id; ids are positions."""
    return tuple(_coded(number, unit, machine) for number, unit in enumerate(units))


def _coded(number: int, unit: Unit, machine: Mapping[str, CodedUtterance]) -> CodedUtterance:
    utterance = Utterance(id=number, speaker=unit.role, text=unit.text, role=unit.role)
    return machine.get(unit.id, CodedUtterance(utterance=utterance)).model_copy(update={"utterance": utterance})


def _sorted(name: str, data: Path) -> tuple[Source, list[CodedTranscript], str]:
    """Transcripts without codes, and what the set calls good practice."""
    columns = _describe(SETS / name / "quality.toml", SortedColumns)
    source, rows = _table(name, data)
    units: dict[str, list[Unit]] = {}
    quality: dict[str, str] = {}
    for number, row in enumerate(rows):
        session = row[columns.session]
        role = columns.speakers.get(row[columns.speaker], Role.OTHER)
        units.setdefault(session, []).append(Unit(id=str(number), role=role, text=row[columns.text], codes=()))
        quality[session] = row[columns.quality]
    transcripts = [
        CodedTranscript(
            corpus=name, id=id_, group=f"{name}/{id_}", target=None, quality=quality[id_], units=tuple(said)
        )
        for id_, said in units.items()
    ]
    return source, transcripts, columns.high


def _said_by_worker(transcript: CodedTranscript) -> str:
    return " ".join(unit.text for unit in transcript.units if unit.role is Role.WORKER)


def _table(name: str, data: Path) -> tuple[Source, Sequence[dict[str, str]]]:
    source = _describe(SETS / name / "source.toml", Source)
    path = data / source.file
    if not path.is_file():
        raise UnreadableInput(f"{path} is not there; the set {name} ({source.origin} @ {source.commit}) belongs there")
    if sha256(path) != source.sha256:
        raise WrongHash(f"{path} is not the file that datasets/{name}/source.toml names; get it again")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return source, list(csv.DictReader(file))


def _check_elements(columns: RatingColumns, codebook: Codebook, name: str) -> None:
    if columns.codebook != codebook.key:
        raise BadSetting(f"datasets/{name}/elements.toml maps to codebook {columns.codebook}, this is {codebook.key}")
    for element in columns.elements.values():
        codebook.element(element)


def _describe(path: Path, kind: type[T]) -> T:
    try:
        return kind.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise BadSetting(f"{path} is missing: a set needs it") from error
    except tomllib.TOMLDecodeError as error:
        raise BadSetting(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise BadSetting(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
