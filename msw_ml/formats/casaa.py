"""CACTI's .casaa files, read only: what coders marked, with times and codes but no words.

Three kinds are in use: version 2's SQLite file; its older text, `Audio File:` and lines of start, code number,
code; and version 1's lines of order, start, end, two byte places, code number, code (without the last two where a
part was marked but not coded). Tabs between all of them.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from msw_ml.errors import MalformedTranscript, UnreadableInput
from msw_ml.formats import times
from msw_ml.formats.rows import safe_name
from msw_ml.formats.synonyms import casaa_role, role_of
from msw_ml.formats.text_file import decode, read_bytes
from msw_ml.formats.transcript import RowCode, Transcript
from msw_ml.session import Role, Utterance, Value

NO_WORDS = "the file has times and codes but no words: compare its codes (`msw agree`), it cannot be scored"
_SQLITE = b"SQLite format 3\x00"
_STEPS = 1_000
"""Hundred thousands of SQLite's instructions: a file whose query would take more is broken on purpose."""
_QUERY = """
select utterances.time_marker, codes.code_name, speakers.speaker_name
from utterances left join codes on utterances.code_id = codes.code_id
left join speakers on codes.speaker_id = speakers.speaker_id
order by utterances.time_marker, utterances.utterance_id
"""


class _Mark(Value):
    start: float
    end: float | None = None
    code: str = ""
    speaker: str = ""


def read(path: Path) -> list[Transcript]:
    """One transcript without words. Raises `UnreadableInput`, and `MalformedTranscript` naming the line."""
    data = read_bytes(path)
    marks = (
        _from_database(data, path.name) if data.startswith(_SQLITE) else _from_text(decode(data, path.name), path.name)
    )
    if not marks:
        raise MalformedTranscript(f"{path.name} holds no utterance; nothing was coded in it")
    utterances = tuple(_utterance(number, mark) for number, mark in enumerate(marks))
    coded = tuple(RowCode(utterance=number, label=mark.code) for number, mark in enumerate(marks) if mark.code)
    return [
        Transcript(session=safe_name(path.stem), utterances=utterances, units="rows", coded=coded, notes=(NO_WORDS,))
    ]


def _utterance(number: int, mark: _Mark) -> Utterance:
    role = role_of(mark.speaker) or casaa_role(mark.code)
    speaker = mark.speaker or (role.value if role is not Role.UNKNOWN else "unknown")
    return Utterance(id=number, speaker=speaker, text="", start=mark.start, end=mark.end, role=role)


def _from_text(text: str, name: str) -> list[_Mark]:
    first, *lines = text.split("\n")
    if not first.startswith("Audio File"):
        raise MalformedTranscript(f"{name}: line 1 must begin with 'Audio File:', as CACTI writes it")
    return [
        _mark(line.split("\t"), f"{name}: line {number}") for number, line in enumerate(lines, start=2) if line.strip()
    ]


def _mark(cells: list[str], where: str) -> _Mark:
    if len(cells) not in (3, 5, 7):
        raise MalformedTranscript(f"{where} has {len(cells)} parts between tabs; CACTI writes 3, 5 or 7")
    try:
        if len(cells) == 3:
            return _Mark(start=times.seconds(cells[0]), code=_code(cells[2], cells[1]))
        start = times.seconds(cells[1])
        end = None if cells[2] == "null" else times.seconds(cells[2])
        if end is not None and end < start:
            raise ValueError("ends before it starts")
        return _Mark(start=start, end=end, code=_code(cells[6], cells[5]) if len(cells) == 7 else "")
    except ValueError as error:
        raise MalformedTranscript(f"{where}: the time there {error}") from error


def _code(name: str, number: str) -> str:
    """The code's name; CACTI numbers the missing code -1."""
    return "" if re.fullmatch(r"\s*-1\s*", number) else name.strip()


def _from_database(data: bytes, name: str) -> list[_Mark]:
    """Reads a copy in memory: the file stays untouched, and no statement of its own can run."""
    try:
        with closing(sqlite3.connect(":memory:")) as database:
            database.deserialize(data)
            database.execute("pragma query_only = on")
            database.execute("pragma trusted_schema = off")
            budget = iter(range(_STEPS))
            database.set_progress_handler(lambda: next(budget, None) is None, 100_000)
            rows = database.execute(_QUERY).fetchall()
        return [
            _Mark(start=times.seconds(str(time)), code=str(code or ""), speaker=str(speaker or ""))
            for time, code, speaker in rows
        ]
    except sqlite3.Error as error:
        raise UnreadableInput(
            f"{name} is not a session of CACTI ({error}); open it in CACTI and save it again"
        ) from error
    except ValueError as error:
        raise MalformedTranscript(f"{name}: a time marker in it {error}") from error
