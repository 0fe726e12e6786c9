"""From a table to transcripts, whatever the table stood in: CSV, Excel, Word or JSON."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

from msw_ml.errors import MalformedTranscript
from msw_ml.formats import times
from msw_ml.formats.columns import Columns
from msw_ml.formats.synonyms import known_roles, plain, role_of, synonyms
from msw_ml.formats.transcript import UNKNOWN_SPEAKER, RowCode, Transcript
from msw_ml.session import Role, Utterance, Value


class Line(Value):
    """One row of a table, and how to name its place to a person, e.g. `row 7`."""

    place: str
    cells: tuple[str, ...]


class _Draft:
    """A session while its rows are being read."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.utterances: list[Utterance] = []
        self.given_ids: list[str] = []
        self.codes: list[RowCode] = []
        self.targets: list[str] = []
        self.places: dict[str, tuple[int, str]] = {}
        """The file's utterance id → our id and the place where it stood first."""


class TableReader:
    """Reads the rows of one table. `name` is the file's, for messages; `session` where no column has it."""

    def __init__(self, name: str, session: str, header: Sequence[str], units_note: tuple[str, ...] = ()) -> None:
        self.name = name
        self.session = session
        self.columns = Columns.of(name, header)
        self.notes = units_note + self.columns.notes
        self._drafts: dict[str, _Draft] = {}

    def read(self, lines: Iterable[Line]) -> list[Transcript]:
        """One transcript a session, in the order of the file. Raises `MalformedTranscript`."""
        for line in lines:
            if any(cell.strip() for cell in line.cells):
                self._add(line)
        if not self._drafts:
            raise MalformedTranscript(f"{self.name}: it has a header but no rows; export it again")
        return [self._finish(draft) for draft in self._drafts.values()]

    def _add(self, line: Line) -> None:
        if len(line.cells) > self.columns.width and any(cell.strip() for cell in line.cells[self.columns.width :]):
            raise self._wrong(
                line,
                None,
                f"has {len(line.cells)} cells but the header has {self.columns.width}; put "
                "texts that contain the separator into double quotes",
            )
        session = safe_name(self._cell(line, "session").strip() or self.session)
        draft = self._drafts.setdefault(session, _Draft(session))
        target = self._cell(line, "target").strip()
        if target and target not in draft.targets:
            draft.targets.append(target)
        if self.columns.wide:
            self._add_wide(line, draft)
            return
        speaker, role = self._speaker(line)
        self._add_utterance(line, draft, speaker, role, self._cell(line, "text"))

    def _add_wide(self, line: Line, draft: _Draft) -> None:
        """A table with one column of text a speaker: several may speak in one row, in column order."""
        for column, label, role in self.columns.wide:
            if text := line.cells[column].strip() if column < len(line.cells) else "":
                self._add_utterance(line, draft, label, role, text)

    def _add_utterance(self, line: Line, draft: _Draft, speaker: str, role: Role, text: str) -> None:
        start, end = self._times(line)
        number = len(draft.utterances)
        utterance = Utterance(id=number, speaker=speaker, role=role, text=text.strip(), start=start, end=end)
        given = self._cell(line, "utterance").strip()
        if given and given in draft.places and not self.columns.wide:
            number = self._same_again(line, draft, utterance, given)
        else:
            draft.utterances.append(utterance)
            draft.given_ids.append(given)
            draft.places[given] = (number, line.place)
        draft.codes.extend(self._codes(line, number))

    def _same_again(self, line: Line, draft: _Draft, utterance: Utterance, given: str) -> int:
        """A second row of one utterance is right where it brings another coder's labels, and only there."""
        number, place = draft.places[given]
        first = draft.utterances[number]
        if "coder" not in self.columns.at:
            raise self._wrong(
                line,
                "utterance",
                f"repeats the utterance '{_shown(given)}' of {place}; number the utterances of a session once each",
            )
        if (first.text, first.speaker, first.start) != (utterance.text, utterance.speaker, utterance.start):
            raise self._wrong(
                line,
                "utterance",
                f"repeats the utterance '{_shown(given)}' of {place} with another "
                "text, speaker or time; a second coder's row must repeat the first one's",
            )
        return number

    def _speaker(self, line: Line) -> tuple[str, Role]:
        speaker, label = self._cell(line, "speaker").strip(), self._cell(line, "role").strip()
        if not label:
            return speaker or UNKNOWN_SPEAKER, role_of(speaker) or Role.UNKNOWN
        role = role_of(label)
        if role is None:
            raise self._wrong(
                line,
                "role",
                f"is '{_shown(label)}', which is no role; write one of {known_roles()}, or "
                "call the column 'speaker' if it holds names",
            )
        return speaker or label, role

    def _times(self, line: Line) -> tuple[float | None, float | None]:
        start_text, end_text = self._cell(line, "start").strip(), self._cell(line, "end").strip()
        if not end_text and (both := re.fullmatch(r"(.+?)\s*(?:-->|–|-|to)\s*(.+)", start_text)):
            start_text, end_text = both.groups()
        start = self._time(line, "start", start_text, self._cell(line, "start_ms").strip())
        end = self._time(line, "end", end_text, self._cell(line, "end_ms").strip())
        if start is not None and end is not None and end < start:
            raise self._wrong(line, "end", f"is {end:g} s, before the start at {start:g} s; correct one of them")
        return start, end

    def _time(self, line: Line, kind: str, text: str, milliseconds: str) -> float | None:
        if text and plain(text) not in synonyms().code.none:
            try:
                return times.seconds(text)
            except ValueError as error:
                raise self._wrong(line, kind, f"'{_shown(text)}' {error}") from error
        if not milliseconds:
            return None
        if not re.fullmatch(r"\d{1,10}(\.\d*)?", milliseconds):
            raise self._wrong(line, f"{kind}_ms", f"'{_shown(milliseconds)}' is not a number of milliseconds")
        return float(milliseconds) / 1000

    def _codes(self, line: Line, utterance: int) -> Iterable[RowCode]:
        words = synonyms().code
        coder = self._cell(line, "coder").strip()
        for column, name in self.columns.codes:
            cell = line.cells[column] if column < len(line.cells) else ""
            for label in re.split(r"[;|]", cell):
                if plain(label) not in words.none:
                    by = words.coders.get(plain(name), coder)
                    yield RowCode(utterance=utterance, label=label.strip(), coder=by, column=name)

    def _cell(self, line: Line, kind: str) -> str:
        column = self.columns.at.get(kind)
        return line.cells[column] if column is not None and column < len(line.cells) else ""

    def _wrong(self, line: Line, kind: str | None, what: str) -> MalformedTranscript:
        column = f", column '{self.columns.title(kind)}'" if kind is not None else ""
        return MalformedTranscript(f"{self.name}: {line.place}{column} {what}")

    def _finish(self, draft: _Draft) -> Transcript:
        return Transcript(
            session=draft.session,
            utterances=tuple(draft.utterances),
            units="rows",
            coded=tuple(draft.codes),
            given_ids=tuple(draft.given_ids) if any(draft.given_ids) else (),
            target="; ".join(draft.targets) or None,
            notes=self.notes,
        )


def safe_name(session: str) -> str:
    """A session's name that is safe as a folder's name; one that had to be changed gets a short hash behind it.

    So different names stay different whatever file they are in: coders' files and scores meet by them.
    """
    cleaned = re.sub(r"[^\w .()+,&'-]+", "_", session).strip(" .")[:100].strip() or "session"
    return cleaned if cleaned == session else f"{cleaned}-{hashlib.sha256(session.encode()).hexdigest()[:8]}"


def _shown(value: str) -> str:
    """A cell's content for a message: long content may be speech and is not repeated."""
    return value if len(value) <= 24 else f"a text of {len(value)} characters"
