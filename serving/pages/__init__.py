"""The web pages: server-rendered, with htmx and small modules; they speak to the same functions as the API."""

from __future__ import annotations

from fastapi import FastAPI

from serving.pages.administration import router as administration
from serving.pages.audit import router as audit
from serving.pages.compare import router as compare
from serving.pages.correcting import router as correcting
from serving.pages.docs import router as docs
from serving.pages.entrance import router as entrance
from serving.pages.groups import router as groups
from serving.pages.jobs import router as jobs
from serving.pages.leaving import router as leaving
from serving.pages.library import router as library
from serving.pages.reliability import router as reliability
from serving.pages.review import router as review
from serving.pages.session import router as session
from serving.pages.static_files import VersionedFiles
from serving.service import Service


def install(app: FastAPI) -> None:
    """Adds the pages and their static files to the application. Raises `BadSetting` for a provider set half."""
    app.mount("/static", VersionedFiles(), name="static")
    for part in (
        entrance, leaving, library, session, correcting, review, compare, jobs, reliability, groups, administration,
        audit, docs,
    ):  # fmt: skip
        app.include_router(part)
    service: Service = app.state.service
    if service.provider is not None:
        from serving.pages import oidc

        app.include_router(oidc.routes(service.provider))
