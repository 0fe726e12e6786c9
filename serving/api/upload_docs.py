"""How an upload looks, for the OpenAPI document: the route reads the body itself, so it must be said."""

from __future__ import annotations

from pydantic import JsonValue

from serving.forms import UploadForm


def _properties() -> dict[str, JsonValue]:
    schema = UploadForm.model_json_schema()
    found: dict[str, JsonValue] = schema["properties"]
    return {"file": {"type": "string", "format": "binary", "description": "The recording or transcript."}, **found}


UPLOAD_BODY: dict[str, JsonValue] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "required": ["file"], "properties": _properties()},
                "example": {"file": "(the file)", "name": "Visit 12", "family": "F-104", "speakers": 2},
            }
        },
    }
}
