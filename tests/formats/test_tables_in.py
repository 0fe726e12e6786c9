"""Tables of other people are understood, and what cannot be understood is named with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from msw_ml.errors import MalformedTranscript
from msw_ml.formats import registry
from msw_ml.formats.rows import safe_name
from msw_ml.formats.synonyms import role_of
from msw_ml.formats.times import clock, seconds
from msw_ml.formats.transcript import Transcript
from msw_ml.session import Role


def read(folder: Path, text: str, name: str = "visit.csv", encoding: str = "utf-8") -> list[Transcript]:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return registry.read(path)


@pytest.mark.parametrize(("label", "role"), [
    ("Social Worker", Role.WORKER), ("SW", Role.WORKER), ("sw2", Role.WORKER), ("Practitioner:", Role.WORKER),
    ("Mum", Role.PARENT), ("DAD", Role.PARENT), ("Kelly (mother)", Role.PARENT), ("Parent 2", Role.PARENT),
    ("foster-carer", Role.PARENT), ("Child", Role.CHILD), ("young person", Role.CHILD), ("Grandma", Role.OTHER),
    ("unknown", Role.UNKNOWN), ("Kelly", None), ("Mumford", None), ("", None),
])  # fmt: skip
def test_labels_name_roles(label: str, role: Role | None) -> None:
    """The words of the field name roles; a mere name names none."""
    assert role_of(label) is role


@pytest.mark.parametrize(("text", "value"), [
    ("01:02:03.500", 3723.5), ("62:03", 3723.0), ("3723,25", 3723.25), ("0:05", 5.0), ("00:09:025", 565.0),
    ("[00:00:01]", 1.0), ("12s", 12.0), (".5", 0.5),
])  # fmt: skip
def test_times_as_people_write_them(text: str, value: float) -> None:
    """Clock times and seconds, with point or comma."""
    assert seconds(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "soon", "1:75", "1:61:00", "-3", "12:3x", "1e3"])
def test_what_is_no_time(text: str) -> None:
    """Anything else is an error, not a guess."""
    with pytest.raises(ValueError, match="is not a time"):
        seconds(text)


def test_clock_rounds_up_through_the_minute() -> None:
    """59.9996 s is 1:00.000 and never 0:60.000."""
    assert clock(59.9996) == "00:01:00.000"
    assert clock(3599.9999, ",") == "01:00:00,000"


def test_several_sessions_and_coders_in_one_file(tmp_path: Path) -> None:
    """AnnoMI's shape: rows of several annotators become one utterance with everybody's labels."""
    (first, second) = read(
        tmp_path,
        "transcript_id,topic,utterance_id,interlocutor,timestamp,utterance_text,annotator_id,main_therapist_behaviour,"
        "question_subtype,client_talk_type\n"
        "7,less coffee ,0,therapist,00:00:04,How was it?,3,question,open,n/a\n"
        "7,less coffee ,0,therapist,00:00:04,How was it?,5,question,closed,n/a\n"
        "7,less coffee ,1,client,00:00:06,Fine.,3,n/a,n/a,neutral\n"
        "8,sleep,0,client,00:00:01,Hi.,3,n/a,n/a,change\n",
    )
    assert [t.session for t in (first, second)] == ["7", "8"]
    assert first.target == "less coffee"
    assert first.units == "rows"
    assert [(u.role, u.text, u.start, u.end) for u in first.utterances] == [
        (Role.WORKER, "How was it?", 4.0, None),
        (Role.PARENT, "Fine.", 6.0, None),
    ]
    assert [(c.utterance, c.coder, c.column, c.label) for c in first.coded] == [
        (0, "3", "main_therapist_behaviour", "question"),
        (0, "3", "question_subtype", "open"),
        (0, "5", "main_therapist_behaviour", "question"),
        (0, "5", "question_subtype", "closed"),
        (1, "3", "client_talk_type", "neutral"),
    ]


def test_a_machines_labels_are_not_a_coders(tmp_path: Path) -> None:
    """AutoMISC's automatic labels stand under another coder than its human ones."""
    (back,) = read(
        tmp_path, "conv_id,speaker,vol_text,utt_text,t2_label_auto,t2_label_GT\na,counsellor,Hi. Well?,Well?,OQ,CQ\n"
    )
    assert back.utterances[0].text == "Well?"
    assert [(c.coder, c.label) for c in back.coded] == [("machine", "OQ"), ("", "CQ")]
    assert back.notes == ("columns not read: vol_text",)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separator_is_found(tmp_path: Path, separator: str) -> None:
    """Comma, semicolon (Excel on the continent) and tab, also where the words hold the others."""
    text = f'Speaker{separator}Text\nMum{separator}"a, b; c"\nSW{separator}Yes\n'
    (back,) = read(tmp_path, text)
    assert [u.text for u in back.utterances] == ["a, b; c", "Yes"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_of_excel(tmp_path: Path, encoding: str) -> None:
    """What Excel and Notepad write is read without being told."""
    (back,) = read(tmp_path, "speaker,text\r\nMum,Caf\u00e9 \u2013 na\u00efve\r\n", encoding=encoding)
    assert back.utterances[0].text == "Caf\u00e9 \u2013 na\u00efve"


def test_a_column_a_speaker(tmp_path: Path) -> None:
    """A table with the words of worker and mother side by side."""
    (back,) = read(tmp_path, "Time,Social worker,Mum\n0:01,How are you?,\n0:03,,Tired.\n0:05,Go on.,I will.\n")
    assert [(u.speaker, u.role, u.text, u.start) for u in back.utterances] == [
        ("Social worker", Role.WORKER, "How are you?", 1.0),
        ("Mum", Role.PARENT, "Tired.", 3.0),
        ("Social worker", Role.WORKER, "Go on.", 5.0),
        ("Mum", Role.PARENT, "I will.", 5.0),
    ]


def test_names_stay_and_are_nobody(tmp_path: Path) -> None:
    """A speaker column may hold mere names; who is who is then for the role finder."""
    (back,) = read(tmp_path, "speaker,text\nKelly,Hi\nSam,Hello\n")
    assert [(u.speaker, u.role) for u in back.utterances] == [("Kelly", Role.UNKNOWN), ("Sam", Role.UNKNOWN)]


def test_empty_texts_stay_so_that_rows_match_coders_rows(tmp_path: Path) -> None:
    """A row without words is still a unit; a row without anything is none."""
    (back,) = read(tmp_path, "speaker,text\nMum,\n,\nSW,Yes\n")
    assert [u.text for u in back.utterances] == ["", "Yes"]


@pytest.mark.parametrize(("text", "message"), [
    ("role,text\nworker,Hi\nlodger,Hello\n", r"row 3, column 'role' is 'lodger', .*; write one of worker, p"),
    ("speaker,text,start\nMum,Hi,soon\n", r"row 2, column 'start' 'soon' is not a time; write hh:mm:ss"),
    ("speaker,text,begin,stop\nMum,Hi,5,3\n", r"row 2, column 'stop' is 3 s, before the start at 5 s"),
    ("speaker,text\nMum,Hi, there\n", r"row 2 has 3 cells but the header has 2; put texts .* into double quotes"),
    ("utterance,speaker,text\n1,Mum,Hi\n1,SW,Yes\n", r"row 3, column 'utterance' repeats the utterance '1' of row 2"),
    ("utterance,speaker,text,coder\n1,Mum,Hi,a\n1,Mum,Ho,b\n", r"row 3, .*with another text, speaker or time"),
    ("speaker,start\nMum,1\n", r"has no column of text; call one 'text' \(found: 'speaker', 'start'\)"),
    ("text,start\nHi,1\n", r"has no column of speakers; call one 'speaker' or 'role'"),
    ("speaker,text\n", r"header but no rows"),
    ('speaker,text\nMum,"Hi\n', r"line 2: unexpected end of data; check the double quotes"),
])  # fmt: skip
def test_what_cannot_be_understood_is_named(tmp_path: Path, text: str, message: str) -> None:
    """File, row, column and what to do stand in the message."""
    with pytest.raises(MalformedTranscript, match=message) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith("visit.csv: ")


def test_no_message_repeats_speech(tmp_path: Path) -> None:
    """A cell that holds words in the wrong column is not quoted."""
    words = "and then I told him that he could not stay with us"
    with pytest.raises(MalformedTranscript) as caught:
        read(tmp_path, f"role,text\n{words},Hi\n")
    assert words not in str(caught.value)
    assert f"a text of {len(words)} characters" in str(caught.value)


@pytest.mark.parametrize("given", ["../../etc/passwd", "/abs", "a\\b", "..", ".hidden", "x" * 300, "tab\there", "a/b"])
def test_session_names_are_no_paths(tmp_path: Path, given: str) -> None:
    """A session's name becomes a folder's name, so it may not lead out of it; different ones stay different."""
    name = safe_name(given)
    assert Path(name).name == name
    assert not name.startswith(".")
    assert len(name) <= 120
    assert name != safe_name(given + "!")
    (back,) = read(tmp_path, f'session,speaker,text\n"{given}",Mum,Hi\n')
    assert back.session == name


def test_plain_session_names_stay() -> None:
    """What is safe is not touched."""
    for name in ("visit 1", "Zoë (2)", "a-b_c.d"):
        assert safe_name(name) == name


@pytest.mark.parametrize("content", [
    [{"speaker": "Mum", "text": "Hi", "start": 1, "end": 2.5}],
    {"segments": [{"speaker": "Mum", "text": "Hi", "start": 1, "end": 2.5}]},
    {"utterances": [{"name": "Mum", "utterance_text": "Hi", "start_ms": 1000, "end_ms": 2500}]},
])  # fmt: skip
def test_json_of_other_programs(tmp_path: Path, content: object) -> None:
    """A list of objects, bare or under the usual names."""
    (back,) = read(tmp_path, json.dumps(content), "a.json")
    assert [(u.speaker, u.role, u.text, u.start, u.end) for u in back.utterances] == [
        ("Mum", Role.PARENT, "Hi", 1.0, 2.5)
    ]


@pytest.mark.parametrize(("text", "message"), [
    ("{", r"a.json is not JSON: line 1, column 2"),
    ("{}", r"holds no list of utterances"),
    ("[1]", r"item 1 is not an object"),
    ("[" * 100_000, r"is not JSON: nested too deeply"),
    ('{"schema_version": "1.0"}', r"recording: Field required"),
    ('[{"role": "worker", "text": "a"}, {"role": "lodger", "text": "b"}]', r"item 2, column 'role' is 'lodger'"),
])  # fmt: skip
def test_wrong_json_is_named(tmp_path: Path, text: str, message: str) -> None:
    """Where the JSON breaks or which item is wrong."""
    with pytest.raises(MalformedTranscript, match=message):
        read(tmp_path, text, "a.json")


@pytest.mark.shared
def test_annomi_and_automisc_are_read_whole(shared: Path) -> None:
    """Every row of the sets on which the models are trained is read, every annotator's label kept."""
    full = registry.read(shared / "data" / "annomi" / "AnnoMI-full.csv")
    simple = registry.read(shared / "data" / "annomi" / "AnnoMI-simple.csv")
    assert (len(full), sum(len(t.utterances) for t in full)) == (107, 7938)
    assert {t.session: t.utterances for t in full} == {t.session: t.utterances for t in simple}
    assert all(t.target and any(u.role is Role.WORKER for u in t.utterances) for t in full)
    assert {c.coder for t in full for c in t.coded} == {str(coder) for coder in range(10)}
    main = [c for t in full for c in t.coded if c.column in ("main_therapist_behaviour", "client_talk_type")]
    assert len(main) == 9144
    coded = registry.read(shared / "data" / "automisc" / "hlqc_manual.csv")
    assert (len(coded), sum(len(t.utterances) for t in coded)) == (10, 1925)
