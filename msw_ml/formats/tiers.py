"""What TextGrid and ELAN share when read: tiers of timed intervals become one transcript in order of time."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from msw_ml.errors import MalformedTranscript
from msw_ml.formats.transcript import RowCode, Transcript
from msw_ml.session import Role, Utterance, Value


class Interval(Value):
    """A labelled stretch of a tier; `None` where the tier leaves a time open."""

    start: float | None
    end: float | None
    text: str


class Tier(Value):
    """One speaker's intervals, and the labels that stand over them in a tier of codes."""

    speaker: str
    role: Role
    intervals: tuple[Interval, ...]
    codes: tuple[Interval, ...] = ()
    coder: str = ""


def transcript(name: str, session: str, tiers: Sequence[Tier], notes: tuple[str, ...]) -> Transcript:
    """All tiers in one. Raises `MalformedTranscript` where nobody says anything or a time is impossible."""
    said = [(interval, tier) for tier in tiers for interval in tier.intervals]
    if not said:
        raise MalformedTranscript(f"{name} has no labelled interval: there is nobody's speech in it")
    said.sort(key=lambda pair: (pair[0].start if pair[0].start is not None else 0.0, pair[0].end or 0.0))
    codes = {id(tier): _by_time(tier) for tier in tiers}
    utterances: list[Utterance] = []
    coded: list[RowCode] = []
    placed = 0
    for number, (interval, tier) in enumerate(said):
        if not _is_possible(interval):
            raise MalformedTranscript(
                f"{name}: tier '{tier.speaker}': an interval cannot go from {interval.start} to {interval.end} s"
            )
        utterances.append(
            Utterance(
                id=number,
                speaker=tier.speaker,
                role=tier.role,
                text=interval.text,
                start=interval.start,
                end=interval.end,
            )
        )
        for label in codes[id(tier)].get(_when(interval), ()):
            placed += 1
            coded += [
                RowCode(utterance=number, label=part.strip(), coder=tier.coder)
                for part in re.split("[;|]", label.text)
                if part.strip()
            ]
    lost = sum(len(tier.codes) for tier in tiers) - placed
    if lost > 0:
        notes = (*notes, f"{lost} codes not read: no utterance has their exact times")
    return Transcript(session=session, utterances=tuple(utterances), units="running", coded=tuple(coded), notes=notes)


def _is_possible(interval: Interval) -> bool:
    times = [time for time in (interval.start, interval.end) if time is not None]
    return all(0 <= time < math.inf for time in times) and times == sorted(times)


def _by_time(tier: Tier) -> dict[tuple[int, int] | None, list[Interval]]:
    found: dict[tuple[int, int] | None, list[Interval]] = {}
    for code in tier.codes:
        if _when(code) is None:
            continue
        found.setdefault(_when(code), []).append(code)
    return found


def _when(interval: Interval) -> tuple[int, int] | None:
    """The two times in milliseconds: a code belongs to the interval that has the same."""
    if interval.start is None or interval.end is None or not _is_possible(interval):
        return None
    return round(interval.start * 1000), round(interval.end * 1000)
