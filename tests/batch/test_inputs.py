"""Which files a run takes, and that no two outputs collide or leave the output folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from msw_ml.batch.inputs import find, folder_name


def test_a_folder_gives_sound_and_transcripts_and_counts_the_rest(tmp_path: Path) -> None:
    """Nothing is dropped in silence."""
    for name in ("b.wav", "a visit – Zoë.m4a", "notes.pdf", ".hidden.wav", "deep/er/c.vtt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = find([tmp_path], tmp_path / "scores")
    assert [item.name for item in found.inputs] == ["a visit – Zoë", "b", "c"]
    assert found.left_out == 1


def test_results_inside_the_folder_are_not_inputs(tmp_path: Path) -> None:
    """`msw score . -o scores` twice must not score its own transcripts."""
    (tmp_path / "scores" / "a").mkdir(parents=True)
    (tmp_path / "scores" / "a" / "transcript.vtt").touch()
    (tmp_path / "a.wav").touch()
    assert [item.name for item in find([tmp_path], tmp_path / "scores").inputs] == ["a"]


def test_two_inputs_of_one_name_get_a_hash_that_does_not_move(tmp_path: Path) -> None:
    """The same folder gives the same names again, wherever it lies."""
    names = []
    for root in ("here", "there"):
        for folder in ("monday", "tuesday"):
            path = tmp_path / root / folder / "Visit.wav"
            path.parent.mkdir(parents=True)
            path.touch()
        names.append([item.name for item in find([tmp_path / root], tmp_path / "out").inputs])
    assert names[0] == names[1]
    assert len(set(names[0])) == 2
    assert all(name.startswith("Visit-") for name in names[0])


def test_a_file_named_twice_is_taken_once(tmp_path: Path) -> None:
    """A folder and a file in it may both be given."""
    (tmp_path / "a.wav").touch()
    assert len(find([tmp_path, tmp_path / "a.wav"], tmp_path / "out").inputs) == 1


def test_what_is_not_there_is_said_and_the_rest_goes_on(tmp_path: Path) -> None:
    """One wrong path does not stop a night's work."""
    (tmp_path / "a.wav").touch()
    found = find([tmp_path / "gone.wav", tmp_path / "a.wav"], tmp_path / "out")
    assert len(found.inputs) == 1
    assert "gone.wav" in found.unreadable[0].message
    assert "check the path" in found.unreadable[0].message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_without_permission_is_said(tmp_path: Path) -> None:
    """Permissions are the usual reason for a folder that seems empty."""
    (tmp_path / "locked").mkdir(mode=0o000)
    found = find([tmp_path], tmp_path / "out")
    assert "cannot be read" in found.unreadable[0].message


@pytest.mark.parametrize("hostile", ["../../etc/passwd", "a/b", "C:\\x", "nul\0l", "", "..", "x" * 500])
def test_no_name_leaves_the_output_folder(hostile: str, tmp_path: Path) -> None:
    """Session names come from other people's files."""
    name = folder_name(hostile)
    assert name
    assert (tmp_path / name).resolve().parent == tmp_path.resolve()
    assert len(name) <= 120
