"""Coding sheets for many sessions and coders, and what came back in them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from evaluation import sheets
from evaluation.codings import Batch
from evaluation.reading.scored import read_session, sessions_in
from evaluation.reading.tables import read_tables
from evaluation.reading.visits import session_column
from msw_ml.codebook import Codebook
from msw_ml.disk import write_text
from msw_ml.errors import InputError, MswError
from msw_ml.formats import registry
from msw_ml.formats.rows import safe_name
from msw_ml.session import Utterance, Value


class ReadSheets(Value):
    """What a set of sheets held."""

    sheets: int
    codes: int
    ratings: int
    empty: int
    errors: tuple[str, ...]


def write_sheets(
    sources: Sequence[Path], folder: Path, coders: Sequence[str], book: Codebook, only: Path | None = None
) -> list[Path]:
    """One sheet a session and coder. Raises `InputError` where a wanted session is not among the transcripts."""
    sessions: dict[str, tuple[Utterance, ...]] = {}
    for source in sources:
        for name, utterances in _transcripts(source):
            if name in sessions:
                raise InputError(f"two transcripts are called '{name}'; rename one, so that sheets can be told apart")
            sessions[name] = utterances
    wanted = list(sessions) if only is None else _wanted(only)
    for name in wanted:
        if name not in sessions:
            raise InputError(f"session '{name}' of the sample is not among the transcripts; add its file")
    paths = []
    for coder in coders:
        for name in wanted:
            path = folder / safe_name(coder) / f"{name}.xlsx"
            sheets.write(path, name, coder, sessions[name], book)
            paths.append(path)
    return paths


def read_sheets(sources: Sequence[Path], folder: Path, book: Codebook) -> ReadSheets:
    """Reads sheets and writes their codes and ratings as tables; a bad sheet is named and the rest goes on."""
    whole, errors, read = Batch(), [], 0
    for source in sources:
        for path in [source] if source.is_file() else sorted(source.rglob("*.xlsx")):
            try:
                batch = sheets.read(path, book)
            except MswError as error:
                errors.append(str(error))
                continue
            read += 1
            whole.codings.extend(batch.codings)
            whole.ratings.extend(batch.ratings)
            whole.left_out.update(batch.left_out)
    write_text(folder / "codes.csv", _codes(whole))
    write_text(folder / "ratings.csv", _ratings(whole))
    return ReadSheets(
        sheets=read,
        codes=len(whole.codings),
        ratings=len(whole.ratings),
        empty=sum(whole.left_out.values()),
        errors=tuple(errors),
    )


def _transcripts(source: Path) -> list[tuple[str, tuple[Utterance, ...]]]:
    """Sessions of a transcript or of an output folder; scores are not looked at."""
    if source.is_dir() or source.name == "session.json":
        scored = [read_session(path) for path in sessions_in(source)]
        if not scored:
            raise InputError(f"{source} holds no session.json; give transcripts, or the output folder of `msw score`")
        return [(one.recording.name, tuple(coded.utterance for coded in one.utterances)) for one in scored]
    return [(one.session, one.utterances) for one in registry.read(source)]


def _wanted(path: Path) -> list[str]:
    table = read_tables(path)[0]
    column = session_column(table)
    return [table.text(number, cells, column) for number, cells in table.rows]


def _codes(batch: Batch) -> str:
    header = ("session", "unit", "coder", "code", "parent_code")
    return _table(header, [(c.session, c.unit, c.coder, c.code or "", c.parent or "") for c in batch.codings])


def _ratings(batch: Batch) -> str:
    header = ("session", "coder", "element", "rating")
    return _table(header, [(r.session, r.coder, r.element, f"{r.value:g}") for r in batch.ratings])


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
