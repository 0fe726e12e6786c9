"""Excel coding sheets: written from a transcript and the codebook, read back with errors that name the cell.

A sheet never shows what the machine said: a coder who sees a score drifts towards it. Everything but the
cells to fill in is locked (without a password: against slips, not against people).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook as Book
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from evaluation.codings import Batch, Coder, Coding, Place, RatingGiven
from evaluation.office import without_clock
from evaluation.reading.labels import Labels
from msw_ml.codebook import Codebook
from msw_ml.disk import write_bytes
from msw_ml.errors import MalformedTranscript, UnreadableInput
from msw_ml.formats.synonyms import role_of
from msw_ml.session import Role, Utterance

SHEET_SCHEMA = "1"
_ABOUT, _UNITS, _RATINGS, _CODES = "About", "Utterances", "Ratings", "Codes"
_UNIT_HEADER = ("unit", "start", "end", "speaker", "role", "text", "code", "note")
_RATING_HEADER = ("element", "meaning", "1", "3", "5", "rating", "reason")
_CODE, _RATING = 7, 6
"""Columns to fill in, counted from 1."""
_HEAD = PatternFill("solid", fgColor="1F3A4D")
_OPEN = PatternFill("solid", fgColor="FFF8E1")
_WRAP = Alignment(wrap_text=True, vertical="top")


def write(path: Path, session: str, coder: str, utterances: Sequence[Utterance], book: Codebook) -> None:
    """Writes one session's sheet for one coder; the same input gives the same bytes. Raises `OutputError`."""
    workbook = Workbook()
    about = workbook.active
    if not isinstance(about, Worksheet):  # a new workbook always has one
        raise TypeError("openpyxl gave a workbook without a sheet")
    about.title = _ABOUT
    ranges = _write_codes(workbook.create_sheet(_CODES), book)
    _write_units(workbook.create_sheet(_UNITS), utterances, book, ranges)
    _write_ratings(workbook.create_sheet(_RATINGS), book)
    _write_about(about, session, coder, book)
    workbook.move_sheet(_CODES, 2)
    data = io.BytesIO()
    workbook.save(data)
    write_bytes(path, without_clock(data.getvalue()))


def is_sheet(path: Path) -> bool:
    """Whether a workbook is one of our coding sheets."""
    try:
        book = load_workbook(path, read_only=True)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError):
        return False
    return _ABOUT in book.sheetnames and _UNITS in book.sheetnames


def read(path: Path, book: Codebook) -> Batch:
    """A filled sheet. Raises `MalformedTranscript` naming sheet and cell; empty cells are counted."""
    try:
        workbook = load_workbook(path, data_only=True)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise UnreadableInput(f"{path.name} cannot be opened; save it again as .xlsx without a password") from error
    about = {str(row[0]): str(row[1]) for row in workbook[_ABOUT].iter_rows(max_col=2, values_only=True) if row[1]}
    if about.get("codebook") != book.key:
        raise MalformedTranscript(
            f"{path.name} was written for codebook {about.get('codebook')}, this is {book.key}: write new sheets, or "
            "compare with --codebook"
        )
    session, coder = about.get("session", ""), about.get("coder", "").strip()
    if not session or not coder:
        raise MalformedTranscript(f"{path.name}, sheet '{_ABOUT}': session or coder is empty; fill it in")
    batch = Batch(coders=[Coder(name=coder)])
    _read_units(workbook, path, (coder, session), Labels(book), batch)
    _read_ratings(workbook, path, (coder, session), Labels(book), batch)
    if when := about.get("coded on"):
        batch.rounds[coder, session] = when[:10]
    return batch


def _write_about(sheet: Worksheet, session: str, coder: str, book: Codebook) -> None:
    rows: tuple[tuple[str | None, str | None], ...] = (
        ("session", session),
        ("coder", coder),
        ("codebook", book.key),
        ("sheet", SHEET_SCHEMA),
        ("coded on", None),
        (None, None),
        ("How to", f"Give every utterance on '{_UNITS}' a code, then every element on '{_RATINGS}' 1 to 5."),
        (None, "Definitions show when you rest the pointer on a heading, and stand in full on the sheet of codes."),
        (None, "Code from the words (and the sound, if you have it) alone. Talk to other coders afterwards."),
    )  # fmt: skip
    for row in rows:
        sheet.append(row)
    _dress(sheet, (14, 100))
    for to_fill in (2, 5):
        _open(sheet, to_fill, 2)


def _write_codes(sheet: Worksheet, book: Codebook) -> dict[Role, str]:
    """The list of codes; returns where each side's names stand, for the drop-downs."""
    _head(sheet, ("code", "id", "who", "definition", "example"))
    ranges: dict[Role, str] = {}
    for side in (role for role in Role if book.is_coded(role)):
        first = sheet.max_row + 1
        for code in book.codes(side):
            about = book.behaviour(code)
            sheet.append((about.name, about.id, side.value, about.definition, about.example))
            sheet.cell(sheet.max_row, 1).comment = _note(f"{about.definition}\n\n“{about.example}”")
        ranges[side] = f"{_CODES}!$A${first}:$A${sheet.max_row}"
    ranges[Role.UNKNOWN] = f"{_CODES}!$A$2:$A${sheet.max_row}"
    _dress(sheet, (28, 24, 10, 70, 50))
    return ranges


def _write_units(sheet: Worksheet, utterances: Sequence[Utterance], book: Codebook, ranges: dict[Role, str]) -> None:
    _head(sheet, _UNIT_HEADER)
    sheet.cell(1, _CODE).comment = _note(
        "\n".join(f"{b.name}: {b.definition}" for b in book.behaviours), width=700, height=620
    )
    lists = {role: _list(formula) for role, formula in ranges.items()}
    for row, said in enumerate(utterances, start=2):
        sheet.append(
            (str(said.id), _seconds(said.start), _seconds(said.end), said.speaker, said.role.value, said.trusted_text)
        )
        sheet.cell(row, 6).data_type = "s"  # text that starts with "=" is speech, not a formula
        _open(sheet, row, 8)
        if said.role in lists:
            lists[said.role].add(sheet.cell(row, _CODE))
            _open(sheet, row, _CODE)
    for validation in lists.values():
        if validation.sqref:
            sheet.add_data_validation(validation)
    _dress(sheet, (7, 9, 9, 16, 10, 80, 28, 30))


def _write_ratings(sheet: Worksheet, book: Codebook) -> None:
    _head(sheet, _RATING_HEADER)
    whole = DataValidation(type="whole", operator="between", formula1="1", formula2="5", allow_blank=True)
    whole.error, whole.errorTitle = "Ratings run from 1 to 5.", "Not a rating"
    for row, element in enumerate(book.elements, start=2):
        anchors = {anchor.level: anchor.text for anchor in element.anchors}
        sheet.append((element.name, element.meaning, *(anchors.get(level, "") for level in (1, 3, 5))))
        sheet.cell(row, 1).comment = _note(element.meaning)
        whole.add(sheet.cell(row, _RATING))
        _open(sheet, row, _RATING)
        _open(sheet, row, 7)
    sheet.add_data_validation(whole)
    _dress(sheet, (24, 36, 40, 40, 40, 9, 40))


def _read_units(workbook: Book, path: Path, who: tuple[str, str], labels: Labels, batch: Batch) -> None:
    sheet = workbook[_UNITS]
    _same_header(sheet, _UNIT_HEADER, path)
    for row, cells in enumerate(sheet.iter_rows(min_row=2, max_col=len(_UNIT_HEADER), values_only=True), start=2):
        unit, start, end, _, role, text, given, _ = cells
        if unit is None:
            continue
        label = "" if given is None else str(given).strip()
        if not label:
            batch.left_out["unit without a code"] += 1
            continue
        found = labels.code(label)
        side = role_of(str(role or "")) or Role.UNKNOWN
        if found is None or found.parent is None:
            raise _wrong(path, sheet, row, _CODE, f"'{label[:40]}' is no code; choose one from the list of the cell")
        if found.code is not None and side in (Role.WORKER, Role.PARENT) and found.code not in labels.book.codes(side):
            raise _wrong(
                path, sheet, row, _CODE, f"'{label[:40]}' is no code for the {side.value}; choose from the list"
            )
        batch.codings.append(
            Coding(
                *who, str(unit), found.code, found.parent, Place(path.name, row, _UNITS), side,
                _time(start), _time(end), str(text or ""),
            )
        )  # fmt: skip


def _read_ratings(workbook: Book, path: Path, who: tuple[str, str], labels: Labels, batch: Batch) -> None:
    sheet = workbook[_RATINGS]
    _same_header(sheet, _RATING_HEADER, path)
    for row, cells in enumerate(sheet.iter_rows(min_row=2, max_col=len(_RATING_HEADER), values_only=True), start=2):
        name, given = cells[0], cells[_RATING - 1]
        if name is None:
            continue
        element = next((e for e in labels.book.elements if e.name == name), None)
        if element is None:
            raise _wrong(path, sheet, row, 1, f"'{str(name)[:40]}' is no element; do not change the first column")
        if given is None or not str(given).strip():
            batch.left_out["rating left empty"] += 1
            continue
        if not isinstance(given, int | float) or isinstance(given, bool) or not 1 <= given <= 5:
            raise _wrong(path, sheet, row, _RATING, f"is '{str(given)[:24]}', but ratings run from 1 to 5; correct it")
        batch.ratings.append(RatingGiven(*who, element.id, float(given), Place(path.name, row, _RATINGS)))


def _wrong(path: Path, sheet: Worksheet, row: int, column: int, what: str) -> MalformedTranscript:
    return MalformedTranscript(f"{path.name}, sheet '{sheet.title}', cell {get_column_letter(column)}{row}: {what}")


def _same_header(sheet: Worksheet, header: tuple[str, ...], path: Path) -> None:
    found = next(iter(sheet.iter_rows(max_row=1, max_col=len(header), values_only=True)), ())
    for column, (ours, theirs) in enumerate(zip(header, found, strict=False), start=1):
        if str(theirs) != ours:
            raise _wrong(
                path, sheet, 1, column, f"is '{theirs}' instead of '{ours}': put the columns back in their order"
            )


def _head(sheet: Worksheet, titles: tuple[str, ...]) -> None:
    sheet.append(titles)
    for cell in sheet[1]:
        cell.font, cell.fill = Font(bold=True, color="FFFFFF"), _HEAD
    sheet.freeze_panes = "A2"


def _dress(sheet: Worksheet, widths: tuple[int, ...]) -> None:
    """Widths, wrapped text, locked structure, and a page that prints."""
    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    for row in sheet.iter_rows():
        for cell in row:
            cell.alignment = _WRAP
    sheet.protection.sheet = True
    sheet.protection.formatColumns = False
    sheet.protection.formatRows = False
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"


def _open(sheet: Worksheet, row: int, column: int) -> None:
    """A cell to fill in."""
    cell = sheet.cell(row, column)
    cell.protection, cell.fill = Protection(locked=False), _OPEN


def _list(formula: str) -> DataValidation:
    found = DataValidation(type="list", formula1=formula, allow_blank=True, showErrorMessage=True)
    found.promptTitle, found.prompt = "Choose a code", "Definitions are on the sheet of codes."
    found.errorTitle, found.error = "Not a code", "Choose a code from the list."
    return found


def _note(text: str, width: int = 320, height: int = 120) -> Comment:
    return Comment(text, "msw", width=width, height=height)


def _seconds(time: float | None) -> float | None:
    return None if time is None else round(time, 3)


def _time(cell: object) -> float | None:
    return float(cell) if isinstance(cell, int | float) else None
