"""A fine-tuned rater is compared on sessions that it did not learn from; those that it did are left out and counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from evaluation.codings import Codings
from msw_ml import bundle
from msw_ml.rating.learned import learned_from, mark

LEFT_OUT = "machine's rating of a session that its rater learned from"


def known_to(rater: str | None, own: Path | None) -> frozenset[str] | None:
    """Marks of the recordings that a rater learned from; `None` where neither `own` nor the shipped bundle is it.

    `rater` is its label as the scores name it (`None`: they name none), `own` the bundle that is set, if one is.
    Raises `ModelError` where that bundle cannot be read.
    """
    if rater is None:
        return frozenset()
    for path in (own, bundle.shipped("session_rater")):
        if path is not None and (found := bundle.load(path, "session_rater")).label == rater:
            return learned_from(found.info)
    return None


def unseen(codings: Codings, known: frozenset[str]) -> Codings:
    """The same without the machine's ratings of recordings with these marks. Its codes stay: no coder learns here."""
    machines = {coder.name for coder in codings.coders if coder.is_machine}
    learned = {session for session, sha256 in codings.recordings.items() if mark(sha256) in known}
    kept = [one for one in codings.ratings if one.coder not in machines or one.session not in learned]
    dropped = Counter({LEFT_OUT: len(codings.ratings) - len(kept)})
    return replace(codings, ratings=kept, left_out=codings.left_out + dropped)  # a sum of counters keeps no nought
