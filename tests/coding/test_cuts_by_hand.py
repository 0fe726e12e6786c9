"""The published figures of `msw_ml/coding/parse.py`: boundaries between words beside those cut by hand."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.intervals import Draws, Estimate, Resampling, estimate
from msw_ml.coding.parse import cuts
from msw_ml.text.sentences import ends_sentence

BY_HAND = {"miv_manual": 518, "hlqc_manual": 1142}
Counts = NDArray[np.float64]


def volleys(path: Path) -> dict[tuple[str, str], list[list[str]]]:
    """(session, volley) → the words of each utterance that was cut by hand."""
    found: dict[tuple[str, str], list[list[str]]] = defaultdict(list)
    with path.open(encoding="utf-8-sig", newline="") as file:
        for line in csv.DictReader(file):
            found[line["conv_id"], line["conv_vol_idx"]].append(line["utt_text"].split())
    return found


def sentence_ends_alone(words: Sequence[str]) -> list[int]:
    """The baseline: no cut in rows without punctuation."""
    has_case = any(word[:1].isupper() for word in words)
    return [at for at in range(1, len(words)) if ends_sentence(words[at - 1], words[at], has_case)]


def compared(
    by_hand: dict[tuple[str, str], list[list[str]]], cut: Callable[[Sequence[str]], list[int]]
) -> tuple[Counts, list[str]]:
    """Cuts in common, ours and by hand, (volleys, 3), and each volley's session."""
    counts = []
    for parts in by_hand.values():
        theirs = set(accumulate(len(part) for part in parts[:-1]))
        ours = set(cut([word for part in parts for word in part]))
        counts.append((len(ours & theirs), len(ours), len(theirs)))
    return np.array(counts, dtype=np.float64), [session for session, _ in by_hand]


def precision_and_recall(counts: Counts, sessions: Sequence[str]) -> tuple[Estimate, Estimate]:
    """Both with 95% intervals that resample sessions."""
    clusters = np.unique(sessions, return_inverse=True)[1]
    draws = Draws(clusters, Resampling())
    grouped = np.zeros((draws.n_groups, 3))
    np.add.at(grouped, clusters, counts)
    both, ours, theirs = draws.sums(grouped).T
    with np.errstate(invalid="ignore"):
        return estimate(both / ours, "no cut"), estimate(both / theirs, "no cut by hand")


def figures(estimates: Sequence[Estimate]) -> list[float | None]:
    return [figure for one in estimates for figure in (one.value, one.low, one.high)]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "published", "baseline"),
    [
        ("miv_manual", [0.996, 0.990, 1.0, 0.898, 0.859, 0.930], [0.996, 0.894]),
        ("hlqc_manual", [0.820, 0.644, 0.925, 0.314, 0.171, 0.518], [1.0, 0.162]),
    ],
)
def test_cuts_agree_with_those_made_by_hand(
    shared: Path, name: str, published: list[float], baseline: list[float]
) -> None:
    """Protects the table in parse's docstring: precision and recall with intervals, and sentence ends alone."""
    by_hand = volleys(shared / "data" / "automisc" / f"{name}.csv")
    counts, sessions = compared(by_hand, cuts)
    plain = precision_and_recall(compared(by_hand, sentence_ends_alone)[0], sessions)
    assert counts[:, 2].sum() == BY_HAND[name]
    assert figures(precision_and_recall(counts, sessions)) == pytest.approx(published, abs=0.0006)
    assert [one.value for one in plain] == pytest.approx(baseline, abs=0.0006)
