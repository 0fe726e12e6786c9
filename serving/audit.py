"""The audit log: who did what to what, each entry chained to the one before by SHA-256.

An entry's hash covers its content and the hash before it, so that a change, a removal or an insertion
breaks the chain from there on; the head holds the last hash, so that cutting off the end shows too. Who
can write to the database can forge the whole chain: keep the head's hash elsewhere from time to time and
hand it to `msw audit verify --expect`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import sqlalchemy as sa
from pydantic import Field

from msw_ml.session import Value
from serving.store.base import Base, Db, now
from serving.store.records import AuditEntry, AuditHead

HEAD = 1
Detail = dict[str, str | int | bool | None]
"""Ids and numbers, never content of a session."""
_HASHED = ("number", "at", "organisation_id", "actor", "action", "subject", "detail")
"""What an entry's hash covers, after the hash before it."""
_HEAD = Base.metadata.tables[AuditHead.__tablename__]
_ENTRIES = Base.metadata.tables[AuditEntry.__tablename__]
_AT_HEAD = sa.update(_HEAD).where(_HEAD.c.id == HEAD)
_RAISE = _AT_HEAD.values(number=_HEAD.c.number + 1).returning(_HEAD.c.number, _HEAD.c.hash)
_HOLD = _AT_HEAD.values(number=_HEAD.c.number)
_MOVE = _AT_HEAD.values(hash=sa.bindparam("last"))
_APPEND = sa.insert(_ENTRIES)
"""Made once and without the ORM: every act goes through these, and others wait meanwhile."""


class Act(Value):
    """What is written down."""

    actor: str
    """A person's id, or `system`."""
    action: str
    """Noun and verb: `session.read`, `token.create`."""
    subject: str
    organisation: str | None = None
    detail: Detail = Field(default_factory=dict)


class Verdict(Value):
    """What a check of the chain found."""

    entries: int
    head: str
    broken_at: int | None = None
    """The first entry that does not fit."""
    reason: str = ""

    @property
    def is_whole(self) -> bool:
        return self.broken_at is None and not self.reason


def hold(db: Db) -> None:
    """Takes the log's end for the caller's transaction: what it finds is all there is until that ends."""
    db.execute(_HOLD)


def detail_text(detail: Detail) -> str:
    """A detail as it stands in the log."""
    return json.dumps(detail, sort_keys=True)


def record(db: Db, act: Act) -> None:
    """Appends an entry in the caller's transaction; another writer waits until that ends."""
    number, before = db.execute(_RAISE).one()
    entry: dict[str, str | int | None] = {
        "number": number,
        "at": now().isoformat(timespec="milliseconds"),
        "organisation_id": act.organisation,
        "actor": act.actor,
        "action": act.action,
        "subject": act.subject,
        "detail": detail_text(act.detail),
    }
    last = _hash(entry, before)
    db.execute(_APPEND, entry | {"hash": last})
    db.execute(_MOVE, {"last": last})


def verify(db: Db, expect: str | None = None) -> Verdict:
    """Walks the whole chain. `expect` is a hash that was kept elsewhere and must stand in it."""
    before, number, found = "", 0, expect is None
    in_order = sa.select(_ENTRIES).order_by(_ENTRIES.c.number).execution_options(yield_per=1000)
    for row in db.execute(in_order):
        entry, number = row._asdict(), number + 1
        if entry["number"] != number:
            return Verdict(entries=number - 1, head=before, broken_at=number, reason=f"entry {number} is missing")
        if entry["hash"] != _hash(entry, before):
            return Verdict(entries=number, head=before, broken_at=number, reason=f"entry {number} was altered")
        before = entry["hash"]
        found = found or before == expect
    head = db.execute(sa.select(_HEAD).where(_HEAD.c.id == HEAD)).one()
    if (head.number, head.hash) != (number, before):
        reason = f"the log ends at entry {number}, its head names entry {head.number}: entries were cut off"
        return Verdict(entries=number, head=before, broken_at=number + 1, reason=reason)
    reason = "" if found else "the expected hash does not stand in the log: the log was written anew"
    return Verdict(entries=number, head=before, reason=reason)


def _hash(entry: Mapping[str, object], before: str) -> str:
    content = [before, *(entry[name] for name in _HASHED)]
    return hashlib.sha256(json.dumps(content, ensure_ascii=True).encode()).hexdigest()
