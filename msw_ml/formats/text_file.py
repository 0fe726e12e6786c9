"""Opens a file that ought to be text, or says plainly why it is not."""

from __future__ import annotations

import codecs
from pathlib import Path

from msw_ml.errors import UnreadableInput

MAX_BYTES = 64 * 1024 * 1024
"""A transcript of a day's talk is below 2 MB; what is larger than this is not one."""

_BINARY = {
    b"PK\x03\x04": "a Word, Excel or other zip file",
    b"\xd0\xcf\x11\xe0": "an old or password-protected Office file",
    b"%PDF": "a PDF; save the transcript as Word, text or CSV",
    b"RIFF": "a sound file",
    b"SQLite format 3": "a database",
}


def read_bytes(path: Path) -> bytes:
    """The whole file. Raises `UnreadableInput` where it is missing, empty, too large or not permitted."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise UnreadableInput(
                f"{path.name} has {size // 2**20} MB, more than a transcript can have ({MAX_BYTES // 2**20} MB); "
                "split it or hand in the recording"
            )
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnreadableInput(
            f"{path.name} could not be read: {reason}; check that it exists and may be read"
        ) from error
    if not data.strip(b"\x00\r\n\t "):
        raise UnreadableInput(f"{path.name} is empty; export it again")
    return data


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, UTF-16 (with its mark) or Windows' Western code page; line ends become \\n.

    Raises `UnreadableInput` where it is not text at all.
    """
    return decode(read_bytes(path), path.name)


def decode(data: bytes, name: str) -> str:
    """As `read_text`, from the bytes of the file called `name`."""
    for magic, what in _BINARY.items():
        if data.startswith(magic):
            raise UnreadableInput(f"{name} is {what}, not what its name says; give it its right extension")
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return _unify(_decode(data, encoding, name))
    if b"\x00" in data:
        raise UnreadableInput(f"{name} is not a text file; export the transcript again as UTF-8 text")
    try:
        return _unify(data.decode("utf-8"))
    except UnicodeDecodeError:
        return _unify(_decode(data, "cp1252", name))


def _decode(data: bytes, encoding: str, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableInput(f"{name} is not UTF-8 text; save it again as UTF-8") from error


def _unify(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
