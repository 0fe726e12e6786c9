"""What a session must have for a rating to mean anything; below it the rater declines and says why."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from msw_ml.rating.features import SIDES, Talk
from msw_ml.session import CodedUtterance, Quality, Role, RoleChoice, Value


class Limits(Value):
    """The least that is rated; proposed here, and kept in the bundle so that training and use agree."""

    worker_words: int = Field(default=100, ge=0)
    worker_units: int = Field(default=6, ge=1)
    """Units that are more than a back-channel."""
    parent_words: int = Field(default=50, ge=0)
    role_margin: float = Field(default=0.1, ge=0, le=1)
    """Of who was taken for the worker; stated roles have 1, unless the words speak clearly against them."""
    doubtful_share: float = Field(default=0.3, gt=0, le=1)
    """Doubtful words of all words, at most."""
    unheard_share: float = Field(default=0.3, gt=0, le=1)
    """Seconds of speech that no word covers, at most, of all speech."""
    withheld_share: float = Field(default=0.7, gt=0, le=1)
    """The worker's units for which the coder would not settle, at most."""


def obstacle(
    coded: Sequence[CodedUtterance], roles: RoleChoice, quality: Quality, talk: Talk, limits: Limits
) -> str | None:
    """The first thing that keeps a session from being rated, as a sentence; `None`: nothing."""
    return (
        roles_obstacle(coded, roles, limits)
        or length_obstacle(talk, limits)
        or quality_obstacle(coded, quality, limits)
    )


def roles_obstacle(coded: Sequence[CodedUtterance], roles: RoleChoice, limits: Limits) -> str | None:
    """What is wrong with who was taken for whom, as a sentence; `None`: nothing."""
    if not any(one.utterance.role is Role.WORKER for one in coded):
        return "Withheld: it is not known who the worker is. Name the worker with --role SPEAKER=worker."
    if roles.method == "found" and roles.margin < limits.role_margin:
        return (
            f"Withheld: who the worker is was little more than a guess (margin {roles.margin:.2f}, at least "
            f"{limits.role_margin:.2f} is needed). Name the worker with --role SPEAKER=worker."
        )
    if roles.margin < limits.role_margin:
        return (
            "Withheld: what is said speaks clearly against who the transcript calls the worker. Correct the roles, or "
            "name the worker with --role SPEAKER=worker."
        )
    return None


def length_obstacle(talk: Talk, limits: Limits) -> str | None:
    """What is too short, as a sentence; `None`: nothing."""
    worker, parent = (talk.words[talk.side == number] for number in range(len(SIDES)))
    if worker.sum() < limits.worker_words or len(worker) < limits.worker_units:
        return (
            f"Withheld: the worker says {_of(worker)}; a rating needs at least {limits.worker_words} words in "
            f"{limits.worker_units} units. Score a longer stretch of the visit."
        )
    if parent.sum() < limits.parent_words:
        return (
            f"Withheld: the parent says {_of(parent)}; a rating needs at least {limits.parent_words} words. "
            "Check who was taken for the parent, or score a longer stretch of the visit."
        )
    return None


def quality_obstacle(coded: Sequence[CodedUtterance], quality: Quality, limits: Limits) -> str | None:
    """What is too poorly heard or coded, as a sentence; `None`: nothing."""
    if quality.words and quality.doubtful_words > limits.doubtful_share * quality.words:
        return (
            f"Withheld: {_percent(quality.doubtful_words / quality.words)} of the words are doubtful, at most "
            f"{_percent(limits.doubtful_share)} may be. Use a larger transcription model or correct the transcript."
        )
    if quality.speech_seconds and (quality.unheard_seconds or 0.0) > limits.unheard_share * quality.speech_seconds:
        share = (quality.unheard_seconds or 0.0) / quality.speech_seconds
        return (
            f"Withheld: no words were found for {_percent(share)} of the speech, at most "
            f"{_percent(limits.unheard_share)} may be missing. Use a larger transcription model or a clearer recording."
        )
    worker = [one for one in coded if one.utterance.role is Role.WORKER and one.code is not None]
    unsure = sum(one.withheld for one in worker)
    if unsure > limits.withheld_share * len(worker):
        return (
            f"Withheld: the coder would not settle for {unsure} of the worker's {len(worker)} units, at most "
            f"{_percent(limits.withheld_share)} may be left open. Check the transcript."
        )
    return None


def _of(words: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    return f"{int(words.sum())} words in {len(words)} units"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"
