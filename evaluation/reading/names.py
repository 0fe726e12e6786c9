"""Who coded which session, where a file does not say: its name does, or its folder's.

`visit-07@anna.eaf` is Anna's coding of visit-07; so is `anna/visit-07.eaf`. A table with a column of
sessions and none of coders is one coder's, named after the file: `anna.csv`.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Name(NamedTuple):
    """What the name of a file says."""

    session: str
    coder: str


def of(path: Path, has_session: bool = False) -> Name:
    """What a path says; `has_session`: the sessions stand in the file itself."""
    session, at, coder = path.stem.rpartition("@")
    if at:
        return Name(session, coder)
    return Name(path.stem, path.stem if has_session else path.resolve().parent.name)


def shown(path: Path) -> str:
    """A file in messages: with its folder, since coders' files are often called alike."""
    folder = path.parent.name
    return f"{folder}/{path.name}" if folder else path.name
