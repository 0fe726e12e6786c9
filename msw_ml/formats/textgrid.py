"""Praat's TextGrid, in and out: a tier a speaker, named `Anna (worker)`, and a tier `Anna (worker) code`.

Read: long and short form, by Praat's own rule that only free-standing numbers and quoted strings count. Empty
intervals are pauses. Written: the long form. An utterance without words is written as `NO_WORDS`, since an
empty label would be a pause.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from msw_ml.codebook.book import Codebook
from msw_ml.disk import write_text
from msw_ml.errors import MalformedTranscript
from msw_ml.formats.rows import safe_name
from msw_ml.formats.synonyms import role_of
from msw_ml.formats.text_file import read_text
from msw_ml.formats.tiers import Interval, Tier, transcript
from msw_ml.formats.timeline import Cue, lanes
from msw_ml.formats.transcript import Transcript
from msw_ml.session import Role, ScoredSession

NO_WORDS = "<no words>"
_TOKEN = re.compile(r'"((?:[^"]|"")*)"|(?<!\S)(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?!\S)|(?<!\S)<(\w+)>(?!\S)')
_CODE = " code"


def read(path: Path) -> list[Transcript]:
    """One transcript. Raises `UnreadableInput` and `MalformedTranscript`."""
    text = read_text(path)
    if '"TextGrid"' not in text[:400]:
        raise MalformedTranscript(f'{path.name}: line 2 must read: Object class = "TextGrid"; save it again from Praat')
    tokens = iter([match.group() for match in _TOKEN.finditer(text)])
    try:
        tiers, notes = _tiers(tokens)
    except (StopIteration, ValueError) as error:
        raise MalformedTranscript(f"{path.name} ends or breaks off within a tier; save it again from Praat") from error
    return [transcript(path.name, safe_name(path.stem), tiers, notes)]


def _tiers(tokens: Iterator[str]) -> tuple[list[Tier], tuple[str, ...]]:
    for token in tokens:  # file type, object class and the whole grid's times come first
        if token == "<exists>":  # noqa: S105  Praat's flag that tiers follow
            break
    found: dict[str, list[Interval]] = {}
    points: list[str] = []
    for _ in range(int(next(tokens))):
        kind, name = _string(next(tokens)), _string(next(tokens))
        float(next(tokens)), float(next(tokens))
        count = int(next(tokens))
        if kind == "IntervalTier":
            unique = name if name not in found else f"{name} [{len(found) + 1}]"
            found[unique] = [interval for _ in range(count) if (interval := _interval(tokens)).text.strip()]
        else:
            points.append(name)
            for _ in range(2 * count):
                next(tokens)
    codes = {name: found.pop(name + _CODE) for name in list(found) if name + _CODE in found}
    notes = (f"point tiers not read: {', '.join(points)}",) if points else ()
    return [_tier(name, intervals, codes.get(name, []), set(found)) for name, intervals in found.items()], notes


def _interval(tokens: Iterator[str]) -> Interval:
    return Interval(start=float(next(tokens)), end=float(next(tokens)), text=_string(next(tokens)))


def _tier(name: str, intervals: list[Interval], codes: list[Interval], names: set[str]) -> Tier:
    """The speaker and role that a tier's name carries: `Anna (worker)`, or `Anna [2] (worker)` for overlap."""
    match = re.fullmatch(r"(.*) \((\w+)\)", name)
    role = Role(match[2]) if match and match[2] in set(Role) else None
    speaker = match[1] if match and role else name
    lane = re.fullmatch(r"(.+) \[\d+\]", speaker)
    if lane and f"{lane[1]}{name.removeprefix(speaker)}" in names:
        speaker = lane[1]
    words = tuple(i.model_copy(update={"text": "" if i.text == NO_WORDS else i.text.strip()}) for i in intervals)
    return Tier(speaker=speaker, role=role or role_of(speaker) or Role.UNKNOWN, intervals=words, codes=tuple(codes))


def _string(token: str) -> str:
    if not token.startswith('"'):
        raise ValueError("a string was due")
    return token[1:-1].replace('""', '"')


def write(session: ScoredSession, folder: Path, codebook: Codebook) -> Path:  # noqa: ARG001  one signature for all formats
    """Writes transcript.TextGrid. Raises `OutputError` where an utterance has no time."""
    speech = lanes(session, "TextGrid")
    end = max(
        [round((session.recording.duration or 0) * 1000), 1, *(c.end_ms for lane in speech.values() for c in lane)]
    )
    tiers: list[str] = []
    for name, lane in speech.items():
        title = f"{name} ({lane[0].utterance.role.value})"
        tiers.append(_written(title, [(cue, cue.utterance.text.strip() or NO_WORDS) for cue in lane], end))
        labels = [
            (cue, ";".join([*([cue.coded.code] if cue.coded.code else []), *cue.coded.other_codes])) for cue in lane
        ]
        if any(label for _, label in labels):
            tiers.append(_written(title + _CODE, labels, end))
    head = f'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = {_s(end)}\n'
    body = "".join(f"    item [{number}]:\n{tier}" for number, tier in enumerate(tiers, start=1))
    path = folder / "transcript.TextGrid"
    write_text(path, f"{head}tiers? <exists>\nsize = {len(tiers)}\nitem []:\n{body}")
    return path


def _written(title: str, lane: list[tuple[Cue, str]], end: int) -> str:
    filled: list[tuple[int, int, str]] = []
    at = 0
    for cue, label in lane:
        if cue.start_ms > at:
            filled.append((at, cue.start_ms, ""))
        filled.append((cue.start_ms, cue.end_ms, label))
        at = cue.end_ms
    if at < end:
        filled.append((at, end, ""))
    intervals = "".join(
        f"        intervals [{number}]:\n            xmin = {_s(start)}\n            xmax = {_s(stop)}\n"
        f"            text = {_quoted(label)}\n"
        for number, (start, stop, label) in enumerate(filled, start=1)
    )
    return (
        f'        class = "IntervalTier"\n        name = {_quoted(title)}\n        xmin = 0\n        xmax = {_s(end)}\n'
        f"        intervals: size = {len(filled)}\n{intervals}"
    )


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _s(ms: int) -> str:
    return f"{ms // 1000}.{ms % 1000:03d}"
