"""What an uploaded file is, by its first bytes; its name only chooses among transcript formats."""

from __future__ import annotations

import codecs
from pathlib import PurePosixPath
from typing import Literal

from msw_ml.formats import registry
from serving.problems import Problem

Kind = Literal["sound", "transcript"]

_SOUND_STARTS = (
    b"fLaC", b"OggS", b"ID3", b"#!AMR", b".snd", b"caff", b"\x1aE\xdf\xa3", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
)  # fmt: skip
_RIFF = {b"RIFF": b"WAVE", b"FORM": b"AIF", b"RF64": b"WAVE"}
_OFFICE = frozenset({".docx", ".xlsx"})
_XML = frozenset({".eaf"})


def kind_of(name: str, head: bytes) -> Kind:
    """Raises 415 with what the file seems to be and what is taken."""
    suffix = PurePosixPath(name).suffix.lower()
    if is_sound(head):
        return "sound"
    if suffix not in registry.readable():
        known = ", ".join(sorted(registry.readable()))
        raise Problem(415, f"this is neither a sound or video file nor a transcript; transcripts end in {known}")
    is_zip = head.startswith(b"PK\x03\x04")
    if is_zip != (suffix in _OFFICE):
        raise Problem(415, f"what is in this file is not what its ending {suffix} says; save it again")
    if not is_zip and not is_text(head):
        raise Problem(415, f"this file ends in {suffix} but holds no text; save it again as {suffix}")
    if suffix in _XML and b"<" not in head:
        raise Problem(415, f"this file ends in {suffix} but is no XML; export it again")
    return "transcript"


def is_sound(head: bytes) -> bool:
    """Whether the first bytes are those of a sound or video file that the decoder knows."""
    if head.startswith(_SOUND_STARTS):
        return True
    if head[4:8] == b"ftyp" or head[4:8] == b"moov" or head[4:8] == b"mdat":
        return True
    if head[:4] in _RIFF and head[8:].startswith(_RIFF[head[:4]]):
        return True
    return len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and not head.startswith(codecs.BOM_UTF16_LE)


def is_text(head: bytes) -> bool:
    """Whether the first bytes can be text: UTF-16 by its mark, else no zero byte."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return True
    return b"\x00" not in head
