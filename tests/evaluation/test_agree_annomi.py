"""Ten annotators in one file: the figures that a separate, naive calculation gives."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, f1_score

from evaluation.reading.files import read
from evaluation.reliability import CompareOptions, compare
from msw_ml import codebook

pytestmark = pytest.mark.shared
BOOK = codebook.load("msw")


def test_pairs_of_ten_annotators(shared: Path) -> None:
    """Kappa and macro-F1 by scikit-learn, pair by pair, straight from the file."""
    path = shared / "data" / "annomi" / "AnnoMI-full.csv"
    found = compare(read([path], BOOK), BOOK, CompareOptions(draws=100))
    assert found.sessions == 3
    assert found.single_coded == 104
    given: dict[tuple[str, str], dict[str, str]] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            given.setdefault((row["transcript_id"], row["utterance_id"]), {})[row["annotator_id"]] = (
                row["main_therapist_behaviour"] if row["interlocutor"] == "therapist" else row["client_talk_type"]
            )
    tenfold = [codes for codes in given.values() if len(codes) == 10]
    for variable, labels in (
        ("worker_main", ("question", "reflection", "therapist_input", "other")),
        ("parent_main", ("change", "sustain", "neutral")),
    ):
        units = [codes for codes in tenfold if set(codes.values()) <= set(labels)]
        kappas, scores = [], []
        for a, b in itertools.combinations(sorted(units[0]), 2):
            first, second = [codes[a] for codes in units], [codes[b] for codes in units]
            kappas.append(cohen_kappa_score(first, second))
            scores.append(f1_score(first, second, average="macro"))
        assert found.find(variable, "humans", "kappa").estimate.value == pytest.approx(np.mean(kappas), abs=1e-9)
        assert found.find(variable, "humans", "macro_f1").estimate.value == pytest.approx(np.mean(scores), abs=1e-9)
        assert found.find(variable, "humans", "kappa").units == len(units)
