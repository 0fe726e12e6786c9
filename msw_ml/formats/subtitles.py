"""What WebVTT and SRT share: blocks of lines with a time line, told apart by empty lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msw_ml.errors import MalformedTranscript
from msw_ml.formats import times
from msw_ml.formats.speakers import Labels, Said
from msw_ml.formats.transcript import UNKNOWN_SPEAKER
from msw_ml.session import Value

_ARROW = re.compile(r"\s*(\S+)\s*-->\s*(\S+)(?:\s.*)?")

NOBODY = "no cue says who speaks: all of it was taken as one unknown speaker"


class Block(Value):
    """A run of lines without an empty one among them."""

    number: int
    """The number of its first line, from 1."""
    lines: tuple[str, ...]


class Shown(Value):
    """One cue of a subtitle file."""

    place: str
    id: str
    start: float
    end: float
    text: str


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a file in order."""
    lines: list[str] = []
    number = 0
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        if line.strip():
            lines.append(line)
        elif lines:
            yield Block(number=number - len(lines), lines=tuple(lines))
            lines = []


def cue(block: Block, name: str) -> Shown | None:
    """The cue of a block, or `None` if it has no time line. Raises `MalformedTranscript` for a wrong one."""
    at = next((i for i, line in enumerate(block.lines[:2]) if "-->" in line), None)
    if at is None:
        return None
    place = f"line {block.number + at}"
    match = _ARROW.fullmatch(block.lines[at])
    if match is None:
        raise MalformedTranscript(f"{name}: {place}: a time line reads '00:00:01.000 --> 00:00:02.500'; correct it")
    try:
        start, end = (times.seconds(part) for part in match.groups())
    except ValueError as error:
        raise MalformedTranscript(f"{name}: {place}: one of its two times {error}") from error
    if end < start:
        raise MalformedTranscript(f"{name}: {place}: the cue ends before it starts; correct one of the times")
    shown_id = block.lines[0].strip() if at else ""
    return Shown(place=place, id=shown_id, start=start, end=end, text="\n".join(block.lines[at + 1 :]))


def by_label(texts: list[str]) -> list[Said]:
    """Who speaks in each cue by a `Name:` before the words; a cue without one goes on with the speaker before it."""
    labels = Labels(texts)
    said: list[Said] = []
    speaker = UNKNOWN_SPEAKER
    for text in texts:
        part = _split(labels, text)
        speaker = part.speaker or speaker
        said.append(Said(speaker=speaker, text=part.text))
    return said


def _split(labels: Labels, text: str) -> Said:
    try:
        return labels.split(text)
    except ValueError:  # a time within the words that cannot be: these are words, then
        return Said(speaker=None, text=text)


def payload(text: str) -> str:
    """Text as a cue can hold it: no empty line within, for that would end the cue."""
    return "\n".join(line for line in re.split(r"[\r\n\u2028\u2029]+", text) if line.strip())
