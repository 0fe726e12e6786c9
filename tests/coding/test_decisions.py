"""From logits to one code: calibration, doubt, abstention, other codes."""

from __future__ import annotations

import numpy as np
import pytest

from msw_ml.bundle import BundleInfo
from msw_ml.codebook import book
from msw_ml.coding.decisions import CoderParameters, Decider, SideParameters
from msw_ml.errors import ModelNotFound
from msw_ml.session import CodedUtterance, Role, Utterance
from msw_ml.text.packing import Window

CODEBOOK = book.load()
WORKER, PARENT = CODEBOOK.codes(Role.WORKER), CODEBOOK.codes(Role.PARENT)
ALSO = CODEBOOK.parent_codes(Role.WORKER)


def decide(
    shares: dict[str, float],
    *,
    also: dict[str, float] | None = None,
    temperature: float = 1.0,
    least: float = 0.5,
    weights: dict[str, float] | None = None,
    code_weights: dict[str, float] | None = None,
) -> CodedUtterance:
    """A decision from the probabilities of some codes; the rest of them are next to nothing."""
    side = CODEBOOK.behaviour(next(iter(shares))).speaker
    parents = {role: dict.fromkeys(CODEBOOK.parent_codes(role), 1.0) for role in (Role.WORKER, Role.PARENT)}
    parents[side] |= weights or {}
    codes = dict.fromkeys(WORKER + PARENT, 1.0) | (code_weights or {})
    sides = {
        r: SideParameters(temperature=temperature, weights=w, code_weights=codes, least=least)
        for r, w in parents.items()
    }
    parameters = CoderParameters(window=Window(), words_weight=0.0, coverage=0.8, also=0.5, sides=sides)
    decider = Decider(CODEBOOK, {"codes": WORKER + PARENT, "also": ALSO}, parameters)
    logits = np.log([shares.get(code, 1e-9) for code in WORKER + PARENT]).astype(np.float32)
    occurs = [(also or {}).get(parent, 0.01) for parent in ALSO]
    odds = np.log([p / (1 - p) for p in occurs]).astype(np.float32)
    return decider.decide(Utterance(id=0, speaker="A", text="x", role=side), logits, odds)


@pytest.mark.parametrize(
    ("shares", "code"),
    [
        ({"question_open": 0.51, "question_closed": 0.49}, "question_open"),
        ({"question_open": 0.49, "question_closed": 0.51}, "question_closed"),
        # A complex reflection needs 1.25 times the probability of a simple one.
        ({"reflection_complex": 0.54, "reflection_simple": 0.46}, "reflection_simple"),
        ({"reflection_complex": 0.60, "reflection_simple": 0.40}, "reflection_complex"),
        ({"persuade": 0.55, "giving_information": 0.45}, "giving_information"),
        # Confronting needs twice the probability of nothing to code, across parents.
        ({"confront": 0.60, "other": 0.40}, "other"),
        ({"confront": 0.70, "other": 0.30}, "confront"),
        # The parent is chosen first: two codes of one parent together outweigh one of another.
        ({"question_open": 0.3, "question_closed": 0.3, "giving_information": 0.4}, "question_open"),
        ({"change": 0.45, "neutral": 0.40, "sustain": 0.15}, "change"),
    ],
)
def test_on_doubt_the_conservative_code_is_given(shares: dict[str, float], code: str) -> None:
    """Protects the codebook's costs of a false claim."""
    decided = decide(shares)
    assert (decided.code, decided.parent_code) == (code, CODEBOOK.parent_of(code))


def test_the_confidence_is_that_of_the_parent_as_given() -> None:
    """Protects the reader from a confidence that belongs to another code."""
    decided = decide({"reflection_complex": 0.3, "reflection_simple": 0.35, "other": 0.35})
    assert decided.confidence == pytest.approx(0.65, abs=1e-4)
    fallen = decide({"confront": 0.60, "other": 0.40})
    assert fallen.confidence == pytest.approx(0.40, abs=1e-4)


@pytest.mark.parametrize(
    ("shares", "is_withheld"),
    [
        ({"other": 0.9, "question_open": 0.1}, False),
        ({"other": 0.45, "question_open": 0.45, "confront": 0.1}, True),
        ({"other": 0.65, "question_open": 0.35}, False),
        ({"confront": 0.60, "other": 0.40}, True),
    ],
)
def test_a_set_that_is_not_the_given_parent_alone_is_withheld(shares: dict[str, float], is_withheld: bool) -> None:
    """Protects counts from guesses: none, several, or another parent in the prediction set."""
    assert decide(shares).withheld is is_withheld


def test_temperature_spreads_and_weights_shift_without_touching_probabilities() -> None:
    """Protects calibration: weights choose, they do not change what is said to be probable."""
    sharp, flat = decide({"change": 0.7, "neutral": 0.3}), decide({"change": 0.7, "neutral": 0.3}, temperature=2.0)
    assert flat.probabilities["change"] < sharp.probabilities["change"]
    plain = decide({"change": 0.4, "neutral": 0.6})
    weighted = decide({"change": 0.4, "neutral": 0.6}, weights={"change": 2.0})
    assert (plain.code, weighted.code) == ("neutral", "change")
    assert weighted.probabilities == plain.probabilities


def test_weights_of_codes_choose_within_the_parent_only() -> None:
    """Protects the parent codes, on which the coder is measured, from how rare codes are brought back."""
    shares = {"other": 0.3, "affirm": 0.15, "question_open": 0.55}
    heavy = decide(shares, code_weights={"affirm": 4.0})
    assert (heavy.code, heavy.parent_code) == (decide(shares).code, "question")
    shares = {"other": 0.5, "affirm": 0.2, "question_open": 0.3}
    assert decide(shares).code == "other"
    assert decide(shares, code_weights={"affirm": 4.0}).code == "affirm"


def test_other_behaviours_of_a_unit_are_named_after_the_main_one() -> None:
    """Protects rows that hold several behaviours: one main code, the others beside it, no code twice."""
    shares = {"question_open": 0.6, "reflection_simple": 0.25, "giving_information": 0.15}
    decided = decide(shares, also={"question": 0.99, "input": 0.7, "reflection": 0.8})
    assert decided.code == "question_open"
    assert decided.other_codes == ("reflection_simple", "giving_information")
    assert decide({"change": 1.0}, also={"question": 0.99}).other_codes == ()


def test_a_bundle_without_its_parameters_is_refused() -> None:
    """Protects against coding with guessed temperatures."""
    info = BundleInfo(name="x", version="1", kind="behaviour_coder", licence="none")
    with pytest.raises(ModelNotFound, match="lacks window"):
        CoderParameters.of(info)
