"""Word, in and out.

Read: a table with a header row that names text and speaker, or paragraphs `Name: what was said`. Inserted text
of tracked changes counts as written, deleted text as gone. Written: transcript.docx, for a worker to read: the
result first, ratings never without their status, then the transcript as a table that reads back. Characters
that XML cannot hold become U+FFFD.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import docx
from docx.oxml.ns import qn
from docx.shared import Cm

from msw_ml.codebook.book import Codebook
from msw_ml.disk import write_bytes
from msw_ml.errors import MalformedTranscript, UnreadableInput
from msw_ml.formats.columns import is_header
from msw_ml.formats.office import legal, open_checked, settled
from msw_ml.formats.rows import Line, TableReader, safe_name
from msw_ml.formats.speakers import dialogue
from msw_ml.formats.summary import about, counts, measures, ratings, signs
from msw_ml.formats.times import clock
from msw_ml.formats.transcript import Transcript
from msw_ml.session import CodedUtterance, ScoredSession

if TYPE_CHECKING:
    from docx.oxml.xmlchemy import BaseOxmlElement

_HEADER = ("No", "Start", "End", "Speaker", "Role", "What was said", "Code")
_MARKS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_GONE = {
    qn("w:pPr"),
    qn("w:rPr"),
    qn("w:del"),
    qn("w:moveFrom"),
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
}
_WIDTHS_CM = (1.2, 3.0, 3.0, 2.0, 1.8, 10.4, 4.2)


def read(path: Path) -> list[Transcript]:
    """One transcript a session. Raises `UnreadableInput` (protected, damaged) and `MalformedTranscript`."""
    package = open_checked(path, "word/document.xml", "Word (.docx)")
    try:
        body = docx.Document(package).element.body
    except Exception as error:  # python-docx and lxml let everything out
        raise UnreadableInput(f"{path.name} is damaged; open it in Word and save a copy") from error
    paragraphs, tables = _content(body)
    understood = [table for table in tables if table and is_header(table[0])]
    session = safe_name(path.stem)
    if not understood:
        utterances, notes = dialogue(path.name, [*paragraphs, *_without_header(tables)])
        return [Transcript(session=session, utterances=utterances, units="running", notes=notes)]
    if len({table[0] for table in understood}) > 1:
        raise MalformedTranscript(f"{path.name}: its tables have different headers; use one header for all of them")
    reader = TableReader(path.name, session, understood[0][0])
    rows = [row for table in understood for row in table[1:] if row != table[0]]
    found = reader.read(Line(place=f"table row {number}", cells=row) for number, row in enumerate(rows, start=2))
    return [transcript.model_copy(update={"units": "running"}) for transcript in found]


def _content(body: BaseOxmlElement) -> tuple[list[tuple[str, str]], list[list[tuple[str, ...]]]]:
    """Lines of paragraphs with their places, and tables as rows of cells."""
    lines: list[tuple[str, str]] = []
    tables: list[list[tuple[str, ...]]] = []
    for number, block in enumerate(_blocks(body), start=1):
        if block.tag == qn("w:tbl"):
            tables.append(
                [tuple(_text(cell) for cell in row.iterchildren(qn("w:tc"))) for row in block.iter(qn("w:tr"))]
            )
        else:
            lines += [(f"paragraph {number}", line) for line in _text(block).split("\n")]
    return lines, tables


def _blocks(body: BaseOxmlElement) -> Iterator[BaseOxmlElement]:
    """Paragraphs and tables in order, also those within content controls."""
    for child in body.iterchildren():
        if child.tag in (qn("w:p"), qn("w:tbl")):
            yield child
        elif child.tag in (qn("w:sdt"), qn("w:sdtContent"), qn("w:ins"), qn("w:customXml")):
            yield from _blocks(child)


def _text(element: BaseOxmlElement) -> str:
    if element.tag == qn("w:tc"):
        return "\n".join(_text(paragraph) for paragraph in element.iter(qn("w:p")))
    return "".join(_parts(element))


def _parts(element: BaseOxmlElement) -> Iterator[str]:
    """What a paragraph says: deleted text, the old place of moved text and fallback drawings are passed over."""
    for child in element.iterchildren():
        if child.tag == qn("w:t"):
            yield child.text or ""
        elif child.tag in _MARKS:
            yield _MARKS[child.tag]
        elif child.tag not in _GONE:
            yield from _parts(child)


def _without_header(tables: Sequence[Sequence[tuple[str, ...]]]) -> list[tuple[str, str]]:
    """Tables of two columns or more without a header we know: `speaker | words`, or with a time before."""
    return [
        (f"table row {number}", f"{' '.join(row[:-1])}: {row[-1]}" if row[-2].strip() else row[-1])
        for table in tables
        for number, row in enumerate(table, start=1)
        if len(row) in (2, 3)
    ]


def write(session: ScoredSession, folder: Path, codebook: Codebook) -> Path:
    """Writes transcript.docx."""
    document = docx.Document()
    properties = document.core_properties
    properties.author, properties.title, properties.comments = "", legal(session.recording.name), ""
    properties.created = properties.modified = datetime(1980, 1, 1, tzinfo=UTC)
    page = document.sections[0]
    page.page_width, page.page_height = Cm(29.7), Cm(21.0)  # A4 across: seven columns
    page.left_margin = page.right_margin = Cm(2.0)
    document.add_heading(legal(session.recording.name), 0)
    for line in about(session):
        document.add_paragraph(legal(line))
    for title, table, widths_cm in (
        ("Ratings", ratings(session, codebook), (4.2, 2.4, 1.6, 1.6, 1.6, 14.2)),
        ("Signs", signs(session, codebook), (4.2, 6.3, 1.6, 3.2, 2.6, 1.8, 5.9)),
        ("Measures", measures(session, codebook), (6.0, 2.6, 2.0, 2.0, 13.0)),
        ("Counts", counts(session, codebook), (6.0, 2.6, 2.0, 2.0, 2.0, 2.4)),
    ):
        document.add_heading(title, 1)
        _table(document, table, widths_cm)
    document.add_heading("Transcript", 1)
    rows = [_row(unit, codebook) for unit in session.utterances]
    _table(document, [_HEADER, *rows], _WIDTHS_CM)
    saved = io.BytesIO()
    document.save(saved)
    path = folder / "transcript.docx"
    write_bytes(path, settled(saved.getvalue()))
    return path


def _row(unit: CodedUtterance, codebook: Codebook) -> tuple[str, ...]:
    said = unit.utterance
    codes = [*([unit.code] if unit.code else []), *unit.other_codes]
    return (
        str(said.id),
        clock(said.start) if said.start is not None else "",
        clock(said.end) if said.end is not None else "",
        said.speaker,
        said.role.value,
        said.text,
        "; ".join(codebook.behaviour(code).name for code in codes),
    )


def _table(document: docx.document.Document, rows: Sequence[Sequence[str]], widths_cm: Sequence[float]) -> None:
    """A table whose first row is repeated on every page.

    Rows are copied as XML: python-docx's own way to add one takes time that grows with the table.
    """
    table = document.add_table(rows=1, cols=len(rows[0]))
    table.style = "Light Grid Accent 1"
    table.autofit = False
    blank = table.rows[0]._tr  # noqa: SLF001  the row's element; there is no public name for it
    for column, cell, width in zip(table.columns, table.rows[0].cells, widths_cm, strict=True):
        column.width = cell.width = Cm(width)  # Word goes by the cells, LibreOffice by the columns
    body = blank.getparent()
    body.remove(blank)
    for number, row in enumerate(rows):
        copied = deepcopy(blank)
        for cell, text in zip(copied.tc_lst, row, strict=True):
            cell.p_lst[0].add_r().text = legal(text)
        if number == 0:
            copied.get_or_add_trPr().append(copied.makeelement(qn("w:tblHeader"), {}))
        body.append(copied)
