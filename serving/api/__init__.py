"""The routes below /v1, one file a resource."""

from __future__ import annotations

from fastapi import APIRouter

from serving.api import (
    administration,
    content,
    erasing,
    health,
    jobs,
    models,
    operations,
    reviews,
    sessions,
    transcriptions,
)

router = APIRouter()
router.include_router(health.router)
router.include_router(operations.metrics_router)
for _resource in (sessions, reviews, erasing, content, jobs, models, transcriptions, operations, administration):
    router.include_router(_resource.router, prefix="/v1")
