"""Which files a run takes, and what their output folders are called."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from msw_ml.formats import registry
from msw_ml.session import Value

# fmt: off
SOUND_SUFFIXES = frozenset({
    ".3gp", ".aac", ".aif", ".aiff", ".amr", ".au", ".flac", ".m4a", ".m4v", ".mkv", ".mov", ".mp3", ".mp4", ".oga",
    ".ogg", ".opus", ".wav", ".webm", ".wma",
})
# fmt: on
"""Files taken from a folder as sound; a file that is named on the command line is tried whatever its name."""


class Input(Value):
    """One file to score and the name of its output folder."""

    path: Path
    name: str
    size: int


class Unreadable(Value):
    """A path that could not even be looked at, and what to tell its owner."""

    path: Path
    message: str


class Found(Value):
    """What the paths of a run come to."""

    inputs: tuple[Input, ...]
    unreadable: tuple[Unreadable, ...]
    left_out: int
    """Files in folders that are neither sound nor a transcript."""


def find(paths: Sequence[Path], out: Path) -> Found:
    """All sound files and transcripts among `paths`, folders searched to the bottom, in name order.

    The output folder and hidden files are passed over. A path that is not there, or a folder without
    permission, is reported in `unreadable`; the rest goes on.
    """
    files: list[Path] = []
    unreadable: list[Unreadable] = []
    left_out = 0
    for path in paths:
        if path.is_dir():
            inside, skipped = _walk(path, out, unreadable)
            files += inside
            left_out += skipped
        elif path.is_file():
            files.append(path)
        else:
            unreadable.append(Unreadable(path=path, message=f"{path}: there is no such file or folder; check the path"))
    unique = sorted({file.resolve(): file for file in files}.values())
    names = _names(unique)
    return Found(
        inputs=tuple(Input(path=p, name=n, size=_size(p)) for p, n in zip(unique, names, strict=True)),
        unreadable=tuple(unreadable),
        left_out=left_out,
    )


def folder_name(text: str) -> str:
    """A folder name that is readable, stays inside its parent, and is valid on all systems.

    Two texts may give one name: whoever asks tells those apart. For names inside a file, `formats.rows.safe_name`
    keeps different ones different.
    """
    cleaned = re.sub(r'[\x00-\x1f<>:"/\\|?*]+', "_", unicodedata.normalize("NFC", text)).strip(" .")
    return cleaned[:120] or "session"


def _walk(folder: Path, out: Path, unreadable: list[Unreadable]) -> tuple[list[Path], int]:
    files: list[Path] = []
    left_out = 0

    def report(error: OSError) -> None:
        message = f"{error.filename}: this folder cannot be read; check its permissions"
        unreadable.append(Unreadable(path=Path(error.filename), message=message))

    for root, folders, names in os.walk(folder, onerror=report):
        here = Path(root)
        folders[:] = sorted(f for f in folders if not f.startswith(".") and (here / f).resolve() != out.resolve())
        for name in sorted(names):
            path = here / name
            if name.startswith("."):
                continue
            if path.suffix.lower() in SOUND_SUFFIXES or registry.is_transcript(path):
                files.append(path)
            else:
                left_out += 1
    return files, left_out


def _names(paths: Sequence[Path]) -> list[str]:
    """File names without extension; where two are the same, each with a hash of its path behind it."""
    plain = [folder_name(path.stem) for path in paths]
    seen = Counter(name.casefold() for name in plain)
    tails = _relative(paths)
    return [
        name if seen[name.casefold()] == 1 else f"{name}-{hashlib.sha256(tail.encode()).hexdigest()[:6]}"
        for name, tail in zip(plain, tails, strict=True)
    ]


def _relative(paths: Iterable[Path]) -> list[str]:
    """Paths below their common folder, so that the hash does not depend on where it lies."""
    resolved = [path.resolve() for path in paths]
    if len(resolved) < 2:
        return [path.name for path in resolved]
    common = os.path.commonpath([path.parent for path in resolved])
    return [path.relative_to(common).as_posix() for path in resolved]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
