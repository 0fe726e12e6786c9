"""Reads coded sets: what `datasets/<set>/` says of a set, and the set's own file beside the checkout.

    datasets/<set>/source.toml     `Source`: where the file comes from, its sha256, its licence state
    datasets/<set>/mapping.toml    `Mapping`: its columns and how its labels become codes

The text of a set stays in memory; nothing of it is written anywhere.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import Field, ValidationError

from msw_ml.codebook.book import Codebook
from msw_ml.disk import sha256
from msw_ml.errors import BadSetting, MalformedTranscript, UnknownName, UnreadableInput, WrongHash
from msw_ml.session import Role, Value

T = TypeVar("T", bound=Value)

SETS = Path(__file__).resolve().parents[1] / "datasets"


class Agreement(Value):
    """How far people agree on a set's units, as the set's keeper measured it."""

    units: int
    figures: dict[str, float]
    """Figure of the card → one annotator against another, mean over pairs."""


class Source(Value):
    """Where a set comes from and what is known of its licence."""

    name: str
    file: str
    """Path of the set's file below the data folder."""
    sha256: str
    origin: str
    commit: str
    licence: str
    labels: str
    """Who gave the labels, and to what unit."""
    is_human: bool = True
    """Whether people gave the labels: what a machine labelled is learned from, but measures nothing."""
    target: str | None = None
    """The behaviour that change talk is about, where it is one for the whole set."""
    keep_out: tuple[str, ...] = ()
    """Sessions that are never trained or tuned on."""
    agreement: Agreement | None = None
    reading: str | None = None
    """Who read the units a second time, where somebody did (training/readings.py)."""
    same_as: dict[str, str] = Field(default_factory=dict)
    """Session → `set/session` that is known to be the same conversation."""


class Columns(Value):
    """Names of a set's columns; `None` where it has no such column."""

    session: str
    unit: str
    speaker: str
    text: str
    target: str | None = None
    group: str | None = None
    annotator: str | None = None
    quality: str | None = None
    volley: str | None = None
    volley_text: str | None = None


class LabelRule(Value):
    """Rows whose cells are as `when` says carry one of `codes`."""

    when: dict[str, str | tuple[str, ...]]
    codes: tuple[str, ...] = Field(min_length=1)


class AlsoRule(Value):
    """Rows whose cells are as `when` says hold a behaviour of `parent`, main or not."""

    when: dict[str, str | tuple[str, ...]]
    parent: str


class Mapping(Value):
    """How a set's rows become units of ours."""

    codebook: str
    columns: Columns
    speakers: dict[str, Role]
    label: tuple[LabelRule, ...] = ()
    """None for a set that has nothing but a second reading (training/readings.py)."""
    also: tuple[AlsoRule, ...] = ()


class Unit(Value):
    """One coded row of a set."""

    id: str
    role: Role
    text: str
    codes: tuple[str, ...]
    """The codes it may have; one where the set is as fine as the codebook, none where it is context only."""
    also: tuple[str, ...] | None = None
    """All parent codes that occur in it; `None` where the set gives one label a row."""
    volley: str | None = None
    annotations: tuple[tuple[str, ...], ...] = ()
    """`codes` of every annotator, by annotator id, where several coded it."""
    reading: tuple[str, ...] = ()
    """What a machine took it for: the likeliest code, and perhaps a second (training/readings.py)."""


class CodedTranscript(Value):
    """One session of a set, in time order."""

    corpus: str
    id: str
    group: str
    """The conversation that it records; one group is never on both sides of a split."""
    target: str | None
    quality: str | None = None
    """What the set says of the session's quality."""
    is_human: bool = True
    """Whether people gave the labels."""
    units: tuple[Unit, ...]

    @property
    def key(self) -> str:
        return f"{self.corpus}/{self.id}"


class Corpus(Value):
    """A set with its description."""

    id: str
    source: Source
    transcripts: tuple[CodedTranscript, ...]
    kept_out: tuple[CodedTranscript, ...] = ()
    """Sessions of `Source.keep_out`: for the last report only."""
    readings_sha256: str = ""
    """Of the second reading, where there is one."""


def load(name: str, data: Path, codebook: Codebook, sets: Path = SETS) -> Corpus:
    """Reads a set by the name of its folder; `data` is where the sets' files lie.

    Raises `UnknownName`, `UnreadableInput`, `WrongHash`, `BadSetting` (the description is faulty) and
    `MalformedTranscript` (a row that the mapping does not cover, named by line and label).
    """
    folder = sets / name
    if not folder.is_dir():
        raise UnknownName("set", name, [path.name for path in sets.iterdir() if (path / "mapping.toml").is_file()])
    source, mapping = _describe(folder / "source.toml", Source), _describe(folder / "mapping.toml", Mapping)
    _check_codes(mapping, codebook, folder)
    # A set that was written for this project lies in the repository, beside its description.
    path = folder / source.file if (folder / source.file).is_file() else data / source.file
    if not path.is_file():
        raise UnreadableInput(f"{path} is not there; the set {name} ({source.origin} @ {source.commit}) belongs there")
    if sha256(path) != source.sha256:
        raise WrongHash(f"{path} is not the file that {folder / 'source.toml'} names (sha256 differs); get it again")
    transcripts = _read(path, name, source, mapping)
    return Corpus(
        id=name,
        source=source,
        transcripts=tuple(t for t in transcripts if t.id not in source.keep_out),
        kept_out=tuple(t for t in transcripts if t.id in source.keep_out),
    )


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


def _check_codes(mapping: Mapping, codebook: Codebook, folder: Path) -> None:
    if mapping.codebook != codebook.key:
        raise BadSetting(f"{folder / 'mapping.toml'} maps to codebook {mapping.codebook}, this is {codebook.key}")
    for rule in mapping.label:
        for code in rule.codes:
            codebook.behaviour(code)
    parents = [parent.id for parent in codebook.parents]
    for also in mapping.also:
        if also.parent not in parents:
            raise UnknownName("parent code", also.parent, parents)


def _read(path: Path, name: str, source: Source, mapping: Mapping) -> list[CodedTranscript]:
    columns = mapping.columns
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        wanted = {value for value in columns.model_dump().values() if value is not None}
        if missing := sorted(wanted - set(reader.fieldnames or ())):
            raise MalformedTranscript(f"{path} has no column {', '.join(missing)}")
        rows = list(enumerate(reader, start=2))
    sessions: dict[str, dict[str, list[tuple[int, dict[str, str]]]]] = {}
    for line, row in rows:
        sessions.setdefault(row[columns.session], {}).setdefault(row[columns.unit], []).append((line, row))
    return [_transcript(id_, units, (path, name, source, mapping)) for id_, units in sessions.items()]


def _transcript(
    id_: str,
    units: dict[str, list[tuple[int, dict[str, str]]]],
    about: tuple[Path, str, Source, Mapping],
) -> CodedTranscript:
    path, name, source, mapping = about
    first = next(iter(units.values()))[0][1]
    columns = mapping.columns
    target = first[columns.target].strip() if columns.target else source.target
    return CodedTranscript(
        corpus=name,
        id=id_,
        group=f"{name}/{first[columns.group]}" if columns.group else f"{name}/{id_}",
        target=target,
        quality=first[columns.quality] if columns.quality else None,
        is_human=source.is_human,
        units=tuple(_unit(path, unit, rows, mapping) for unit, rows in units.items()),
    )


def _unit(path: Path, id_: str, rows: list[tuple[int, dict[str, str]]], mapping: Mapping) -> Unit:
    columns = mapping.columns
    by_annotator = sorted(rows, key=lambda row: row[1].get(columns.annotator or "", ""))
    annotations = [_codes(path, line, row, mapping) for line, row in by_annotator]
    line, row = rows[0]
    if row[columns.speaker] not in mapping.speakers:
        known = ", ".join(mapping.speakers)
        raise MalformedTranscript(f"{path} line {line}: speaker '{row[columns.speaker]}' is none of {known}")
    also = sorted({rule.parent for rule in mapping.also if _holds(rule.when, row)})
    return Unit(
        id=id_,
        role=mapping.speakers[row[columns.speaker]],
        text=row[columns.text],
        codes=max(annotations, key=annotations.count),
        also=tuple(also) if mapping.also else None,
        volley=row[columns.volley] if columns.volley else None,
        annotations=tuple(annotations) if len(annotations) > 1 else (),
    )


def _codes(path: Path, line: int, row: dict[str, str], mapping: Mapping) -> tuple[str, ...]:
    if not mapping.label:
        return ()
    for rule in mapping.label:
        if _holds(rule.when, row):
            return rule.codes
    labels = ", ".join(f"{column}={row.get(column)}" for column in sorted({c for r in mapping.label for c in r.when}))
    raise MalformedTranscript(f"{path} line {line}: no rule of mapping.toml covers {labels}; add one")


def _holds(when: dict[str, str | tuple[str, ...]], row: dict[str, str]) -> bool:
    return all(row.get(column) in ((value,) if isinstance(value, str) else value) for column, value in when.items())


def units(transcripts: Iterable[CodedTranscript]) -> list[Unit]:
    """All units, in order."""
    return [unit for transcript in transcripts for unit in transcript.units]
