"""CHAT (.cha) of TalkBank's CLAN, read only.

Speakers come from `@Participants` (`MOT Mother, INV Investigator`), times from the bullets behind the words, codes
from `%cod:` and `%spa:` lines. CHAT's marks for pauses, fillers, repairs and overlap are taken out of the text;
what was said stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from msw_ml.errors import MalformedTranscript
from msw_ml.formats.rows import safe_name
from msw_ml.formats.synonyms import role_of
from msw_ml.formats.text_file import read_text
from msw_ml.formats.transcript import RowCode, Transcript
from msw_ml.session import Role, Utterance

_BULLET = re.compile("\x15(?:[^\x15]*?_?)(\\d{1,10})_(\\d{1,10})\x15")
_MARKS = (
    (re.compile(r"\[[^\]]*\]"), ""),  # [//] retraced, [= explained], [+ post-code]
    (re.compile(r"\([.\d:]+\)"), ""),  # (.) (..) (1.5) pauses
    (re.compile(r"&[=][^\s]+|(?<!\S)0[\w@]*|\+[<^,+\"]+|(?<=\s)\+[/.!?\"]+"), ""),  # events, omitted words, linkers
    (re.compile(r"&[-~+]|[<>‡„↑↓⌈⌉⌊⌋]|@\w+(?::\w+)?"), ""),  # marks on words that were said
    (re.compile(r"\((\w+)\)"), r"\1"),  # (be)cause
    (re.compile(r"\s+([.?!,])"), r"\1"),
    (re.compile(r"\s+"), " "),
)
_CODES = ("cod", "spa")


def read(path: Path) -> list[Transcript]:
    """One transcript. Raises `UnreadableInput`, and `MalformedTranscript` naming the line."""
    roles: dict[str, Role] = {}
    utterances: list[Utterance] = []
    coded: list[RowCode] = []
    unread: set[str] = set()
    for number, line in _lines(read_text(path)):
        head, separator, rest = line.partition(":")
        if line.startswith("@Participants"):
            roles |= _participants(rest)
        elif line.startswith("*"):
            if not separator:
                raise MalformedTranscript(
                    f"{path.name}: line {number}: a speaker's line reads '*MOT:' and a tab; add the colon"
                )
            code = head[1:].strip()
            utterances.append(_utterance(len(utterances), code, rest, roles.get(code), f"{path.name}: line {number}"))
        elif line.startswith("%") and head[1:] in _CODES and utterances:
            coded += [RowCode(utterance=len(utterances) - 1, label=label, column=head) for label in rest.split()]
        elif line.startswith("%"):
            unread.add(head)
        elif not line.startswith("@"):
            raise MalformedTranscript(
                f"{path.name}: line {number} begins with neither '@', '*' nor '%'; check it with CLAN"
            )
    if not utterances:
        raise MalformedTranscript(f"{path.name} has no line of a speaker ('*MOT:'); export it again")
    notes = (f"lines not read: {', '.join(sorted(unread))}",) if unread else ()
    return [
        Transcript(
            session=safe_name(path.stem), utterances=tuple(utterances), units="running", coded=tuple(coded), notes=notes
        )
    ]


def _participants(text: str) -> dict[str, Role]:
    """Codes and roles of `INV Jo Investigator, MOT Mother`: the last word is the role."""
    people = [person.split() for person in text.split(",") if person.strip()]
    return {code: role_of(words[-1]) or Role.UNKNOWN for code, *words in people if words}


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; a line that begins with a tab goes on with the one before."""
    current, at = "", 0
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith("\t") and current:
            current += " " + line.strip()
        elif line.strip():
            if current:
                yield at, current
            current, at = line, number
    if current:
        yield at, current


def _utterance(number: int, code: str, rest: str, role: Role | None, where: str) -> Utterance:
    times = _BULLET.findall(rest)
    start, end = (int(times[0][0]) / 1000, int(times[-1][1]) / 1000) if times else (None, None)
    if start is not None and end is not None and end < start:
        raise MalformedTranscript(f"{where}: its bullet ends before it starts; correct it in CLAN")
    text = _BULLET.sub("", rest)
    for mark, instead in _MARKS:
        text = mark.sub(instead, text)
    return Utterance(
        id=number, speaker=code, text=text.strip(), start=start, end=end, role=role or role_of(code) or Role.UNKNOWN
    )
