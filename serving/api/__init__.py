"""The routes below /v1, one file a resource."""

from __future__ import annotations

from fastapi import APIRouter

from serving.api import content, health, jobs, reviews, sessions

router = APIRouter()
router.include_router(health.router)
for _resource in (sessions, reviews, content, jobs):
    router.include_router(_resource.router, prefix="/v1")
