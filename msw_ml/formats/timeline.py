"""What the formats that live on a time axis need: every utterance with a start and an end, in lanes.

Such a format cannot hold an utterance without a time, so a session that has one is refused in words instead of
losing it. Where only the end is missing it is taken from the next start.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from msw_ml.errors import OutputError
from msw_ml.session import CodedUtterance, ScoredSession, Utterance, Value

LAST_SECONDS = 1.0
"""Length given to a last utterance whose end nobody knows."""


class Cue(Value):
    """An utterance on the time axis, in whole milliseconds, at least one long."""

    coded: CodedUtterance
    start_ms: int
    end_ms: int

    @property
    def utterance(self) -> Utterance:
        return self.coded.utterance


def cues(session: ScoredSession, what: str) -> list[Cue]:
    """All utterances in order of time. Raises `OutputError` naming the first that has no start."""
    units = session.utterances
    for unit in units:
        if unit.utterance.start is None:
            raise OutputError(
                f"{session.recording.name}: utterance {unit.utterance.id} has no time, and {what} cannot do without; "
                "choose csv, json, docx or xlsx, or score the recording"
            )
    starts = sorted_starts(session)
    return sorted((_cue(unit, starts) for unit in units), key=lambda cue: (cue.start_ms, cue.end_ms, cue.utterance.id))


def sorted_starts(session: ScoredSession) -> list[float]:
    """All starts that the session knows, in order."""
    return sorted({unit.utterance.start for unit in session.utterances if unit.utterance.start is not None})


def guessed_end(start: float, starts: Sequence[float]) -> float:
    """The next start after this one, which nobody says is the end."""
    later = bisect_right(starts, start)
    return starts[later] if later < len(starts) else start + LAST_SECONDS


def _cue(unit: CodedUtterance, starts: Sequence[float]) -> Cue:
    start = unit.utterance.start or 0.0
    end = guessed_end(start, starts) if unit.utterance.end is None else unit.utterance.end
    start_ms = round(start * 1000)
    return Cue(coded=unit, start_ms=start_ms, end_ms=max(round(end * 1000), start_ms + 1))


def lanes(session: ScoredSession, what: str) -> dict[str, list[Cue]]:
    """Tier name → cues that do not overlap: a tier a speaker, and a further one where a speaker overlaps himself."""
    tiers: dict[str, list[Cue]] = {}
    ordered = cues(session, what)
    taken = {cue.utterance.speaker for cue in ordered}
    for cue in ordered:
        speaker, number = cue.utterance.speaker, 1
        name = speaker
        while ((lane := tiers.get(name)) and lane[-1].end_ms > cue.start_ms) or (number > 1 and name in taken):
            number += 1
            name = f"{speaker} [{number}]"
        tiers.setdefault(name, []).append(cue)
    return tiers
