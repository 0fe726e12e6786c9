"""Lists by cursor: sessions and jobs, newest first."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from serving.forms import JobQuery, SessionQuery
from serving.permissions import Principal, visible, visible_jobs
from serving.store.base import Db, now
from serving.store.sessions import Job, SessionRow
from serving.views import JobView, Page, SessionView


def sessions(db: Db, who: Principal, cursor: SessionQuery) -> Page[SessionView]:
    """The sessions that somebody knows of."""
    query = sa.select(SessionRow).where(visible(who)).order_by(SessionRow.id.desc()).limit(cursor.limit + 1)
    if (after := cursor.after()) is not None:
        query = query.where(SessionRow.id < after)
    if cursor.state is not None:
        query = query.where(SessionRow.state == cursor.state)
    for word in cursor.q.split():
        columns = (SessionRow.name, SessionRow.source, SessionRow.family, SessionRow.visit_type)
        query = query.where(sa.or_(*(column.icontains(word, autoescape=True) for column in columns)))
    rows = db.scalars(query).all()
    return Page(
        items=tuple(SessionView.of(row) for row in rows[: cursor.limit]),
        next_cursor=cursor.next([row.id for row in rows]),
    )


def jobs(db: Db, who: Principal, cursor: JobQuery) -> Page[JobView]:
    """The jobs that somebody knows of."""
    query = sa.select(Job).where(visible_jobs(who)).order_by(Job.id.desc()).limit(cursor.limit + 1)
    if (after := cursor.after()) is not None:
        query = query.where(Job.id < after)
    if cursor.state is not None:
        query = query.where(Job.state == cursor.state)
    rows = db.scalars(query).all()
    return Page(items=job_views(db, rows[: cursor.limit]), next_cursor=cursor.next([row.id for row in rows]))


def job_views(db: Db, jobs_: Sequence[Job]) -> tuple[JobView, ...]:
    """Jobs with the sessions they make."""
    firsts = [job.session_id for job in jobs_ if job.session_id is not None]
    parts: dict[str, list[str]] = {first: [first] for first in firsts}
    more = (
        sa.select(SessionRow.first_id, SessionRow.id).where(SessionRow.first_id.in_(firsts)).order_by(SessionRow.part)
    )
    for first, part in db.execute(more):
        if first is not None:
            parts[first].append(part)
    moment = now()
    return tuple(JobView.of(job, tuple(parts.get(job.session_id or "", ())), moment) for job in jobs_)
