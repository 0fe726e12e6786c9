"""CSV and TSV: transcripts in, utterances.csv out.

Read: a header row, then one row an utterance; comma, semicolon or tab. AnnoMI's two files and AutoMISC's are
of this kind: their headers stand in synonyms.toml, several annotators' rows of one utterance become one
utterance with all their labels.

Written: the columns of `COLUMNS`, in that order, whatever the session. Text is written as it was said. A cell
that begins with `=`, `+`, `-` or `@` gets no apostrophe before it: that would change the text for every
program but Excel, and for our own reader. Who opens foreign speech in Excel takes the xlsx format, where a
cell is text by its type.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from msw_ml.codebook.book import Codebook
from msw_ml.disk import write_text
from msw_ml.errors import MalformedTranscript
from msw_ml.formats.columns import is_header
from msw_ml.formats.rows import Line, TableReader, safe_name
from msw_ml.formats.text_file import read_text
from msw_ml.formats.times import fixed, number
from msw_ml.formats.transcript import Transcript
from msw_ml.session import CodedUtterance, ScoredSession

COLUMNS = (
    "session",
    "utterance",
    "start",
    "end",
    "speaker",
    "role",
    "text",
    "code",
    "parent_code",
    "confidence",
    "withheld",
    "other_codes",
)


def read(path: Path) -> list[Transcript]:
    """One transcript a session. Raises `UnreadableInput` and `MalformedTranscript` (row and column)."""
    return parse(read_text(path), path.name)


def parse(text: str, name: str) -> list[Transcript]:
    """As `read`, from the content of the file called `name`."""
    records = _records(text, name)
    reader = TableReader(name, safe_name(Path(name).stem), records[0])
    return reader.read(
        Line(place=f"row {number}", cells=tuple(cells)) for number, cells in enumerate(records[1:], start=2)
    )


def _records(text: str, name: str) -> list[list[str]]:
    separator = max("\t,;", key=lambda mark: _fit(text, mark))
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    try:
        return list(reader)
    except csv.Error as error:
        raise MalformedTranscript(
            f"{name}: line {reader.line_num}: {error}; check the double quotes there (a quote inside a text is doubled)"
        ) from error


def _fit(text: str, separator: str) -> tuple[bool, int]:
    """How well a separator explains the first row: an understood header beats any number of cells."""
    try:
        first = next(csv.reader(io.StringIO(text), delimiter=separator))
    except (csv.Error, StopIteration):
        return False, 0
    return is_header(first), len(first)


def row(session: str, coded: CodedUtterance) -> tuple[str, ...]:
    """The cells of one utterance in the order of `COLUMNS`."""
    utterance = coded.utterance
    return (
        session,
        str(utterance.id),
        fixed(utterance.start),
        fixed(utterance.end),
        utterance.speaker,
        utterance.role.value,
        utterance.text.replace("\r\n", "\n").replace("\r", "\n"),  # a lone \r would be a row's end to a reader
        coded.code or "",
        coded.parent_code or "",
        number(coded.confidence),
        "true" if coded.withheld else "false",
        ";".join(coded.other_codes),
    )


def utterances_csv(session: ScoredSession) -> str:
    """The content of utterances.csv."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(row(session.recording.name, coded) for coded in session.utterances)
    return text.getvalue()


def write(session: ScoredSession, folder: Path, codebook: Codebook) -> Path:  # noqa: ARG001  one signature for all formats
    """Writes utterances.csv."""
    path = folder / "utterances.csv"
    write_text(path, utterances_csv(session))
    return path
