"""Broken, disguised and hostile files end in one clear sentence, quickly, and touch nothing."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import random
import time
import zipfile
from pathlib import Path

import docx
import pytest
from openpyxl import Workbook

from msw_ml.errors import InputError, MalformedTranscript, UnknownFormat, UnreadableInput
from msw_ml.formats import registry


def packed(path: Path, parts: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return path


EXTENSIONS = sorted(registry.readable())


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("content", [b"", b"\n \r\n", b"\x00" * 64])
def test_empty_files(tmp_path: Path, extension: str, content: bytes) -> None:
    """Every reader calls an empty file empty."""
    path = tmp_path / f"a{extension}"
    path.write_bytes(content)
    with pytest.raises(UnreadableInput, match=f"a{extension} is empty"):
        registry.read(path)


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("content", [
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", b"RIFF\x24\x00\x00\x00WAVEfmt ", b"%PDF-1.7\n", b"PK\x03\x04broken",
    b"\x00\x01\x02\x03" * 9, b"<html><body>no</body></html>", b"\xff\xfeh",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), b"SQLite format 3\x00" + bytes(100),
])  # fmt: skip
def test_files_that_are_something_else(tmp_path: Path, extension: str, content: bytes) -> None:
    """No reader fails with anything but an error of ours that names the file."""
    path = tmp_path / f"a{extension}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"a{extension}"):
        registry.read(path)


@pytest.mark.parametrize("name", ["json", "csv", "vtt", "srt", "textgrid", "eaf", "docx", "xlsx"])
def test_files_cut_short(name: str, visit: object, codebook: object, tmp_path: Path) -> None:
    """A file that breaks off anywhere is read in part (text) or named; nothing else escapes."""
    path = registry.write(name, visit, tmp_path / "whole", codebook)  # type: ignore[arg-type]
    data = path.read_bytes()
    for share in (0.1, 0.3, 0.5, 0.7, 0.9, 0.99):
        cut = tmp_path / path.name
        cut.write_bytes(data[: int(len(data) * share)])
        with contextlib.suppress(InputError):
            registry.read(cut)


SPLICES = (
    b'"',
    b"\n",
    b"\x00",
    b"<",
    b"\xff",
    b"-->",
    b"9" * 400,
    b":",
    b"\t",
    b",",
    b"1e999",
    b"[",
    b"{",
    b"\x15",
    b"\xef\xbb\xbf",
)


def garbled(data: bytes, chance: random.Random) -> bytes:
    """The same bytes with a few of them lost, repeated, changed or put in."""
    made = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at, other = chance.randrange(len(made) + 1), chance.randrange(len(made) + 1)
        made[at:at] = chance.choice((chance.choice(SPLICES), bytes(made[other : other + 40])))
        del made[other : other + chance.randint(0, 30)]
    return bytes(made)


@pytest.mark.parametrize("name", ["json", "csv", "vtt", "srt", "textgrid", "eaf", "docx", "xlsx"])
def test_garbled_files(name: str, visit: object, codebook: object, tmp_path: Path) -> None:
    """Whatever a damaged file does to a parser, ours or another's, an error of ours is all that comes out."""
    path = registry.write(name, visit, tmp_path / "whole", codebook)  # type: ignore[arg-type]
    data, chance = path.read_bytes(), random.Random(name)
    for _ in range(15 if name in ("docx", "xlsx") else 60):
        copy = tmp_path / path.name
        if name in ("docx", "xlsx"):
            with zipfile.ZipFile(io.BytesIO(data)) as package:
                parts = {part: package.read(part) for part in package.namelist()}
            hit = chance.choice(sorted(parts))
            packed(copy, {**parts, hit: garbled(parts[hit], chance)})
        else:
            copy.write_bytes(garbled(data, chance))
        with contextlib.suppress(InputError):
            registry.read(copy)


def test_unknown_extension_lists_the_known() -> None:
    """What can be read is said where something cannot."""
    with pytest.raises(UnknownFormat, match=r"visit.pages.*'.pages'.*\.casaa, \.cha, \.csv"):
        registry.read(Path("visit.pages"))


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_missing_files_and_folders(tmp_path: Path, extension: str) -> None:
    """A path that is not there, or is a folder, is unreadable and not a crash."""
    with pytest.raises(UnreadableInput, match="could not be read"):
        registry.read(tmp_path / f"gone{extension}")
    (tmp_path / f"folder{extension}").mkdir()
    with pytest.raises(UnreadableInput):
        registry.read(tmp_path / f"folder{extension}")


@pytest.mark.parametrize("extension", [".docx", ".xlsx"])
def test_passwords(tmp_path: Path, extension: str) -> None:
    """A protected Office file is told from an old one."""
    path = tmp_path / f"a{extension}"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512) + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(UnreadableInput, match="protected by a password; open it and save a copy without one"):
        registry.read(path)


@pytest.mark.parametrize(("extension", "part"), [(".docx", "word/document.xml"), (".xlsx", "xl/workbook.xml")])
def test_zip_bombs(tmp_path: Path, extension: str, part: str) -> None:
    """What would unpack to more than a transcript can have is never unpacked."""
    start = time.monotonic()
    path = packed(tmp_path / f"a{extension}", {part: b"<a/>", "x.xml": bytes(210 * 2**20)})
    begun = time.monotonic()
    with pytest.raises(UnreadableInput, match=r"would unpack to 210 MB in 2 parts: no transcript does"):
        registry.read(path)
    assert time.monotonic() - begun < 1 + (begun - start)
    path = packed(tmp_path / f"b{extension}", {part: b"<a/>", **{f"{i}.bin": b"" for i in range(6000)}})
    with pytest.raises(UnreadableInput, match="6001 parts"):
        registry.read(path)


@pytest.mark.parametrize(("extension", "part"), [(".docx", "word/document.xml"), (".xlsx", "xl/workbook.xml")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_in_office_files(tmp_path: Path, extension: str, part: str, encoding: str) -> None:
    """No entity is ever resolved, whatever encoding hides it."""
    xml = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'.encode(encoding)
    with pytest.raises(UnreadableInput, match="declares entities"):
        registry.read(packed(tmp_path / f"a{extension}", {part: xml}))


@pytest.mark.parametrize("body", [
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><ANNOTATION_DOCUMENT>&x;</ANNOTATION_DOCUMENT>',
    '<!DOCTYPE a [<!ENTITY l "lol"><!ENTITY m "&l;&l;&l;">]><ANNOTATION_DOCUMENT>&m;</ANNOTATION_DOCUMENT>',
])  # fmt: skip
def test_entities_in_elan_files(tmp_path: Path, body: str) -> None:
    """ELAN files never declare entities, so one that does is not opened."""
    path = tmp_path / "a.eaf"
    path.write_text(body)
    with pytest.raises(UnreadableInput, match="declares entities"):
        registry.read(path)


def test_a_word_file_under_another_name(tmp_path: Path, visit: object, codebook: object) -> None:
    """A .docx called .csv or .xlsx is named for what it is."""
    data = registry.write("docx", visit, tmp_path, codebook).read_bytes()  # type: ignore[arg-type]
    for name, message in (("a.csv", "a Word, Excel or other zip file"), ("a.xlsx", "a zip but no Excel")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UnreadableInput, match=message):
            registry.read(tmp_path / name)


def test_too_large_to_be_a_transcript(tmp_path: Path) -> None:
    """A file beyond the limit is refused before it is read."""
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.truncate(65 * 2**20)
    with pytest.raises(UnreadableInput, match="65 MB, more than a transcript can have"):
        registry.read(path)


def excel(path: Path, rows: list[list[object]], title: str = "Visit") -> Path:
    book = Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def test_excel_made_dates_of_ids(tmp_path: Path) -> None:
    """The sheet and the cell are named."""
    rows = [["session", "speaker", "text"], ["a", "Mum", "Hi"], [dt.date(2024, 3, 1), "Mum", "Yes"]]
    with pytest.raises(MalformedTranscript, match=r"a.xlsx, sheet Visit: cell A3 is a date or time, made by Excel"):
        registry.read(excel(tmp_path / "a.xlsx", rows))


def test_excel_times(tmp_path: Path) -> None:
    """Clock times of Excel are times; minutes that it took for hours are caught."""
    rows: list[list[object]] = [
        ["speaker", "text", "start", "end"],
        ["Mum", "Hi", dt.time(0, 1, 2), 63.5],
        ["SW", "Yes", "1:10", None],
    ]
    (back,) = registry.read(excel(tmp_path / "a.xlsx", rows))
    assert [(u.start, u.end) for u in back.utterances] == [(62.0, 63.5), (70.0, None)]
    rows[1][2] = dt.time(12, 30)
    with pytest.raises(
        MalformedTranscript, match=r"cell C2 is 12:30:00 in hours; if minutes and seconds were meant, write 0:12:30"
    ):
        registry.read(excel(tmp_path / "a.xlsx", rows))


def test_excel_errors_and_lost_headers(tmp_path: Path) -> None:
    """An error value is named by its cell; a workbook without a header we know says what it found."""
    with pytest.raises(MalformedTranscript, match=r"cell B2 holds Excel's error #REF!"):
        registry.read(excel(tmp_path / "a.xlsx", [["speaker", "text"], ["Mum", "#REF!"]]))
    with pytest.raises(
        MalformedTranscript, match=r"sheet Visit: .*no column of text; call one 'text' \(found: 'a', 'b'\)"
    ):
        registry.read(excel(tmp_path / "a.xlsx", [["a", "b"], [1, 2]]))
    with pytest.raises(UnreadableInput, match="no filled sheet"):
        registry.read(excel(tmp_path / "a.xlsx", []))


def test_excel_sheets_and_title_rows(tmp_path: Path) -> None:
    """A title above the header does not matter; several sheets are several sessions; others are named."""
    book = Workbook()
    for title in ("May", "June", "Notes"):
        sheet = book.create_sheet(title)
        sheet.append(["Transcript of " + title])
        sheet.append([])
        if title != "Notes":
            sheet.append(["Speaker", "Text"])
            sheet.append(["Mum", f"Hello {title}"])
    book.save(tmp_path / "visits.xlsx")
    back = registry.read(tmp_path / "visits.xlsx")
    assert [(t.session, t.utterances[0].text) for t in back] == [
        ("visits May", "Hello May"),
        ("visits June", "Hello June"),
    ]
    assert "sheets not read: Notes" in back[0].notes


def test_damaged_word_file(tmp_path: Path) -> None:
    """A Word file whose parts are gone or not XML."""
    saved = io.BytesIO()
    docx.Document().save(saved)
    with zipfile.ZipFile(saved) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    for broken in (
        {**parts, "word/document.xml": b"<w:document"},
        {k: v for k, v in parts.items() if k != "[Content_Types].xml"},
    ):
        with pytest.raises(UnreadableInput, match=r"a\.docx is damaged"):
            registry.read(packed(tmp_path / "a.docx", broken))


def test_content_beats_a_careless_extension(tmp_path: Path) -> None:
    """A .txt that is plainly WebVTT, SRT, CHAT, TextGrid, CACTI's or a table is read as that."""
    tier = '0\n1\n<exists>\n1\n"IntervalTier"\n"Mum"\n0\n1\n1\n0\n1\n"Hi"\n'
    samples = {
        "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Mum>Hi</v>\n": ("Mum", "Hi"),
        "1\n00:00:01,000 --> 00:00:02,000\nMum: Hi\n": ("Mum", "Hi"),
        "@UTF8\n@Begin\n*MOT:\tHi\n@End\n": ("MOT", "Hi"),
        f'File type = "ooTextFile"\nObject class = "TextGrid"\n{tier}': ("Mum", "Hi"),
        "Audio File:\ta.wav\n00:00:01.0\t3\tGI\n": ("worker", ""),
        "speaker\ttext\nMum\tHi\n": ("Mum", "Hi"),
    }  # fmt: skip
    for text, wanted in samples.items():
        (tmp_path / "a.txt").write_text(text)
        (back,) = registry.read(tmp_path / "a.txt")
        assert (back.utterances[0].speaker, back.utterances[0].text) == wanted
