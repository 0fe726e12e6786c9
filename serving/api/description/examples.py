"""An example of every value that is sent or answered, by the name it has in the OpenAPI document.

They are made of the values themselves, so an example that no longer fits fails when it is made.
"""

from __future__ import annotations

import base64
import datetime as dt

from pydantic import JsonValue

from msw_ml.session import Role, Value
from serving.api import administration as admin
from serving.api import erasing, health, models, operations, reviews, transcriptions
from serving.api.description.story import (
    BEGUN_AT,
    COACH,
    CODER,
    DONE_AT,
    JOB,
    REVIEW,
    SESSION,
    SHA256,
    TEAM,
    WORKER,
    Story,
)
from serving.audit import Verdict
from serving.comparing import CodePair, Comparison, RatingPair
from serving.forms import CorrectionItem, CorrectionRequest
from serving.representations import Scores
from serving.reviews import Unit
from serving.store.opinions import ReviewState
from serving.store.people import PersonRole
from serving.store.sessions import JobKind, JobState, SessionState
from serving.views import CorrectionResult, CorrectionView, JobView, Peaks, ReceiptView, SessionView
from serving.webhooks import EndedJob, JobEnded, sign

CURSOR = "c2VzXzAxOWFiMmYwYzFkMjdmNGMwYThlNTVkMGIxYzJkM2U0"
TOKEN = "5d0b1c2d3e4f5a6b"  # noqa: S105 an id, no secret
HOOK = "hook_019ab40d55c1706fb7c8d9e0f1a2b3c4"
_ENDED = JobEnded(
    type="job.succeeded",
    timestamp=DONE_AT.isoformat(),
    data=EndedJob(job=JOB, session=SESSION, state=JobState.SUCCEEDED),
)
_MESSAGE, _SENT_AT = f"{JOB}.{HOOK}", f"{DONE_AT.timestamp():.0f}"
_SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()
"""The signature among the examples is made with it, so that a check of signatures can be tried on them."""

PARAMETERS: dict[str, JsonValue] = {
    "session_id": SESSION,
    "job_id": JOB,
    "review_id": REVIEW,
    "person_id": CODER,
    "token_id": TOKEN,
    "hook_id": HOOK,
    "name": "behaviour_coder",
    "part": "transcript.vtt",
    "limit": 20,
    "cursor": CURSOR,
    "q": "F-104",
    "idempotency-key": "3b8f0d52-9f51-4c8e-8d0a-visit12",
    "range": "bytes=0-1048575",
    "webhook-id": _MESSAGE,
    "webhook-timestamp": _SENT_AT,
    "webhook-signature": sign(_SECRET, _MESSAGE, _SENT_AT, _ENDED.model_dump_json().encode()),
}
"""Parameter → a value for it, wherever one of that name is taken."""
MEANINGS = {
    "idempotency-key": "Yours to choose, e.g. a UUID. With the same content it gives the same job again, with other "
    "content 422.",
    "range": "The bytes to give, as players ask for them (RFC 9110, section 14).",
    "part": "What, a full stop, and the format: `transcript`, `utterances`, `ratings` or `report`. Without a format "
    "`Accept` decides.",
    "name": "A model's `id`.",
    "webhook-id": "The same whenever the same message is sent again.",
    "webhook-timestamp": "Seconds since 1970. Refuse what is old.",
    "webhook-signature": "Compare it with your own.",
}
"""What parameters mean whose names do not say it."""
STATES: dict[str, JsonValue] = {"list_sessions": SessionState.SCORED.value, "list_jobs": JobState.RUNNING.value}


def examples(story: Story) -> dict[str, JsonValue]:
    """Name of the value → its example as JSON; what is sent leaves out what may be left out."""
    made = (*_sessions(story), *_opinions(story), *_organisation(), *_operations())
    by_name = {type(one).__name__: one for one in made}
    return {
        name: one.model_dump(mode="json", exclude_unset=name.endswith(("Request", "Change")))
        for name, one in by_name.items()
    }


def _sessions(story: Story) -> tuple[Value, ...]:
    session = SessionView(
        id=SESSION,
        name="Visit 12",
        source="visit12.m4a",
        kind="sound",
        state=SessionState.SCORED,
        version=1,
        duration=3120.4,
        size=25165824,
        team=TEAM,
        worker=WORKER,
        family="F-104",
        visit_type="initial",
        target="bedtimes",
        codebook=story.book.key,
        has_audio=True,
        has_transcript=True,
        created_at=BEGUN_AT,
    )
    job = JobView(
        id=JOB,
        kind=JobKind.SCORE,
        state=JobState.RUNNING,
        stage="listen",
        progress=0.41,
        stage_progress=0.45,
        eta_seconds=210.0,
        sessions=(SESSION,),
        worker="w1",
        is_dead_letter=False,
        error_kind=None,
        error=None,
        created_at=BEGUN_AT,
        started_at=BEGUN_AT + dt.timedelta(seconds=1),
        finished_at=None,
    )
    change = CorrectionItem(field="role", speaker="S2", value=Role.WORKER.value)
    corrected = CorrectionView(
        id="cor_019ab2ff90107b6cc8d9e0f1a2b3c4d5",
        version=2,
        field="role",
        utterance=None,
        speaker="S2",
        before=Role.PARENT.value,
        after=Role.WORKER.value,
        reason="the two were swapped",
        person="Kim",
        at=DONE_AT,
    )
    scored = story.session()
    receipt = ReceiptView(
        id="del_019ab51e66d27180d9e0f1a2b3c4d5e6",
        session=SESSION,
        reason="asked",
        person=COACH,
        erased={"objects": {f"sessions/{SESSION}/upload/recording": SHA256}, "rows": {"artefacts": 6, "sessions": 1}},
        at=DONE_AT,
    )
    return (
        session,
        job,
        CorrectionRequest(version=1, changes=(change,), reason="the two were swapped"),
        CorrectionResult(session=session.model_copy(update={"version": 2}), job=JOB),
        corrected,
        receipt,
        Peaks(seconds=0.1, peaks=(0, 3, 41, 118, 97, 12)),
        scored,
        Scores(measures=scored.measures, ratings=scored.ratings, cues=scored.cues),
        transcriptions.SpokenText(text=scored.utterances[0].utterance.text),
        transcriptions.SpokenDetail.of(scored, scored.utterances[0].utterance.text, "en"),
    )


def _opinions(story: Story) -> tuple[Value, ...]:
    review = reviews.ReviewView(
        id=REVIEW,
        session=SESSION,
        coder="Kim",
        codebook=story.book.key,
        state=ReviewState.OPEN,
        is_blind=True,
        codes={0: story.coded, 2: story.coded},
        ratings={story.element: 4.0},
        saved_at=DONE_AT,
        submitted_at=None,
    )
    done = review.model_copy(update={"state": ReviewState.SUBMITTED, "submitted_at": DONE_AT})
    pair = CodePair(
        utterance=2,
        start=8.0,
        end=11.5,
        machine=story.doubted,
        coder=story.coded,
        agreed=None,
        confidence=0.81,
        effect=0.0417,
    )
    rating = story.rating()
    rated = RatingPair(
        element=rating.element,
        machine=rating.value,
        low=rating.low,
        high=rating.high,
        status=rating.status.value,
        reason=rating.reason,
        coder=4.0,
        agreed=None,
    )
    compared = Comparison(
        review=REVIEW,
        session=SESSION,
        coder="Kim",
        is_blind=True,
        compared=412,
        agreements=331,
        disagreements=(pair,),
        ratings=(rated,),
    )
    comment = erasing.CommentRequest(
        about=f"element {story.element}", is_contest=True, text="The agenda was agreed on the phone the day before."
    )
    said = erasing.CommentView(
        id="com_019ab41f77e37291e0f1a2b3c4d5e6f7",
        about=comment.about,
        is_contest=True,
        text=comment.text,
        person="Sam",
        at=DONE_AT,
    )
    return (
        reviews.ReviewRequest(session=SESSION),
        review,
        reviews.SaveRequest(codes={0: story.coded, 1: None}, ratings={story.element: 4, story.other_element: None}),
        reviews.Submitted(review=done, uncoded=0),
        Unit.of(story.session().utterances[0].utterance),
        compared,
        reviews.AdjudicationRequest(utterance=2, agreed=story.coded, reason="It leaves the answer open."),
        reviews.AgreementRequest(sessions=(SESSION,)),
        story.report(),
        comment,
        said,
    )


def _organisation() -> tuple[Value, ...]:
    person = admin.PersonView(
        id=CODER, name="Kim", role=PersonRole.CODER, team=TEAM, is_active=True, sign_in_name="kim@example.org"
    )
    token = admin.TokenView(
        id=TOKEN,
        person=CODER,
        label="Kim's laptop",
        created_at=BEGUN_AT,
        expires_at=BEGUN_AT + dt.timedelta(days=90),
        last_used_at=None,
        revoked_at=None,
    )
    entry = admin.AuditView(
        number=118,
        at="2026-11-24T08:09:30.000+00:00",
        actor=COACH,
        action="session.correct",
        subject=SESSION,
        detail='{"changes": 1, "version": 2}',
        hash=SHA256,
    )
    return (
        person,
        admin.PersonRequest(name="Kim", role=PersonRole.CODER, team=TEAM),
        admin.PersonChange(role=PersonRole.COACH),
        admin.TeamView(id=TEAM, name="North"),
        admin.NameRequest(name="North"),
        admin.TokenRequest(person=CODER, label="Kim's laptop", days=90),
        token,
        admin.NewToken(token=token, secret=f"msw_{TOKEN}_{'x' * 43}"),
        admin.Clocks(audio_days=90, transcript_days=365, scores_days=None),
        entry,
        Verdict(entries=118, head=SHA256, broken_at=None, reason=""),
    )


def _operations() -> tuple[Value, ...]:
    hook = operations.WebhookView(id=HOOK, url="https://records.example.org/msw", created_at=BEGUN_AT)
    model = models.ModelView(
        id="behaviour_coder",
        version="1.1",
        kind="behaviour_coder",
        codebook="msw 1.0",
        licence="Apache-2.0",
        fingerprint=SHA256[:12],
        object="model",
    )
    return (
        health.Health(status="alive"),
        operations.WebhookRequest(url=hook.url),
        hook,
        _ENDED,
        operations.NewWebhook(webhook=hook, secret=_SECRET),
        models.Models(object="list", data=(model,), in_force={"transcriber": "whisper base d01c3014"}),
    )
