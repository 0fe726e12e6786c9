"""Word and Excel files are zips of XML: checked before they are opened, and written the same every time."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from pathlib import Path

from msw_ml.errors import UnreadableInput
from msw_ml.formats.text_file import read_bytes

MAX_UNPACKED = 200 * 1024 * 1024
MAX_PARTS = 5_000
MAX_RATIO = 200
"""Real documents pack 5 to 50 times; only a part above 10 MB is held to the ratio."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_STAMP = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:\2>)")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def legal(text: str) -> str:
    """Text with the characters that XML cannot hold replaced by U+FFFD."""
    return _ILLEGAL.sub("\ufffd", text)


def open_checked(path: Path, part: str, kind: str) -> io.BytesIO:
    """The bytes of a Word or Excel file, `part` being what makes it one (`word/document.xml`).

    Raises `UnreadableInput`: protected, old, damaged, another kind of file, or a bomb. The size that a zip
    declares bounds what Python unpacks from it, so checking the declared sizes is enough.
    """
    data = read_bytes(path)
    if data.startswith(_OLE):
        if _ENCRYPTED in data:
            raise UnreadableInput(f"{path.name} is protected by a password; open it and save a copy without one")
        raise UnreadableInput(f"{path.name} is an old Office file; open it and save it as {kind}")
    if not data.startswith(b"PK"):
        raise UnreadableInput(f"{path.name} is no {kind} file, whatever its name says; export it again")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            _check(package, path.name)
            if part not in package.namelist():
                raise UnreadableInput(f"{path.name} is a zip but no {kind} file; give it its right extension")
            for info in package.infolist():
                if info.filename.endswith((".xml", ".rels")):
                    _check_xml(package.read(info), path.name)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise UnreadableInput(f"{path.name} is damaged or cut short ({error}); export it again") from error
    except zlib.error as error:
        raise UnreadableInput(f"{path.name} is damaged; export it again") from error
    return io.BytesIO(data)


def _check(package: zipfile.ZipFile, name: str) -> None:
    parts = package.infolist()
    total = sum(part.file_size for part in parts)
    too_tight = any(
        part.file_size > 10 * 2**20 and part.file_size > MAX_RATIO * max(part.compress_size, 1) for part in parts
    )
    if len(parts) > MAX_PARTS or total > MAX_UNPACKED or too_tight:
        raise UnreadableInput(
            f"{name} would unpack to {total // 2**20} MB in {len(parts)} parts: no transcript does, it was not opened"
        )


def _check_xml(part: bytes, name: str) -> None:
    head = part[:4096].replace(b"\x00", b"")
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise UnreadableInput(f"{name} declares entities, which no Office file does; it was not opened")


def settled(data: bytes) -> bytes:
    """The same package without the time of writing: equal content gives equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as package, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as fresh:
        for info in package.infolist():
            content = package.read(info)
            if info.filename == "docProps/core.xml":
                content = _STAMP.sub(rb"\g<1>1980-01-01T00:00:00Z\g<3>", content)
            entry = zipfile.ZipInfo(info.filename, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            entry.create_system = 3
            fresh.writestr(entry, content)
    return out.getvalue()
