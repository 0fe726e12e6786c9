"""The routes below /v1, one file a resource."""

from __future__ import annotations

from fastapi import APIRouter

from serving.api import health, jobs, sessions

router = APIRouter()
router.include_router(health.router)
for _resource in (sessions, jobs):
    router.include_router(_resource.router, prefix="/v1")
