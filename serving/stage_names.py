"""The stages of a durable job in order, and how much of the way each takes."""

from __future__ import annotations

STAGES = ("receive", "listen", "code", "rate", "write")
"""Changing their order needs a new `APPLICATION_VERSION`: jobs under way belong to the old one."""

WHOLE = "whole"
"""All stages in one go, for a short transcript: doing them again costs less than keeping what each has made."""

SHORT_BYTES = 16 << 10
"""Up to here a transcript is short: some 200 utterances, coded in a few seconds."""

_SHARES = {"receive": 0.02, "listen": 0.86, "code": 0.08, "rate": 0.02, "write": 0.02}
"""By the measured cost of an hour of sound; a transcript jumps over listening."""


def overall(stage: str, share: float) -> float:
    """Progress of the whole job, 0 to 1, when `share` of a stage is done."""
    before = sum(_SHARES[name] for name in STAGES[: STAGES.index(stage)])
    return round(min(1.0, before + _SHARES[stage] * min(1.0, max(0.0, share))), 4)
