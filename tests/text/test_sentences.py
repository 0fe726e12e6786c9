"""The one rule of what ends a sentence, for heard words and typed rows alike; all text here is ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msw_ml.text.sentences import ends_sentence


@pytest.mark.parametrize(
    ("word", "following"),
    [
        ("home.", "We"),
        ("home?", "and"),
        ("home!", "no"),
        ("home.”", "Then"),
        ("home.)", "Then"),
        ("home.", "“Then"),
        ("home.", "-"),
        ("home.", "[coughs]"),
        ("home.", "3"),
        (" home.", " We"),
        ("sure...", "Maybe"),
        ("sure…", "Maybe"),
        ("really?!", "Yes."),
        ("No.", "He"),
        ("I.", "Then"),
        ("home.", None),
        ("etc.", None),
    ],
)
def test_a_sentence_ends(word: str, following: str | None) -> None:
    """Protects the units that get a code: two thoughts do not share one."""
    assert ends_sentence(word, following)


@pytest.mark.parametrize(
    ("word", "following"),
    [
        ("home", "We"),
        ("home,", "We"),
        ("home.", "and"),
        ("home.", "“and"),
        ("“why?”", "and"),
        ("(right?)", "and"),
        ("Mrs.", "Bell"),
        ("(Dr.", "Shah)"),
        ("J.", "Bell"),
        ("e.g.", "Monday"),
        ("a.m.", "He"),
        ("4.50", "A"),
        ("well...", "maybe"),
        ("I...", "I"),
        ("I…", "I’m"),
        ("so..", "I'll"),
        ("well.", "."),
        ("what?", "!”"),
        ("”", "Then"),
        ("", "Then"),
        ("home", None),
    ],
)
def test_in_doubt_it_goes_on(word: str, following: str | None) -> None:
    """Protects against units that are half a thought."""
    assert not ends_sentence(word, following)


def test_small_letters_say_nothing_in_a_text_without_capitals() -> None:
    """Typed without capitals, a full stop is all there is; an ellipsis stays in doubt."""
    assert ends_sentence("home.", "and", has_case=False)
    assert not ends_sentence("mr.", "bell", has_case=False)
    assert not ends_sentence("well...", "maybe", has_case=False)


@given(st.text(max_size=8), st.none() | st.text(max_size=8), st.booleans())
def test_nothing_ends_without_a_mark(word: str, following: str | None, has_case: bool) -> None:
    """Whatever stands in a transcript: an answer, and never an end without a mark for it."""
    if ends_sentence(word, following, has_case):
        assert set(word) & set(".…?!")
