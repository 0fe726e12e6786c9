"""The audit log as administrators read it: who, when, what, about whom or what, with names beside the ids.

Names are looked up as they are now; the log itself holds ids alone, so that an erased session's name is gone here, too.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Iterable, Iterator

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import aliased

from msw_ml.session import Value
from serving import audit, reads
from serving.audit import Detail
from serving.forms import Cursor
from serving.permissions import May, Principal
from serving.store.base import Db
from serving.store.people import Person
from serving.store.records import AuditEntry
from serving.store.sessions import SessionRow

COLUMNS = ("number", "at", "actor", "actor_name", "action", "subject", "subject_name", "detail", "hash")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class TrailQuery(Cursor):
    """Which entries to show."""

    person: str = Field(default="", max_length=60)
    """Whose acts."""
    session: str = Field(default="", max_length=100)
    """What they are about: a session's id, or that of anything else."""
    only: str = Field(default="", pattern="^(|reads)$")
    """`reads`: who has read what, groups included, and nothing else."""


class Entry(Value):
    """One entry with the names that go with its ids, where there still are any."""

    number: int
    at: dt.datetime
    actor: str
    actor_name: str | None
    action: str
    subject: str
    subject_name: str | None
    is_session: bool
    """The subject is a session that is still there."""
    detail: Detail
    hash: str


def entries(db: Db, who: Principal, query: TrailQuery) -> list[Entry]:
    """The newest entries of one's own organisation, one more than asked for where there are more. Raises 403."""
    found = _query(who, query).order_by(AuditEntry.number.desc()).limit(query.limit + 1)
    if (after := query.after()) is not None:
        found = found.where(AuditEntry.number < query.number(after))
    return list(_read(db, found))


def export(db: Db, who: Principal, query: TrailQuery) -> Iterator[str]:
    """All entries as CSV, a line at a time, oldest first. Raises 403."""
    found = _query(who, query).order_by(AuditEntry.number).execution_options(yield_per=500)
    yield _line(COLUMNS)
    for one in _read(db, found):
        cells = one.model_dump(mode="json") | {"detail": audit.detail_text(one.detail)}
        yield _line(_cell(cells[name]) for name in COLUMNS)


def _query(who: Principal, query: TrailQuery) -> sa.Select[AuditEntry, str | None, str | None, str | None]:
    who.must(May.ADMINISTER)
    about = aliased(Person)
    found = (
        sa.select(AuditEntry, Person.name, SessionRow.name, about.name)
        .outerjoin(Person, Person.id == AuditEntry.actor)
        .outerjoin(SessionRow, SessionRow.id == AuditEntry.subject)
        .outerjoin(about, about.id == AuditEntry.subject)
        .where(AuditEntry.organisation_id == who.organisation_id)
    )
    if query.person:
        found = found.where(AuditEntry.actor == query.person)
    if query.session:
        found = found.where(AuditEntry.subject == query.session)
    return found.where(AuditEntry.action.in_(reads.ACTIONS)) if query.only else found


def _read(db: Db, found: sa.Select[AuditEntry, str | None, str | None, str | None]) -> Iterator[Entry]:
    for entry, actor, session, about in db.execute(found):
        yield Entry(
            number=entry.number,
            at=dt.datetime.fromisoformat(entry.at),
            actor=entry.actor,
            actor_name=actor,
            action=entry.action,
            subject=entry.subject,
            subject_name=session or about,
            is_session=session is not None,
            detail=json.loads(entry.detail),
            hash=entry.hash,
        )


def _line(cells: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _cell(value: object) -> object:
    """Names are people's own words: none of them becomes a formula where the file is opened."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
