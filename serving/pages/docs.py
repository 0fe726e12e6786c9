"""The page of the HTTP interface: the OpenAPI document as people read it, without a script of its own."""

from __future__ import annotations

from typing import cast

from fastapi import Request
from fastapi.responses import Response

from serving import dependencies
from serving.dependencies import At
from serving.pages.manual import Manual, manual
from serving.pages.rendering import page
from serving.pages.routing import pages_router

router = pages_router()


@router.get("/docs")
def docs(request: Request, at: At) -> Response:
    """Open to everybody, as the document itself is."""
    who = dependencies.browser_principal(request, at)
    address = at.settings.public_address or str(request.base_url)
    return page(request, "docs.html", who, manual=_manual(request), address=address.rstrip("/"))


def _manual(request: Request) -> Manual:
    """Made once: the document does not change while the service runs."""
    state = request.app.state
    if not hasattr(state, "manual"):
        state.manual = manual(request.app.openapi())
    return cast("Manual", state.manual)
