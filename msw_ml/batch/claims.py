"""Whose result stands in an output folder: no recording takes the place of another.

A recording is known again by its content wherever it lies, a file that was changed (a corrected transcript) by its
place. Only where both differ is it another one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from msw_ml.batch.manifest import Entry
from msw_ml.errors import MalformedTranscript, OutputError
from msw_ml.formats import session_json


def place_of(path: Path, out: Path) -> str:
    """Mark of where an input lies, seen from the output folder; a hash, since folders may be named after families."""
    return hashlib.sha256(os.fsencode(os.path.relpath(path.resolve(), out.resolve()))).hexdigest()[:16]


def own_folders(last: Entry | None, digest: str, place: str) -> frozenset[str]:
    """Output folders of the last finished try under a name, where it was made of this content or at this place."""
    is_own = last is not None and (last.input_sha256 == digest or last.place in {"", place})
    return frozenset(last.sessions) if last is not None and is_own else frozenset()


def check_free(path: Path, folders: Iterable[Path], digest: str, own: frozenset[str]) -> None:
    """Raises `OutputError` where one of the folders, none of the file's `own`, holds what was made of another."""
    for folder in folders:
        session = folder / "session.json"
        if folder.name in own or not session.is_file():
            continue
        made_of = _made_of(session)
        if made_of != digest:
            held = "the scores of another recording" if made_of else "a session.json that cannot be read"
            raise OutputError(
                f"{path}: {folder} holds {held}; rename this file, or choose another folder with -o; if it is the "
                "same visit, moved and changed, delete that folder first"
            )


def _made_of(session: Path) -> str | None:
    """Hash of the input of a session.json; `None` where it cannot be read."""
    try:
        return session_json.load(session.read_text(encoding="utf-8"), session.parent.name).recording.sha256
    except (OSError, UnicodeDecodeError, MalformedTranscript):
        return None
