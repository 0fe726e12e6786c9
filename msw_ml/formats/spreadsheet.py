"""Excel, in and out.

Read: every sheet whose header row (one of the first ten) names text and speaker. A date where an id, a name or
words should be is Excel's doing and an error. Written: session.xlsx with the utterances as in utterances.csv,
ratings, measures and counts. What was said is text by its cell's type, so nothing of it is ever a formula.
"""

from __future__ import annotations

import datetime as dt
import io
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from msw_ml.codebook.book import Codebook
from msw_ml.disk import write_bytes
from msw_ml.errors import InputError, MalformedTranscript, OutputError, UnreadableInput
from msw_ml.formats import tabular
from msw_ml.formats.columns import is_header
from msw_ml.formats.office import legal, open_checked, settled
from msw_ml.formats.rows import Line, TableReader, safe_name
from msw_ml.formats.summary import about, counts, measures, ratings, signs
from msw_ml.formats.transcript import Transcript
from msw_ml.session import ScoredSession

MAX_ROWS = 200_000
MAX_COLUMNS = 500
CELL_CHARACTERS = 32_767
"""Excel's limit for a cell."""
LONGEST_HOURS = 5
"""A clock time beyond it is minutes and seconds that Excel took for hours and minutes."""

_ERRORS = ("#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!")


class Sheet:
    """The filled rows of one worksheet with their numbers."""

    def __init__(self, title: str, rows: list[tuple[int, tuple[object, ...]]]) -> None:
        self.title = title
        self.rows = rows

    @property
    def head(self) -> int | None:
        """Where in `rows` the header stands."""
        first = enumerate(self.rows[:10])
        return next((i for i, (_, cells) in first if is_header([str(c) for c in cells if c is not None])), None)


def read(path: Path) -> list[Transcript]:
    """One transcript a session. Raises `UnreadableInput`, and `MalformedTranscript` naming sheet and cell."""
    package = open_checked(path, "xl/workbook.xml", "Excel (.xlsx)")
    try:
        sheets = _sheets(package, path.name)
    except InputError:
        raise
    except Exception as error:  # openpyxl lets everything out
        raise UnreadableInput(f"{path.name} is damaged; open it in Excel and save a copy") from error
    understood = [sheet for sheet in sheets if sheet.head is not None]
    if not understood:
        _explain(path, sheets)
    others = [sheet.title for sheet in sheets if sheet.head is None and sheet.rows]
    notes = (f"sheets not read: {', '.join(others)}",) if others else ()
    found: list[Transcript] = []
    for sheet in understood:
        session = path.stem if len(understood) == 1 else f"{path.stem} {sheet.title}"
        found += _transcripts(sheet, path.name, safe_name(session), notes)
    twice = [name for name, group in itertools.groupby(sorted(t.session for t in found)) if len(list(group)) > 1]
    if twice:
        raise MalformedTranscript(f"{path.name}: the session '{twice[0]}' stands in two sheets; put it into one")
    return found


def _sheets(package: io.BytesIO, name: str) -> list[Sheet]:
    book = load_workbook(package, read_only=True, data_only=True)
    try:
        return [
            Sheet(sheet.title, list(_rows(sheet.iter_rows(values_only=True), f"{name}, sheet {sheet.title}")))
            for sheet in book.worksheets
        ]
    finally:
        book.close()


def _rows(rows: Iterator[tuple[object, ...]], where: str) -> Iterator[tuple[int, tuple[object, ...]]]:
    for number, cells in enumerate(rows, start=1):
        if number > MAX_ROWS or len(cells) > MAX_COLUMNS:
            raise MalformedTranscript(
                f"{where}: more than {MAX_ROWS} rows or {MAX_COLUMNS} columns; delete the empty ones"
            )
        if any(cell is not None and cell != "" for cell in cells):
            yield number, cells


def _explain(path: Path, sheets: Sequence[Sheet]) -> None:
    filled = [sheet for sheet in sheets if sheet.rows]
    if not filled:
        raise UnreadableInput(f"{path.name} has no filled sheet; export it again")
    first = filled[0]
    header = ["" if cell is None else str(cell) for cell in first.rows[0][1]]
    TableReader(f"{path.name}, sheet {first.title}", "", header)
    raise MalformedTranscript(f"{path.name}: no sheet has a header row that names 'text' and 'speaker' or 'role'")


def _transcripts(sheet: Sheet, name: str, session: str, notes: tuple[str, ...]) -> list[Transcript]:
    head = sheet.head or 0
    header = ["" if cell is None else str(cell) for cell in sheet.rows[head][1]]
    where = f"{name}, sheet {sheet.title}"
    reader = TableReader(where, session, header, notes)
    times = {place for kind, place in reader.columns.at.items() if kind in ("start", "end")}
    used = {*reader.columns.at.values(), *(p for p, _ in reader.columns.codes), *(p for p, _, _ in reader.columns.wide)}
    lines = (
        Line(
            place=f"row {number}",
            cells=tuple(
                _cell(cell, place in times, f"{where}: cell {get_column_letter(place + 1)}{number}")
                if place in used
                else ""
                for place, cell in enumerate(cells)
            ),
        )
        for number, cells in sheet.rows[head + 1 :]
    )
    return reader.read(lines)


def _cell(value: object, is_time: bool, where: str) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.datetime | dt.date | dt.time | dt.timedelta):
        return _clock(value, is_time, where)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.6f}"
    if isinstance(value, str) and value in _ERRORS:
        raise MalformedTranscript(f"{where} holds Excel's error {value}; mend the formula and paste its value")
    return str(value)


def _clock(value: dt.date | dt.time | dt.timedelta, is_time: bool, where: str) -> str:
    """Seconds from a time of Excel's."""
    if not is_time or isinstance(value, dt.date):
        raise MalformedTranscript(
            f"{where} is a date or time, made by Excel from something else; format the column as text and type it again"
        )
    if isinstance(value, dt.time):
        value = dt.timedelta(
            hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond
        )
    if value >= dt.timedelta(hours=LONGEST_HOURS):
        raise MalformedTranscript(
            f"{where} is {value} in hours; if minutes and seconds were meant, write 0:{str(value)[:-3]}"
        )
    return f"{value.total_seconds():.3f}"


def write(session: ScoredSession, folder: Path, codebook: Codebook) -> Path:
    """Writes session.xlsx. Raises `OutputError` where a text is longer than a cell can be."""
    longest = max((len(unit.utterance.text) for unit in session.utterances), default=0)
    if longest > CELL_CHARACTERS:
        raise OutputError(
            f"{session.recording.name}: a text of {longest} characters does not fit an Excel cell; choose csv or json"
        )
    book = Workbook(write_only=True)
    utterances = [tabular.COLUMNS, *(tabular.row(session.recording.name, unit) for unit in session.utterances)]
    for title, table in (
        ("Utterances", utterances),
        ("Ratings", ratings(session, codebook)),
        ("Signs", signs(session, codebook)),
        ("Measures", measures(session, codebook)),
        ("Counts", counts(session, codebook)),
        ("About", [(line,) for line in about(session)]),
    ):
        sheet = book.create_sheet(title)
        sheet.freeze_panes = "A2" if title != "About" else None
        for number, row in enumerate(table, start=1):
            sheet.append(
                [_typed(sheet, text, number > 1 and table[0][place] in _FIGURES) for place, text in enumerate(row)]
            )
    saved = io.BytesIO()
    book.save(saved)
    path = folder / "session.xlsx"
    write_bytes(path, settled(saved.getvalue()))
    return path


_FIGURES = {"utterance", "start", "end", "confidence", "Rating", "Low", "High", "Value", "Count", "Found", "Expected"}


def _typed(sheet: WriteOnlyWorksheet, text: str, is_figure: bool) -> Cell | float | None:
    """A number where the column is one of figures, else text whatever it begins with."""
    if not text:
        return None
    if is_figure and text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdigit():
        return float(text) if "." in text else int(text)
    cell = WriteOnlyCell(sheet, value=legal(text))
    cell.data_type = "s"  # openpyxl takes what begins with '=' for a formula
    if text[0] in "=+-@":
        cell.quotePrefix = True
    return cell
