"""A session in any format that the library writes, chosen by suffix or `Accept`."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

from msw_ml.codebook import Codebook
from msw_ml.formats import registry
from msw_ml.reports.session import session_report
from msw_ml.session import Cue, Measure, Rating, ScoredSession, Value
from serving.problems import Problem

MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv",
    "vtt": "text/vtt",
    "srt": "application/x-subrip",
    "textgrid": "text/plain",
    "eaf": "application/xml",
    "rttm": "text/plain",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html",
}
PARTS: dict[str, tuple[str, ...]] = {
    "transcript": ("vtt", "srt", "json", "csv", "docx", "xlsx", "textgrid", "eaf", "rttm"),
    "utterances": ("csv", "json", "xlsx", "docx", "textgrid", "eaf"),
    "ratings": ("json", "csv"),
    "report": ("html",),
}
"""Part → its formats, the default first. A transcript holds no codes in any of them."""


class Scores(Value):
    """Measures and ratings of a session with the signs that stand beside them, without a word of it."""

    measures: tuple[Measure, ...]
    ratings: tuple[Rating, ...]
    cues: tuple[Cue, ...]


class Rendered(Value):
    """Bytes with their type and the file name to save them by."""

    content: bytes
    media_type: str
    file_name: str


def choose(part: str, suffix: str, accept: str) -> str:
    """The format that was asked for. Raises 404 for an unknown suffix, 406 where nothing acceptable is made."""
    formats = PARTS[part]
    if suffix:
        if suffix not in formats:
            raise Problem(404, f"the {part} comes as {', '.join(formats)}; there is no .{suffix}")
        return suffix
    wanted = [entry.split(";")[0].strip().lower() for entry in accept.split(",") if entry.strip()]
    if not wanted or "*/*" in wanted:
        exact = [name for name in formats if MEDIA_TYPES[name] in wanted]
        return exact[0] if exact else formats[0]
    for entry in wanted:
        for name in formats:
            if entry == MEDIA_TYPES[name] or (entry.endswith("/*") and MEDIA_TYPES[name].startswith(entry[:-1])):
                return name
    raise Problem(406, f"the {part} comes as {', '.join(MEDIA_TYPES[name] for name in formats)}")


def render(part: str, name: str, session: ScoredSession, codebook: Codebook) -> Rendered:
    """The part in that format. What may not be seen must have been taken out of the session before."""
    file_name = f"{part}.{name}"
    media_type = MEDIA_TYPES[name] + ("; charset=utf-8" if MEDIA_TYPES[name].startswith("text/") else "")
    if part == "report":
        content = session_report(session, codebook).encode()
    elif part == "ratings":
        scores = Scores(measures=session.measures, ratings=session.ratings, cues=session.cues)
        content = scores.model_dump_json().encode() if name == "json" else _scores_csv(scores).encode()
    else:
        content = _written(name, session, codebook)
    return Rendered(content=content, media_type=media_type, file_name=file_name)


def _written(name: str, session: ScoredSession, codebook: Codebook) -> bytes:
    with tempfile.TemporaryDirectory(prefix="msw-") as folder:
        return registry.write(name, session, Path(folder), codebook).read_bytes()


def _scores_csv(scores: Scores) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("kind", "id", "value", "low", "high", "status", "reason"))
    for measure in scores.measures:
        writer.writerow(("measure", measure.id, _cell(measure.value), _cell(measure.low), _cell(measure.high), "", ""))
    for rating in scores.ratings:
        cells = (_cell(rating.value), _cell(rating.low), _cell(rating.high), rating.status.value, rating.reason)
        writer.writerow(("rating", rating.element, *cells))
    return text.getvalue()


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
