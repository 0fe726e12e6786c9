"""CSV, TSV and Excel as rows that know where they stand."""

from __future__ import annotations

import csv
import io
import math
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from evaluation.codings import Place
from msw_ml.errors import MalformedTranscript, UnreadableInput
from msw_ml.formats.synonyms import plain, synonyms
from msw_ml.formats.text_file import read_text
from msw_ml.session import Value

Cell = str | float | bool | date | datetime | time | None


class Table(Value):
    """One table: a header and rows below it. Rows are as wide as the header."""

    file: str
    sheet: str = ""
    header: tuple[str, ...]
    rows: list[tuple[int, tuple[Cell, ...]]]
    """Number of the row in the file (the header is row 1) and its cells."""

    def place(self, row: int) -> Place:
        return Place(self.file, row, self.sheet)

    def column(self, kind: str, more: Sequence[str] = ()) -> int | None:
        """The place of the column of that kind by its known names; the earliest name wins."""
        keys = [plain(title) for title in self.header]
        for name in (*synonyms().columns.get(kind, (kind,)), *more):
            if name in keys:
                return keys.index(name)
        return None

    def text(self, number: int, cells: Sequence[Cell], column: int | None) -> str:
        """A cell as text; a whole number loses its `.0`. Raises `MalformedTranscript` on a date."""
        cell = None if column is None else cells[column]
        if isinstance(cell, date | time):
            raise self.wrong(
                number,
                column,
                f"is the date {cell}: Excel made it of what was typed; format the column as text and type it again",
            )
        if isinstance(cell, float) and cell.is_integer():
            return str(int(cell))
        return "" if cell is None or is_nothing(str(cell)) else str(cell).strip()

    def number(self, number: int, cells: Sequence[Cell], column: int | None) -> float | None:
        """A cell as a number, `None` where it is empty."""
        text = self.text(number, cells, column)
        if not text:
            return None
        try:
            found = float(text.replace(",", "."))
        except ValueError:
            found = math.nan
        if not math.isfinite(found):
            raise self.wrong(number, column, f"is '{text[:24]}', which is not a number")
        return found

    def wrong(self, number: int, column: int | None, what: str) -> MalformedTranscript:
        """The error for a cell: file, sheet, row and column, and what to do."""
        title = f", column '{self.header[column]}'" if column is not None else ""
        return MalformedTranscript(f"{self.place(number)}{title} {what}")


def is_nothing(text: str) -> bool:
    """Whether a cell says "no code here"."""
    return plain(text) in synonyms().code.none


def read_tables(path: Path) -> list[Table]:
    """All tables of a file: one of a CSV or TSV, one a sheet of a workbook; sheets without rows are passed over."""
    if path.suffix.lower() in {".xlsx", ".xlsm"}:
        return list(_sheets(path))
    return [_separated(path)]


def _separated(path: Path) -> Table:
    text = read_text(path)
    first = text.partition("\n")[0]
    separator = max("\t,;", key=first.count)
    rows = list(csv.reader(io.StringIO(text), delimiter=separator))
    return _table(path.name, "", [tuple(row) for row in rows])


def _sheets(path: Path) -> Iterator[Table]:
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        sheets = [(sheet.title, list(sheet.iter_rows(values_only=True))) for sheet in book.worksheets]
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise UnreadableInput(
            f"{path.name} cannot be read as an Excel workbook; save it again as .xlsx without a password"
        ) from error
    for title, rows in sheets:
        plain_rows = [tuple(_cell(cell) for cell in row) for row in rows]
        if any(any(cell is not None for cell in row) for row in plain_rows):
            yield _table(path.name, title, plain_rows)


def _cell(cell: object) -> Cell:
    if cell is None or isinstance(cell, str | bool | date | time):
        return cell
    return float(cell) if isinstance(cell, int | float) else str(cell)


def _table(file: str, sheet: str, rows: Sequence[Sequence[Cell]]) -> Table:
    if not rows:
        raise MalformedTranscript(f"{file} has no rows; export it again")
    header = tuple("" if cell is None else str(cell).strip() for cell in rows[0])
    width = len(header)
    body = []
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell is not None and str(cell).strip() for cell in row):
            continue
        if any(cell is not None and str(cell).strip() for cell in row[width:]):
            raise MalformedTranscript(
                f"{Place(file, number, sheet)} has {len(row)} cells but the header has {width}; put texts that contain "
                "the separator into double quotes"
            )
        body.append((number, (*row[:width], *(None,) * (width - len(row)))))
    return Table.model_construct(file=file, sheet=sheet, header=header, rows=body)
