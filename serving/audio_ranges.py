"""Sound in ranges, as browsers' players ask for it (RFC 9110, section 14)."""

from __future__ import annotations

import re

from fastapi import Response
from fastapi.responses import StreamingResponse

from serving.problems import Problem
from serving.store.objects import Objects
from serving.store.sessions import Artefact

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_TYPES = {
    b"fLaC": "audio/flac", b"OggS": "audio/ogg", b"ID3": "audio/mpeg", b"RIFF": "audio/wav",
    b"\x1aE\xdf\xa3": "video/webm",
}  # fmt: skip


def answer_range(objects: Objects, artefact: Artefact, asked: str) -> Response:
    """The whole object, or one range of it. Raises 416 where the range lies outside."""
    start, end = 0, artefact.size
    if asked:
        found = _RANGE.fullmatch(asked.strip())
        if found is None or not (found[1] or found[2]):
            raise _outside(artefact)
        if found[1]:
            start = int(found[1])
            end = min(end, int(found[2]) + 1) if found[2] else end
        else:
            start = max(0, end - int(found[2]))
        if start >= end:
            raise _outside(artefact)
    headers = {"Accept-Ranges": "bytes", "Content-Length": str(end - start), "ETag": f'"{artefact.sha256}"'}
    if asked:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{artefact.size}"
    stream = objects.read_range(artefact.key, start, end)
    return StreamingResponse(stream, 206 if asked else 200, headers, _type(objects, artefact))


def _type(objects: Objects, artefact: Artefact) -> str:
    head = b"".join(objects.read_range(artefact.key, 0, 12))
    if head[4:8] == b"ftyp":
        return "audio/mp4"
    for start, kind in _TYPES.items():
        if head.startswith(start):
            return kind
    return "audio/mpeg" if head[:1] == b"\xff" else "application/octet-stream"


def _outside(artefact: Artefact) -> Problem:
    return Problem(416, "this range lies outside the recording", headers={"Content-Range": f"bytes */{artefact.size}"})
