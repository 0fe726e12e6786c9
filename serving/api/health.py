"""/healthz and /readyz: without a token, for whoever keeps the service running."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa
from fastapi import APIRouter

from serving.dependencies import At
from serving.problems import busy
from serving.wire import Wire

router = APIRouter(tags=["health"])


class Health(Wire):
    """That it is alive, or ready."""

    status: Literal["alive", "ready"]


@router.get("/healthz")
async def alive() -> Health:
    """The process answers."""
    return Health(status="alive")


@router.get("/readyz")
def ready(at: At) -> Health:
    """Database, storage and models can be used. 503 says which cannot."""
    with at.begin() as db:
        db.execute(sa.text("SELECT 1"))
    if not at.has_models:
        raise busy("a model is missing or damaged; `msw models verify` says which")
    at.objects.check()
    free = at.objects.free_bytes()
    if free is not None and free < 256 << 20:
        raise busy("the disk is nearly full", 300)
    return Health(status="ready")
