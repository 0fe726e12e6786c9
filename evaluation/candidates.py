"""Which sessions may be drawn for coding twice: those with scores, from which no rater learned.

A session that failed, or whose words alone were made, has nothing to hold beside people's codes. What a rater
says of a session that it learned from is no evidence, and `msw agree --release` does not count it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from evaluation.codings import Visit
from evaluation.reading import visits
from evaluation.reading.scored import read_session, sessions_in
from evaluation.reading.tables import Table, read_tables
from evaluation.unseen import known_to
from msw_ml import bundle
from msw_ml.batch.manifest import State
from msw_ml.batch.table import UNREADABLE
from msw_ml.errors import InputError
from msw_ml.rating.learned import learned_from, mark
from msw_ml.session import ScoredSession, Value

FAILED = "could not be scored"
WORDS_ONLY = "words without scores"
GONE = "no longer in the folder"
DAMAGED = "session.json cannot be read"
LEARNED = "learned from by the rater"


class Candidate(Value):
    """A session that may be drawn, with what it can be stratified by. The score never reaches a coder."""

    session: str
    visit: Visit = Visit()
    score: float | None = None


class Pool(Value):
    """What there is to draw from, and what is not drawn from."""

    candidates: tuple[Candidate, ...]
    left_out: dict[str, tuple[str, ...]]
    """Reason → sessions."""
    notes: tuple[str, ...] = ()
    """Sentences on what could not be looked at."""


def find(path: Path, table: Path | None = None, own_rater: Path | None = None) -> Pool:
    """Sessions of an output folder of `msw score`, or of a table; `table` tells more of them.

    `own_rater` is the bundle that is set, if one is: what it learned from is left out even where the scores are
    still by another. Raises `InputError` where no session may be drawn, `ModelError` where the bundle is unreadable.
    """
    known = {} if table is None else visits.read(table)
    if path.is_dir():
        pool = _in_folder(path, known, _Learned(own_rater))
    elif path.is_file():
        pool = _in_table(read_tables(path)[0], {**visits.read(path), **known})
    else:
        raise InputError(f"{path}: there is no such file or folder; give an output folder or a table of sessions")
    if pool.left_out and not pool.candidates:
        why = "; ".join(f"{len(sessions)} {reason}" for reason, sessions in pool.left_out.items())
        raise InputError(f"{path}: no session can be drawn ({why}); score sessions with `msw score` first")
    return pool


class _Learned:
    """Whether the rater that is set, or the one that a session was scored by, learned from it."""

    def __init__(self, own: Path | None) -> None:
        self._own = own
        self._set = frozenset() if own is None else learned_from(bundle.load(own, "session_rater").info)
        self._by_rater: dict[str | None, frozenset[str] | None] = {}

    def has(self, session: ScoredSession) -> bool:
        rater = session.provenance.engines.get("rater")
        if rater not in self._by_rater:
            self._by_rater[rater] = known_to(rater, self._own)
        return mark(session.recording.sha256) in self._set | (self._by_rater[rater] or frozenset())

    def notes(self) -> tuple[str, ...]:
        return tuple(
            f"which sessions the rater '{rater}' learned from is not known: set MSW_SESSION_RATER to its bundle"
            for rater, known in self._by_rater.items()
            if known is None
        )


def _in_folder(folder: Path, known: Mapping[str, Visit], learned: _Learned) -> Pool:
    """The sessions that stand in a folder; its sessions.csv says which failed."""
    listed = _statuses(folder / "sessions.csv")
    found: list[Candidate] = []
    reasons: dict[str, str] = {}
    for file in sessions_in(folder):
        try:
            session = read_session(file)
        except InputError:
            reasons[file.parent.name] = DAMAGED
            continue
        name = session.recording.name
        if reason := _why_not(session, listed.get(name, ""), learned):
            reasons[name] = reason
        else:
            found.append(Candidate(session=name, visit=known.get(name, Visit()), score=_score(session)))
    there = {candidate.session for candidate in found} | set(reasons)
    reasons |= {name: FAILED if said == State.FAILED else GONE for name, said in listed.items() if name not in there}
    return Pool(candidates=tuple(found), left_out=_by_reason(reasons), notes=learned.notes())


def _why_not(session: ScoredSession, status: str, learned: _Learned) -> str | None:
    if status == State.FAILED:
        return FAILED
    if not session.ratings and all(unit.parent_code is None for unit in session.utterances):
        return WORDS_ONLY
    return LEARNED if learned.has(session) else None


def _score(session: ScoredSession) -> float | None:
    given = [rating.value for rating in session.ratings if rating.value is not None]
    return sum(given) / len(given) if given else None


def _statuses(overview: Path) -> dict[str, str]:
    """Session → status, in the order of the table; nothing where there is none, as after a run that was killed."""
    if not overview.is_file():
        return {}
    table = read_tables(overview)[0]
    session, status = visits.session_column(table), _place(table, "status")
    return {table.text(row, cells, session): table.text(row, cells, status) for row, cells in table.rows}


def _in_table(table: Table, known: Mapping[str, Visit]) -> Pool:
    """The rows of anybody's table, or of a sessions.csv, which has ratings with a status each."""
    session = visits.session_column(table)
    ratings = [place for place, title in enumerate(table.header) if f"{title}_status" in table.header]
    has_ratings = [_place(table, f"{table.header[place]}_status") for place in ratings]
    status = _place(table, "status") if ratings else None
    found: list[Candidate] = []
    reasons: dict[str, str] = {}
    for row, cells in table.rows:
        name, said = table.text(row, cells, session), table.text(row, cells, status)
        if said in {State.FAILED, UNREADABLE}:
            reasons[name] = FAILED if said == State.FAILED else DAMAGED
        elif ratings and not any(table.text(row, cells, place) for place in has_ratings):
            reasons[name] = WORDS_ONLY
        else:
            scores = [score for place in ratings if (score := table.number(row, cells, place)) is not None]
            mean = sum(scores) / len(scores) if scores else None
            found.append(Candidate(session=name, visit=known.get(name, Visit()), score=mean))
    unseen = "the table does not say which sessions a rater learned from: give the output folder instead of it"
    return Pool(candidates=tuple(found), left_out=_by_reason(reasons), notes=(unseen,) if ratings else ())


def _place(table: Table, title: str) -> int | None:
    return table.header.index(title) if title in table.header else None


def _by_reason(reasons: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {
        reason: tuple(sorted(name for name, given in reasons.items() if given == reason))
        for reason in sorted(set(reasons.values()))
    }
