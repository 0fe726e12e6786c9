"""/v1/models and /v1/groups: what scores here and how well; what managers see."""

from __future__ import annotations

from fastapi import APIRouter, Response

from msw_ml import bundle as bundles
from msw_ml import engines
from msw_ml.errors import MswError
from serving import groups
from serving.dependencies import At, Transaction, Who
from serving.headers import REPORT_POLICY
from serving.problems import not_found
from serving.wire import Wire

router = APIRouter(tags=["models and groups"])


class ModelView(Wire):
    """One model that ships with this version."""

    id: str
    version: str
    kind: str
    codebook: str | None
    licence: str
    fingerprint: str
    object: str = "model"


class Models(Wire):
    """The list as OpenAI's clients expect it, and the engines in force."""

    object: str = "list"
    data: tuple[ModelView, ...]
    in_force: dict[str, str]
    """Stage → engine with its fingerprint."""


@router.get("/models")
def list_models(at: At, who: Who) -> Models:  # noqa: ARG001 any signed-in person may know
    """All models that ship here, and which engines are in force."""
    views = []
    for name in bundles.shipped_names():
        bundle = bundles.read(bundles.shipped(name))
        info = bundle.info
        views.append(
            ModelView(
                id=name,
                version=info.version,
                kind=info.kind,
                codebook=info.codebook,
                licence=info.licence,
                fingerprint=bundle.fingerprint,
            )
        )
    try:
        in_force = engines.labels(at.pipeline)
    except MswError:
        in_force = {}
    return Models(data=tuple(views), in_force=in_force)


@router.get("/models/{name}/card")
def model_card(who: Who, name: str) -> Response:  # noqa: ARG001 any signed-in person may know
    """A model's card: what it was trained on, how well it does, where it fails."""
    if name not in bundles.shipped_names():
        raise not_found("model")
    card = bundles.shipped(name) / "card.md"
    if not card.is_file():
        raise not_found("card")
    return Response(card.read_text(encoding="utf-8"), media_type="text/markdown; charset=utf-8")


@router.get("/groups")
def group_report(at: At, db: Transaction, who: Who) -> Response:
    """The service report: groups of at least five workers, never a person."""
    page = groups.report(at, db, who)
    headers = {"Content-Security-Policy": REPORT_POLICY, "X-Frame-Options": "SAMEORIGIN"}
    return Response(page, media_type="text/html; charset=utf-8", headers=headers)
