"""What managers see: figures of groups of at least five workers, never a person's.

The library's service report decides what may be shown: small groups are left out, and so is a team whose
figures would follow from the others' by subtraction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import sqlalchemy as sa

from msw_ml.codebook import Codebook
from msw_ml.errors import BadSetting
from msw_ml.reports.service import SMALLEST_GROUP, Member, Shown, service_report, shown_groups
from msw_ml.session import ScoredSession
from serving import reads, results
from serving.permissions import May, Principal
from serving.problems import Problem
from serving.service import Service
from serving.store.base import Db
from serving.store.people import Person, Team
from serving.store.sessions import SessionRow, SessionState

Made = TypeVar("Made")


def report(service: Service, db: Db, who: Principal) -> str:
    """The service report over all scored sessions of the organisation, as a page. Raises 403 and 409.

    What is shown is noted as read.
    """
    return _of(service, db, who, service_report)


def figures(service: Service, db: Db, who: Principal) -> Shown:
    """The same as values, noted as well. Raises 403 and 409."""
    return _of(service, db, who, shown_groups)


def _of(
    service: Service,
    db: Db,
    who: Principal,
    make: Callable[[Sequence[ScoredSession], Sequence[Member], Codebook], Made],
) -> Made:
    who.must(May.SEE_GROUPS)
    query = (
        sa.select(SessionRow, Person.id, Team.name)
        .join(Person, Person.id == SessionRow.worker_id)
        .outerjoin(Team, Team.id == Person.team_id)
        .where(
            SessionRow.organisation_id == who.organisation_id,
            SessionRow.state == SessionState.SCORED,
            SessionRow.scores_erased_at.is_(None),
        )
        .order_by(SessionRow.id)
    )
    sessions, members = [], []
    for row, worker, team in db.execute(query):
        session = results.current(service, db, row)
        unique = session.recording.model_copy(update={"name": row.id})
        sessions.append(session.model_copy(update={"recording": unique}))
        period = f"{row.created_at:%Y}"
        members.append(Member(session=row.id, worker=worker, team=team or "", period=period))
    if len({member.worker for member in members}) < SMALLEST_GROUP:
        raise Problem(409, f"figures are shown of groups of at least {SMALLEST_GROUP} workers; there are fewer yet")
    try:
        made = make(sessions, members, service.codebook)
    except BadSetting as error:
        raise Problem(409, str(error)) from error
    reads.note_groups(db, who)
    return made
