"""sessions.csv of an output folder: every session that stands there, whichever run made it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from msw_ml.batch.manifest import Entry, State
from msw_ml.codebook import Codebook
from msw_ml.errors import MalformedTranscript
from msw_ml.formats import session_json
from msw_ml.formats.sessions_csv import sessions_row, write_sessions

UNREADABLE = "unreadable"
"""Status of a session whose session.json cannot be read: damaged, or written by another version."""


def write_table(out: Path, last: Iterable[Entry], book: Codebook) -> Path:
    """A row for every session of `last`, then one for every input that failed. Raises `OutputError`.

    `last` is the last ended try of each input, of this run and of those before it. A session whose folder was
    taken away (moved, erased) has no row; one that cannot be read has a row that says so.
    """
    entries = list(last)
    sources = {name: entry.source for entry in entries if entry.state is State.DONE for name in entry.sessions}
    failures = {entry.name: entry.source for entry in entries if entry.state is State.FAILED}
    rows = [_row(out / name, source, book) for name, source in sorted(sources.items()) if _is_there(out / name)]
    rows += [
        {"session": name, "source": source, "status": State.FAILED.value} for name, source in sorted(failures.items())
    ]
    return write_sessions(out / "sessions.csv", rows, book)


def _is_there(folder: Path) -> bool:
    return (folder / "session.json").is_file()


def _row(folder: Path, source: str, book: Codebook) -> dict[str, str]:
    try:
        text = (folder / "session.json").read_text(encoding="utf-8")
        return sessions_row(session_json.load(text, folder.name), book)
    except (OSError, UnicodeDecodeError, MalformedTranscript):
        return {"session": folder.name, "source": source, "status": UNREADABLE}
