"""Who has read what: whoever opens a session's content, or the figures of groups, stands in the audit log, without
a word of the content.

One entry for a person, a session and a kind of content, and the next only where they are still at it `AGAIN` later:
a player asks for sound in hundreds of pieces, and people reload pages. A route notes what it is about to show; the
notes become entries after the route's own transaction and before the answer leaves (`dependencies.transaction`), in
a short transaction of their own. What cannot be written down is not shown: the answer is 503 then.

The drawn waveform counts as the sound that it was drawn from: it shows who fell silent and who grew loud. Figures of
groups are about no single session: the entry names the organisation. Not counted: lists and states of jobs, which hold
nothing that was said or scored.
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
READ, READ_GROUPS = "session.read", "groups.read"
ACTIONS = (READ, READ_GROUPS)
"""What an entry of a reading is called."""
PAGE, SCORES = "page", "page with scores"
SOUND, CORRECTIONS, COMMENTS = "sound", "corrections", "comments"
REVIEW, COMPARISON, AGREEMENT = "review", "comparison", "agreement"
FIGURES = "figures"
_NOTED = "reads"
_REMEMBERED = 10_000


class Reading(NamedTuple):
    """Somebody's look at one part of a session, or at the figures of groups."""

    person: str
    organisation: str
    subject: str
    """The session; of groups, the organisation."""
    kind: str
    """One of the kinds here, or the name of the file that was fetched."""
    action: str = READ


class RecentReads:
    """What stands in the log already, as far as this process knows: a player's next piece asks the database nothing."""

    def __init__(self) -> None:
        self._until: dict[Reading, dt.datetime] = {}
        self._turn = threading.Lock()

    def has(self, one: Reading) -> bool:
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
    _remember(db, Reading(who.person_id, who.organisation_id, session_id, kind))


def note_groups(db: Db, who: Principal) -> None:
    """The same for an answer that shows figures of groups."""
    _remember(db, Reading(who.person_id, who.organisation_id, who.organisation_id, FIGURES, READ_GROUPS))


def write_down(service: Service, db: Db) -> None:
    """Makes entries of what was noted in a transaction that has ended."""
    noted: list[Reading] = db.info.pop(_NOTED, [])
    new = [one for one in dict.fromkeys(noted) if not service.recent_reads.has(one)]
    if not new:
        return
    with service.begin_in_turn() as own:
        audit.hold(own)  # before anybody looks: of several processes with the same reading, one writes
        times = {one: _last(own, one) or _record(own, one) for one in new}
    for one, at in times.items():
        service.recent_reads.add(one, at)


def _remember(db: Db, one: Reading) -> None:
    db.info.setdefault(_NOTED, []).append(one)


def _record(db: Db, one: Reading) -> dt.datetime:
    act = Act(actor=one.person, action=one.action, subject=one.subject, organisation=one.organisation)
    audit.record(db, act.model_copy(update={"detail": _detail(one)}))
    return now()


def _last(db: Db, one: Reading) -> dt.datetime | None:
    """When it was written down lately."""
    found = sa.select(sa.func.max(AuditEntry.at)).where(
        AuditEntry.subject == one.subject,
        AuditEntry.actor == one.person,
        AuditEntry.at > (now() - AGAIN).isoformat(timespec="milliseconds"),
        AuditEntry.action == one.action,
        AuditEntry.detail == audit.detail_text(_detail(one)),
    )
    at = db.scalar(found)
    return None if at is None else dt.datetime.fromisoformat(at)


def _detail(one: Reading) -> Detail:
    return {"kind": one.kind}
