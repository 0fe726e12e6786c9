"""Tables of codes or ratings, long or wide.

    long codes     session, unit, coder, code            (also start, end, role, text, worker, family, round …)
    wide codes     session, unit, then one column a coder
    long ratings   session, coder, element, rating
    wide ratings   session, coder, then one column an element; or session, element, then one column a coder

Where no column says who coded or which session it was, the file's name does (`evaluation/reading/names.py`).
"""

from __future__ import annotations

from pathlib import Path

from evaluation.codings import Batch, Coder, Coding, RatingGiven, Visit
from evaluation.reading import names
from evaluation.reading.labels import Labels, Meaning
from evaluation.reading.tables import Cell, Table, is_nothing
from msw_ml.errors import MalformedTranscript
from msw_ml.formats import times
from msw_ml.formats.synonyms import plain, role_of, synonyms
from msw_ml.session import RatingStatus, Role

_NAMES = {
    "unit": ("utterance", ("unit", "unit_id")),
    "element": ("element", ("dimension", "scale")),
    "value": ("rating", ("value", "score")),
    "round": ("round", ("wave", "date", "coded_on")),
}
_BESIDE = {"source", "duration", "status", "confidence", "withheld", "volley", "note", "notes", "comment", "name"}
"""Columns that are neither codes nor coders."""


class TableReader:
    """Reads one table into a batch."""

    def __init__(self, table: Table, labels: Labels, path: Path) -> None:
        self.table = table
        self.labels = labels
        self.batch = Batch()
        plain_kinds = ("session", "coder", "start", "end", "text", "role", "speaker", *Visit.model_fields)
        self.at = {kind: table.column(kind) for kind in plain_kinds}
        self.at |= {kind: table.column(name, more) for kind, (name, more) in _NAMES.items()}
        keys = [plain(title) for title in table.header]
        self.codes = [place for place, key in enumerate(keys) if key in synonyms().code.names]
        self.elements = {place: labels.elements[key] for place, key in enumerate(keys) if key in labels.elements}
        self.statuses = {
            place: keys.index(f"{keys[place]}_status") for place in self.elements if f"{keys[place]}_status" in keys
        }
        self.name = names.of(path, has_session=self.at["session"] is not None)
        taken = {*self.at.values(), *self.codes, *self.elements}
        self.others = [p for p, key in enumerate(keys) if p not in taken and key and key not in _BESIDE]

    def read(self) -> Batch:
        """Raises `MalformedTranscript` naming file, sheet, row and column."""
        rows = self.table.rows
        if self.at["element"] is not None:
            for number, cells in rows:
                self._long_rating(number, cells) if self.at["value"] is not None else self._wide_rating(number, cells)
        elif self.elements and not self.codes:
            for number, cells in rows:
                for column, element in self.elements.items():
                    self._rate(number, cells, self._coder(number, cells), element, column)
        elif self.at["unit"] is None and self.at["start"] is None:
            raise MalformedTranscript(
                f"{self.table.place(1)} has no column that numbers the units; call one 'unit' (or 'start' and 'end'), "
                f"or name elements as columns for ratings (found: {', '.join(self.table.header)[:200]})"
            )
        else:
            for number, cells in rows:
                self._codes_of(number, cells)
        coders = [*(c.coder for c in self.batch.codings), *(r.coder for r in self.batch.ratings)]
        self.batch.coders.extend(Coder(name=name) for name in dict.fromkeys(coders))
        return self.batch

    def _long_rating(self, number: int, cells: tuple[Cell, ...]) -> None:
        element = self._element(number, cells)
        self._rate(number, cells, self._coder(number, cells), element, self.at["value"])

    def _wide_rating(self, number: int, cells: tuple[Cell, ...]) -> None:
        element = self._element(number, cells)
        for column in self.others:
            self._rate(number, cells, self.table.header[column], element, column)

    def _element(self, number: int, cells: tuple[Cell, ...]) -> str:
        name = self._text(number, cells, "element")
        if plain(name) not in self.labels.elements:
            known = ", ".join(element.id for element in self.labels.book.elements)
            raise self.table.wrong(number, self.at["element"], f"is '{name[:40]}', no element; there are: {known}")
        return self.labels.elements[plain(name)]

    def _rate(self, number: int, cells: tuple[Cell, ...], coder: str, element: str, column: int | None) -> None:
        value = self.table.number(number, cells, column)
        if value is None:
            self.batch.left_out["rating left empty"] += 1
            return
        if not 1 <= value <= 5:
            raise self.table.wrong(number, column, f"is {value:g}, but ratings run from 1 to 5; correct the rating")
        session = self._session(number, cells)
        place, status = self.table.place(number), self._status(number, cells, column)
        self.batch.ratings.append(RatingGiven(coder, session, element, value, place, status))
        self._note(number, cells, coder, session)

    def _status(self, number: int, cells: tuple[Cell, ...], column: int | None) -> RatingStatus | None:
        """Of a rating in a table that tells it beside the element, as `sessions.csv` does."""
        if column is None or column not in self.statuses:
            return None
        text = self.table.text(number, cells, self.statuses[column])
        return RatingStatus(text) if text in set(RatingStatus) else None

    def _codes_of(self, number: int, cells: tuple[Cell, ...]) -> None:
        """A row of a table of codes: one coder's where there are code columns, else one coder a column."""
        if self.codes:
            found = [m for column in self.codes if (m := self._meaning(number, cells, column)) is not None]
            self._code(number, cells, self._coder(number, cells), _joined(found))
            return
        for column in self.others:
            self._code(number, cells, self.table.header[column], self._meaning(number, cells, column))

    def _meaning(self, number: int, cells: tuple[Cell, ...], column: int) -> Meaning | None:
        """What a cell says; `None` where it says nothing. Only the first of several codes is the unit's own."""
        first = self.table.text(number, cells, column).replace("|", ";").partition(";")[0].strip()
        title = plain(self.table.header[column])
        if is_nothing(first) or (title in {"other_codes", "codes"} and len(self.codes) > 1):
            return None
        found = self.labels.code(first, is_parent=title == "parent_code")
        if found is None:
            shown = first if len(first) <= 40 else f"a text of {len(first)} characters"
            raise self.table.wrong(number, column, f"is '{shown}', which is no code; {self.labels.nearest(first)}")
        return found

    def _code(self, number: int, cells: tuple[Cell, ...], coder: str, given: Meaning | None) -> None:
        if given is None:
            self.batch.left_out["unit without a code"] += 1
            return
        if given.parent is None:
            self.batch.left_out["label that fits several main categories"] += 1
            return
        session = self._session(number, cells)
        start, end = self._time(number, cells, "start"), self._time(number, cells, "end")
        unit = self._text(number, cells, "unit") or f"{start:.3f}"
        place = self.table.place(number)
        text = self._text(number, cells, "text")
        self.batch.codings.append(
            Coding(coder, session, unit, given.code, given.parent, place, self._role(number, cells), start, end, text)
        )
        self._note(number, cells, coder, session)

    def _session(self, number: int, cells: tuple[Cell, ...]) -> str:
        session = self._text(number, cells, "session")
        if self.at["session"] is not None and not session:
            raise self.table.wrong(number, self.at["session"], "is empty; say which session the row belongs to")
        return session or self.name.session

    def _coder(self, number: int, cells: tuple[Cell, ...]) -> str:
        coder = self._text(number, cells, "coder")
        if self.at["coder"] is not None and not coder:
            raise self.table.wrong(number, self.at["coder"], "is empty; say who coded the row")
        return coder or self.name.coder

    def _role(self, number: int, cells: tuple[Cell, ...]) -> Role | None:
        return role_of(self._text(number, cells, "role") or self._text(number, cells, "speaker"))

    def _time(self, number: int, cells: tuple[Cell, ...], kind: str) -> float | None:
        text = self._text(number, cells, kind)
        if not text:
            return None
        try:
            return times.seconds(text)
        except ValueError as error:
            raise self.table.wrong(number, self.at[kind], f"'{text[:24]}' {error}") from error

    def _text(self, number: int, cells: tuple[Cell, ...], kind: str) -> str:
        return self.table.text(number, cells, self.at[kind])

    def _note(self, number: int, cells: tuple[Cell, ...], coder: str, session: str) -> None:
        """What else the row says of the session and of when it was coded."""
        known = {kind: text for kind in Visit.model_fields if (text := self._text(number, cells, kind))}
        if known and session not in self.batch.visits:
            self.batch.visits[session] = Visit(**known)
        if self.at["round"] is not None:
            cell = cells[self.at["round"]]
            self.batch.rounds[coder, session] = str(cell)[:10] if cell is not None else ""


def _joined(found: list[Meaning]) -> Meaning | None:
    """The first code with detail, else the first main category, of a row with several columns of labels."""
    detailed = [meaning for meaning in found if meaning.code is not None]
    return next(iter(detailed or found), None)
