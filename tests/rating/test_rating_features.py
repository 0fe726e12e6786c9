"""Features mean the same however finely a session is cut and however long it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msw_ml.codebook import Codebook, load
from msw_ml.errors import UnknownName
from msw_ml.rating.features import feature_names, feature_row, read_talk
from msw_ml.rating.manner import Manner, tokens
from msw_ml.session import CodedUtterance, Role, Utterance

CODEBOOK: Codebook = load()
MANNER = Manner(words=("how", "should"), weights=(1.0, -1.0))
NAMES = feature_names(CODEBOOK) + feature_names(CODEBOOK, ["words", "runs"], is_fine=True)

ROWS = [
    (Role.WORKER, "question_open", "how was the week for you both"),
    (Role.PARENT, "change", "better I want it to stay like this"),
    (Role.WORKER, "reflection_complex", "you can see a way to keep it"),
    (Role.PARENT, "sustain", "maybe not on the bad nights though"),
    (Role.WORKER, "persuade", "you should ask your mother then"),
    (Role.PARENT, "neutral", "she lives in Leeds"),
]


def session(rows) -> list[CodedUtterance]:
    return [
        CodedUtterance(utterance=Utterance(id=n, speaker=role, text=text, role=role), code=code)
        for n, (role, code, text) in enumerate(rows)
    ]


def read(rows) -> dict[str, float]:
    talk = read_talk(session(rows), CODEBOOK, MANNER)
    return dict(zip(NAMES, feature_row(talk, NAMES, CODEBOOK, MANNER), strict=True))


def test_words_and_runs_of_a_small_session_by_hand() -> None:
    """Pins the definitions: shares of words, and shares of runs drawn to the average by two runs."""
    found = read(ROWS)
    assert found["words:question+"] == pytest.approx(7 / 21)
    assert found["words:reflection_complex"] == pytest.approx(8 / 21)
    assert found["runs:question+"] == pytest.approx((1 + 2 / 4) / (3 + 2))
    assert found["after:change+:reflection+"] == pytest.approx((1 + 2 / 4) / (1 + 2))
    assert found["word_share:worker"] == pytest.approx(21 / (21 + 19))
    assert found["words_a_run:worker"] == pytest.approx(np.log(21 / 3))
    assert found["long_runs:worker"] == 0.0
    assert found["manner:worker"] == pytest.approx(np.sqrt(1 / 21) - np.sqrt(1 / 21))


def test_cutting_a_unit_in_two_changes_nothing() -> None:
    """Recognised speech is cut into sentences, training transcripts into turns: both must read alike."""
    role, code, text = ROWS[0]
    words = text.split()
    cut = [(role, code, " ".join(words[:3])), (role, code, " ".join(words[3:])), *ROWS[1:]]
    assert read(cut) == pytest.approx(read(ROWS))


def test_saying_it_all_twice_changes_shares_of_words_not_at_all() -> None:
    """A visit of an hour and one of ten minutes lie on one scale."""
    once, twice = read(ROWS), read(ROWS * 2)
    for name in NAMES:
        if name.split(":")[0] in {"words", "word_share", "words_a_run", "long_runs", "manner"}:
            assert twice[name] == pytest.approx(once[name]), name


def test_back_channels_neither_end_a_run_nor_count() -> None:
    assert read([*ROWS[:1], (Role.PARENT, "neutral", "Mm-hmm."), *ROWS[1:]]) == pytest.approx(read(ROWS))


def test_other_people_are_left_out() -> None:
    """A child who interrupts changes nothing about how the worker talked."""
    assert read([*ROWS[:2], (Role.CHILD, None, "look at my garage"), *ROWS[2:]]) == pytest.approx(read(ROWS))


def test_probabilities_come_before_the_code() -> None:
    said = session(ROWS)
    said[0] = said[0].model_copy(update={"probabilities": {"question_open": 0.25, "confront": 0.75}})
    talk = read_talk(said, CODEBOOK, MANNER)
    assert talk.probabilities["question+"][0] == pytest.approx(0.25)
    assert talk.probabilities["input+"][0] == pytest.approx(0.75)


def test_empty_session_has_finite_features() -> None:
    assert np.isfinite(list(read([]).values())).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(ROWS), max_size=30))
def test_features_are_finite_and_shares_are_shares(rows) -> None:
    for name, value in read(rows).items():
        assert np.isfinite(value), name
        if name.split(":")[0] in {"words", "runs", "after", "long_runs", "word_share"}:
            assert -1e-9 <= value <= 1 + 1e-9, name


@pytest.mark.parametrize("name", ["words:nothing", "pitch:worker", "words_a_run:nobody", "words"])
def test_unknown_feature_is_an_error(name: str) -> None:
    talk = read_talk(session(ROWS), CODEBOOK, MANNER)
    with pytest.raises(UnknownName):
        feature_row(talk, [name], CODEBOOK, MANNER)


def test_unknown_kind_is_an_error() -> None:
    with pytest.raises(UnknownName, match="pitch"):
        feature_names(CODEBOOK, ["pitch"])


def test_words_are_the_same_with_and_without_punctuation() -> None:
    """Recognisers differ in case, apostrophes and punctuation; the manner of talk must not."""
    assert tokens("How\u2019d you LIKE it, 7 days?") == tokens("how'd you like it days")
