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
import json

import sqlalchemy as sa

from serving import audit
from serving.audit import Act
from serving.permissions import Principal
from serving.service import Service
from serving.store.base import Db, now
from serving.store.records import AuditEntry, AuditHead

AGAIN = dt.timedelta(minutes=15)
"""After so long the same person's reading of the same thing is written down once more."""
READ = "session.read"
PAGE, SCORES = "page", "page with scores"
SOUND, CORRECTIONS, COMMENTS = "sound", "corrections", "comments"
REVIEW, COMPARISON, AGREEMENT = "review", "comparison", "agreement"
_NOTED = "reads"


def note(db: Db, who: Principal, session_id: str, kind: str) -> None:
    """Remembers that this answer shows somebody a part of a session: one of the kinds here, or a file's name."""
    act = Act(actor=who.person_id, action=READ, subject=session_id, organisation=who.organisation_id)
    act = act.model_copy(update={"detail": {"kind": kind}})
    with db.no_autoflush:  # what the route has changed so far stays its own business
        if not _stands(db, act):
            db.info.setdefault(_NOTED, []).append(act)


def write_down(service: Service, db: Db) -> None:
    """Makes entries of what was noted in a transaction that has ended."""
    noted: list[Act] = db.info.pop(_NOTED, [])
    if not noted:
        return
    with service.begin_in_turn() as own:
        # the log's end is taken before the second look: of many who come at once, one writes
        own.execute(sa.update(AuditHead).where(AuditHead.id == audit.HEAD).values(number=AuditHead.number))
        for act in noted:
            if not _stands(own, act):
                audit.record(own, act)


def _stands(db: Db, act: Act) -> bool:
    since = (now() - AGAIN).isoformat(timespec="milliseconds")
    found = sa.select(AuditEntry.number).where(
        AuditEntry.subject == act.subject,
        AuditEntry.actor == act.actor,
        AuditEntry.at > since,
        AuditEntry.action == act.action,
        AuditEntry.detail == json.dumps(act.detail, sort_keys=True),
    )
    return db.scalar(found.limit(1)) is not None
