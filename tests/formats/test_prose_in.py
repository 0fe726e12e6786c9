"""Subtitles, prose, Word, CLAN, CACTI, Praat and ELAN as other people write them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import docx
import pytest

from msw_ml.errors import MalformedTranscript, UnreadableInput
from msw_ml.formats import registry
from msw_ml.formats.transcript import Transcript
from msw_ml.session import Role

GRID = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n3\n<exists>\n'


def read(folder: Path, text: str, name: str) -> Transcript:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    (back,) = registry.read(path)
    return back


def spoken(back: Transcript) -> list[tuple[str, str]]:
    return [(u.speaker, u.text) for u in back.utterances]


def test_webvtt_of_meeting_programs(tmp_path: Path) -> None:
    """Voices with classes, several in a cue, styles, notes, ids, settings, tags and entities."""
    back = read(
        tmp_path,
        "WEBVTT Kind: captions\n\nSTYLE\n::cue { color: red }\n\nNOTE a comment\nof two lines\n\n"
        "c-1\n00:01.000 --> 00:02.500 align:start position:0%\n<v.loud Worker Jo>Are you <i>all</i> right?</v>\n\n"
        "01:00:03.000 --> 01:00:04.000\n<v Mum>Yes &amp; no</v><v Worker Jo>Mm</v>\n",
        "a.vtt",
    )
    assert spoken(back) == [("Worker Jo", "Are you all right?"), ("Mum", "Yes & no"), ("Worker Jo", "Mm")]
    assert [(u.start, u.end) for u in back.utterances] == [(1.0, 2.5), (3603.0, 3604.0), (3603.0, 3604.0)]
    assert back.utterances[1].role is Role.PARENT
    assert back.units == "running"
    assert not back.notes


def test_webvtt_with_names_before_the_words(tmp_path: Path) -> None:
    """Some programs write `Name: words`; a cue without a name goes on with the speaker before it."""
    back = read(
        tmp_path,
        "WEBVTT\n\n00:01.000 --> 00:02.000\nSW: Hello.\n\n00:02.000 --> 00:03.000\nNow: the plan.\n\n"
        "00:03.000 --> 00:04.000\nMum: Right.\n\n00:04.000 --> 00:05.000\nSW: Good.\n\n"
        "00:05.000 --> 00:06.000\nMum: Yes.\n\n00:06.000 --> 00:07.000\nand no.\n",
        "a.vtt",
    )
    assert spoken(back) == [
        ("SW", "Hello."),
        ("SW", "Now: the plan."),
        ("Mum", "Right."),
        ("SW", "Good."),
        ("Mum", "Yes."),
        ("Mum", "and no."),
    ]
    assert [u.role is Role.WORKER for u in back.utterances] == [True, True, False, True, False, False]


def test_subtitles_without_speakers_say_so(tmp_path: Path) -> None:
    """They are read as one unknown speaker, with a note."""
    back = read(tmp_path, "1\n00:00:01,000 --> 00:00:02,000\nhello\n\n2\n00:00:02,000 --> 00:00:03,000\nyes\n", "a.srt")
    assert spoken(back) == [("unknown", "hello"), ("unknown", "yes")]
    assert "no cue says who speaks" in back.notes[0]


def test_srt_with_empty_lines_within_a_text(tmp_path: Path) -> None:
    """Nothing is dropped where a program leaves an empty line in a cue; formatting tags go."""
    back = read(
        tmp_path,
        "1\n00:00:01,000 --> 00:00:02,000\nMum: <i>one</i>\n\ntwo\n\n2\n0:00:03,0 --> 0:00:04,5\nSW: {\\an8}three\n",
        "a.srt",
    )
    assert spoken(back) == [("Mum", "one\ntwo"), ("SW", "three")]


@pytest.mark.parametrize(("name", "text", "message"), [
    ("a.vtt", "1\n00:01.000 --> 00:02.000\nhi\n", "line 1 must be WEBVTT"),
    ("a.vtt", "WEBVTT\n\n00:01.000 -> 00:02.000\nhi\n", "line 3: a cue without a time line"),
    ("a.vtt", "WEBVTT\n\n00:01.000 --> soon\nhi\n", "line 3: one of its two times is not a time"),
    ("a.vtt", "WEBVTT\n\nid\n00:05.000 --> 00:02.000\nhi\n", "line 4: the cue ends before it starts"),
    ("a.vtt", "WEBVTT\n\n--> 00:02.000\nhi\n", "line 3: a time line reads"),
    ("a.vtt", "WEBVTT\n\nNOTE nothing\n", "has no cues"),
    ("a.srt", "hello\nthere\n", "line 1: a cue begins with its number"),
    ("a.srt", "1\n00:00:01,000 --> 00:99:01,000\nhi\n", "line 2: one of its two times"),
    ("a.txt", "just words\nand more\n", "no line says who speaks; begin every turn with a name and a colon"),
    ("a.TextGrid", 'File type = "ooTextFile"\nObject class = "Pitch"\n', "line 2 must read"),
    ("a.TextGrid", f'{GRID}2\n"IntervalTier"\n"a"\n0\n', "breaks off"),
    ("a.TextGrid", f"{GRID}0\n", "no labelled interval"),
    ("a.cha", "@Begin\nMOT: hi\n@End\n", "line 2 begins with neither"),
    ("a.cha", "@Begin\n*MOT hi\n@End\n", r"line 2: a speaker's line reads '\*MOT:'"),
    ("a.cha", "@Begin\n@End\n", "no line of a speaker"),
    ("a.casaa", "Audio File:\ta.wav\n00:00:01.0\t3\n", "line 2 has 2 parts between tabs; CACTI writes 3, 5 or 7"),
    ("a.casaa", "Audio File:\ta.wav\nsoon\t3\tGI\n", "line 2: the time there is not a time"),
    ("a.casaa", "Audio File:\ta.wav\n", "holds no utterance"),
    ("a.casaa", "3\tGI\n", "line 1 must begin with 'Audio File:'"),
    ("a.eaf", "<ANNOTATION_DOCUMENT><TIER/></ANNOTATION_DOCUMENT>", "no labelled interval|lacks"),
])  # fmt: skip
def test_malformed_files_are_named_with_their_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    """Each break of a format names file and line and what would be right."""
    with pytest.raises(MalformedTranscript, match=message) as caught:
        read(tmp_path, text, name)
    assert name in str(caught.value)


def test_prose_with_times_headings_and_colons(tmp_path: Path) -> None:
    """Times before and behind names, Otter's headings, text over several lines, and colons that are no speaker's."""
    back = read(
        tmp_path,
        "Home visit, 3 May\n\n[00:00:01] Social worker: Hi there.\nSo: how was it?\n\nKelly (mother) (00:12): Fine.\n"
        "Social worker\t Good.\n\nKelly (mother)  0:20\nNot so good, though.\n",
        "visit.txt",
    )
    assert spoken(back) == [
        ("Social worker", "Hi there.\nSo: how was it?"),
        ("Kelly (mother)", "Fine."),
        ("Social worker", "Good."),
        ("Kelly (mother)", "Not so good, though."),
    ]
    assert [u.start for u in back.utterances] == [1.0, 12.0, None, 20.0]
    assert [u.role for u in back.utterances[:2]] == [Role.WORKER, Role.PARENT]
    assert back.notes == ("not read, before the first speaker: line 1 to line 1",)


def word(folder: Path) -> Path:
    return folder / "visit.docx"


def test_word_paragraphs(tmp_path: Path) -> None:
    """A transcript in prose, with a line break within a paragraph."""
    document = docx.Document()
    document.add_heading("Visit", 1)
    document.add_paragraph("Worker: How are you?")
    document.add_paragraph("Mum: Tired.\nVery.")
    document.save(str(word(tmp_path)))
    (back,) = registry.read(word(tmp_path))
    assert spoken(back) == [("Worker", "How are you?"), ("Mum", "Tired.\nVery.")]
    assert back.units == "running"


@pytest.mark.parametrize("header", [True, False])
def test_word_tables(tmp_path: Path, header: bool) -> None:
    """A table with a header we know, or just names beside words."""
    rows = [("Worker", "How are you?"), ("Mum", "Tired.")]
    rows = [("Who", "What was said"), *rows] if header else rows
    document = docx.Document()
    table = document.add_table(rows=0, cols=2)
    for row in rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    document.save(str(word(tmp_path)))
    (back,) = registry.read(word(tmp_path))
    assert spoken(back) == [("Worker", "How are you?"), ("Mum", "Tired.")]


def test_word_with_tracked_changes(tmp_path: Path) -> None:
    """Inserted text is read and deleted text is not: the transcript as it stands with the changes taken."""
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    document = docx.Document()
    paragraph = document.add_paragraph("Worker: How ")
    for xml in (
        f'<w:ins {nsdecls("w")} w:id="1" w:author="a"><w:r><w:t>are you</w:t></w:r></w:ins>',
        f'<w:del {nsdecls("w")} w:id="2" w:author="a"><w:r><w:delText>is it</w:delText></w:r></w:del>',
    ):
        paragraph._p.append(parse_xml(xml))
    document.save(str(word(tmp_path)))
    (back,) = registry.read(word(tmp_path))
    assert spoken(back) == [("Worker", "How are you")]


def test_chat_files(tmp_path: Path) -> None:
    """Participants give roles, bullets times, %cod lines labels; CLAN's marks are not words."""
    back = read(
        tmp_path,
        "@UTF8\n@Begin\n@Participants:\tINV Jo Investigator, MOT Mother, CHI Tom Target_Child\n"
        "*INV:\tso &-um <how was> [/] how was (.) the (be)ginning ? \x15100_2300\x15\n%cod:\tQUO\n%mor:\tadv|so\n"
        "*MOT:\tit went well\n\tI think . \x152300_4000\x15\n*CHI:\t0 .\n@End\n",
        "a.cha",
    )
    assert [(u.speaker, u.role, u.text, u.start, u.end) for u in back.utterances] == [
        ("INV", Role.WORKER, "so um how was how was the beginning?", 0.1, 2.3),
        ("MOT", Role.PARENT, "it went well I think.", 2.3, 4.0),
        ("CHI", Role.CHILD, ".", None, None),
    ]
    assert [(c.utterance, c.label, c.column) for c in back.coded] == [(0, "QUO", "%cod")]
    assert back.notes == ("lines not read: %mor",)


def test_cacti_text_files(tmp_path: Path) -> None:
    """Both of CACTI's text forms: times, codes and the side that a MISC code belongs to; -1 is no code."""
    new = read(
        tmp_path, "Audio File:\tC:\\a.wav\n00:00:01.5\t12\tOQ0\n00:00:04.0\t55\tC+\n00:01:00.0\t-1\t\n", "a.casaa"
    )
    assert [(u.start, u.end, u.role) for u in new.utterances] == [
        (1.5, None, Role.WORKER), (4.0, None, Role.PARENT), (60.0, None, Role.UNKNOWN),
    ]  # fmt: skip
    assert [(c.utterance, c.label) for c in new.coded] == [(0, "OQ0"), (1, "C+")]
    assert not new.has_words
    assert "cannot be scored" in new.notes[0]
    old = read(
        tmp_path,
        "Audio File:\ta.wav\n0\t0:00:00\t0:00:05\t0\t88200\t4\tSR+/-\n1\t0:00:05\tnull\t88200\t-1\n",
        "b.casaa",
    )
    assert [(u.start, u.end, u.role) for u in old.utterances] == [(0.0, 5.0, Role.WORKER), (5.0, None, Role.UNKNOWN)]
    assert [c.label for c in old.coded] == ["SR+/-"]


def test_cacti_database(tmp_path: Path) -> None:
    """CACTI 2's SQLite file, whose tables name the speaker of each code. The file itself is not touched."""
    path = tmp_path / "a.casaa"
    with sqlite3.connect(path) as database:
        database.executescript("""
            create table speakers (speaker_id integer primary key not null, speaker_name string not null unique);
            create table codes (code_id integer primary key not null, code_name string not null, speaker_id integer);
            create table utterances (utterance_id TEXT primary key, time_marker string not null, code_id integer,
                annotation string);
            insert into speakers values (0, 'Therapist'), (1, 'Client');
            insert into codes values (3, 'GI', 0), (55, 'C+', 1);
            insert into utterances values ('2', '00:00:07.5', 55, ''), ('1', '00:00:01.0', 3, '');
        """)
    before = path.read_bytes()
    (back,) = registry.read(path)
    assert [(u.speaker, u.role, u.start) for u in back.utterances] == [
        ("Therapist", Role.WORKER, 1.0),
        ("Client", Role.PARENT, 7.5),
    ]
    assert [c.label for c in back.coded] == ["GI", "C+"]
    assert path.read_bytes() == before


def test_a_database_that_never_ends_is_left(tmp_path: Path) -> None:
    """A view that counts for ever stands where a table should: the reader gives up in words."""
    path = tmp_path / "a.casaa"
    with sqlite3.connect(path) as database:
        database.executescript("""
            create table speakers (speaker_id, speaker_name); create table codes (code_id, code_name, speaker_id);
            create view utterances as with recursive n(x) as (select 1 union all select x + 1 from n)
                select x as utterance_id, '0' as time_marker, 1 as code_id from n;
        """)
    with pytest.raises(UnreadableInput, match="not a session of CACTI"):
        registry.read(path)


@pytest.mark.shared
def test_elans_own_example(shared: Path) -> None:
    """A real ELAN file: two people's speech tiers are read, words, glosses and gestures named as unread."""
    (back,) = registry.read(shared / "audio" / "elan_example1" / "elan-example1.eaf")
    assert {u.speaker for u in back.utterances} == {"K-Spch", "W-Spch"}
    rttm = (shared / "audio" / "elan_example1" / "elan-example1.rttm").read_text().split("\n")
    assert len(back.utterances) == sum(line.startswith("SPEAKER") for line in rttm)
    assert "W-RGU" in back.notes[0]
