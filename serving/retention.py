"""Retention clocks: audio, transcript and scores run out one by one, counted in days from the upload.

A session of which nothing is left is erased altogether.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable

import sqlalchemy as sa

from serving import erasure
from serving.service import Service
from serving.store.base import now
from serving.store.database import forget_erased
from serving.store.people import Organisation
from serving.store.records import Receipt
from serving.store.sessions import SessionRow

_LOG = logging.getLogger(__name__)
Eraser = Callable[[Service, SessionRow, str, str | None], Receipt]


def sweep(service: Service, moment: dt.datetime | None = None) -> int:
    """Erases all that has run out at a moment; how many erasures there were."""
    moment = moment or now()
    done = 0
    with service.begin() as db:
        organisations = db.scalars(sa.select(Organisation)).all()
    for one in organisations:
        audio, words, scores = one.keep_audio_days, one.keep_transcript_days, one.keep_scores_days
        if words is not None and scores is not None:
            longest = max(words, scores, audio or 0) if audio is not None else None
            kinds = sa.true() if longest is not None else SessionRow.kind != "sound"
            done += _erase(service, one, moment, longest or max(words, scores), (kinds, "all", erasure.erase_session))
        for days, column, name, eraser in (
            (audio, SessionRow.audio_erased_at, "audio", erasure.erase_audio),
            (words, SessionRow.transcript_erased_at, "transcript", erasure.erase_transcript),
            (scores, SessionRow.scores_erased_at, "scores", erasure.erase_scores),
        ):
            if days is not None:
                due = sa.and_(column.is_(None), SessionRow.kind == "sound" if name == "audio" else sa.true())
                done += _erase(service, one, moment, days, (due, name, eraser))
    forget_erased(service.engine)  # also what an erasure left in the log because somebody was reading
    if done:
        _LOG.info("retention: %d erasures", done)
    return done


def _erase(
    service: Service,
    organisation: Organisation,
    moment: dt.datetime,
    days: int,
    how: tuple[sa.ColumnElement[bool], str, Eraser],
) -> int:
    condition, name, eraser = how
    due = sa.select(SessionRow).where(
        SessionRow.organisation_id == organisation.id,
        SessionRow.created_at < moment - dt.timedelta(days=days),
        condition,
    )
    with service.begin() as db:
        rows = db.scalars(due).all()
    for row in rows:
        eraser(service, row, f"clock: {name}", None)
    return len(rows)
