"""A coding sheet shows the words and never a score, and comes back as it was filled in."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from evaluation import preparing, sheets
from evaluation.reading.files import read
from msw_ml import codebook
from msw_ml.errors import InputError, MalformedTranscript
from msw_ml.session import (
    CodedUtterance,
    Provenance,
    Quality,
    Rating,
    RatingStatus,
    Recording,
    Role,
    RoleChoice,
    ScoredSession,
    Utterance,
)

BOOK = codebook.load("msw")
SAID = (
    Utterance(id=0, speaker="SW", role=Role.WORKER, text="What would make bath time easier?", start=0.0, end=2.5),
    Utterance(
        id=1, speaker="Mum", role=Role.PARENT, text="=SUM of nothing, honestly. I'd like a plan.", start=2.5, end=6.0
    ),
    Utterance(id=2, speaker="Kit", role=Role.CHILD, text="Juice!", start=6.0, end=6.5),
)


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "visit.xlsx"
    sheets.write(path, "visit", "Anna", SAID, BOOK)
    return path


def fill(path: Path, **cells: object) -> None:
    """Types into cells, e.g. `Utterances_G2="Open question"`."""
    book = openpyxl.load_workbook(path)
    for where, value in cells.items():
        tab, cell = where.split("_")
        book[tab][cell] = value
    book.save(path)


def test_a_filled_sheet_comes_back(sheet: Path) -> None:
    fill(
        sheet,
        Utterances_G2="Open question",
        Utterances_G3="Change talk",
        Ratings_F2=4,
        Ratings_F4=2,
        About_B5="2026-03-01",
    )
    found = sheets.read(sheet, BOOK)
    assert [(c.coder, c.session, c.unit, c.code) for c in found.codings] == [
        ("Anna", "visit", "0", "question_open"), ("Anna", "visit", "1", "change"),
    ]  # fmt: skip
    assert [(r.element, r.value) for r in found.ratings] == [("collaboration", 4.0), ("empathy", 2.0)]
    assert found.left_out == {"unit without a code": 1, "rating left empty": 5}
    assert found.rounds == {("Anna", "visit"): "2026-03-01"}


def test_speech_that_looks_like_a_formula_stays_speech(sheet: Path) -> None:
    cell = openpyxl.load_workbook(sheet)["Utterances"]["F3"]
    assert cell.data_type != "f"
    assert cell.value == SAID[1].text


def test_drop_downs_definitions_and_locks(sheet: Path) -> None:
    book = openpyxl.load_workbook(sheet)
    tab = book["Utterances"]
    lists = {str(v.sqref): v.formula1 for v in tab.data_validations.dataValidation}
    assert set(lists) == {"G2", "G3"}, "the child is not coded"
    workers = book["Codes"][lists["G2"].partition("!")[2].replace("$", "")]
    assert [row[0].value for row in workers] == [BOOK.behaviour(code).name for code in BOOK.codes(Role.WORKER)]
    assert BOOK.behaviours[0].definition in tab["G1"].comment.text
    assert tab.protection.sheet
    assert not tab["G2"].protection.locked
    assert tab["F2"].protection.locked
    assert tab["G4"].protection.locked


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"Utterances_G2": "Opn question"}, r"visit.xlsx, sheet 'Utterances', cell G2: 'Opn question' is no code"),
        ({"Utterances_G3": "Open question"}, r"cell G3: 'Open question' is no code for the parent"),
        ({"Ratings_F3": 6}, r"sheet 'Ratings', cell F3: is '6', but ratings run from 1 to 5"),
        ({"Ratings_F3": "good"}, r"sheet 'Ratings', cell F3: is 'good'"),
        ({"Ratings_A3": "Kindness"}, r"cell A3: 'Kindness' is no element"),
        ({"Utterances_G1": "kode"}, r"cell G1: is 'kode' instead of 'code'"),
        ({"About_B4": "msw 0.1", "About_B3": "msw 0.1"}, r"was written for codebook msw 0\.1, this is msw 1\.0"),
        ({"About_B2": " "}, r"sheet 'About': session or coder is empty"),
    ],
)
def test_a_bad_cell_is_named(sheet: Path, cells: dict[str, object], message: str) -> None:
    fill(sheet, **cells)
    with pytest.raises(MalformedTranscript, match=message):
        sheets.read(sheet, BOOK)


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        sheets.write(tmp_path / f"{name}.xlsx", "visit", "Anna", SAID, BOOK)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_a_sheet_of_a_scored_session_shows_no_score(tmp_path: Path) -> None:
    """A coder who sees what the machine said drifts towards it."""
    scored = ScoredSession(
        recording=Recording(name="visit", source="visit.wav", sha256="0", kind="sound"),
        roles=RoleChoice(roles={}, margin=1, method="given"),
        quality=Quality(),
        utterances=tuple(
            CodedUtterance(utterance=u, code="confront", parent_code="input", confidence=0.987) for u in SAID
        ),
        measures=(),
        ratings=(Rating(element="empathy", status=RatingStatus.INDICATIVE, value=4.32, low=4.0, high=4.6, reason="x"),),
        provenance=Provenance(msw_ml="0", codebook="msw", codebook_version="1.0", engines={}, settings={}),
    )
    (tmp_path / "scores" / "visit").mkdir(parents=True)
    (tmp_path / "scores" / "visit" / "session.json").write_text(scored.model_dump_json())
    (path,) = preparing.write_sheets([tmp_path / "scores"], tmp_path / "out", ["Anna"], BOOK)
    book = openpyxl.load_workbook(path)
    shown = " ".join(
        str(c.value) for tab in ("Utterances", "Ratings", "About") for row in book[tab].iter_rows() for c in row
    )
    assert "0.987" not in shown
    assert "4.32" not in shown
    assert all(book["Utterances"][f"G{row}"].value is None for row in (2, 3, 4))


def test_filled_sheets_of_two_coders_can_be_compared(tmp_path: Path) -> None:
    for coder, code in (("Anna", "Open question"), ("Ben", "Closed question")):
        sheets.write(tmp_path / coder / "visit.xlsx", "visit", coder, SAID, BOOK)
        fill(tmp_path / coder / "visit.xlsx", Utterances_G2=code)
    found = read([tmp_path], BOOK)
    assert [(c.coder, c.code) for c in found.codings] == [("Anna", "question_open"), ("Ben", "question_closed")]


def test_one_bad_sheet_does_not_stop_the_rest(tmp_path: Path) -> None:
    for name in ("good", "bad"):
        sheets.write(tmp_path / "in" / f"{name}.xlsx", name, "Anna", SAID, BOOK)
    fill(tmp_path / "in" / "good.xlsx", Utterances_G2="Open question")
    fill(tmp_path / "in" / "bad.xlsx", Ratings_F2=9)
    found = preparing.read_sheets([tmp_path / "in"], tmp_path / "out", BOOK)
    assert (found.sheets, found.codes, len(found.errors)) == (1, 1, 1)
    assert (
        tmp_path / "out" / "codes.csv"
    ).read_text() == "session,unit,coder,code,parent_code\ngood,0,Anna,question_open,question\n"


def test_a_sampled_session_without_transcript_is_named(tmp_path: Path) -> None:
    (tmp_path / "sample.csv").write_text("order,session\n1,nowhere\n")
    (tmp_path / "v.csv").write_text("speaker,text\nSW,Hello there.\nMum,Come in.\n")
    with pytest.raises(InputError, match="'nowhere' of the sample is not among the transcripts"):
        preparing.write_sheets([tmp_path / "v.csv"], tmp_path / "out", ["Anna"], BOOK, tmp_path / "sample.csv")
