"""Words alone, while somebody waits: a job like all others, of which nothing is kept afterwards."""

from __future__ import annotations

import asyncio
import contextlib

from fastapi import Request
from pydantic import Field, TypeAdapter, ValidationError

from msw_ml.session import ScoredSession, Value
from serving import job_control
from serving.forms import WAITING_FOR_IT
from serving.permissions import Principal
from serving.problems import Problem, busy, from_validation, invalid
from serving.service import Service
from serving.store.base import new_id
from serving.store.sessions import Job, JobKind, JobState
from serving.uploads import Upload, receive

FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
_LOOK_EVERY = 0.2
_LONGEST_WAIT = 3600.0
_UNUSED = frozenset(
    {"prompt", "temperature", "timestamp_granularities[]", "timestamp_granularities", "model", "include[]"}
)
"""Fields that OpenAI's clients send and that change nothing here."""


class Spoken(Value):
    """What was asked for."""

    response_format: str = "json"
    language: str = ""
    stream: bool = False
    speakers: int | None = Field(default=None, ge=1, le=12)


def asked_for(service: Service, fields: dict[str, str]) -> Spoken:
    """Raises 422 for a format or language that cannot be given."""
    try:
        asked = Spoken.model_validate({name: value for name, value in fields.items() if name not in _UNUSED and value})
    except ValidationError as error:
        raise from_validation(error) from error
    if asked.response_format not in FORMATS:
        raise invalid("response_format", f"there are: {', '.join(FORMATS)}")
    if asked.language and asked.language != service.scoring.language:
        raise invalid("language", f"this service hears '{service.scoring.language}'")
    if asked.stream:
        raise invalid("stream", "the words come when all are there; leave it out")
    return asked


async def transcribe(request: Request, service: Service, who: Principal) -> tuple[Spoken, ScoredSession]:
    """Receives sound, waits for its words, and forgets both. A client that goes away stops the work."""
    job_id = new_id("job")
    folder = f"transcriptions/{job_id}"
    upload = await receive(request, service, f"{folder}/upload")
    try:
        asked = asked_for(service, upload.fields)
        if upload.kind != "sound":
            raise invalid("file", "this is a transcript already; send sound")
        await asyncio.to_thread(_enqueue, service, who, job_id, upload, asked)
        session = await _wait(request, service, who, job_id)
    finally:
        upload.incoming.drop()
        with contextlib.suppress(OSError):
            await asyncio.to_thread(service.objects.erase, folder)
    return asked, session


def _enqueue(service: Service, who: Principal, job_id: str, upload: Upload, asked: Spoken) -> None:
    kept = upload.incoming.keep()
    order = {"upload": kept.key, "source": upload.source, "sha256": kept.sha256, "name": "upload", "is_sound": True}
    job = Job(
        id=job_id,
        organisation_id=who.organisation_id,
        created_by=who.person_id,
        kind=JobKind.TRANSCRIBE,
        priority=WAITING_FOR_IT,
        workflow_id=job_id,
        options={"score": {"speakers": asked.speakers, "is_speech_only": True}, "order": order},
    )
    with service.begin() as db:
        db.add(job)
        db.flush()
        service.queue.add(db, job.id, job.workflow_id, job.priority)


async def _wait(request: Request, service: Service, who: Principal, job_id: str) -> ScoredSession:
    for _ in range(int(_LONGEST_WAIT / _LOOK_EVERY)):
        state, error = await asyncio.to_thread(_look, service, job_id)
        if state is JobState.SUCCEEDED:
            data = await asyncio.to_thread(service.objects.get, f"transcriptions/{job_id}/scored.json")
            return TypeAdapter(list[ScoredSession]).validate_json(data)[0]
        if state.is_final:
            raise Problem(422, error or "this could not be transcribed")
        if await request.is_disconnected():
            break
        await asyncio.sleep(_LOOK_EVERY)
    await asyncio.to_thread(job_control.cancel, service, who, job_id)
    raise busy("this took too long; upload it to /v1/sessions instead", 60)


def _look(service: Service, job_id: str) -> tuple[JobState, str | None]:
    with service.begin() as db:
        job = db.get_one(Job, job_id)
        return JobState(job.state), job.error
