"""Stretches of speech by owner → turns: what all diarisers do at the end."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from msw_ml.session import Turn

BRIDGE = 0.5
"""Seconds: a shorter pause between two stretches of one speaker does not end the turn."""

Piece = tuple[float, float, Hashable]
"""Start, end, owner."""


def bridged(pieces: Sequence[Piece]) -> list[Piece]:
    """Joins neighbours of one owner across pauses shorter than `BRIDGE`; `pieces` in time order."""
    joined: list[Piece] = []
    for start, end, owner in pieces:
        if joined and joined[-1][2] == owner and start - joined[-1][1] < BRIDGE:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]), owner)
        else:
            joined.append((start, end, owner))
    return joined


def named(pieces: Sequence[Piece]) -> list[Turn]:
    """Turns with speakers called S1, S2, … in order of first speech; `pieces` in time order."""
    order = {owner: f"S{place}" for place, owner in enumerate(dict.fromkeys(owner for _, _, owner in pieces), start=1)}
    return [Turn(start=round(start, 3), end=round(end, 3), speaker=order[owner]) for start, end, owner in pieces]
