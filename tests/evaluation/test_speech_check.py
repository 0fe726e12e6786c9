"""Measuring of the engines: references are read as they are, and every rate is a sum of counts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from evaluation import speech
from evaluation import speech_scores as scores
from evaluation.hearing import ErrorRate
from evaluation.speech_set import MeasuredFile, Said, read_set
from msw_ml.errors import MalformedTranscript, UnknownName, UnreadableInput
from msw_ml.session import Span, Turn, Utterance, Word

CLIP = Path(__file__).parents[1] / "data" / "short_visit.flac"
HEADER = "path,seconds,speakers,kind,has_turns,has_words,licence\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A set of one constructed recording, laid out as real sets are."""
    (tmp_path / "own").mkdir()
    for suffix in (".flac", ".stm", ".rttm"):
        shutil.copy(CLIP.with_suffix(suffix), tmp_path / "own")
    (tmp_path / "manifest.csv").write_text(HEADER + "own/short_visit.flac,19.4,2,constructed,yes,yes,ours\n")
    return tmp_path


def file_of(*texts: str) -> MeasuredFile:
    said = tuple(Said(speaker="AB"[i % 2], text=text, start=i, end=i + 1) for i, text in enumerate(texts))
    return MeasuredFile(path=CLIP, group="own", speakers=2, is_real=False, said=said)


def words_of(text: str) -> list[Word]:
    return [Word(start=i, end=i + 1, text=f" {word}") for i, word in enumerate(text.split())]


def test_a_set_is_read_with_its_references(folder: Path) -> None:
    (file,) = read_set(folder)
    assert (file.group, file.speakers, file.is_real, file.worker) == ("own", 2, False, "WORKER")
    assert [said.speaker for said in file.said][:2] == ["WORKER", "MUM"]
    assert file.said[0].text == "How did the weekend go with the new bedtime?"
    assert len(file.turns) == len(file.said)


def test_a_copy_without_references_of_its_own_is_left_out(folder: Path) -> None:
    """The same visit as flac and m4a would count its words twice."""
    shutil.copy(CLIP, folder / "own" / "short_visit.wav")
    with (folder / "manifest.csv").open("a") as file:
        file.write("own/short_visit.wav,19.4,2,constructed,yes,yes,ours\n")
    assert [file.path.suffix for file in read_set(folder)] == [".wav"]


def test_words_without_times_and_a_part_to_score(folder: Path) -> None:
    (folder / "own" / "short_visit.stm").unlink()
    (folder / "own" / "refs.tsv").write_text('file\tspeaker\ttext\nshort_visit.flac\tA\tSaid "so".\n')
    (folder / "own" / "short_visit.uem").write_text("short_visit 1 0.0 10.0\n")
    (file,) = read_set(folder)
    assert [said.text for said in file.said] == ['Said "so".']
    assert file.scored == Span(start=0, end=10)


def test_broken_sets_name_file_row_and_column(folder: Path, tmp_path: Path) -> None:
    with (folder / "manifest.csv").open("a") as file:
        file.write("own/absent.wav,1,2,real,yes,yes,ours\n")
    with pytest.raises(UnreadableInput, match=r"row 3: own/absent\.wav"):
        read_set(folder)
    (folder / "manifest.csv").write_text(HEADER + "own/short_visit.flac,19.4,two,constructed,yes,yes,ours\n")
    with pytest.raises(MalformedTranscript, match="row 2, column speakers"):
        read_set(folder)
    with pytest.raises(UnreadableInput, match=r"no manifest\.csv"):
        read_set(tmp_path / "own")


def test_word_errors_are_counted_by_utterance_after_normalising() -> None:
    """ "It's fourteen" and "it is 14" are the same words; a wrong, a missing and an added one are three errors."""
    file = file_of("It's fourteen, um, colours.", "We left early.", "Yes.")
    counted = scores.word_errors(file, words_of("it is 14 colors we stayed yes indeed"))
    assert counted == [
        ErrorRate(errors=0, length=4),
        ErrorRate(errors=2, length=3),
        ErrorRate(errors=1, length=1),
    ]
    assert scores.word_errors(file, []) == [ErrorRate(errors=n, length=n) for n in (4, 3, 1)]


def test_words_of_the_wrong_speaker_count_in_cpwer_only() -> None:
    file = file_of("she was late again", "because nobody woke her")
    heard = [
        Utterance(id=0, speaker="S1", text="", words=tuple(words_of("she was late again because"))),
        Utterance(id=1, speaker="S2", text="", words=tuple(words_of("nobody woke her"))),
    ]
    assert scores.speaker_word_errors(file, heard) == ErrorRate(errors=2, length=8)
    assert (
        sum(part.errors for part in scores.word_errors(file, words_of("she was late again because nobody woke her")))
        == 0
    )


def test_turn_errors_by_kind_within_the_scored_part() -> None:
    """No collar, overlap scored: worked by hand."""
    file = file_of("a").model_copy(
        update={
            "turns": (Turn(start=0, end=4, speaker="A"), Turn(start=4, end=8, speaker="B")),
            "scored": Span(start=0, end=10),
        }
    )
    heard = [
        Turn(start=0, end=5, speaker="S1"),
        Turn(start=5, end=7, speaker="S2"),
        Turn(start=8, end=20, speaker="S2"),
    ]
    assert scores.turn_errors(file, heard, duration=20) == pytest.approx(
        {"confusion": 1, "missed detection": 1, "false alarm": 2, "total": 8}
    )


def test_intervals_hold_the_rate_and_need_enough_parts() -> None:
    parts = [ErrorRate(errors=i % 3, length=10) for i in range(30)]
    low, high = scores.interval(parts) or (1, 0)
    assert low < 0.1 < high
    assert scores.interval(parts) == (low, high)
    assert scores.interval(parts[:4]) is None


def test_the_owner_of_a_heard_speaker_shares_the_most_time() -> None:
    turns = [Turn(start=0, end=4, speaker="SW"), Turn(start=4, end=9, speaker="MUM")]
    heard = [
        Utterance(id=0, speaker="S1", text="", start=0, end=5),
        Utterance(id=1, speaker="S2", text="", start=5, end=9),
    ]
    assert scores.owner_of(turns, heard, "S1") == "SW"
    assert scores.owner_of(turns, heard, "S2") == "MUM"
    assert scores.owner_of(turns, heard, "S3") is None


def test_the_real_chain_is_measured(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From a folder to the table, with the engines that `msw score` uses."""
    speech.speech_check(folder, what="wer,der,speakers,cpwer,worker", threads=2)
    table = capsys.readouterr().out
    rate = next(line for line in table.splitlines() if line.startswith("word error rate"))
    assert float(rate.split("own/")[1].split()[0]) < 0.15
    assert "55 words, 7 utterances, 1 files" in rate
    assert "1 of 1 files" in next(line for line in table.splitlines() if line.startswith("number of speakers"))


def test_an_unknown_measure_lists_the_known_ones(folder: Path) -> None:
    with pytest.raises(UnknownName, match="cpwer, der, speakers, wer, worker"):
        speech.speech_check(folder, what="bleu")
