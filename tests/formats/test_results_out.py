"""utterances.csv and sessions.csv have the columns that other people's scripts rely on."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import docx
import pytest
from openpyxl import load_workbook

from msw_ml.codebook.book import Codebook
from msw_ml.errors import OutputError, UnknownName
from msw_ml.formats import registry, spreadsheet, word
from msw_ml.formats.session_json import session_json
from msw_ml.formats.sessions_csv import sessions_header, sessions_row, write_sessions
from msw_ml.formats.summary import about, counts, measures, ratings, signs
from msw_ml.formats.tabular import utterances_csv
from msw_ml.session import Measure, ScoredSession


def test_columns_of_utterances_csv(visit: ScoredSession) -> None:
    """Exactly these columns; the child is not coded; figures have a fixed form."""
    rows = list(csv.reader(io.StringIO(utterances_csv(visit))))
    assert ",".join(rows[0]) == (
        "session,utterance,start,end,speaker,role,text,code,parent_code,confidence,withheld,other_codes"
    )
    assert rows[1][:4] == ["visit 1", "0", "0.000", "2.500"]
    assert rows[1][7:] == ["question_open", "question", "0.8123", "false", "affirm"]
    assert rows[2][7:] == ["change", "change", "0.5", "true", ""]
    assert rows[4][5:] == ["child", "@home; +1, -2", "", "", "", "false", ""]


def test_columns_of_sessions_csv(visit: ScoredSession, codebook: Codebook, tmp_path: Path) -> None:
    """Identity, counts, measures, ratings with interval and status, quality, versions; each column once."""
    header = sessions_header(codebook)
    assert len(header) == len(set(header))
    assert header[:6] == ("session", "source", "duration", "status", "question_open", "question_closed")
    at = header.index("collaboration")
    assert header[at : at + 5] == (
        "collaboration", "collaboration_low", "collaboration_high", "collaboration_status", "autonomy",
    )  # fmt: skip
    end = header.index("worker_talk_share")
    assert header[end - 1] == "child_focus_status"
    assert header[end : end + 5] == (
        "worker_talk_share",
        "speech_seconds",
        "unheard_seconds",
        "doubtful_words",
        "role_margin",
    )
    row = sessions_row(visit, codebook)
    assert tuple(row) == header
    assert (row["question_open"], row["affirm"], row["change"], row["neutral"]) == ("2", "2", "1", "0")
    assert (row["percent_complex_reflections"], row["reflection_to_question_ratio"]) == ("0.3333", "")
    assert (row["empathy"], row["empathy_low"], row["empathy_status"]) == ("3.25", "2.5", "indicative")
    assert (row["child_focus"], row["child_focus_status"]) == ("", "withheld")
    assert header[-1] == "child_focus_reason"
    assert (row["empathy_reason"], row["child_focus_reason"]) == ("few", "no ratings to learn from yet")
    assert (row["worker_talk_share"], row["speech_seconds"], row["duration"]) == ("0.6", "12.346", "")
    path = write_sessions(tmp_path / "sessions.csv", [visit, {"session": "b", "status": "failed"}], codebook)
    read = list(csv.DictReader(path.open(newline="")))
    assert [r["status"] for r in read] == ["scored", "failed"]
    assert read[1]["empathy"] == ""
    with pytest.raises(ValueError, match="fields not in fieldnames"):
        write_sessions(tmp_path / "sessions.csv", [{"sesion": "b"}], codebook)


def test_a_rating_is_never_without_its_status(visit: ScoredSession, codebook: Codebook) -> None:
    """For people: names instead of ids, status beside each rating, 'not defined' instead of a nought."""
    assert ratings(visit, codebook)[1:] == [
        ("Empathy", "indicative", "3.25", "2.5", "4", "few"),
        ("Child focus", "withheld", "", "", "", "no ratings to learn from yet"),
    ]
    assert signs(visit, codebook)[1:] == [
        ("Empathy", "Aim said", "2", "00:00:00.000", "12.5 %", "20 %", "0; 2"),
        ("Child focus", "Next step", "0", "", "", "", ""),
    ]
    by_name = {row[0]: row[1] for row in measures(visit, codebook)}
    assert by_name["Complex reflections"] == "33.3 %"
    assert by_name["Reflections to questions"] == "not defined"
    assert about(visit)[0].startswith("Draft transcription")


def test_counts_carry_their_limits_where_the_error_is_known(visit: ScoredSession, codebook: Codebook) -> None:
    """Tables for people and for statistics programs hold low and high; nothing stands where nothing is known."""
    assert all(row[3:] == ("", "", "") for row in counts(visit, codebook)[1:])
    assert not any("nine of ten" in line for line in about(visit))
    found = Measure(id="question_open", numerator=2, low=1, high=4, expected=2.4)
    others = tuple(one for one in visit.measures if one.id != found.id)
    session = visit.model_copy(update={"measures": (found, *others)})
    assert counts(session, codebook)[1] == ("Open question", "worker", "2", "1", "4", "2.4")
    assert any("nine of ten sessions like those the coder was measured on" in line for line in about(session))
    row = sessions_row(session, codebook)
    assert (row["question_open_low"], row["question_open_high"], row["question_closed_low"]) == ("1", "4", "")
    assert (row["question_open_expected"], row["question_closed_expected"]) == ("2.4", "")
    assert "percent_change_talk_high" in row


def test_figures_are_numbers_in_excel(visit: ScoredSession, codebook: Codebook, tmp_path: Path) -> None:
    """What is to be added up is no text that only looks like a number."""
    found = Measure(id="question_open", numerator=2, low=1, high=4, expected=2.4)
    others = tuple(one for one in visit.measures if one.id != found.id)
    path = spreadsheet.write(visit.model_copy(update={"measures": (found, *others)}), tmp_path, codebook)
    rows = load_workbook(path)["Counts"].iter_rows(values_only=True)
    assert list(rows)[1] == ("Open question", "worker", 2, 1, 4, 2.4)


def test_words_have_room_in_a_word_file(visit: ScoredSession, codebook: Codebook, tmp_path: Path) -> None:
    """Word goes by the cells' widths, LibreOffice by the columns': both say the same, and fit the page."""
    document = docx.Document(str(word.write(visit, tmp_path, codebook)))
    page = document.sections[0]
    room = page.page_width - page.left_margin - page.right_margin
    for table in document.tables:
        columns = [column.width for column in table.columns]
        assert columns == [cell.width for cell in table.rows[-1].cells]
        assert sum(columns) <= room
    said = document.tables[-1].columns
    assert said[5].width == max(column.width for column in said)


def test_session_json_matches_its_schema(visit: ScoredSession) -> None:
    """Every field of session.json is in the published JSON Schema, which names the version."""
    schema = ScoredSession.model_json_schema(mode="serialization")
    written = json.loads(session_json(visit))
    assert set(written) == set(schema["properties"])
    assert written["schema_version"] == schema["properties"]["schema_version"]["default"]


def test_format_names(tmp_path: Path, visit: ScoredSession, codebook: Codebook) -> None:
    """Names are checked before any long work; an unknown one lists those that are."""
    assert registry.check_names(["VTT", " docx ", "vtt", ""]) == ("vtt", "docx")
    for name in ("pdf", "txt"):
        with pytest.raises(UnknownName, match=f"no format is called '{name}'; there are: csv, docx, eaf"):
            registry.check_names([name])
        with pytest.raises(UnknownName):
            registry.write(name, visit, tmp_path, codebook)
    assert registry.is_transcript(Path("A.TEXTGRID"))
    assert not registry.is_transcript(Path("a.wav"))
    assert not registry.is_transcript(Path("a.rttm"))


def test_a_folder_that_cannot_be_written(tmp_path: Path, visit: ScoredSession, codebook: Codebook) -> None:
    """A file where the folder should be is an error of the output, for every format."""
    (tmp_path / "taken").write_text("")
    for name in registry.writable():
        with pytest.raises(OutputError, match="could not be written"):
            registry.write(name, visit, tmp_path / "taken", codebook)
