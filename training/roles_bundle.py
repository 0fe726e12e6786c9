"""Writes the bundle `role_finder` with its card."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

from msw_ml import bundle
from msw_ml.bundle import BundleInfo
from msw_ml.session import Role, Value
from msw_ml.speech.roles import WEIGHTS_FILE, RoleWeights
from training.corpora import Source

LEAST_SESSIONS = 20
"""Conversations in which a word or pair must stand to be in the bundle: nothing in it can be traced to one."""
SHORT = 20
"""Rows of the excerpts that are scored beside whole sessions."""
SURE = 0.9
"""Margin from which the answers are counted apart: is the margin to be believed?"""

CARD = """# role_finder
Tells the worker from the parent in a conversation of two or more: a weight for each of {terms} common words and pairs
of words, who begins, and who says how much. A file of numbers; nothing in it can run.

Trained by `training/roles.py` on {sessions} counselling conversations ({groups} independent ones: those of one video,
and those that repeat another, count once), labels therapist/counsellor against client:

| set | commit | licence | sha256 |
|---|---|---|---|
{sources}

No sentence of these sets is in the bundle: only words and pairs that stand in at least {least} conversations.

| worker found, folds without the conversation's group | right | of | 95% interval |
|---|---|---|---|
{figures}

Intervals (Wilson) take the independent conversations as the sample. A margin of {sure} or more was given in {sure_n}
conversations and was right in {sure_right}.

The training data are counselling demonstrations, mostly American, not home visits. Who begins counts little on
purpose: at a front door anybody may. A child or a relative is never found by words: whoever is neither worker nor the
most talkative other is `other` until somebody says better (`--role SPEAKER=child`).
"""


class RoleFigures(Value):
    """How often the worker was found, by weights that did not see the session."""

    sessions: int
    groups: int
    right: int
    short_right: int
    """Of the first `SHORT` rows of each session."""
    language_right: int
    """By language alone."""
    talk_right: int
    """Baseline: the one who says more."""
    first_right: int
    """Baseline: the one who begins."""
    sure: int
    sure_right: int


def write_bundle(out: Path, weights: RoleWeights, figures: RoleFigures, sources: Sequence[Source]) -> None:
    """Writes weights and card; the same weights and figures give the same bytes."""
    named = {
        "all of it": figures.right,
        f"first {SHORT} rows": figures.short_right,
        "language alone": figures.language_right,
        "baseline: says more": figures.talk_right,
        "baseline: begins": figures.first_right,
    }
    card = CARD.format(
        terms=len(weights.terms),
        sessions=figures.sessions,
        groups=figures.groups,
        sources="\n".join(f"| {s.name} | {s.commit} | {s.licence} | {s.sha256} |" for s in sources),
        least=LEAST_SESSIONS,
        figures="\n".join(_row(name, right, figures) for name, right in named.items()),
        sure=SURE,
        sure_n=figures.sure,
        sure_right=figures.sure_right,
    )
    info = BundleInfo(
        name="role_finder",
        version="1.0",
        kind="role_finder",
        labels={"role": (Role.WORKER.value, Role.PARENT.value)},
        parameters={"found": figures.model_dump()},
        licence="Apache-2.0; trained on sets whose licences are not stated, see the card",
    )
    text = json.dumps(weights.model_dump(), indent=0, sort_keys=True, ensure_ascii=False) + "\n"
    bundle.write(out, info, {WEIGHTS_FILE: text.encode(), "card.md": card.encode()})


def wilson(right: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Interval of a share (Wilson 1927, score method)."""
    share, square = right / total, z * z / total
    half = z * math.sqrt(share * (1 - share) / total + square / (4 * total))
    return (share + square / 2 - half) / (1 + square), (share + square / 2 + half) / (1 + square)


def _row(name: str, right: int, figures: RoleFigures) -> str:
    share = right / figures.sessions
    low, high = wilson(round(share * figures.groups), figures.groups)
    return f"| {name} | {right} | {figures.sessions} ({share:.3f}) | {low:.3f} to {high:.3f} |"
