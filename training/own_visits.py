"""`msw train elements`: fine-tunes a session rater on an organisation's own rated visits.

It starts from a rater (the shipped one unless told otherwise), learns for every element with enough ratings
a correction of its weights, and writes a bundle that loads like the one it came from, with a card.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from msw_ml import bundle as bundles
from msw_ml.bundle import Bundle
from msw_ml.codebook import Codebook
from msw_ml.errors import BadSetting, InputError
from msw_ml.rating.learned import LEARNED, learned_from, mark
from msw_ml.rating.rater import WEIGHTS, BundleRater
from msw_ml.rating.release import MINIMUM_SESSIONS
from training.own_card import CARD, CARD_BEFORE, OwnFacts, write_own_card
from training.own_data import OwnFiles, OwnVisits, read_own
from training.own_figures import Found, compare
from training.own_fit import LEAST_GROUPS
from training.own_model import Tuning, tune

NAME: Literal["session_rater"] = "session_rater"
MARK = "+own"
"""What a fine-tuned rater's version ends with."""


class Trained(NamedTuple):
    """What a run gives back."""

    path: Path
    """The bundle."""
    found: Found
    declined: dict[str, str]
    """Rated session → why it was not learned from."""


def train_own(files: OwnFiles, out: Path, codebook: Codebook, rater: Path | None = None) -> Trained:
    """Fine-tunes `rater` (else the shipped one) on own visits and writes the bundle `out`/session_rater.

    Raises `InputError` and `BadSetting` where nothing can be learned, `ModelError`, and `OutputError`.
    """
    start = bundles.load(rater or bundles.shipped(NAME), NAME, codebook.key)
    starter = BundleRater(start.path, codebook)
    every = read_own(files, codebook)
    own, declined = rateable(every, starter)
    _check(own, len(declined))
    check_unseen(own, start)
    tuning = tune(own, starter, codebook)
    version = start.info.version.removesuffix(MARK) + MARK
    facts = OwnFacts(
        title=f"{NAME} {version}",
        start=start.label,
        sessions=len(own.names),
        groups=len(np.unique(own.groups)),
        grouped_by=own.grouped_by,
        coders=len(own.coders),
        declined=len(declined),
        unrated=own.unrated,
        found=compare(tuning),
    )
    card = write_own_card(codebook, tuning.before, tuning.model, facts)
    return Trained(_write(out / NAME, start, version, tuning, card), facts.found, declined)


def rateable(own: OwnVisits, rater: BundleRater) -> tuple[OwnVisits, dict[str, str]]:
    """The sessions that the rater would rate; of the others, neither learned from nor compared, why it would not."""
    found = {
        name: rater.obstacle(one.utterances, one.quality, one.roles)
        for name, one in zip(own.names, own.sessions, strict=True)
    }
    declined = {name: why.removeprefix("Withheld: ") for name, why in found.items() if why is not None}
    return own.at([row for row, name in enumerate(own.names) if name not in declined]), declined


def check_unseen(own: OwnVisits, rater: Bundle) -> None:
    """Raises `BadSetting` where a fine-tuned rater has learned from one of the sessions."""
    known = learned_from(rater.info)
    again = [name for name, one in zip(own.names, own.sessions, strict=True) if mark(one.recording.sha256) in known]
    if again:
        raise BadSetting(
            f"{rater.label} has learned from {len(again)} of these sessions already ('{again[0]}' is one), so every "
            "figure would flatter: take the rater that it came from, with all sessions at once"
        )


def _check(own: OwnVisits, declined: int) -> None:
    """Raises `InputError` where there is too little to learn from."""
    most = int(np.isfinite(own.y).sum(axis=0).max()) if own.names else 0
    if most < MINIMUM_SESSIONS:
        also = f" ({declined} more are too short or too poorly heard to be rated)" if declined else ""
        raise InputError(
            f"{most} rated sessions can be learned from{also}, {MINIMUM_SESSIONS} are needed: from fewer a rater "
            "learns chance, and nobody could tell. Have more visits rated (`msw sample` draws them, `msw sheet write` "
            "makes the sheets); until then use the rater as it is"
        )
    groups = len(np.unique(own.groups))
    if groups < LEAST_GROUPS:
        raise InputError(
            f"the {len(own.names)} sessions are of {groups} {own.grouped_by} only, {LEAST_GROUPS} are needed: else "
            "nobody can tell whether the rater knows the practice or the person. Add rated visits of others"
        )


def _write(out: Path, start: Bundle, version: str, tuning: Tuning, card: str) -> Path:
    """What the rater reads with (encoder, marks) is copied as it is."""
    model = tuning.model
    learned = {mark(one.recording.sha256) for one in tuning.own.sessions} | learned_from(start.info)
    info = start.info.model_copy(
        update={
            "name": NAME,
            "version": version,
            "parameters": {
                **start.info.parameters,
                "half_widths": {one.element: one.half_width for one in model.elements},
                "sessions": {one.element: one.sessions for one in model.elements},
                "started_from": start.label,
                LEARNED: sorted(learned),
            },
            "files": {},
        }
    )
    kept = {name: start.file(name).read_bytes() for name in start.info.files if name != CARD}
    old_card = {CARD_BEFORE: start.file(CARD).read_bytes()} if CARD in start.info.files else {}
    own = {WEIGHTS: (model.model_dump_json(indent=1) + "\n").encode(), CARD: card.encode()}
    return bundles.write(out, info, kept | old_card | own).path
