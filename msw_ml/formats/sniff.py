"""What a text file is by its first characters, where its extension says too little."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

_SIGNS = (
    ("vtt", re.compile(r"WEBVTT(?:\s|$)")),
    ("textgrid", re.compile(r'File type = "ooTextFile')),
    ("cha", re.compile(r"@(?:Font|UTF8|Begin)\b")),
    ("casaa", re.compile(r"Audio File:\t")),
    ("eaf", re.compile(r"(?:<\?xml[^>]*>\s*)?<ANNOTATION_DOCUMENT\b")),
    ("srt", re.compile(r"\s*\d+\s*\n\s*\d+:\d\d:\d\d[,.]\d+\s*-->")),
)
_OPEN = {"txt", "csv"}
"""Extensions that people give to any text; under the others a foreign content is an error of its reader."""


def content_name(path: Path, by_extension: str) -> str:
    """The name of the format that the content shows, else the one that the extension gave."""
    if by_extension not in _OPEN:
        return by_extension
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError:
        return by_extension  # the reader says what is wrong with it
    encoding = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    text = head.decode(encoding, errors="replace").replace("\r\n", "\n")
    for name, sign in _SIGNS:
        if sign.match(text):
            return name
    if by_extension == "txt" and "\t" in text.split("\n", 1)[0] and _is_table(text):
        return "csv"
    return by_extension


def _is_table(text: str) -> bool:
    from msw_ml.formats.columns import is_header

    return is_header(text.split("\n", 1)[0].split("\t"))
