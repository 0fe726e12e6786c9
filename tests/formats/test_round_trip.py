"""What a format writes it also reads: nothing said, no speaker, no time and no role is lost on the way."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msw_ml.codebook.book import Codebook
from msw_ml.errors import OutputError
from msw_ml.formats import registry
from msw_ml.formats.office import legal
from msw_ml.formats.session_json import load, session_json
from msw_ml.formats.transcript import Transcript
from msw_ml.session import CodedUtterance, Role, ScoredSession, Utterance

Seen = tuple[str, str, str, float | None, float | None]

FULL = ("json", "csv", "xlsx", "docx", "vtt")
TIMED = ("srt", "textgrid", "eaf")


def seen(utterances: list[Utterance] | tuple[Utterance, ...], clean: Callable[[str], str]) -> list[Seen]:
    def time(value: float | None) -> float | None:
        return None if value is None else round(value, 3)

    return [(u.speaker, u.role.value, clean(u.text), time(u.start), time(u.end)) for u in utterances]


def one_line_end(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def no_empty_lines(text: str) -> str:
    return "\n".join(
        line.strip() for line in text.replace("\u2028", "\n").replace("\u2029", "\n").splitlines() if line.strip()
    )


CLEAN: dict[str, Callable[[str], str]] = {
    "json": lambda text: text,
    "csv": one_line_end,
    "xlsx": lambda text: one_line_end(legal(text)),
    "docx": lambda text: one_line_end(legal(text)),
    "vtt": no_empty_lines,
    "srt": no_empty_lines,
    "textgrid": one_line_end,
    "eaf": lambda text: one_line_end(legal(text)),
}

words = st.text(
    st.characters(exclude_categories=["Cs", "Cn"], exclude_characters="\x00\x0b\x0c\x1c\x1d\x1e\x85"), max_size=40
)
plain_words = st.text(st.sampled_from("abc é=+-@\"'&;,.:?!\n\t中1"), max_size=30)
names = st.sampled_from(["Anna", "Mrs O'Neill", "SPEAKER_00", "Zoë B", "Li Wei", "Mum"])
millis = st.integers(0, 7_300_000)


@st.composite
def visits(draw: st.DrawFn, *, timed: bool, texts: st.SearchStrategy[str]) -> list[Utterance]:
    roles = {
        name: draw(st.sampled_from(list(Role)))
        for name in ("Anna", "Mrs O'Neill", "SPEAKER_00", "Zoë B", "Li Wei", "Mum")
    }
    made: list[Utterance] = []
    for number in range(draw(st.integers(1, 6))):
        speaker = draw(names)
        start = draw(millis) if timed or draw(st.booleans()) else None
        length = draw(st.integers(1, 9_000)) if timed or draw(st.booleans()) else None
        made.append(
            Utterance(
                id=number,
                speaker=speaker,
                role=roles[speaker],
                text=draw(texts),
                start=None if start is None else start / 1000,
                end=None if start is None or length is None else (start + length) / 1000,
            )
        )
    return made


def there_and_back(name: str, session: ScoredSession, codebook: Codebook) -> Transcript:
    with tempfile.TemporaryDirectory() as folder:
        (transcript,) = registry.read(registry.write(name, session, Path(folder), codebook))
        return transcript


@pytest.mark.parametrize("name", FULL)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(data=st.data())
def test_all_that_was_said_comes_back(
    name: str, data: st.DataObject, scored: Callable[[list[Utterance]], ScoredSession], codebook: Codebook
) -> None:
    """Speakers, roles, words, times (also missing ones) and order survive, whatever characters the words have."""
    utterances = data.draw(visits(timed=False, texts=words))
    back = there_and_back(name, scored(utterances), codebook)
    clean = CLEAN[name]
    assert seen(back.utterances, clean) == seen(utterances, clean)


@pytest.mark.parametrize("name", TIMED)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(data=st.data())
def test_formats_on_the_time_axis_keep_overlap(
    name: str, data: st.DataObject, scored: Callable[[list[Utterance]], ScoredSession], codebook: Codebook
) -> None:
    """Speakers, words and times survive even where everybody, or one speaker with himself, overlaps."""
    utterances = data.draw(visits(timed=True, texts=plain_words))
    back = there_and_back(name, scored(utterances), codebook)
    clean = CLEAN[name]
    wanted, got = seen(utterances, clean), seen(back.utterances, clean)
    if name == "srt":  # SRT has no roles
        wanted, got = ([(w[0], "", *w[2:]) for w in rows] for rows in (wanted, got))
    assert sorted(got, key=repr) == sorted(wanted, key=repr)
    assert [u.start for u in back.utterances] == sorted(u.start or 0 for u in back.utterances)


def test_session_json_is_the_whole_session(visit: ScoredSession) -> None:
    """session.json reads back to an equal session, and the same session gives the same bytes."""
    again = load(session_json(visit).decode(), "session.json")
    assert again == visit
    assert session_json(again) == session_json(visit)


@pytest.mark.parametrize("name", registry.writable())
def test_writing_twice_gives_the_same_bytes(
    name: str, visit: ScoredSession, codebook: Codebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No time of day and no time zone gets into a file."""
    first = registry.write(name, visit, tmp_path / "a", codebook).read_bytes()
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    monkeypatch.setattr("time.localtime", lambda *_: (2033, 5, 18, 3, 33, 20, 2, 138, 0))
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    assert registry.write(name, visit, tmp_path / "b", codebook).read_bytes() == first


@pytest.mark.parametrize(("name", "labels"), [
    ("csv", ["question_open", "question", "affirm"]), ("json", ["question_open", "question", "affirm"]),
    ("xlsx", ["question_open", "question", "affirm"]), ("textgrid", ["question_open", "affirm"]),
    ("eaf", ["question_open", "affirm"]), ("docx", ["Open question", "Affirmation"]),
])  # fmt: skip
def test_codes_come_back_with_their_utterance(
    name: str, labels: list[str], visit: ScoredSession, codebook: Codebook, tmp_path: Path
) -> None:
    """Codes are kept for comparison beside the utterance they belong to."""
    (back,) = registry.read(registry.write(name, visit, tmp_path, codebook))
    assert [code.label for code in back.coded if code.utterance == 0] == labels
    child = next(u.id for u in back.utterances if u.speaker == "Tia")
    assert not [code for code in back.coded if code.utterance == child]


@pytest.mark.parametrize("name", ["srt", "textgrid", "eaf", "rttm"])
def test_a_format_that_needs_times_says_so(
    name: str, scored: Callable[[list[Utterance]], ScoredSession], codebook: Codebook, tmp_path: Path
) -> None:
    """An utterance without a time is refused in words, never left out."""
    session = scored([Utterance(id=0, speaker="Anna", text="Hello.")])
    with pytest.raises(OutputError, match=r"utterance 0 has no time.*choose csv, json"):
        registry.write(name, session, tmp_path, codebook)
    assert not list(tmp_path.iterdir())


def test_an_end_that_nobody_knows_is_the_next_start(
    scored: Callable[[list[Utterance]], ScoredSession], codebook: Codebook, tmp_path: Path
) -> None:
    """AnnoMI and Word transcripts have starts alone; WebVTT marks the guess and our reader does not believe it."""
    session = scored([
        Utterance(id=0, speaker="Anna", text="One.", start=1.0),
        Utterance(id=1, speaker="Mum", text="Two.", start=4.0),
    ])  # fmt: skip
    (srt,) = registry.read(registry.write("srt", session, tmp_path, codebook))
    assert [(u.start, u.end) for u in srt.utterances] == [(1.0, 4.0), (4.0, 5.0)]
    (vtt,) = registry.read(registry.write("vtt", session, tmp_path, codebook))
    assert [(u.start, u.end) for u in vtt.utterances] == [(1.0, None), (4.0, None)]


def test_other_programs_read_our_files(
    visit: ScoredSession, scored: Callable[[list[Utterance]], ScoredSession], codebook: Codebook, tmp_path: Path
) -> None:
    """pysubs2, praatio and pympi, which share no code with us, find the same speech."""
    pysubs2 = pytest.importorskip("pysubs2")
    textgrid = pytest.importorskip("praatio.textgrid")
    elan = pytest.importorskip("pympi.Elan")
    # praatio splits a file at "item [" wherever it stands, also within what was said
    tame = [
        unit.utterance.model_copy(update={"text": unit.utterance.text.replace("item [1]", "")})
        for unit in visit.utterances
    ]
    visit = scored(tame)
    paths = {name: registry.write(name, visit, tmp_path, codebook) for name in ("vtt", "srt", "textgrid", "eaf")}
    for name in ("vtt", "srt"):
        cues = pysubs2.load(str(paths[name]), encoding="utf-8")
        assert sorted((cue.start, cue.end) for cue in cues) == [(0, 2500), (2250, 4125), (4000, 6000), (4125, 4126)]
    grid = textgrid.openTextgrid(str(paths["textgrid"]), includeEmptyIntervals=False)
    assert tuple(grid.getTier("Tia (child)").entries[0]) == (4.0, 6.0, "@home; +1, -2")
    eaf = elan.Eaf(str(paths["eaf"]), suppress_version_warning=True)
    assert eaf.get_annotation_data_for_tier("Tia") == [(4000, 6000, "@home; +1, -2")]
    assert [row[2] for row in eaf.get_ref_annotation_data_for_tier("Anna code")] == ["question_open;affirm"] * 2


def test_we_read_what_praat_and_elan_libraries_write(tmp_path: Path) -> None:
    """Short TextGrids by praatio and EAF by pympi are read with speakers, times and roles."""
    textgrid = pytest.importorskip("praatio.textgrid")
    elan = pytest.importorskip("pympi.Elan")
    grid = textgrid.Textgrid()
    grid.addTier(textgrid.IntervalTier("Mum", [(0.5, 1.5, 'she said "no"')], 0, 3))
    grid.addTier(textgrid.IntervalTier("Worker", [(1.5, 2.0, "Right")], 0, 3))
    for form in ("short_textgrid", "long_textgrid"):
        grid.save(str(tmp_path / "a.TextGrid"), form, includeBlankSpaces=True)
        (back,) = registry.read(tmp_path / "a.TextGrid")
        assert [(u.speaker, u.role, u.text, u.start) for u in back.utterances] == [
            ("Mum", Role.PARENT, 'she said "no"', 0.5),
            ("Worker", Role.WORKER, "Right", 1.5),
        ]
    eaf = elan.Eaf()
    eaf.add_tier("S1", part="Social worker")
    eaf.add_annotation("S1", 100, 900, "How are you?")
    eaf.to_file(str(tmp_path / "a.eaf"))
    (back,) = registry.read(tmp_path / "a.eaf")
    assert [(u.role, u.text, u.start, u.end) for u in back.utterances] == [(Role.WORKER, "How are you?", 0.1, 0.9)]


def test_excel_never_meets_a_formula(
    scored: Callable[[list[Utterance]], ScoredSession], codebook: Codebook, tmp_path: Path
) -> None:
    """What was said is text in the cell, whatever it begins with."""
    from openpyxl import load_workbook

    texts = ["=1+1", "+44 7700", "-5 degrees", "@home", '=HYPERLINK("http://example.org")', "#REF!"]
    session = scored([Utterance(id=i, speaker="=Anna", text=text) for i, text in enumerate(texts)])
    path = registry.write("xlsx", session, tmp_path, codebook)
    sheet = load_workbook(io.BytesIO(path.read_bytes()))["Utterances"]
    cells = [row[6] for row in sheet.iter_rows(min_row=2)]
    assert [cell.value for cell in cells] == texts
    assert {cell.data_type for cell in cells} == {"s"}


def test_a_text_longer_than_a_cell_is_refused(
    scored: Callable[[list[Utterance]], ScoredSession], codebook: Codebook, tmp_path: Path
) -> None:
    """openpyxl would cut it at 32,767 characters without a word."""
    session = scored([Utterance(id=0, speaker="Anna", text="a" * 40_000)])
    with pytest.raises(OutputError, match="does not fit an Excel cell"):
        registry.write("xlsx", session, tmp_path, codebook)


def test_words_and_probabilities_stay_in_session_json(visit: ScoredSession) -> None:
    """A unit with its probabilities and volley is the same after reading."""
    unit = CodedUtterance(
        utterance=visit.utterances[0].utterance, probabilities={"affirm": 0.25, "other": 0.75}, volley=3
    )
    session = visit.model_copy(update={"utterances": (unit,)})
    assert load(session_json(session).decode(), "x").utterances[0] == unit
