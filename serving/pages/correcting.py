"""Corrections from the session page: one utterance in a dialog, or who is who for a whole speaker."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import Response
from pydantic import Field

from msw_ml.session import CodedUtterance, Role, Value
from msw_ml.speech.role_check import is_doubted
from serving import corrections, permissions, reads, results
from serving.dependencies import At, Transaction, Who
from serving.forms import CorrectionItem, CorrectionRequest, Long
from serving.pages import reading
from serving.pages.rendering import page
from serving.pages.routing import pages_router
from serving.permissions import May, Principal
from serving.problems import Problem, not_found
from serving.service import Service
from serving.store.base import Db
from serving.store.sessions import SessionRow
from serving.views import SessionView

router = pages_router()


class _Form(Value):
    """What every form of corrections says."""

    version: int
    reason: Long = ""


class UtteranceForm(_Form):
    """The form of one utterance."""

    text: Long = Field(min_length=1)
    speaker: str = Field(min_length=1, max_length=200)
    role: Role
    code: str = Field(default="", max_length=60)


class RolesForm(_Form):
    """Speakers, and in the same order who they are."""

    speakers: list[str] = Field(max_length=50)
    chosen: list[Role] = Field(max_length=50)


@router.get("/sessions/{session_id}/utterances/{number}")
def edit(
    request: Request, at: At, db: Transaction, who: Who, session_id: str, number: int, coded: bool = False
) -> Response:
    """The form for one utterance; its code is on it only where the page shows the scores."""
    who.must(May.CORRECT)
    row = permissions.session_of(db, who, session_id)
    permissions.must_read(who, row)
    results.must_have(row, words=True)
    session = results.current(at, db, row)
    if coded:
        permissions.must_see_scores(db, who, row)
    else:
        session = results.without_scores(session)
    unit = _unit(session.utterances, number)
    reads.note(db, who, row.id, reads.SCORES if coded else reads.PAGE)
    return page(
        request,
        "session_edit.html",
        who,
        session=SessionView.of(row),
        unit=unit,
        speakers=list(session.roles.roles),
        role_choices=Role,
        codes=[
            code for id_, code in reading.codes(at.codebook).items() if id_ in at.codebook.codes(unit.utterance.role)
        ]
        if coded
        else [],
    )


@router.post("/sessions/{session_id}/utterances/{number}")
def correct(
    at: At, db: Transaction, who: Who, session_id: str, number: int, form: Annotated[UtteranceForm, Form()]
) -> Response:
    """Applies what was changed on the form, all of it or nothing."""
    row = permissions.session_of(db, who, session_id)
    permissions.must_read(who, row)
    if form.code:  # before anything is compared: "nothing was changed" would give the machine's code away
        permissions.must_see_scores(db, who, row)
    unit = _unit(results.current(at, db, row).utterances, number)
    said = unit.utterance
    given = {"text": (said.text, form.text), "speaker": (said.speaker, form.speaker)}
    given["role"] = (said.role.value, form.role.value)
    if form.code:
        given["code"] = (unit.code or "", form.code)
    changes = [
        CorrectionItem.model_validate({"field": field, "utterance": number, "value": after})
        for field, (before, after) in given.items()
        if after != before
    ]
    return _apply(at, db, who, row, form, changes)


@router.post("/sessions/{session_id}/roles")
def correct_roles(at: At, db: Transaction, who: Who, session_id: str, form: Annotated[RolesForm, Form()]) -> Response:
    """Says who is who; the machine codes the session again afterwards.

    Unchanged, it confirms the worker where the words had raised a doubt.
    """
    row = permissions.session_of(db, who, session_id)
    permissions.must_read(who, row)
    session = results.current(at, db, row)
    now, chosen = session.roles.roles, list(zip(form.speakers, form.chosen, strict=False))
    said = [(speaker, role) for speaker, role in chosen if now.get(speaker) != role]
    if not said and is_doubted(session.quality):
        said = [(speaker, role) for speaker, role in chosen if role is Role.WORKER]
    changes = [CorrectionItem(field="role", speaker=speaker, value=role.value) for speaker, role in said]
    return _apply(at, db, who, row, form, changes)


def _apply(
    at: Service, db: Db, who: Principal, row: SessionRow, form: _Form, changes: list[CorrectionItem]
) -> Response:
    if not changes:
        raise Problem(422, "nothing was changed")
    asked = CorrectionRequest(version=form.version, changes=tuple(changes), reason=form.reason)
    corrections.correct(at, db, who, row, asked)
    return Response(headers={"HX-Refresh": "true"})


def _unit(units: tuple[CodedUtterance, ...], number: int) -> CodedUtterance:
    for unit in units:
        if unit.utterance.id == number:
            return unit
    raise not_found("utterance")
