"""Reads the ratings and marks of a set of visits in a folder of `datasets/`.

ratings/<rater>_<batch>.csv    session, coder, element, value
marks.toml                     which marks there are, and of which element
marks/<coder>_<batch>.csv      session, utterance, coder, marks (ids joined by |)
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from msw_ml.codebook import Codebook
from msw_ml.errors import BadSetting, MalformedTranscript
from msw_ml.rating.marks import Mark
from msw_ml.session import Role
from training import visits_corpus
from training.corpora import CodedTranscript, Source
from training.rated_sessions import RatedSession, coded_units, read_codes
from training.visits_read import consensus, read_ratings

Bools = NDArray[np.bool_]
_MARKS = TypeAdapter(tuple[Mark, ...])


class RatedVisits(NamedTuple):
    """A set of visits: what was rated and marked."""

    sessions: list[RatedSession]
    carried: list[Bools]
    """Which marks each utterance of each session carries, (utterances, marks)."""
    marks: tuple[Mark, ...]
    source: Source

    def without_test(self) -> RatedVisits:
        """All but the test part."""
        kept = [(one, carried) for one, carried in zip(self.sessions, self.carried, strict=True) if not one.is_test]
        return self._replace(sessions=[one for one, _ in kept], carried=[carried for _, carried in kept])


def read_visits(folder: Path, coder: Path, codebook: Codebook) -> RatedVisits:
    """Rated visits as `coder`'s networks code them that did not learn from them.

    Raises `BadSetting`, `MalformedTranscript` and what `read_codes` raises.
    """
    corpus = visits_corpus.load(folder, codebook)
    machine = read_codes(coder, codebook)
    if missing := [t.id for t in corpus.transcripts if t.key not in machine]:
        raise BadSetting(
            f"{coder} has not learned from {corpus.id}/{missing[0]}: train it with {corpus.id} in its sets"
        )
    rated = rated_together(folder, codebook)
    marks, given = read_mark_list(folder, codebook), _marked(folder)
    transcripts = [t for t in corpus.transcripts if t.id in rated]
    numbers: dict[str, int] = {}
    sessions = [
        RatedSession(
            id=t.id,
            corpus=corpus.id,
            group=numbers.setdefault(t.group, len(numbers)),
            is_test=t.group.endswith(f"/{visits_corpus.TEST}"),
            coded=coded_units(t.units, machine[t.key]),
            ratings=rated[t.id],
        )
        for t in transcripts
    ]
    ids = [mark.id for mark in marks]
    return RatedVisits(sessions, [_carried(t, given, ids) for t in transcripts], marks, corpus.source)


def rated_together(folder: Path, codebook: Codebook) -> dict[str, dict[str, float]]:
    """Session → element → rating that its raters give together. Raises `MalformedTranscript`."""
    ratings, faults = read_ratings(folder, codebook)
    if faults:
        raise MalformedTranscript(f"{folder / 'ratings'}: {faults[0].where}: {faults[0].what}; mend it")
    together: dict[str, dict[str, float]] = defaultdict(dict)
    for (session, element), value in consensus(ratings).items():
        together[session][element] = value
    return dict(together)


def read_mark_list(folder: Path, codebook: Codebook) -> tuple[Mark, ...]:
    """The marks of a set. Raises `BadSetting`."""
    path = folder / "marks.toml"
    try:
        marks = _MARKS.validate_python(tomllib.loads(path.read_text(encoding="utf-8"))["mark"])
    except (OSError, KeyError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise BadSetting(
            f"{path} does not list marks: {type(error).__name__}; each is a [[mark]] with an id"
        ) from error
    for mark in marks:
        codebook.element(mark.element)
    return marks


def _carried(
    transcript: CodedTranscript, given: Mapping[tuple[str, str], tuple[str, ...]], ids: Sequence[str]
) -> Bools:
    """Which marks each unit carries, (units, marks), by the first coder."""
    found = np.zeros((len(transcript.units), len(ids)), dtype=np.bool_)
    for number, unit in enumerate(transcript.units):
        if unit.role is not Role.WORKER:
            continue
        where = f"{transcript.key}, row {unit.id}"
        if (transcript.id, unit.id) not in given:
            raise MalformedTranscript(f"{where} was not marked; mark all of the worker's rows")
        for mark in given[transcript.id, unit.id]:
            if mark not in ids:
                raise MalformedTranscript(f"{where} has the mark '{mark}'; known are {', '.join(ids)}")
            found[number, ids.index(mark)] = True
    return found


def _marked(folder: Path) -> dict[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for path in sorted((folder / "marks").glob("*.csv")):
        for row in visits_corpus.rows(path):
            found.setdefault((row["session"], row["utterance"]), tuple(m for m in row["marks"].split("|") if m))
    return found
