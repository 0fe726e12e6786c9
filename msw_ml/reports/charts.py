"""Geometry of the report's drawings; `templates/charts.html.j2` turns it into inline SVG.

Lengths are in the drawing's own units (viewBox); times are seconds, or the place in the session where a
transcript has no times. Tones are numbers of the style sheet's colours. Colour never stands alone: every
kind of mark has a lane or a label of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from msw_ml.codebook import Codebook
from msw_ml.reports.wording import ROLES, clock
from msw_ml.session import CodedUtterance, Rating, Role, Value

WIDTH, GUTTER, LANE, HEADING, AXIS = 760.0, 104.0, 15.0, 19.0, 20.0
PLOT = WIDTH - GUTTER - 10
ROW_SECONDS = (300, 600, 900, 1200, 1800, 3600, 7200, 14400)
MAX_ROWS = 6
UNITS_A_ROW = 80
"""Utterances in a row of the timeline where nothing has a time."""
TONES = 7
PARTS = 6
"""Equal parts of the session in which the other side's talk is counted."""


class Lane(Value):
    """A line of the timeline: one main category of one role, or a role that is not coded."""

    heading: str
    """The role's name on its first lane, else empty."""
    name: str
    top: float
    tone: int


class Mark(Value):
    """One utterance on the timeline."""

    x: float
    y: float
    width: float
    tone: int
    is_hollow: bool
    title: str
    target: int
    """Id of the utterance in the transcript."""


class Tick(Value):
    """A time on an axis."""

    x: float
    label: str


class Row(Value):
    """A stretch of the session."""

    marks: tuple[Mark, ...]
    ticks: tuple[Tick, ...]


class Timeline(Value):
    """The whole session, in rows of equal length."""

    lanes: tuple[Lane, ...]
    rows: tuple[Row, ...]
    height: float
    has_times: bool


class Part(Value):
    """What the other side said in one part of the session."""

    label: str
    towards: int
    away: int
    neither: int


class Interval(Value):
    """A rating on the 1 to 5 scale, each between 0 and 1 of its length."""

    at: float
    low: float
    high: float


def tones(codebook: Codebook) -> dict[str, int]:
    """Main category → tone, in codebook order."""
    return {parent.id: place % TONES + 1 for place, parent in enumerate(codebook.parents)}


def on_scale(rating: Rating) -> Interval | None:
    """`None` for a rating that is withheld."""
    if rating.value is None or rating.low is None or rating.high is None:
        return None
    return Interval(at=(rating.value - 1) / 4, low=(rating.low - 1) / 4, high=(rating.high - 1) / 4)


def timeline(units: Sequence[CodedUtterance], codebook: Codebook) -> Timeline:
    """Lanes by role and main category; rows long enough that there are at most six."""
    lanes, place_of = _lanes(units, codebook)
    has_times = all(unit.utterance.duration is not None for unit in units)
    spans = [
        (unit.utterance.start or 0.0, unit.utterance.end or 0.0) if has_times else (float(place), place + 1.0)
        for place, unit in enumerate(units)
    ]
    end = max((end for _, end in spans), default=1.0)
    length = _row_length(end) if has_times else float(UNITS_A_ROW)
    rows = []
    for first in range(max(1, -int(-end // length))):
        start = first * length
        marks = tuple(
            _mark(unit, span, lanes[place_of[_lane_key(unit)]], (start, length))
            for unit, span in zip(units, spans, strict=True)
            if start <= span[0] < start + length
        )
        rows.append(Row(marks=marks, ticks=_ticks(start, length, has_times)))
    return Timeline(
        lanes=lanes, rows=tuple(rows), height=lanes[-1].top + LANE + AXIS if lanes else AXIS, has_times=has_times
    )


def parts(units: Sequence[CodedUtterance], towards: Sequence[str], away: Sequence[str], role: Role) -> tuple[Part, ...]:
    """The role's counted codes in equal parts of the session: for change, against it, neither."""
    if not units:
        return ()
    has_times = all(unit.utterance.duration is not None for unit in units)
    places = [(unit.utterance.start or 0.0) if has_times else float(place) for place, unit in enumerate(units)]
    end = max((unit.utterance.end or 0.0 for unit in units), default=0.0) if has_times else float(len(units))
    found = []
    for number in range(PARTS):
        start, stop = number * end / PARTS, (number + 1) * end / PARTS
        said = [
            unit.counted
            for unit, place in zip(units, places, strict=True)
            if unit.utterance.role is role and (start <= place < stop or (number == PARTS - 1 and place >= stop))
        ]
        label = f"{clock(start)} to {clock(stop)}" if has_times else f"part {number + 1}"
        codes = [code for counted in said for code in counted]
        for_it, against = sum(code in towards for code in codes), sum(code in away for code in codes)
        found.append(Part(label=label, towards=for_it, away=against, neither=len(codes) - for_it - against))
    return tuple(found)


def _lane_key(unit: CodedUtterance) -> tuple[Role, str | None]:
    return unit.utterance.role, unit.parent_code


def _lanes(
    units: Sequence[CodedUtterance], codebook: Codebook
) -> tuple[tuple[Lane, ...], dict[tuple[Role, str | None], int]]:
    present = {_lane_key(unit) for unit in units}
    tone_of, names = tones(codebook), {parent.id: parent.name for parent in codebook.parents}
    lanes: list[Lane] = []
    place_of: dict[tuple[Role, str | None], int] = {}
    top = 0.0
    for role in Role:
        keys: list[str | None] = list(codebook.parent_codes(role)) if any(r is role for r, _ in present) else []
        keys += [None] if (role, None) in present else []
        for place, key in enumerate(keys):
            top += HEADING if place == 0 else LANE
            name = names[key] if key else ("Not coded" if len(keys) > 1 else "Speaking")
            place_of[role, key] = len(lanes)
            lanes.append(
                Lane(heading="" if place else ROLES[role], name=name, top=top, tone=tone_of[key] if key else 0)
            )
        top += LANE if keys else 0
    return tuple(lanes), place_of


def _mark(unit: CodedUtterance, span: tuple[float, float], lane: Lane, row: tuple[float, float]) -> Mark:
    start, length = row
    x = GUTTER + (span[0] - start) / length * PLOT
    width = max(2.0, min((span[1] - span[0]) / length * PLOT, GUTTER + PLOT - x))
    text = unit.utterance.text
    said = text if len(text) <= 90 else f"{text[:88].rstrip()} …"
    when = f"{clock(unit.utterance.start)} " if unit.utterance.start is not None else ""
    return Mark(
        x=round(x, 1),
        y=lane.top + 2.5,
        width=round(width, 1),
        tone=lane.tone,
        is_hollow=unit.withheld or lane.tone == 0,
        title=f"{when}{lane.name}: {said}",
        target=unit.utterance.id,
    )


def _row_length(end: float) -> float:
    if end <= ROW_SECONDS[0]:
        return max(end, 1.0)
    return float(next((seconds for seconds in ROW_SECONDS if end <= seconds * MAX_ROWS), ROW_SECONDS[-1]))


def _ticks(start: float, length: float, has_times: bool) -> tuple[Tick, ...]:
    if not has_times:
        step = UNITS_A_ROW / 4
    else:
        step = next(s for s in (10, 30, 60, 120, 180, 240, 360, 600, 1200, 2400) if length / s <= 6 or s == 2400)
    count = int(length / step + 1e-9)
    return tuple(
        Tick(
            x=round(GUTTER + place * step / length * PLOT, 1),
            label=clock(start + place * step) if has_times else str(int(start + place * step) + 1),
        )
        for place in range(count + 1)
        if has_times or place < count
    )
