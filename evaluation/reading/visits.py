"""A table of what is known of sessions: worker, family, team and visit type, for clusters and strata."""

from __future__ import annotations

from pathlib import Path

from evaluation.codings import Visit
from evaluation.reading.tables import Table, read_tables
from msw_ml.errors import MalformedTranscript


def read(path: Path) -> dict[str, Visit]:
    """Session → what is known. Raises `MalformedTranscript` where no column names the session."""
    table = read_tables(path)[0]
    session = session_column(table)
    columns = {kind: table.column(kind) for kind in Visit.model_fields}
    found: dict[str, Visit] = {}
    for number, cells in table.rows:
        name = table.text(number, cells, session)
        if name in found:
            raise table.wrong(number, session, f"repeats the session '{name[:40]}'; keep one row a session")
        found[name] = Visit(**{kind: table.text(number, cells, column) for kind, column in columns.items()})
    return found


def session_column(table: Table) -> int:
    """Where the sessions' names stand."""
    session = table.column("session")
    if session is None:
        raise MalformedTranscript(f"{table.place(1)} has no column that names sessions; call one 'session'")
    return session
