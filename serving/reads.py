"""Who has read what: whoever opens a session's content stands in the audit log, without a word of the content.

One entry for a person, a session and a kind of content, and the next only where they are still at it `AGAIN` later:
a player asks for sound in hundreds of pieces, and people reload pages. A route notes what it is about to show; the
notes become entries after the route's own transaction and before the answer leaves (`dependencies.transaction`), in
a short transaction of their own. What cannot be written down is not shown: the answer is 503 then.

Not counted: lists, states of jobs, the drawn waveform, figures of groups. They hold nothing that was said or scored
of one session.
"""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from serving import audit
from serving.audit import Act, Detail
from serving.permissions import Principal
from serving.store.base import Db, now
from serving.store.records import AuditEntry

if TYPE_CHECKING:
    from serving.service import Service

AGAIN = dt.timedelta(minutes=15)
"""After so long the same person's reading of the same thing is written down once more."""
READ = "session.read"
PAGE, SCORES = "page", "page with scores"
SOUND, CORRECTIONS, COMMENTS = "sound", "corrections", "comments"
REVIEW, COMPARISON, AGREEMENT = "review", "comparison", "agreement"
_NOTED = "reads"
_REMEMBERED = 10_000


class Reading(NamedTuple):
    """Somebody's look at one part of a session."""

    person: str
    organisation: str
    session: str
    kind: str
    """One of the kinds here, or the name of the file that was fetched."""


class RecentReads:
    """What stands in the log already, as far as this process knows: a player's next piece asks the database nothing."""

    def __init__(self) -> None:
        self._until: dict[Reading, dt.datetime] = {}
        self._turn = threading.Lock()

    def hold(self, one: Reading) -> bool:
        """Whether this reading needs no entry yet."""
        until = self._until.get(one)
        return until is not None and until > now()

    def add(self, one: Reading, at: dt.datetime) -> None:
        """Remembers an entry and the time of it."""
        with self._turn:
            if len(self._until) >= _REMEMBERED:
                self._until = {known: until for known, until in self._until.items() if until > now()}
            self._until[one] = at + AGAIN


def note(db: Db, who: Principal, session_id: str, kind: str) -> None:
    """Remembers that this answer shows somebody a part of a session."""
    one = Reading(who.person_id, who.organisation_id, session_id, kind)
    db.info.setdefault(_NOTED, []).append(one)


def write_down(service: Service, db: Db) -> None:
    """Makes entries of what was noted in a transaction that has ended."""
    noted: list[Reading] = db.info.pop(_NOTED, [])
    new = [one for one in dict.fromkeys(noted) if not service.recent_reads.hold(one)]
    if not new:
        return
    with service.begin_in_turn() as own:
        audit.hold(own)  # before anybody looks: of several processes with the same reading, one writes
        times = {one: _last(own, one) or _record(own, one) for one in new}
    for one, at in times.items():
        service.recent_reads.add(one, at)


def _record(db: Db, one: Reading) -> dt.datetime:
    detail = _detail(one)
    audit.record(
        db, Act(actor=one.person, action=READ, subject=one.session, organisation=one.organisation, detail=detail)
    )
    return now()


def _last(db: Db, one: Reading) -> dt.datetime | None:
    """When it was written down lately."""
    found = sa.select(sa.func.max(AuditEntry.at)).where(
        AuditEntry.subject == one.session,
        AuditEntry.actor == one.person,
        AuditEntry.at > (now() - AGAIN).isoformat(timespec="milliseconds"),
        AuditEntry.action == READ,
        AuditEntry.detail == audit.detail_text(_detail(one)),
    )
    at = db.scalar(found)
    return None if at is None else dt.datetime.fromisoformat(at)


def _detail(one: Reading) -> Detail:
    return {"kind": one.kind}
