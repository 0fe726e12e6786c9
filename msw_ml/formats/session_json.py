"""session.json, our own format, out and in; and other programs' JSON in.

Read: a `ScoredSession`; a list of objects, one an utterance; or an object that holds such a list under
`utterances`, `segments`, `turns`, `rows` or `transcript` (Whisper and its kin write `segments`).
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import JsonValue, ValidationError

from msw_ml.codebook.book import Codebook
from msw_ml.disk import write_bytes
from msw_ml.errors import MalformedTranscript
from msw_ml.formats.rows import Line, TableReader, safe_name
from msw_ml.formats.text_file import read_text
from msw_ml.formats.transcript import RowCode, Transcript
from msw_ml.session import SCHEMA_VERSION, ScoredSession

_LISTS = ("utterances", "segments", "turns", "rows", "transcript")


def read(path: Path) -> list[Transcript]:
    """Our own session or anybody's list of utterances. Raises `UnreadableInput` and `MalformedTranscript`."""
    text = read_text(path)
    try:
        content: JsonValue = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        where = (
            f"line {error.lineno}, column {error.colno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else ""
        )
        raise MalformedTranscript(
            f"{path.name} is not JSON: {where or 'nested too deeply'}; export it again"
        ) from error
    if isinstance(content, dict) and "schema_version" in content:
        return [transcript(load(text, path.name))]
    return _from_objects(content, path)


def load(text: str, name: str) -> ScoredSession:
    """A `ScoredSession` from the content of session.json. Raises `MalformedTranscript` naming the field."""
    try:
        return ScoredSession.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise MalformedTranscript(
            f"{name}: {place}: {first['msg']}; this version reads session.json of schema {SCHEMA_VERSION}: score again"
        ) from error


def transcript(session: ScoredSession) -> Transcript:
    """The utterances of a scored session with its codes, to be coded again or compared."""
    coded: list[RowCode] = []
    for place, unit in enumerate(session.utterances):
        coded += [RowCode(utterance=place, label=code) for code in (unit.code,) if code]
        coded += [RowCode(utterance=place, label=code, column="parent_code") for code in (unit.parent_code,) if code]
        coded += [RowCode(utterance=place, label=code, column="other_codes") for code in unit.other_codes]
    utterances = tuple(unit.utterance.model_copy(update={"id": i}) for i, unit in enumerate(session.utterances))
    return Transcript(
        session=safe_name(session.recording.name),
        utterances=utterances,
        units="rows",
        coded=tuple(coded),
        given_ids=tuple(str(unit.utterance.id) for unit in session.utterances),
        target=session.recording.target,
    )


def _from_objects(content: JsonValue, path: Path) -> list[Transcript]:
    if isinstance(content, dict):
        content = next((content[key] for key in _LISTS if isinstance(content.get(key), list)), None)
    if not isinstance(content, list) or not content:
        raise MalformedTranscript(
            f"{path.name} holds no list of utterances; it may be a list of objects with 'speaker' and 'text', or an "
            f"object with such a list under one of {', '.join(_LISTS)}"
        )
    objects: list[dict[str, JsonValue]] = []
    for place, item in enumerate(content, start=1):
        if not isinstance(item, dict):
            raise MalformedTranscript(f"{path.name}: item {place} is not an object with 'speaker' and 'text'")
        objects.append(item)
    header = list(dict.fromkeys(key for item in objects for key in item))
    reader = TableReader(path.name, safe_name(path.stem), header)
    lines = (
        Line(place=f"item {place}", cells=tuple(_cell(item.get(key)) for key in header))
        for place, item in enumerate(objects, start=1)
    )
    return reader.read(lines)


def _cell(value: JsonValue) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.6f}"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ";".join(str(item) for item in value)
    return value if isinstance(value, str) else json.dumps(value)


def session_json(session: ScoredSession) -> bytes:
    """The bytes of session.json: the same session gives the same bytes, and they read back to an equal one."""
    return (session.model_dump_json(indent=1) + "\n").encode("utf-8")


def write(session: ScoredSession, folder: Path, codebook: Codebook) -> Path:  # noqa: ARG001  one signature for all formats
    """Writes session.json."""
    path = folder / "session.json"
    write_bytes(path, session_json(session))
    return path
