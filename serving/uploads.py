"""Takes an upload in as it comes: from the socket to storage, never whole in memory."""

from __future__ import annotations

import asyncio
from pathlib import PurePosixPath
from urllib.parse import unquote

from fastapi import Request
from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header

from msw_ml.batch.inputs import folder_name
from serving.problems import Problem, busy, invalid
from serving.service import Service
from serving.sniffing import Kind, kind_of
from serving.store.objects import BLOCK, Incoming

MAX_FIELDS, MAX_FIELD_BYTES, MAX_HEADER_BYTES = 40, 16_384, 4096
SPARE_BYTES = 256 << 20
"""Room that must stay free on the disk."""


class Upload:
    """What came in: text fields, and one file that is kept or dropped by whoever asked for it."""

    def __init__(self, incoming: Incoming) -> None:
        self.incoming = incoming
        self.fields: dict[str, str] = {}
        self.source = ""
        """The file's name without any folder."""

    @property
    def kind(self) -> Kind:
        """Raises 415 where the content is neither sound nor a transcript."""
        return kind_of(self.source, self.incoming.head)


class _Reception:
    """The parser's callbacks: collects fields, hands file data on in blocks."""

    def __init__(self, upload: Upload) -> None:
        self.upload = upload
        self.pending = bytearray()
        self._header_name, self._header_value = b"", b""
        self._headers: dict[str, bytes] = {}
        self._name, self._is_file, self._files = "", False, 0
        self._value = bytearray()
        self.is_complete = False

    def on_part_begin(self) -> None:
        self._headers, self._value = {}, bytearray()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]
        if len(self._header_value) > MAX_HEADER_BYTES:
            raise Problem(400, "a header of the upload is too long")

    def on_header_end(self) -> None:
        self._headers[self._header_name.decode("latin-1").lower()] = self._header_value
        self._header_name, self._header_value = b"", b""

    def on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", b""))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        self._is_file = b"filename" in options
        if not self._is_file:
            return
        self._files += 1
        if self._name != "file" or self._files > 1:
            raise invalid("file", "send one file, in the field called 'file'")
        self.upload.source = _base_name(options[b"filename"].decode("utf-8", "replace"))

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self.pending += data[start:end]
            return
        self._value += data[start:end]
        if len(self._value) > MAX_FIELD_BYTES:
            raise invalid(self._name[:60] or "field", "this is too long")

    def on_part_end(self) -> None:
        if self._is_file:
            return
        if len(self.upload.fields) >= MAX_FIELDS:
            raise Problem(400, "the upload has too many fields")
        if self._name in self.upload.fields and not self._name.endswith("[]"):  # as OpenAI's clients send a list
            raise invalid(self._name[:60] or "field", "this is there twice; send it once")
        self.upload.fields[self._name] = self._value.decode("utf-8", "replace").strip()

    def on_end(self) -> None:
        self.is_complete = True


async def receive(request: Request, service: Service, key: str) -> Upload:
    """Reads a multipart body with one file. Whatever goes wrong leaves nothing behind.

    Raises 400, 413, 415, 422, and 503 where the disk is full.
    """
    boundary = _boundary(request)
    limit = service.settings.max_upload_mb << 20
    claimed = _claimed(request)
    if claimed > limit:
        raise _too_large(limit)
    upload = Upload(Incoming(service.objects, key))
    reception = _Reception(upload)
    names = (
        "part_begin",
        "header_field",
        "header_value",
        "header_end",
        "headers_finished",
        "part_data",
        "part_end",
        "end",
    )
    parser = MultipartParser(boundary, {f"on_{name}": getattr(reception, f"on_{name}") for name in names})  # type: ignore[arg-type]
    try:
        received = 0
        async for chunk in request.stream():
            received += len(chunk)
            if received > limit:
                raise _too_large(limit)
            parser.write(chunk)
            if len(reception.pending) >= BLOCK:
                await asyncio.to_thread(_hand_on, service, upload, reception, claimed)
        parser.finalize()
        await asyncio.to_thread(_hand_on, service, upload, reception, claimed)
        _check_whole(upload, reception)
    except MultipartParseError as error:
        upload.incoming.drop()
        raise Problem(400, "the upload is cut off or not multipart/form-data") from error
    except BaseException:
        upload.incoming.drop()
        raise
    return upload


def _hand_on(service: Service, upload: Upload, reception: _Reception, claimed: int) -> None:
    """Writes what came in. Raises 503 where the disk has no room for the whole."""
    if upload.incoming.size == 0:
        _check_room(service, claimed)
    data, reception.pending = reception.pending, bytearray()
    if data:
        upload.incoming.write(bytes(data))


def _check_whole(upload: Upload, reception: _Reception) -> None:
    if not reception.is_complete:
        raise Problem(400, "the upload was cut off; send it again")
    if not upload.source:
        raise invalid("file", "there is no file in the upload")
    if upload.incoming.size == 0:
        raise invalid("file", "this file is empty (0 bytes); copy it again from the recorder")


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data":
        raise Problem(415, "send the file as multipart/form-data")
    if not 0 < len(boundary) <= 200:
        raise Problem(400, "the upload names no boundary")
    return boundary


def _claimed(request: Request) -> int:
    claimed = request.headers.get("content-length", "")
    return int(claimed) if claimed.isdecimal() else 0


def _check_room(service: Service, size: int) -> None:
    free = service.objects.free_bytes()
    if free is not None and free < size + SPARE_BYTES:
        raise busy("the disk is full; free some space, then try again", 300)


def _too_large(limit: int) -> Problem:
    return Problem(413, f"this is larger than {limit >> 20} MB; export the sound alone, or as m4a")


def _base_name(name: str) -> str:
    """A file's name without folders of any system; nothing of it ever names a path here."""
    last = PurePosixPath(unquote(name).replace("\\", "/")).name
    stem, dot, suffix = last.rpartition(".")
    return folder_name(last) if not dot else f"{folder_name(stem)}.{folder_name(suffix)[:16]}"
