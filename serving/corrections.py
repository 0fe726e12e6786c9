"""People's corrections of roles, speakers, text and codes: applied together, counted anew, kept for ever.

Codes change measures and ratings at once. After a change of role, speaker or text the machine must read
the session again: codes of the other side fall away at once, and a job gives new ones. Who names a worker
again who is one already confirms the roles against the words' doubt.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from msw_ml.codebook import Codebook
from msw_ml.coding.measures import measure
from msw_ml.coding.volleys import apply_volley_rules
from msw_ml.pipeline import Pipeline
from msw_ml.rating.cues import find_cues
from msw_ml.session import CodedUtterance, Role, ScoredSession
from msw_ml.speech.role_check import confirmed
from serving import audit, permissions, results, who_is_who
from serving.audit import Act
from serving.forms import WAITING_FOR_IT, CorrectionItem, CorrectionRequest
from serving.permissions import May, Principal
from serving.problems import Problem, invalid
from serving.service import Service
from serving.store.base import Db, new_id
from serving.store.people import Person
from serving.store.sessions import Correction, Job, JobKind, SessionRow

_NEEDS_READING = frozenset({"role", "speaker", "text"})


def correct(service: Service, db: Db, who: Principal, row: SessionRow, asked: CorrectionRequest) -> Job | None:
    """Applies all changes or none, as a new version; the job that codes anew, where one is needed.

    Raises 403 (the role, or codes that may not be seen), 409 (changed since) and 422 (names the change).
    """
    who.must(May.CORRECT)
    permissions.must_read(who, row)
    if any(item.field == "code" for item in asked.changes):
        permissions.must_see_scores(db, who, row)
    results.must_have(row, words=True, scores=True)
    if row.version != asked.version:
        raise Problem(409, "somebody has changed this session since you looked at it; look again")
    session = before = results.current(service, db, row)
    for place, (item, id_) in enumerate(zip(asked.changes, sorted(new_id("cor") for _ in asked.changes), strict=True)):
        try:
            session, change = _apply(session, item, service.codebook)
        except _Unusable as error:
            raise invalid(f"body.changes.{place}", str(error)) from error
        change.id, change.session_id, change.version = id_, row.id, asked.version + 1  # the history is read by id
        change.reason, change.person_id = asked.reason, who.person_id
        db.add(change)
    if session == before:
        raise Problem(422, "these changes change nothing")
    if who_is_who.has_new_sides(before, session):
        first = results.machine(service, db, row, 1)
        session = who_is_who.asked_again(session, first, service.pipeline.listener.roles)
    results.write_version(service, db, row, recount(session, service.pipeline), asked.version)
    act = Act(actor=who.person_id, action="session.correct", subject=row.id, organisation=who.organisation_id)
    audit.record(db, act.model_copy(update={"detail": {"version": row.version, "changes": len(asked.changes)}}))
    if not any(item.field in _NEEDS_READING for item in asked.changes):
        return None
    job = Job(
        id=new_id("job"),
        organisation_id=who.organisation_id,
        session_id=row.id,
        created_by=who.person_id,
        kind=JobKind.RECOMPUTE,
        priority=WAITING_FOR_IT,
    )
    job.workflow_id = job.id
    db.add(job)
    db.flush()
    service.queue.add(db, job.id, job.workflow_id, job.priority)
    return job


def recount(session: ScoredSession, pipeline: Pipeline) -> ScoredSession:
    """Volleys, measures, ratings and cues of codes, roles or words that were changed."""
    coded = apply_volley_rules(
        [unit.model_copy(update={"counted": (), "set_aside": None}) for unit in session.utterances], pipeline.codebook
    )
    is_same_coder = session.provenance.engines.get("coder") == pipeline.coder.label
    measures = measure(coded, pipeline.codebook, pipeline.coder.errors if is_same_coder else None)
    ratings = pipeline.rater.rate(coded, measures, session.quality, session.roles)
    released = tuple(pipeline.gate.apply(rating, pipeline.rater.label) for rating in ratings)
    cues = tuple(find_cues(coded, pipeline.codebook))
    return session.model_copy(update={"utterances": coded, "measures": measures, "ratings": released, "cues": cues})


def with_corrected_codes(session: ScoredSession, db: Db, row: SessionRow, pipeline: Pipeline) -> ScoredSession:
    """A freshly coded session with the codes that people have set, where they still fit the speaker's role."""
    query = sa.select(Correction).where(Correction.session_id == row.id, Correction.field == "code")
    wanted = {one.utterance: one.after for one in db.scalars(query.order_by(Correction.id))}
    units = []
    for unit in session.utterances:
        code = wanted.get(unit.utterance.id)
        fits = code is not None and code in pipeline.codebook.codes(unit.utterance.role)
        units.append(_coded(unit, code, pipeline.codebook) if fits and code else unit)
    if tuple(units) == session.utterances:
        return session
    return recount(session.model_copy(update={"utterances": tuple(units)}), pipeline)


def history(db: Db, row: SessionRow, *, with_codes: bool) -> list[tuple[Correction, str]]:
    """All corrections of a session with the names of those who made them, oldest first."""
    query = (
        sa.select(Correction, Person.name)
        .join(Person, Person.id == Correction.person_id)
        .where(Correction.session_id == row.id)
        .order_by(Correction.id)
    )
    if not with_codes:
        query = query.where(Correction.field != "code")
    return [(one, name) for one, name in db.execute(query)]


class _Unusable(Exception):
    """A change that cannot be made; its text says why."""


def _apply(session: ScoredSession, item: CorrectionItem, book: Codebook) -> tuple[ScoredSession, Correction]:
    if item.field == "role" and item.utterance is None:
        return _speaker_role(session, item, book)
    places = {unit.utterance.id: place for place, unit in enumerate(session.utterances)}
    if item.utterance not in places:
        raise _Unusable("there is no utterance of this number in the session")
    place = places[item.utterance]
    before = session.utterances[place]
    after, old = _changed(before, item, session.roles.roles, book)
    units = [*session.utterances[:place], after, *session.utterances[place + 1 :]]
    change = Correction(utterance=item.utterance, field=item.field, speaker=None, before=old, after=item.value)
    roles = session.roles
    if item.field == "speaker" and item.value not in roles.roles:
        roles = roles.model_copy(update={"roles": {**roles.roles, item.value: after.utterance.role}})
    return session.model_copy(update={"utterances": tuple(units), "roles": roles}), change


def _changed(
    unit: CodedUtterance, item: CorrectionItem, roles: Mapping[str, Role], book: Codebook
) -> tuple[CodedUtterance, str | None]:
    said = unit.utterance
    if item.field == "code":
        if item.value not in book.codes(said.role):
            known = ", ".join(book.codes(said.role)) or "none: this role is not coded"
            raise _Unusable(f"no such code for this speaker; there are: {known}")
        return _coded(unit, item.value, book), unit.code
    if item.field == "text":  # the recognised words no longer stand for what is written
        changed = said.model_copy(update={"text": item.value, "words": ()})
        return unit.model_copy(update={"utterance": changed}), said.text
    if item.field == "speaker":
        role = roles.get(item.value, said.role)
        return _with_role(unit, role, book, speaker=item.value), said.speaker
    return _with_role(unit, _role(item.value), book), said.role.value


def _speaker_role(session: ScoredSession, item: CorrectionItem, book: Codebook) -> tuple[ScoredSession, Correction]:
    speaker, role = item.speaker, _role(item.value)
    if speaker is None or speaker not in session.roles.roles:
        raise _Unusable(f"name a speaker of this session; there are: {', '.join(session.roles.roles)}")
    units = [_with_role(unit, role, book) if unit.utterance.speaker == speaker else unit for unit in session.utterances]
    old = session.roles.roles[speaker]
    choice = session.roles.model_copy(update={"roles": {**session.roles.roles, speaker: role}})
    quality = session.quality
    if Role.WORKER in (old, role):  # a person has said who the worker is; of the others no margin speaks
        choice, quality = confirmed(choice, quality)
    change = Correction(field="role", speaker=speaker, before=old.value, after=role.value)
    return session.model_copy(update={"utterances": tuple(units), "roles": choice, "quality": quality}), change


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as error:
        raise _Unusable(f"no such role; there are: {', '.join(Role)}") from error


def _with_role(unit: CodedUtterance, role: Role, book: Codebook, speaker: str | None = None) -> CodedUtterance:
    said = unit.utterance.model_copy(update={"role": role, "speaker": speaker or unit.utterance.speaker})
    if unit.code is None or unit.code in book.codes(role):
        return unit.model_copy(update={"utterance": said})
    return CodedUtterance(utterance=said)


def _coded(unit: CodedUtterance, code: str, book: Codebook) -> CodedUtterance:
    update = {"code": code, "parent_code": book.parent_of(code), "confidence": None, "withheld": False}
    return unit.model_copy(update=update)
