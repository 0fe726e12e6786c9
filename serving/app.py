"""The application: routes, errors and headers put together."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI

from msw_ml import __version__
from msw_ml.settings import Settings
from serving import headers, metrics, problems
from serving.api import router
from serving.problems import ProblemBody
from serving.service import Service
from serving.settings import ServiceSettings

_DESCRIPTION = """Scores recorded child-and-family home visits for Motivational Social Work. Every route but health \
and documentation needs `Authorization: Bearer msw_…`; errors are RFC 9457 problems."""


def create_app(settings: ServiceSettings | None = None, scoring: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; its database must have been prepared (`Service.prepare`)."""
    service = Service(settings or ServiceSettings(), scoring or Settings())

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    app = FastAPI(
        title="MSW service",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses={
            status: {"model": ProblemBody, "content": {problems.MEDIA_TYPE: {}}} for status in (401, 403, 422, 429, 503)
        },
    )
    app.state.service = service
    problems.install(app)
    app.state.metrics = metrics.install(app)
    headers.install(app, service.settings)
    app.include_router(router)
    if service.settings.has_pages:
        from serving import pages

        pages.install(app)
    return app
