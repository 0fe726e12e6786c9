"""A session's content: read from objects, and written as a new version; no version is ever changed.

session.json    the result with people's corrections
machine.json    what the engines said, before any correction; written by jobs alone
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from msw_ml.formats.session_json import load, session_json
from msw_ml.session import CodedUtterance, ScoredSession
from serving.problems import Problem, not_found
from serving.service import Service
from serving.store.base import Db
from serving.store.objects import Objects
from serving.store.sessions import Artefact, SessionRow, SessionState

CORRECTED, MACHINE, PEAKS, RECORDING = "session.json", "machine.json", "peaks.json", "recording"


def current(service: Service, db: Db, row: SessionRow) -> ScoredSession:
    """The latest version, with corrections; after an erasure by the clock without words, or without scores.

    Raises 409 before there is one.
    """
    if row.version == 0:
        raise Problem(409, f"this session has no result yet: it is {row.state}")
    return _read(service, _artefact(db, row, CORRECTED, row.version))


def must_have(row: SessionRow, *, words: bool = False, scores: bool = False) -> None:
    """Raises 410 where that part of a session was erased."""
    if words and row.transcript_erased_at is not None:
        raise Problem(410, "what was said in this session was erased when its time ran out")
    if scores and row.scores_erased_at is not None:
        raise Problem(410, "the scores of this session were erased when their time ran out")


def at(service: Service, db: Db, row: SessionRow, version: int) -> ScoredSession:
    """The content as it was at a version, with the corrections up to then."""
    return _read(service, _artefact(db, row, CORRECTED, version))


def machine(service: Service, db: Db, row: SessionRow, version: int) -> ScoredSession:
    """What the engines said, as of a version."""
    return _read(service, _artefact(db, row, MACHINE, version))


def without_scores(session: ScoredSession) -> ScoredSession:
    """Who said what, and nothing that the machine made of it: safe for a blind coder in every format."""
    return session.model_copy(
        update={
            "utterances": tuple(CodedUtterance(utterance=unit.utterance) for unit in session.utterances),
            "measures": (),
            "ratings": (),
            "cues": (),
        }
    )


def without_words(session: ScoredSession) -> ScoredSession:
    """Codes, measures and ratings, and not a word of what was said."""
    silent = tuple(
        unit.model_copy(update={"utterance": unit.utterance.model_copy(update={"text": "", "words": ()})})
        for unit in session.utterances
    )
    return session.model_copy(update={"utterances": silent})


def recording(db: Db, row: SessionRow) -> Artefact:
    """The uploaded file. Raises 404 or 410."""
    if row.audio_erased_at is not None:
        raise Problem(410, "this recording was erased when its time ran out")
    return _artefact(db, row, RECORDING, 0)


def peaks(service: Service, db: Db, row: SessionRow) -> bytes:
    """The drawn waveform as JSON: `{"seconds": step, "peaks": [0..255, …]}`. Raises 404 for a transcript."""
    if row.audio_erased_at is not None:
        raise Problem(410, "this recording was erased when its time ran out")
    return service.objects.get(_artefact(db, row, PEAKS, 0).key)


class Version:
    """A new version on its way: objects first, rows in the caller's transaction, nothing half-done."""

    def __init__(self, objects: Objects, session_id: str, number: int) -> None:
        self._objects = objects
        self._session_id = session_id
        self.number = number
        self._folder = f"sessions/{session_id}/v{number}-{secrets.token_hex(4)}"

    def add(self, db: Db, name: str, data: bytes) -> None:
        kept = self._objects.put(f"{self._folder}/{name}", data)
        row = Artefact(
            session_id=self._session_id,
            version=self.number,
            name=name,
            key=kept.key,
            sha256=kept.sha256,
            size=kept.size,
        )
        db.merge(row)

    def drop(self) -> None:
        self._objects.erase(self._folder)


def advance(db: Db, row: SessionRow, seen: int) -> int:
    """Takes the next version's number for the caller. Raises 409 where somebody was faster."""
    taken = db.execute(
        sa.update(SessionRow)
        .where(SessionRow.id == row.id, SessionRow.version == seen)
        .values(version=seen + 1)
        .returning(SessionRow.version)
    ).scalar_one_or_none()
    if taken is None:
        raise Problem(409, "somebody has changed this session since you looked at it; look again")
    return taken


def write_version(service: Service, db: Db, row: SessionRow, session: ScoredSession, seen: int) -> int:
    """Writes a corrected session as the version after `seen`."""
    version = Version(service.objects, row.id, advance(db, row, seen))
    try:
        version.add(db, CORRECTED, session_json(session))
        db.execute(sa.update(SessionRow).where(SessionRow.id == row.id).values(state=SessionState.SCORED))
        db.flush()
    except BaseException:
        version.drop()
        raise
    row.version = version.number
    return version.number


def _artefact(db: Db, row: SessionRow, name: str, version: int) -> Artefact:
    found = db.scalar(
        sa.select(Artefact)
        .where(Artefact.session_id == row.id, Artefact.name == name, Artefact.version <= version)
        .order_by(Artefact.version.desc())
        .limit(1)
    )
    if found is None:
        raise not_found(name)
    return found


def _read(service: Service, artefact: Artefact) -> ScoredSession:
    return load(service.objects.get(artefact.key).decode("utf-8"), artefact.name)
