"""Lines up units that several coders coded, also where they cut the talk differently.

By id where the coders' numbers name the same words; else by time, or by words where there are no times.
Time and words are the same task: every unit is a stretch of an axis (seconds, or words of the longest
transcript), and two stretches are one unit where they share more than half of what either covers. That
leaves at most one partner on each side, so nothing hangs on the order of the search. What finds no partner
is counted, and the agreement on cutting is reported beside that on codes.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evaluation import anchors
from evaluation.codings import Coding, Codings, by_session
from msw_ml.session import Value

Method = Literal["id", "time", "text"]

SAME_SHARE = 0.5
"""Shared over covered (intersection over union) above this: the same unit."""

IDS_TRUSTED = 0.8
"""Share of the shorter coder's ids that the other must have, and of shared ids whose words must be the same."""


class Cutting(Value):
    """How far two coders (or all pairs of several) cut the talk into the same units."""

    first: int
    second: int
    matched: int

    @property
    def value(self) -> float | None:
        """F1 of units: 1 where both made the same."""
        total = self.first + self.second
        return 2 * self.matched / total if total else None

    def __add__(self, other: Cutting) -> Cutting:
        return Cutting(
            first=self.first + other.first, second=self.second + other.second, matched=self.matched + other.matched
        )


@dataclass(frozen=True)
class Aligned:
    """All sessions' units, one row each, and which coding of which coder belongs to it."""

    sessions: list[str]
    coders: list[str]
    session_of: NDArray[np.int64]
    """Session of every unit, (units,)."""
    at: NDArray[np.int64]
    """Place in `Codings.codings` of each coder's coding, (units, coders); -1 where there is none."""
    methods: dict[str, Method]
    """Session → how its units were lined up."""
    cutting: dict[tuple[str, str], Cutting]
    """Pairs of coders → how alike they cut, over all sessions that both coded."""


LAST_SECONDS = 3.0
"""Length of a coder's last unit where it has no end."""

Placed = list[tuple[int, Coding]]
"""One coder's codings of a session with their places in `Codings.codings`."""


def align(codings: Codings, method: Method | None = None) -> Aligned:
    """Lines up all sessions; `method` forces one way. Sessions that a single coder coded keep their rows."""
    coders = [coder.name for coder in codings.coders]
    column = {name: number for number, name in enumerate(coders)}
    places = {id(coding): place for place, coding in enumerate(codings.codings)}
    sessions = by_session(codings.codings)
    rows: list[dict[int, int]] = []
    session_of: list[int] = []
    methods: dict[str, Method] = {}
    cutting: defaultdict[tuple[str, str], Cutting] = defaultdict(lambda: Cutting(first=0, second=0, matched=0))
    for number, (session, entries) in enumerate(sessions.items()):
        units: dict[str, Placed] = {name: [] for name in coders}
        for coding in entries:
            units[coding.coder].append((places[id(coding)], coding))
        present = {column[name]: placed for name, placed in units.items() if placed}
        methods[session] = method or _method(list(present.values()))
        found = _by_id(present) if methods[session] == "id" else _by_overlap(present, methods[session])
        rows += found
        session_of += [number] * len(found)
        for pair, cut in _cut(present, found).items():
            cutting[coders[pair[0]], coders[pair[1]]] += cut
    at = np.full((len(rows), len(coders)), -1, dtype=np.int64)
    for number, row in enumerate(rows):
        at[number, list(row)] = list(row.values())
    return Aligned(list(sessions), coders, np.array(session_of, dtype=np.int64), at, methods, dict(cutting))


def _method(coders: Sequence[Placed]) -> Method:
    """Ids where they mean the same units, else times, else words."""
    if len(coders) < 2 or all(_same_ids(coders[0], other) for other in coders[1:]):
        return "id"
    if all(coding.start is not None for placed in coders for _, coding in placed):
        return "time"
    if all(coding.text for placed in coders for _, coding in placed):
        return "text"
    return "id"


def _same_ids(first: Placed, second: Placed) -> bool:
    ours, theirs = ({coding.unit: coding for _, coding in placed} for placed in (first, second))
    shared = ours.keys() & theirs.keys()
    if len(shared) < IDS_TRUSTED * min(len(ours), len(theirs)):
        return False
    checks = [same for unit in shared if (same := _is_same_talk(ours[unit], theirs[unit])) is not None]
    return not checks or sum(checks) >= IDS_TRUSTED * len(checks)


def _is_same_talk(first: Coding, second: Coding) -> bool | None:
    """Whether two codings with one id are of one stretch; `None` where nothing tells."""
    if first.text and second.text:
        return words(first.text) == words(second.text)
    if first.start is not None and second.start is not None:
        return abs(first.start - second.start) <= 1.0
    return None


def _by_id(present: dict[int, Placed]) -> list[dict[int, int]]:
    """One row an id, in order of first appearance."""
    rows: dict[str, dict[int, int]] = {}
    for coder, placed in present.items():
        for place, coding in placed:
            rows.setdefault(coding.unit, {})[coder] = place
    return list(rows.values())


def _by_overlap(present: dict[int, Placed], method: Method) -> list[dict[int, int]]:
    """One row a stretch: the coder with most units makes the first rows, the others join or add theirs."""
    order = sorted(present, key=lambda coder: -len(present[coder]))
    axis = _word_spans(present, order[0]) if method == "text" else _time_spans(present)
    rows: list[dict[int, int]] = []
    spans: list[tuple[float, float]] = []
    sides: list[object] = []
    for coder in order:
        stretches = np.array(axis[coder], dtype=np.float64).reshape(-1, 2)
        partner = _partners(np.array(spans, dtype=np.float64).reshape(-1, 2), stretches)
        for row, (place, coding), span in zip(partner, present[coder], axis[coder], strict=True):
            if row >= 0 and coder not in rows[row] and _may_be(sides[row], coding):
                rows[row][coder] = place
            else:
                rows.append({coder: place})
                spans.append(span)
                sides.append(coding.role)
    return [rows[number] for number in np.argsort([start for start, _ in spans], kind="stable")]


def _may_be(side: object, coding: Coding) -> bool:
    """Whether two stretches may be one unit: not where both sides are known and differ (people speak at once)."""
    return side is None or coding.role is None or side == coding.role


def _partners(rows: NDArray[np.float64], stretches: NDArray[np.float64]) -> list[int]:
    """For every stretch the row that it is the same unit as, or -1."""
    if not len(rows):
        return [-1] * len(stretches)
    shared = np.minimum(rows[None, :, 1], stretches[:, None, 1]) - np.maximum(rows[None, :, 0], stretches[:, None, 0])
    shared = np.maximum(shared, 0.0)
    covered = np.diff(rows).T + np.diff(stretches) - shared
    share = np.where(covered > 0, shared / np.where(covered > 0, covered, 1.0), 0.0)
    best = share.argmax(axis=1)
    return [int(row) if share[number, row] > SAME_SHARE else -1 for number, row in enumerate(best)]


def _time_spans(present: dict[int, Placed]) -> dict[int, list[tuple[float, float]]]:
    """Every unit's time; one without an end ends where the coder's next one starts."""
    spans: dict[int, list[tuple[float, float]]] = {}
    for coder, placed in present.items():
        starts = sorted(coding.start or 0.0 for _, coding in placed)
        spans[coder] = []
        for _, coding in placed:
            start = coding.start or 0.0
            after = next((other for other in starts[bisect_right(starts, start) :]), start + LAST_SECONDS)
            spans[coder].append((start, after if coding.end is None else coding.end))
    return spans


def _word_spans(present: dict[int, Placed], reference: int) -> dict[int, list[tuple[float, float]]]:
    """Every unit as a stretch of the reference coder's words, other transcripts aligned with it."""
    base = [word for _, coding in present[reference] for word in words(coding.text)]
    spans: dict[int, list[tuple[float, float]]] = {}
    for coder, placed in present.items():
        units = [words(coding.text) for _, coding in placed]
        where = _positions(base, [word for unit in units for word in unit])
        ends = np.cumsum([0, *(len(unit) for unit in units)])
        spans[coder] = [(where[a], where[b]) for a, b in pairwise(ends)]
    return spans


def _positions(base: list[str], other: list[str]) -> NDArray[np.float64]:
    """Where each gap between words of `other` falls among the words of `base`, (len(other) + 1,)."""
    theirs, ours = zip(*anchors.positions(base, other), strict=True)
    where: NDArray[np.float64] = np.interp(np.arange(len(other) + 1), theirs, ours)
    return where


def words(text: str) -> list[str]:
    """Words of a text without case and punctuation."""
    return re.findall(r"[\w']+", text.casefold())


def _cut(present: dict[int, Placed], rows: list[dict[int, int]]) -> dict[tuple[int, int], Cutting]:
    coders = sorted(present)
    together: defaultdict[tuple[int, int], int] = defaultdict(int)
    for row in rows:
        members = sorted(row)
        for place, first in enumerate(members):
            for second in members[place + 1 :]:
                together[first, second] += 1
    return {
        (a, b): Cutting(first=len(present[a]), second=len(present[b]), matched=together[a, b])
        for place, a in enumerate(coders)
        for b in coders[place + 1 :]
    }
