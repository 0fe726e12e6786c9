"""Tells other systems that a job ended: status only, signed as Standard Webhooks 1.0 says.

A delivery is enqueued in the transaction that ends the job, so there is one for each end, and is tried
again with growing pauses until the other side answers 2xx. Hosts must be named in
MSW_SERVICE_WEBHOOK_HOSTS; redirects are not followed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import secrets
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import sqlalchemy as sa

from msw_ml.session import Value
from serving import audit
from serving.audit import Act
from serving.permissions import May, Principal
from serving.problems import invalid, not_found
from serving.settings import ServiceSettings
from serving.store.base import Db, new_id
from serving.store.records import Webhook
from serving.store.sessions import Job, JobState
from serving.wire import Wire

_PREFIX = "whsec_"
_SECONDS = 10


class DeliveryFailed(Exception):
    """The other side did not take it; the text names the status, nothing of the answer."""


class EndedJob(Wire):
    """The job, without anything of its session's content."""

    job: str
    session: str | None
    state: JobState


class JobEnded(Wire):
    """What is sent when a job has ended."""

    type: str
    """`job.` and the job's state."""
    timestamp: str
    data: EndedJob


class Message(Value):
    """One signed message, ready to be sent."""

    url: str
    body: bytes
    headers: dict[str, str]


def add(db: Db, who: Principal, url: str, settings: ServiceSettings) -> Webhook:
    """Raises 403, and 422 for a host that this service may not call."""
    who.must(May.ADMINISTER)
    check_host(url, settings)
    secret = _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
    hook = Webhook(
        id=new_id("hook"), organisation_id=who.organisation_id, url=url, secret=secret, created_by=who.person_id
    )
    db.add(hook)
    db.flush()
    audit.record(
        db, Act(actor=who.person_id, action="webhook.create", subject=hook.id, organisation=who.organisation_id)
    )
    return hook


def of(db: Db, who: Principal) -> list[Webhook]:
    """The organisation's webhooks."""
    who.must(May.ADMINISTER)
    return list(
        db.scalars(sa.select(Webhook).where(Webhook.organisation_id == who.organisation_id).order_by(Webhook.id))
    )


def remove(db: Db, who: Principal, hook_id: str) -> None:
    """Raises 403 and 404."""
    who.must(May.ADMINISTER)
    hook = db.get(Webhook, hook_id)
    if hook is None or hook.organisation_id != who.organisation_id:
        raise not_found("webhook")
    db.delete(hook)
    audit.record(
        db, Act(actor=who.person_id, action="webhook.remove", subject=hook_id, organisation=who.organisation_id)
    )


def check_host(url: str, settings: ServiceSettings) -> None:
    """Raises 422 where the address is not http(s) or its host is not on the list."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or parts.username or parts.netloc not in settings.webhook_hosts:
        raise invalid("body.url", "this host is not on the list MSW_SERVICE_WEBHOOK_HOSTS of this service")


def message(db: Db, hook_id: str, job_id: str, number: str, settings: ServiceSettings) -> Message | None:
    """The message about a job's end; `None` where hook or job are gone. `number` is its `webhook-id`."""
    hook, job = db.get(Webhook, hook_id), db.get(Job, job_id)
    if hook is None or job is None:
        return None
    check_host(hook.url, settings)
    content = JobEnded(
        type=f"job.{job.state}",
        timestamp=job.finished_at.isoformat() if job.finished_at else "",
        data=EndedJob(job=job.id, session=job.session_id, state=JobState(job.state)),
    )
    body = content.model_dump_json().encode()
    at = str(int(time.time()))
    return Message(
        url=hook.url,
        body=body,
        headers={
            "content-type": "application/json",
            "webhook-id": number,
            "webhook-timestamp": at,
            "webhook-signature": sign(hook.secret, number, at, body),
        },
    )


def sign(secret: str, number: str, at: str, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = f"{number}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def send(made: Message) -> None:
    """Raises `DeliveryFailed`."""
    request = urllib.request.Request(made.url, made.body, made.headers, method="POST")  # noqa: S310 checked by host
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(request, timeout=_SECONDS) as answer:
            status = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
    except (OSError, http.client.HTTPException) as error:
        raise DeliveryFailed(type(error).__name__) from None
    if not 200 <= status < 300:
        raise DeliveryFailed(f"status {status}")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would lead to a host that nobody allowed."""

    def redirect_request(self, *_: object) -> None:
        return None
