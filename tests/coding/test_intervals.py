"""Intervals of counts: what they hold, what they leave out, and that they count as the volley rules do."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msw_ml import codebook
from msw_ml.bundle import BundleInfo
from msw_ml.codebook import Codebook
from msw_ml.coding.intervals import DRAWS, PARAMETER, CountErrors, Leaning, SideErrors, counted, draw_codes
from msw_ml.coding.measures import measure
from msw_ml.coding.volleys import apply_volley_rules
from msw_ml.errors import ModelNotFound
from msw_ml.session import CodedUtterance, Measure, Role, Utterance

BOOK = codebook.load("msw")
NARROW = BOOK.model_copy(update={"max_codes_per_volley": 2})
TEXTS = ("yeah", "What was it like for you?", "mm")


def errors(spread: float = 0.0, labels: int = 500, unknown: tuple[str, ...] = ()) -> CountErrors:
    """The same spread everywhere; codes in `unknown` have no labels."""

    def of(name: str) -> Leaning:
        return Leaning(shift=0.0, spread=spread, labels=0 if name in unknown else labels)

    return CountErrors(
        sides={
            side: SideErrors(
                parents={parent: of(parent) for parent in BOOK.parent_codes(side)},
                codes={code: of(code) for code in BOOK.codes(side)},
            )
            for side in (Role.WORKER, Role.PARENT)
        }
    )


def visit(share: float, utterances: int = 40) -> list[CodedUtterance]:
    """Worker and parent in turn; the worker asks open questions, with that probability, or closed ones."""
    coded = []
    for number in range(utterances):
        side = Role.WORKER if number % 2 == 0 else Role.PARENT
        shares = {"question_open": share, "question_closed": 1 - share} if side is Role.WORKER else {"neutral": 1.0}
        code = max(shares, key=lambda one: shares[one])
        coded.append(
            CodedUtterance(
                utterance=Utterance(id=number, speaker=side.value, role=side, text="What I wanted to say is this."),
                code=code,
                parent_code=BOOK.parent_of(code),
                confidence=shares[code],
                probabilities=shares,
            )
        )
    return list(apply_volley_rules(coded, BOOK))


def measured(coded: list[CodedUtterance], known: CountErrors | None) -> dict[str, Measure]:
    return {one.id: one for one in measure(coded, BOOK, known)}


def test_a_sure_coder_has_no_width_and_a_doubtful_one_has() -> None:
    """The interval is the count where every utterance is certain, and holds what chance would do where not."""
    sure, doubtful = measured(visit(1.0), errors()), measured(visit(0.6), errors())
    assert (sure["question_open"].low, sure["question_open"].high) == (20, 20)
    # 20 utterances at .6: the binomial's 5th and 95th percentile.
    assert (doubtful["question_open"].low, doubtful["question_open"].high) == (8, 16)
    share = doubtful["percent_open_questions"]
    assert (share.low, share.high) == (0.4, 0.8)
    assert share.value == 1.0, "the sum of arg-maxes claims more"


def test_the_expected_count_knows_what_the_likeliest_code_hides() -> None:
    """Twenty utterances of which each is an open question to .6 are about twelve, not twenty."""
    made = measured(visit(0.6), errors())
    assert made["question_open"].value == 20
    assert made["question_open"].expected == pytest.approx(12, abs=0.3)
    assert made["question_closed"].expected == pytest.approx(8, abs=0.3)
    assert made["percent_open_questions"].expected is None


def test_sessions_that_lean_widen_the_interval() -> None:
    """Errors that cluster in a session do not average out over its utterances."""
    alone, leaning = (measured(visit(0.6), errors(spread))["question_open"] for spread in (0.0, 1.0))
    assert leaning.low < alone.low
    assert leaning.high > alone.high


def test_no_interval_without_a_known_error() -> None:
    """A coder that was not measured, a code without labels and a human coder claim nothing."""
    coded = visit(0.6)
    assert all(one.low is None for one in measured(coded, None).values())
    partly = measured(coded, errors(unknown=("question_open",)))
    assert (partly["question_open"].low, partly["question_open"].expected) == (None, None)
    assert partly["percent_open_questions"].low is None
    assert partly["question_closed"].low is not None
    by_hand = [unit.model_copy(update={"confidence": None}) for unit in coded]
    assert all(one.low is None for one in measured(by_hand, errors()).values())


def test_a_persons_code_is_certain() -> None:
    """A corrected utterance keeps its code in every draw."""
    coded = visit(0.6)
    coded = [unit.model_copy(update={"confidence": None}) if place < 36 else unit for place, unit in enumerate(coded)]
    made = measured(coded, errors())["question_open"]
    assert (made.low, made.high) == (18, 20)


def test_a_ratio_that_may_have_nothing_to_divide_by_has_no_interval() -> None:
    """A share of hardly any questions is not estimable, even where one was found."""
    one = visit(0.5, utterances=1)[0]
    unsure = one.model_copy(update={"probabilities": {"question_open": 0.6, "other": 0.4}})
    made = measured(list(apply_volley_rules([unsure], BOOK)), errors())
    assert made["percent_open_questions"].value is not None
    assert made["percent_open_questions"].low is None
    assert made["question_open"].low == 0


def test_the_same_session_has_the_same_intervals() -> None:
    """Protects equal files from equal input."""
    assert measure(visit(0.7), BOOK, errors(0.8)) == measure(visit(0.7), BOOK, errors(0.8))


def test_draws_follow_the_shifted_shares() -> None:
    """A shift of a code moves it against its siblings, a shift of a parent against the other parents."""
    side = errors().sides[Role.WORKER]
    shift = Leaning(shift=float(np.log(2)), spread=0.0, labels=500)
    side = SideErrors(parents={**side.parents, "question": shift}, codes={**side.codes, "question_open": shift})
    codes = BOOK.codes(Role.WORKER)
    shares = np.zeros((400, len(codes)))
    for code, share in (("question_open", 0.25), ("question_closed", 0.25), ("reflection_simple", 0.5)):
        shares[:, codes.index(code)] = share
    drawn = draw_codes(shares, side, codes, BOOK, np.random.default_rng(0))
    found = [float((drawn == codes.index(c)).mean()) for c in ("question_open", "question_closed", "reflection_simple")]
    assert found == pytest.approx([4 / 9, 2 / 9, 1 / 3], abs=0.005)


spoken = st.tuples(st.sampled_from([Role.WORKER, Role.PARENT, Role.CHILD]), st.sampled_from(TEXTS), st.integers(0, 11))


@settings(max_examples=60, deadline=None)
@given(st.lists(spoken, max_size=24), st.sampled_from([BOOK, NARROW]))
def test_draws_are_counted_as_the_volley_rules_count(rows: list[tuple[Role, str, int]], book: Codebook) -> None:
    """Protects the second writing of the rules, for all draws at once, from drifting away from the first."""
    coded = []
    for place, (role, text, number) in enumerate(rows):
        codes = book.codes(role)
        code = codes[number % len(codes)] if codes else None
        coded.append(
            CodedUtterance(
                utterance=Utterance(id=place, speaker=role.value, text=text, role=role),
                code=code,
                parent_code=book.parent_of(code) if code else None,
            )
        )
    ruled = apply_volley_rules(coded, book)
    expected = Counter(code for unit in ruled for code in unit.counted)
    ids = [behaviour.id for behaviour in book.behaviours]
    labels = np.array([[-1 if unit.code is None else ids.index(unit.code)] * 3 for unit in ruled]).reshape(-1, 3)
    found = counted(labels, [-1 if unit.volley is None else unit.volley for unit in ruled], book)
    assert found.shape == (len(ids), 3)
    for draw in found.T:
        assert dict(zip(ids, draw.tolist(), strict=True)) == {one: expected[one] for one in ids}


def test_a_session_drawn_from_the_model_is_held_nine_times_in_ten() -> None:
    """Protects the meaning of the interval, where the errors are as the bundle says."""
    made = measured(visit(0.6, utterances=120), errors(0.7))["question_open"]
    rng = np.random.default_rng(3)
    lean = np.exp(0.7 * rng.standard_normal((2, 1000)))
    true = rng.binomial(60, 0.6 * lean[0] / (0.6 * lean[0] + 0.4 * lean[1]))
    assert ((made.low <= true) & (true <= made.high)).mean() == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize(
    ("stored", "place"),
    [
        (
            {"sides": {"worker": {"parents": {"question": {"shift": 0, "spread": -1, "labels": 3}}, "codes": {}}}},
            "spread",
        ),
        ({"sides": {"worker": {"parents": {}, "codes": {}}}}, "other codes of the worker"),
    ],
)
def test_errors_that_do_not_fit_are_named(stored: dict[str, object], place: str) -> None:
    """A damaged or foreign bundle fails when it is opened, with what to do."""
    info = BundleInfo.model_validate(
        {"name": "b", "version": "1", "kind": "behaviour_coder", "licence": "none", "parameters": {PARAMETER: stored}}
    )
    with pytest.raises(ModelNotFound, match=rf"{place}.*train it again"):
        CountErrors.of(info, BOOK)


def test_a_bundle_may_know_nothing_of_its_errors() -> None:
    """Bundles made before counts had intervals still load."""
    info = BundleInfo(name="b", version="1", kind="behaviour_coder", licence="none")
    assert CountErrors.of(info, BOOK) is None
    assert DRAWS >= 1000
