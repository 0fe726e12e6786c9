"""Which column of a table is which, by its header."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from msw_ml.errors import MalformedTranscript
from msw_ml.formats.synonyms import plain, role_of, synonyms
from msw_ml.session import Role, Value


class Columns(Value):
    """The columns of one table by what they mean."""

    header: tuple[str, ...]
    at: dict[str, int]
    """`text`, `speaker`, `role`, `start`, … → place in the row."""
    codes: tuple[tuple[int, str], ...]
    wide: tuple[tuple[int, str, Role], ...] = ()
    """Columns that hold one speaker's words each, where there is no column of text."""
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        return len(self.header)

    def title(self, kind: str) -> str:
        """The file's own name of a column, for messages."""
        return self.header[self.at[kind]] if kind in self.at else kind

    @classmethod
    def of(cls, name: str, header: Sequence[str]) -> Self:
        """Understands a header. Raises `MalformedTranscript` saying what is missing and what was found."""
        titles = tuple(title.strip() for title in header)
        keys = [plain(title) for title in titles]
        at = _known(keys)
        codes = tuple((place, titles[place]) for place, key in enumerate(keys) if key in synonyms().code.names)
        wide = () if "text" in at else _by_speaker(titles, at)
        if "text" not in at and not wide and "utterance" in at:
            at["text"] = at.pop("utterance")  # many call the words themselves the utterance
        found = ", ".join(f"'{title}'" for title in titles if title)[:300] or "nothing"
        if "text" not in at and not wide:
            raise MalformedTranscript(f"{name}: the first row has no column of text; call one 'text' (found: {found})")
        if not wide and "speaker" not in at and "role" not in at:
            raise MalformedTranscript(
                f"{name}: the first row has no column of speakers; call one 'speaker' or 'role' (found: {found})"
            )
        used = {*at.values(), *(place for place, _ in codes), *(place for place, _, _ in wide)}
        unread = [title for place, title in enumerate(titles) if place not in used and title]
        notes = (f"columns not read: {', '.join(unread)}",) if unread else ()
        return cls(header=titles, at=at, codes=codes, wide=wide, notes=notes)


def is_header(cells: Sequence[str]) -> bool:
    """Whether a row of a table names the columns of a transcript."""
    keys = [plain(cell) for cell in cells]
    at = _known(keys)
    return (not at.keys().isdisjoint({"text", "utterance"}) and ("speaker" in at or "role" in at)) or (
        "text" not in at and len(_by_speaker(cells, at)) > 1
    )


def _known(keys: Sequence[str]) -> dict[str, int]:
    """The earliest synonym wins, wherever its column stands."""
    at: dict[str, int] = {}
    for kind, names in synonyms().columns.items():
        for name in names:
            if name in keys:
                at[kind] = keys.index(name)
                break
    return at


def _by_speaker(titles: Sequence[str], at: dict[str, int]) -> tuple[tuple[int, str, Role], ...]:
    taken = set(at.values())
    roles = ((place, title.strip(), role_of(title)) for place, title in enumerate(titles) if place not in taken)
    return tuple((place, title, role) for place, title, role in roles if role not in (None, Role.UNKNOWN))
