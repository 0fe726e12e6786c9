"""A stage that was finished is not worked twice; a broken record of it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from msw_ml.checkpoint import FolderCheckpoint
from msw_ml.disk import write_bytes
from msw_ml.errors import OutputError
from msw_ml.session import Word

WORDS = [Word(start=0, end=0.5, text="Hello", probability=0.1 + 0.2)]


def fail() -> list[Word]:
    raise AssertionError("worked twice")


def test_a_finished_stage_is_taken_up_exactly(tmp_path: Path) -> None:
    """Floats come back bit for bit, else a resumed run would differ from an undisturbed one."""
    first = FolderCheckpoint(tmp_path, "k" * 64)("words", list[Word], lambda: WORDS)
    again = FolderCheckpoint(tmp_path, "k" * 64)("words", list[Word], fail)
    assert first == again == WORDS


def test_another_key_or_a_broken_file_is_worked_anew(tmp_path: Path) -> None:
    """Results of other settings, or half a file, are never taken up."""
    FolderCheckpoint(tmp_path, "a" * 64)("words", list[Word], list)
    assert FolderCheckpoint(tmp_path, "b" * 64)("words", list[Word], lambda: WORDS) == WORDS
    (tmp_path / ("a" * 16) / "words.json").write_text('[{"start": 0')
    assert FolderCheckpoint(tmp_path, "a" * 64)("words", list[Word], lambda: WORDS) == WORDS


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    """Nobody ever reads half a file, and the message says what to do."""
    target = tmp_path / "out" / "file.txt"
    write_bytes(target, b"old")
    (tmp_path / "plain").write_text("a file where a folder should be")
    with pytest.raises(OutputError, match="could not be written"):
        write_bytes(tmp_path / "plain" / "file.txt", b"new")
    assert target.read_bytes() == b"old"
    assert [path.name for path in target.parent.iterdir()] == ["file.txt"]
