"""The application: routes, errors and headers put together."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI

from msw_ml import __version__
from msw_ml.settings import Settings
from serving import headers, metrics, problems
from serving.api import operations, router
from serving.api.description import document
from serving.api.description.overview import OVERVIEW, TAGS
from serving.problems import ProblemBody
from serving.service import Service
from serving.settings import ServiceSettings


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
        description=OVERVIEW,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_tags=TAGS,
        webhooks=operations.sent,
        generate_unique_id_function=document.name_of,
        responses={422: {"model": ProblemBody}},
    )
    app.state.service = service
    problems.install(app)
    app.state.metrics = metrics.install(app)
    headers.install(app, service.settings)
    app.include_router(router)
    if service.settings.has_pages:
        from serving import pages

        pages.install(app)
    document.install(app, service.codebook)
    return app
