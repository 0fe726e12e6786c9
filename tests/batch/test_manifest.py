"""The manifest survives a kill in the middle of a line."""

from __future__ import annotations

from pathlib import Path

from msw_ml.batch.manifest import Entry, Manifest, State


def entry(name: str, state: State) -> Entry:
    return Entry(name=name, source=f"{name}.wav", input_sha256="0", key="k", state=state, sessions=(name,))


def test_the_last_finished_try_counts(tmp_path: Path) -> None:
    """A failure after a success does not lose the success, a later success replaces it."""
    manifest = Manifest(tmp_path / "manifest.jsonl")
    manifest.add(entry("a", State.FAILED))
    manifest.add(entry("a", State.DONE))
    manifest.add(entry("b", State.INTERRUPTED))
    assert set(manifest.done()) == {"a"}


def test_a_line_cut_off_by_a_kill_is_passed_over(tmp_path: Path) -> None:
    """Half a line neither hides the others nor swallows the next one."""
    path = tmp_path / "manifest.jsonl"
    manifest = Manifest(path)
    manifest.add(entry("a", State.DONE))
    with path.open("a") as file:
        file.write('{"name": "b", "sta')
    manifest.add(entry("c", State.DONE))
    assert set(manifest.done()) == {"a", "c"}


def test_the_last_ended_try_is_what_the_table_shows(tmp_path: Path) -> None:
    """A failure after a success shows; an interruption, and a path that nobody could read, hide nothing."""
    manifest = Manifest(tmp_path / "manifest.jsonl")
    for name in ("a", "b", "c"):
        manifest.add(entry(name, State.DONE))
    manifest.add(entry("a", State.FAILED))
    manifest.add(entry("b", State.INTERRUPTED))
    manifest.add(entry("c", State.FAILED).model_copy(update={"input_sha256": ""}))
    assert {name: last.state for name, last in manifest.last().items()} == {
        "a": State.FAILED, "b": State.DONE, "c": State.DONE,
    }  # fmt: skip
