"""Error rates keep their counts, add up, and are what is counted by hand."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from evaluation import hearing, references
from evaluation.chain import spread
from evaluation.hearing import ErrorRate
from msw_ml.errors import InputError, MalformedTranscript
from msw_ml.session import Role, Turn, Utterance


def said(*rows: tuple[str, float, float, str, Role]) -> list[Utterance]:
    return [
        Utterance(id=n, speaker=speaker, start=start, end=end, text=text, role=role)
        for n, (speaker, start, end, text, role) in enumerate(rows)
    ]


REFERENCE = said(
    ("SW", 0, 4, "How has the week been?", Role.WORKER),
    ("MUM", 4, 8, "Long, he was up at five.", Role.PARENT),
)


def test_a_word_too_few_and_one_wrong() -> None:
    heard = said(("S1", 0, 4, "how has the weak been", Role.WORKER), ("S2", 4, 8, "long he was at five", Role.PARENT))
    assert hearing.word_errors(REFERENCE, heard) == ErrorRate(errors=2, length=11)


def test_the_right_words_of_the_wrong_speaker_count_only_with_speakers() -> None:
    heard = said(("S1", 0, 8, "How has the week been? Long, he was up at five.", Role.WORKER))
    assert hearing.word_errors(REFERENCE, heard).errors == 0
    assert hearing.speaker_word_errors(REFERENCE, heard).errors > 0


def test_turns_are_compared_in_seconds() -> None:
    found = hearing.turn_errors(REFERENCE, [Turn(start=0, end=5, speaker="a"), Turn(start=5, end=8, speaker="b")])
    assert (found.errors, found.length) == (pytest.approx(1.0), pytest.approx(8.0))


def test_roles_are_compared_where_both_speak() -> None:
    heard = said(("a", 0, 4, "", Role.PARENT), ("b", 5, 8, "", Role.PARENT))
    found = hearing.role_errors(REFERENCE, heard)
    assert (found.errors, found.length) == (pytest.approx(4.0), pytest.approx(7.0))


def test_nothing_heard_is_all_wrong() -> None:
    assert hearing.word_errors(REFERENCE, []) == ErrorRate(errors=11, length=11)


def test_rates_of_recordings_add_up_as_counts() -> None:
    """A short recording must not weigh as much as a long one."""
    assert (ErrorRate(errors=1, length=2) + ErrorRate(errors=0, length=98)).value == 0.01


def test_words_of_a_reference_fill_its_time() -> None:
    words = spread(REFERENCE[1])
    assert [word.text for word in words] == ["Long,", "he", "was", "up", "at", "five."]
    assert (words[0].start, words[-1].end) == (4.0, 8.0)
    assert all(one.end <= other.start + 1e-9 for one, other in pairwise(words))


def test_a_reference_is_found_beside_its_recording(tmp_path: Path) -> None:
    (tmp_path / "visit.wav").touch()
    (tmp_path / "visit.stm").write_text(";; made by hand\nvisit 1 SW 0.00 1.50 Hello again\nvisit 1 PARENT 1.50 2.00\n")
    ((sound, found),) = references.find(tmp_path)
    assert sound.name == "visit.wav"
    assert [(u.speaker, u.role, u.text) for u in found] == [
        ("SW", Role.WORKER, "Hello again"),
        ("PARENT", Role.PARENT, ""),
    ]


def test_a_table_goes_before_an_stm(tmp_path: Path) -> None:
    (tmp_path / "visit.wav").touch()
    (tmp_path / "visit.stm").write_text("visit 1 SW 0 1 From the stm\n")
    (tmp_path / "visit.codes.csv").write_text("role,start,end,text\nworker,0,1,From the table\n")
    ((_, found),) = references.find(tmp_path)
    assert found[0].text == "From the table"


def test_recordings_without_references_are_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "visit.wav").touch()
    with pytest.raises(InputError, match="no recording with a reference beside it"):
        list(references.find(tmp_path))


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "visit.stm").write_text("visit 1 SW 0 1 Fine\nvisit 1 SW now\n")
    with pytest.raises(MalformedTranscript, match=r"visit.stm, line 2"):
        references.read_stm(tmp_path / "visit.stm")
