"""Which utterances moved a rating: the rating as it is less the rating without them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from msw_ml.rating.features import SIDES, Floats, Talk
from msw_ml.session import Evidence, Role

TOP = 5
"""Utterances shown for a rating."""

LEAST_EFFECT = 0.0005
"""Rating points; what moves less is no evidence. In an hour of talk no single utterance moves much."""


def find_evidence(talk: Talk, rate: Callable[[Talk], Floats], top: int = TOP) -> list[tuple[Evidence, ...]]:
    """For every element, the worker's utterances that moved it most, the strongest first.

    `rate` gives the elements' ratings of a talk, unclipped. Only the worker is rated, so only the
    worker's words are evidence. One pass leaves each utterance out once.
    """
    whole = rate(talk)
    said = np.flatnonzero(talk.side == SIDES.index(Role.WORKER))
    effects = np.array([whole - rate(talk.without(int(position))) for position in said])
    return [_strongest(talk.ids[said], effects[:, element], top) for element in range(len(whole))]


def _strongest(ids: np.ndarray[tuple[int, ...], np.dtype[np.intp]], effects: Floats, top: int) -> tuple[Evidence, ...]:
    order = np.argsort(-np.abs(effects), kind="stable")[:top]
    return tuple(
        Evidence(utterance=int(ids[place]), effect=round(float(effects[place]), 4))
        for place in order
        if abs(effects[place]) >= LEAST_EFFECT
    )
