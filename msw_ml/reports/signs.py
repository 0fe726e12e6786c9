"""The signs of an element as reports show them: where they were found, how early, how spread; never a score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msw_ml.reports.wording import clock, percent
from msw_ml.session import CodedUtterance, Cue, Value

SHOWN = 8
"""Places of one sign that stand open; the others are folded away."""

TENTHS = 10
"""Parts of a visit in which a cue's spread is counted."""


class Place(Value):
    """Where a sign was found."""

    utterance: int
    label: str
    """The time, or the number of the utterance where the transcript has no times."""
    at: float
    """Share of the visit that had passed."""


class Sign(Value):
    """One sign that was found."""

    id: str
    name: str
    said: str
    places: tuple[Place, ...]

    @property
    def open(self) -> tuple[Place, ...]:
        """The places that stand open: all, where folding the rest away would not pay."""
        return self.places if len(self.places) <= SHOWN + 2 else self.places[:SHOWN]

    @property
    def folded(self) -> tuple[Place, ...]:
        return self.places[len(self.open) :]


class Signs(Value):
    """What was looked for as a sign of one element: what was found, and the names of what was not."""

    found: tuple[Sign, ...]
    missing: tuple[str, ...]

    @property
    def silence(self) -> str:
        """What may be concluded from signs that were not found; empty where all were."""
        if not self.missing:
            return ""
        names = "; ".join(self.missing)
        known = "the software knows only some of the many ways to say a thing."
        if not self.found:
            return f"None of the signs looked for was found ({names}). That says little: {known}"
        return f"Signs not found: {names}. That says little: {known}"


def signs(cues: Sequence[Cue], element: str, said: Mapping[int, CodedUtterance]) -> Signs | None:
    """The signs of one element; `None` where none were looked for."""
    own = [cue for cue in cues if cue.element == element]
    if not own:
        return None
    return Signs(
        found=tuple(_sign(cue, said) for cue in own if cue.found),
        missing=tuple(cue.name for cue in own if not cue.found),
    )


def _sign(cue: Cue, said: Mapping[int, CodedUtterance]) -> Sign:
    places = tuple(
        Place(utterance=number, label=_label(said[number]), at=at)
        for number, at in zip(cue.utterances, cue.at, strict=True)
        if number in said
    )
    return Sign(id=cue.id, name=cue.name, said=_sentence(cue, places), places=places)


def _sentence(cue: Cue, places: Sequence[Place]) -> str:
    """How often, how spread and how early: `4 times, in 2 of the visit's 10 parts, first at 0:40 (3% into it)`."""
    often = {1: "once", 2: "twice"}.get(cue.found, f"{cue.found} times")
    spread = round((cue.spread or 0.0) * TENTHS)
    where = f", in {spread} of the visit's {TENTHS} parts" if cue.found > 1 else ""
    if not places or cue.first is None:
        return f"{often}{where}"
    first = places[0].label if places[0].label.startswith("utterance") else f"at {places[0].label}"
    begins = "first " if cue.found > 1 else ""
    return f"{often}{where}, {begins}{first} ({percent(cue.first)} into the visit)"


def _label(unit: CodedUtterance) -> str:
    said = unit.utterance
    return clock(said.start) if said.start is not None else f"utterance {said.id}"
