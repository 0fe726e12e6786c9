"""Marks: what the rater reads in an utterance beside its code, with weights and an encoder made up here."""

from __future__ import annotations

import numpy as np
import pytest

from msw_ml import bundle
from msw_ml.codebook import Codebook, load
from msw_ml.errors import ModelNotFound
from msw_ml.rating.features import feature_row, read_talk
from msw_ml.rating.manner import Manner
from msw_ml.rating.marks import PLACES, MarkWeights, Rows
from msw_ml.rating.rater import BundleRater
from msw_ml.session import CodedUtterance, Role, Utterance
from msw_ml.text.buckets import BUCKETS

NOTHING = Manner(words=(), weights=())


def said(*rows: tuple[Role, str]) -> list[CodedUtterance]:
    return [
        CodedUtterance(utterance=Utterance(id=n, speaker=role.value, text=text, role=role))
        for n, (role, text) in enumerate(rows)
    ]


VISIT = said(
    (Role.WORKER, "I came today because school rang me about the mornings."),
    (Role.PARENT, "They ring everybody about everything."),
    (Role.CHILD, "I was only late once."),
    (Role.WORKER, "Hello, Tom. You look worn out. Were you late? What did you tell your teacher, Tom?"),
    (Role.PARENT, "He was crying on the stairs."),
    (Role.WORKER, "What worries me is that he missed four mornings and cried each time."),
)


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    return load()


@pytest.fixture(scope="module")
def rater(codebook: Codebook) -> BundleRater:
    return BundleRater(bundle.shipped("session_rater"), codebook)


def test_only_the_worker_carries_marks(rater: BundleRater) -> None:
    """Protects parents and children: nothing they say is marked for or against anybody."""
    talk = rater.talk(VISIT)
    for read in talk.marks.values():
        assert (read[talk.side == 1] == 0).all()
        assert ((read[talk.side == 0] > 0) & (read[talk.side == 0] < 1)).all()


def test_marks_find_what_they_are_about(rater: BundleRater) -> None:
    """Protects the evidence: a purpose, a met child and a concern stand out where they were said."""
    talk = rater.talk(VISIT)
    first, second, third = np.flatnonzero(talk.side == 0)
    assert talk.marks["purpose_said"].argmax() == first
    assert talk.marks["child_met"].argmax() == second
    assert talk.marks["concern_said"].argmax() == third


def test_marks_are_the_same_for_any_number_of_threads(rater: BundleRater) -> None:
    """Protects same input, same output."""
    from msw_ml.rating.marks import MarkReader

    marks = rater.model.marks
    found = [MarkReader(bundle.read(bundle.shipped("session_rater")), marks, threads).read(VISIT) for threads in (1, 4)]
    assert (found[0] == found[1]).all()


def test_no_worker_no_marks(rater: BundleRater) -> None:
    """Protects sessions in which nobody is the worker: they are declined later, not here."""
    assert not rater.talk(said((Role.PARENT, "Nobody came."), (Role.CHILD, "No."))).marks["drift"].any()


def test_weights_of_another_shape_are_refused() -> None:
    """Protects against a bundle whose list of marks and weights do not belong together."""
    weights = MarkWeights(table=np.zeros((8 + PLACES + BUCKETS + 1, 3), dtype=np.float32))
    with pytest.raises(ModelNotFound, match="2 marks"):
        MarkWeights.from_bytes(weights.to_bytes(), 2)


def test_a_mark_is_a_logistic_regression_on_meaning_place_and_words() -> None:
    """Protects the formula: intercept, one weight of each kind, by hand."""
    table = np.zeros((2 + PLACES + BUCKETS + 1, 1), dtype=np.float32)
    table[0], table[2], table[2 + PLACES + 7], table[-1] = 0.5, 2.0, 1.5, -1.0
    rows = Rows(
        at=np.array([0]),
        meaning=np.array([[3.0, 0.0]]),
        place=np.eye(PLACES)[:1],
        words=[(np.array([7]), np.array([2.0]))],
    )
    expected = 1 / (1 + np.exp(-(-1.0 + 0.5 * 3.0 + 2.0 + 1.5 * 2.0)))
    assert MarkWeights(table=table).probabilities(rows)[0, 0] == pytest.approx(expected)


def test_features_of_marks_by_hand(codebook: Codebook) -> None:
    """Protects `mark:` and `early:`: shares of the worker's runs, early ones in the first quarter."""
    rows = said(*[(Role.WORKER, f"word number {n}") if n % 2 == 0 else (Role.PARENT, "and mine") for n in range(16)])
    read = np.array([0.64 if n == 0 else 0.16 if n == 8 else 0.0 for n in range(16)])
    talk = read_talk(rows, codebook, NOTHING).with_marks(["any"], read[:, None])
    whole, early = feature_row(talk, ["mark:any", "early:any"], codebook, NOTHING)
    assert whole == pytest.approx(np.sqrt((0.64 + 0.16) / 8))
    assert early == pytest.approx(np.sqrt(0.64 / 2))
    unsaid = feature_row(talk.without(0), ["mark:any", "early:any"], codebook, NOTHING)
    assert unsaid[0] == pytest.approx(np.sqrt(0.16 / 7))
    assert unsaid[1] == 0.0
