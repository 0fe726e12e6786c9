"""/metrics and /v1/webhooks: for whoever runs the service and whatever listens to it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response, status
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import AwareDatetime, Field

from msw_ml.session import Value
from serving import webhooks
from serving.dependencies import At, Transaction, Who
from serving.permissions import May
from serving.store.records import Webhook

router = APIRouter(tags=["operations"])
metrics_router = APIRouter(tags=["operations"])


class WebhookRequest(Value):
    """Where to report the end of jobs."""

    url: str = Field(max_length=500)


class WebhookView(Value):
    """A webhook without its secret."""

    id: str
    url: str
    created_at: AwareDatetime

    @classmethod
    def of(cls, hook: Webhook) -> WebhookView:
        return cls(id=hook.id, url=hook.url, created_at=hook.created_at)


class NewWebhook(Value):
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
