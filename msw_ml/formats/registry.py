"""All formats by name; the only file that knows them all. A format's module is imported when it is chosen."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import cast

from msw_ml.codebook.book import Codebook
from msw_ml.errors import UnknownFormat, UnknownName
from msw_ml.formats.sniff import content_name
from msw_ml.formats.transcript import Transcript
from msw_ml.session import ScoredSession, Value

Reader = Callable[[Path], list[Transcript]]
Writer = Callable[[ScoredSession, Path, Codebook], Path]


class Format(Value):
    """A format: its name on the command line, its extensions in lower case, its module, what it can do."""

    name: str
    extensions: tuple[str, ...]
    module: str
    title: str
    reads: bool = True
    writes: bool = True


FORMATS = (
    Format(name="json", extensions=(".json",), module="session_json", title="session.json, or a list of utterances"),
    Format(name="csv", extensions=(".csv", ".tsv"), module="tabular", title="one row an utterance"),
    Format(name="vtt", extensions=(".vtt",), module="vtt", title="WebVTT subtitles"),
    Format(name="srt", extensions=(".srt",), module="srt", title="SRT subtitles"),
    Format(name="textgrid", extensions=(".textgrid",), module="textgrid", title="Praat's TextGrid"),
    Format(name="eaf", extensions=(".eaf",), module="elan", title="ELAN"),
    Format(name="rttm", extensions=(".rttm",), module="rttm", title="who spoke when", reads=False),
    Format(name="docx", extensions=(".docx",), module="word", title="Word"),
    Format(name="xlsx", extensions=(".xlsx",), module="spreadsheet", title="Excel"),
    Format(name="txt", extensions=(".txt",), module="plain_text", title="prose, 'Name: what was said'", writes=False),
    Format(name="cha", extensions=(".cha",), module="chat", title="CHAT of TalkBank", writes=False),
    Format(name="casaa", extensions=(".casaa",), module="casaa", title="codes of CACTI", writes=False),
)


def readable() -> frozenset[str]:
    """Extensions of all files that `read` understands, in lower case with their dot."""
    return frozenset(extension for one in FORMATS if one.reads for extension in one.extensions)


def writable() -> tuple[str, ...]:
    """Names of all formats that `write` can write."""
    return tuple(one.name for one in FORMATS if one.writes)


def is_transcript(path: Path) -> bool:
    """Whether a file's extension is that of a transcript; whether it is one shows on reading."""
    return path.suffix.lower() in readable()


def read(path: Path) -> list[Transcript]:
    """All sessions of a transcript file, at least one.

    The extension chooses; a text file whose content is plainly another format (a .txt that is WebVTT) is read as
    that. Raises `UnknownFormat`, `UnreadableInput` and `MalformedTranscript`.
    """
    by_extension = next((one for one in FORMATS if one.reads and path.suffix.lower() in one.extensions), None)
    if by_extension is None:
        known = ", ".join(sorted(readable()))
        raise UnknownFormat(f"{path.name}: no transcript has the extension '{path.suffix}'; these are read: {known}")
    name = content_name(path, by_extension.name) if path.is_file() else by_extension.name
    reader = cast("Reader", _module(_by_name(name, [f for f in FORMATS if f.reads])).read)
    return reader(path)


def write(name: str, session: ScoredSession, folder: Path, codebook: Codebook) -> Path:
    """Writes a session in a format into a folder. Raises `UnknownName` and `OutputError`."""
    writer = cast("Writer", _module(_by_name(name, [f for f in FORMATS if f.writes])).write)
    return writer(session, folder, codebook)


def check_names(names: Iterable[str]) -> tuple[str, ...]:
    """Names of formats to write, in lower case and once each. Raises `UnknownName` before any long work."""
    cleaned = tuple(dict.fromkeys(name.strip().lower() for name in names if name.strip()))
    for name in cleaned:
        _by_name(name, [f for f in FORMATS if f.writes])
    return cleaned


def _by_name(name: str, among: list[Format]) -> Format:
    for one in among:
        if one.name == name.lower():
            return one
    raise UnknownName("format", name, [one.name for one in among])


def _module(one: Format) -> ModuleType:
    return importlib.import_module(f"msw_ml.formats.{one.module}")
