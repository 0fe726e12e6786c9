"""Which recordings a fine-tuned rater learned from: its bundle holds their marks, never their names.

What a rater says of a session that it learned from is no evidence of how it does on a new one.
"""

from __future__ import annotations

from msw_ml.bundle import BundleInfo

LEARNED = "own_sessions"
"""The bundle's parameter that holds the marks."""


def mark(sha256: str) -> str:
    """What a bundle keeps of a recording's or transcript's hash; the sessions of one file share it."""
    return sha256[:16]


def learned_from(info: BundleInfo) -> frozenset[str]:
    """Marks of everything that the rater learned from of its own organisation's; empty for a shipped one."""
    marks = info.parameters.get(LEARNED)
    return frozenset(map(str, marks)) if isinstance(marks, list) else frozenset()
