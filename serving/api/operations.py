"""/metrics and /v1/webhooks: for whoever runs the service and whatever listens to it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response, status
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import AwareDatetime, Field

from serving import webhooks
from serving.dependencies import At, Transaction, Who
from serving.permissions import May
from serving.store.records import Webhook
from serving.wire import Wire

router = APIRouter(tags=["operations"])
metrics_router = APIRouter(tags=["operations"])
sent = APIRouter(tags=["operations"])
"""What this service sends, for the description alone."""


class WebhookRequest(Wire):
    """Where to report the end of jobs."""

    url: str = Field(max_length=500)


class WebhookView(Wire):
    """A webhook without its secret."""

    id: str
    url: str
    created_at: AwareDatetime

    @classmethod
    def of(cls, hook: Webhook) -> WebhookView:
        return cls(id=hook.id, url=hook.url, created_at=hook.created_at)


class NewWebhook(Wire):
    """A webhook with the secret that its messages are signed with, shown this once."""

    webhook: WebhookView
    secret: str


@metrics_router.get("/metrics")
def metrics(request: Request, db: Transaction, who: Who) -> Response:
    """Prometheus metrics; its scraper needs an administrator's token."""
    who.must(May.ADMINISTER)
    return Response(request.app.state.metrics.text(db), media_type=CONTENT_TYPE_LATEST)


@router.get("/webhooks")
def list_webhooks(db: Transaction, who: Who) -> tuple[WebhookView, ...]:
    """The organisation's webhooks."""
    return tuple(WebhookView.of(hook) for hook in webhooks.of(db, who))


@router.post("/webhooks", status_code=status.HTTP_201_CREATED)
def add_webhook(at: At, db: Transaction, who: Who, asked: WebhookRequest) -> NewWebhook:
    """Adds a webhook; its host must be on the service's list."""
    hook = webhooks.add(db, who, asked.url, at.settings)
    return NewWebhook(webhook=WebhookView.of(hook), secret=hook.secret)


@router.delete("/webhooks/{hook_id}", status_code=status.HTTP_204_NO_CONTENT)
def remove_webhook(db: Transaction, who: Who, hook_id: str) -> None:
    """Removes a webhook."""
    webhooks.remove(db, who, hook_id)


@sent.post("job-ended", status_code=status.HTTP_204_NO_CONTENT)
def job_ended(
    message: webhooks.JobEnded,
    webhook_id: Annotated[str, Header()],
    webhook_timestamp: Annotated[str, Header()],
    webhook_signature: Annotated[str, Header()],
) -> None:
    """Sent to every webhook at the end of a job, signed as Standard Webhooks 1.0 says: `v1,` and the base64 of the
    HMAC-SHA256 over `id.timestamp.body`, by the webhook's secret. Where the answer is not 2xx it is sent again with
    growing pauses, eight times in all."""
