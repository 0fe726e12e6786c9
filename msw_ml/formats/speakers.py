"""Finds who speaks in prose and subtitles: `Name: what was said`, with or without a time before or behind it.

A colon alone does not make a speaker ("Right: let's begin"), so the labels of a whole file are judged together
before any line is split.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from msw_ml.errors import MalformedTranscript
from msw_ml.formats import times
from msw_ml.formats.synonyms import role_of
from msw_ml.session import Role, Utterance, Value

_TIME = r"[\[(]?(?P<{0}>\d{{1,3}}:\d{{2}}(?::\d{{2}})?(?:[.,]\d+)?)[\])]?"
_NAME = r"(?P<name>[^\W\d_][\w .'’()/&-]{0,39}?)"
_LABELLED = re.compile(
    rf"\s*(?:{_TIME.format('before')}\s*[-–]?\s*)?{_NAME}\s*(?:{_TIME.format('behind')}\s*)?(?::(?=\s|$)|\t)\s*(?P<text>.*)",
    re.DOTALL,
)
_HEADING = re.compile(
    rf"\s*(?:{_TIME.format('before')}\s+{_NAME}|{_NAME.replace('name', 'label')}\s+{_TIME.format('behind')})\s*"
)


class Said(Value):
    """What a line tells: who (`None`: the line goes on with the speaker before it), when, and the words."""

    speaker: str | None
    text: str
    start: float | None = None


class Labels:
    """The speakers of a file, judged from all its lines together."""

    def __init__(self, lines: Sequence[str]) -> None:
        found = [match["name"].strip() for line in lines if (match := _LABELLED.fullmatch(line))]
        headings = [_heading_name(match) for line in lines if (match := _HEADING.fullmatch(line))]
        counts = Counter(found + headings)
        self._all_labelled = bool(lines) and len(found) == len(lines)
        frequent = sum(count > 1 for count in counts.values())
        self.accepted = {label for label, count in counts.items() if self._is_name(label, count, frequent)}

    def _is_name(self, label: str, count: int, frequent: int) -> bool:
        if self._all_labelled or role_of(label) is not None:
            return True
        words = label.split()
        # a label that stands once in a file with two steady speakers is likelier a sentence with a colon in it
        is_title = len(words) <= 4 and all(not word[0].isalpha() or word[0].isupper() for word in words)
        return (is_title or (len(words) == 1 and count > 2)) and (count > 1 or frequent < 2)

    def split(self, line: str) -> Said:
        """The speaker and the words of a line. Raises `ValueError` for a time that cannot be."""
        match = _LABELLED.fullmatch(line)
        if match is not None and match["name"].strip() in self.accepted:
            time = match["before"] or match["behind"]
            start = times.seconds(time) if time else None
            return Said(speaker=match["name"].strip(), text=match["text"].strip(), start=start)
        heading = _HEADING.fullmatch(line)
        if heading is not None:
            return Said(
                speaker=_heading_name(heading), text="", start=times.seconds(heading["before"] or heading["behind"])
            )
        return Said(speaker=None, text=line.strip())


def _heading_name(heading: re.Match[str]) -> str:
    return (heading["name"] or heading["label"]).strip()


class _Turn:
    def __init__(self, speaker: str, start: float | None, text: str) -> None:
        self.speaker = speaker
        self.start = start
        self.lines = [text] if text else []


def dialogue(name: str, lines: Iterable[tuple[str, str]]) -> tuple[tuple[Utterance, ...], tuple[str, ...]]:
    """The turns of a text, and notes, from its lines with their places (`line 3`, `paragraph 12`).

    A line without a speaker goes on with the one before it. Raises `MalformedTranscript` if no line has one.
    """
    filled = [(place, line) for place, line in lines if line.strip()]
    labels = Labels([line for _, line in filled])
    turns: list[_Turn] = []
    before: list[str] = []
    for place, line in filled:
        try:
            said = labels.split(line)
        except ValueError as error:
            raise MalformedTranscript(f"{name}: {place}: the time there {error}") from error
        if said.speaker is not None:
            turns.append(_Turn(said.speaker, said.start, said.text))
        elif turns:
            turns[-1].lines.append(said.text)
        else:
            before.append(place)
    if not turns:
        raise MalformedTranscript(
            f"{name}: no line says who speaks; begin every turn with a name and a colon ('Worker: …'), or use a table"
        )
    notes = (f"not read, before the first speaker: {before[0]} to {before[-1]}",) if before else ()
    return tuple(
        utterance(number, turn.speaker, "\n".join(turn.lines), turn.start) for number, turn in enumerate(turns)
    ), notes


def utterance(number: int, speaker: str, text: str, start: float | None = None, end: float | None = None) -> Utterance:
    """An utterance whose role is what the speaker's label names."""
    return Utterance(id=number, speaker=speaker, text=text, start=start, end=end, role=role_of(speaker) or Role.UNKNOWN)
