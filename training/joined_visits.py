"""Coded visits joined end to end to one long visit."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean
from typing import NamedTuple

from msw_ml.session import CodedUtterance, Rating, RatingStatus, Role, RoleChoice, ScoredSession

TOGETHER = 5


class Joined(NamedTuple):
    """One long visit."""

    name: str
    coded: tuple[CodedUtterance, ...]
    roles: RoleChoice
    mean_ratings: tuple[Rating, ...]
    """What its parts were rated, element by element."""


def join_fives(scored: Sequence[ScoredSession]) -> list[Joined]:
    """Five neighbours each, in the order given; what is left over is left out."""
    return [join(scored[start : start + TOGETHER]) for start in range(0, len(scored) - TOGETHER + 1, TOGETHER)]


def join_by_words(scored: Sequence[ScoredSession], words: int) -> Joined:
    """As many visits as it takes to come to so many words; from the first again where there are too few."""
    parts: list[ScoredSession] = []
    while sum(part.quality.words for part in parts) < words:
        parts.append(scored[len(parts) % len(scored)])
    return join(parts)


def join(parts: Sequence[ScoredSession]) -> Joined:
    """One after the other; all workers are the first part's worker."""
    worker = next(one.utterance.speaker for one in parts[0].utterances if one.utterance.role is Role.WORKER)
    coded: list[CodedUtterance] = []
    for one in (one for part in parts for one in part.utterances):
        said = one.utterance
        speaker = worker if said.role is Role.WORKER else said.speaker
        coded.append(
            one.model_copy(update={"utterance": said.model_copy(update={"id": len(coded), "speaker": speaker})})
        )
    roles = {one.utterance.speaker: one.utterance.role for one in coded}
    return Joined(
        name="+".join(part.recording.name for part in parts),
        coded=tuple(coded),
        roles=RoleChoice(roles=roles, margin=1.0, method="given"),
        mean_ratings=tuple(_mean([part.ratings[place] for part in parts]) for place in range(len(parts[0].ratings))),
    )


def _mean(ratings: Sequence[Rating]) -> Rating:
    """Mean of values and of the ends of intervals; withheld where one of them is."""
    values = [(one.value, one.low, one.high) for one in ratings]
    known = [
        (value, low, high) for value, low, high in values if value is not None and low is not None and high is not None
    ]
    if len(known) < len(ratings):
        return next(one for one in ratings if one.status is RatingStatus.WITHHELD)
    value, low, high = (mean(column) for column in zip(*known, strict=True))
    return ratings[0].model_copy(update={"value": value, "low": low, "high": high, "evidence": ()})
