"""Keeps what a stage made, so that an interrupted recording goes on where it was."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from msw_ml.disk import write_bytes

T = TypeVar("T")


class Checkpoint(Protocol):
    """Returns what `work` makes, or what it made last time for the same input and settings."""

    def __call__(self, stage: str, kind: type[T], work: Callable[[], T]) -> T: ...


def work_anew(stage: str, kind: type[T], work: Callable[[], T]) -> T:  # noqa: ARG001 the port's names
    """The checkpoint that keeps nothing."""
    return work()


class FolderCheckpoint:
    """Keeps each stage as one JSON file in a folder that belongs to one input and one key.

    The key (a hash of input, settings and engine versions) names the sub-folder, so a result of other
    settings is never taken up. A half-written or foreign file is worked anew.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._root = folder
        self._folder = folder / key[:16]

    def __call__(self, stage: str, kind: type[T], work: Callable[[], T]) -> T:
        adapter = TypeAdapter(kind)
        path = self._folder / f"{stage}.json"
        if path.is_file():
            try:
                return adapter.validate_json(path.read_bytes())
            except ValidationError:
                path.unlink()
        made = work()
        write_bytes(path, adapter.dump_json(made))
        return made

    def clear(self) -> None:
        """Forgets everything kept for this input."""
        shutil.rmtree(self._root, ignore_errors=True)
