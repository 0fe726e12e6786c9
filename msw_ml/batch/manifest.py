"""The record of all tries of a run: one JSON line each, appended, never rewritten."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path

from pydantic import Field, ValidationError

from msw_ml.batch.options import Stage, StageKeys
from msw_ml.disk import reason
from msw_ml.errors import OutputError
from msw_ml.session import Value


class State(StrEnum):
    """How a try ended."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"


class Entry(Value):
    """One try at one input."""

    name: str
    source: str
    input_sha256: str
    key: str
    msw_ml: str = ""
    """Version that made the key and, where it is done, the result."""
    place: str = ""
    """Mark of where the input lay (`claims.place_of`)."""
    state: State
    stages: StageKeys | None = None
    sessions: tuple[str, ...] = ()
    """Output folders that the input gave."""
    made: dict[str, str] = Field(default_factory=dict)
    """Output folder → sha256 of the session.json written there."""
    reused: tuple[Stage, ...] = ()
    """Stages that were taken over from an earlier try, not made again."""
    started: str = ""
    """ISO time; like `seconds`, it stands nowhere but here."""
    seconds: float = 0.0
    error: str | None = None
    error_kind: str | None = None


class Manifest:
    """`manifest.jsonl` of an output folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def entries(self) -> list[Entry]:
        """All whole lines; a last line that was cut off by a kill is passed over."""
        if not self._path.is_file():
            return []
        found = []
        for line in self._path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                found.append(Entry.model_validate_json(line))
            except ValidationError:
                continue
        return found

    def done(self) -> dict[str, Entry]:
        """The last finished try of every output name."""
        return {entry.name: entry for entry in self.entries() if entry.state is State.DONE}

    def last(self) -> dict[str, Entry]:
        """The last ended try of every output name: what stands in the folder, and what could not be scored.

        A path that could not even be read tells nothing of a session and does not hide what was made of it before.
        """
        ended = (entry for entry in self.entries() if entry.state in {State.DONE, State.FAILED})
        return {entry.name: entry for entry in ended if entry.input_sha256}

    def add(self, entry: Entry) -> None:
        """Appends one line in one write. Raises `OutputError`."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            starts_anew = self._path.is_file() and not self._ends_with_newline()
            line = ("\n" if starts_anew else "") + entry.model_dump_json() + "\n"
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                os.write(handle, line.encode())
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise OutputError(f"{self._path} could not be written: {reason(error)}") from error

    def _ends_with_newline(self) -> bool:
        data = self._path.read_bytes()[-1:]
        return data in {b"\n", b""}
