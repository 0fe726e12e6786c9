"""Which words of two transcripts are the same: quick on long sessions, since most of both is the same.

Runs of three words that each transcript has exactly once are anchors; the longest row of them in the same
order in both is kept (patience sorting), and only the short stretches between are compared word by word.
"""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections.abc import Sequence

RUN = 3
"""Words of an anchor."""


def positions(base: Sequence[str], other: Sequence[str]) -> list[tuple[int, int]]:
    """Places of `other` and of `base` that are the same place, in order, ends included."""
    known = [(0, 0)]
    last_other = last_base = 0
    for at_other, at_base in [*_anchors(base, other), (len(other), len(base))]:
        if at_other < last_other or at_base < last_base:
            continue  # the anchor before overlaps this one
        part = difflib.SequenceMatcher(a=base[last_base:at_base], b=other[last_other:at_other], autojunk=False)
        for block in part.get_matching_blocks():
            if block.size:
                begin = last_other + block.b, last_base + block.a
                known += [begin, (begin[0] + block.size, begin[1] + block.size)]
        known.append((at_other, at_base))
        last_other, last_base = at_other, at_base
    return known


def _anchors(base: Sequence[str], other: Sequence[str]) -> list[tuple[int, int]]:
    """The longest row of unique runs that stand in the same order in both."""
    ours, theirs = _unique_runs(base), _unique_runs(other)
    shared = sorted((theirs[run], place) for run, place in ours.items() if run in theirs)
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for number, (_, place) in enumerate(shared):
        length = bisect_left(tails, place)
        before.append(ends[length - 1] if length else -1)
        tails[length : length + 1] = [place]
        ends[length : length + 1] = [number]
    row = []
    number = ends[-1] if ends else -1
    while number >= 0:
        row.append(shared[number])
        number = before[number]
    return row[::-1]


def _unique_runs(words: Sequence[str]) -> dict[tuple[str, ...], int]:
    """Runs that occur once, with their places."""
    places: dict[tuple[str, ...], int] = {}
    twice = set()
    for place in range(len(words) - RUN + 1):
        run = tuple(words[place : place + RUN])
        if run in places:
            twice.add(run)
        places[run] = place
    return {run: place for run, place in places.items() if run not in twice}
