"""The routes below /v1, one file a resource."""

from __future__ import annotations

from fastapi import APIRouter

from serving.api import administration, content, erasing, health, jobs, models, reviews, sessions

router = APIRouter()
router.include_router(health.router)
for _resource in (sessions, reviews, erasing, content, jobs, models, administration):
    router.include_router(_resource.router, prefix="/v1")
