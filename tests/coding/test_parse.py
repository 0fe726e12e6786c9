"""Rows become utterances by rule; not sure means no cut."""

from __future__ import annotations

from itertools import cycle, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msw_ml import codebook
from msw_ml.coding.parse import cut_rows, cuts
from msw_ml.coding.volleys import apply_volley_rules
from msw_ml.session import CodedUtterance, Role, Utterance, Word

BOOK = codebook.load("msw")


def row(text: str, start: float | None = None, end: float | None = None, role: Role = Role.WORKER) -> Utterance:
    return Utterance(id=0, speaker=role.value, text=text, start=start, end=end, role=role)


def texts(text: str) -> list[str]:
    return [part.text for part in cut_rows([row(text)])]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("That was hard. What did you do?", ["That was hard.", "What did you do?"]),
        ('She said "no way!" Then she left.', ['She said "no way!"', "Then she left."]),
        ("He said “stop.” Then he left", ["He said “stop.”", "Then he left"]),
        ("no capitals here. none at all.", ["no capitals here.", "none at all."]),
        ("Dr. Shah rang you.", ["Dr. Shah rang you."]),
        ("I thought... maybe later.", ["I thought... maybe later."]),
        ("okay", ["okay"]),
        ("Okay.", ["Okay."]),
        (
            "we talked about the nursery place on monday so how is it going with that now",
            ["we talked about the nursery place on monday", "so how is it going with that now"],
        ),
        (
            "we talked about the nursery on monday and that’s fine but you’ve not been back there since then",
            ["we talked about the nursery on monday and that’s fine", "but you’ve not been back there since then"],
        ),
        ("he likes jam and he likes bread", ["he likes jam and he likes bread"]),
        (
            "I will ring the school about it tomorrow morning and then I will let you know.",
            ["I will ring the school about it tomorrow morning and then I will let you know."],
        ),
    ],
)
def test_a_row_is_cut_where_a_thought_ends(text: str, parts: list[str]) -> None:
    """Protects the coding unit: sentences apart, doubt not cut, a punctuated sentence never cut inside."""
    assert texts(text) == parts


@pytest.mark.parametrize("text", ["", "  ", "okay", "One  space more", "\tIndented\nand broken"])
def test_a_row_without_a_cut_keeps_its_text_to_the_letter(text: str) -> None:
    assert texts(text) == [text]


@given(
    st.lists(
        st.lists(
            st.one_of(
                st.sampled_from(["so", "and", "I", "you", "Well.", "bread", "what?", "Mr.", "“no.”", "…", "a.m.", "-"]),
                st.text(st.characters(codec="utf-8"), min_size=1, max_size=6),
            ),
            max_size=30,
        ).map(" ".join),
        max_size=4,
    ),
    st.none() | st.floats(0, 9e4),
    st.none() | st.floats(0, 60),
)
def test_no_word_is_lost_and_none_is_moved(spoken: list[str], start: float | None, length: float | None) -> None:
    """Protects the transcript: the parts put together are the rows, in order, each inside its row's time."""
    end = None if length is None else (start or 0.0) + length
    rows = [row(text, start, end) for text in spoken]
    parts = cut_rows(rows)
    assert " ".join(part.text for part in parts).split() == " ".join(spoken).split()
    assert [part.id for part in parts] == list(range(len(parts)))
    assert all(part.text.strip() for part in parts if part.text not in spoken), "no empty part is made"
    for part in parts:
        assert Utterance.model_validate(part.model_dump()) == part
    if len(rows) == 1:
        assert (parts[0].start, parts[-1].end) == (start, end)
        assert start is None or end is None or all(one.end == two.start for one, two in pairwise(parts))


def test_times_are_shared_out_by_length_of_text() -> None:
    """Protects evidence that is played back: the parts follow each other through the row's time."""
    first, second = cut_rows([row("Aaaa bbbb. Cccc dddd.", 10, 20, Role.PARENT)])
    assert (first.id, first.text, first.start, first.end) == (0, "Aaaa bbbb.", 10, 15)
    assert (second.id, second.text, second.start, second.end) == (1, "Cccc dddd.", 15, 20)
    assert (second.speaker, second.role) == ("parent", Role.PARENT)


@pytest.mark.parametrize(("start", "end"), [(None, None), (3.0, None), (None, 3.0)])
def test_a_time_that_cannot_be_shared_out_stays(start: float | None, end: float | None) -> None:
    """Half a time is no length; formats on a time axis still find every part that had a start."""
    parts = cut_rows([row("Yes. No.", start, end)])
    assert [(part.text, part.start, part.end) for part in parts] == [("Yes.", start, end), ("No.", start, end)]


def test_what_was_heard_is_cut_already() -> None:
    """Words come from sound, where pauses were heard too."""
    heard = row("One. Two.", 0, 2).model_copy(
        update={"words": (Word(start=0, end=1, text=" One."), Word(start=1, end=2, text=" Two."))}
    )
    before, kept = cut_rows([row("Zero"), heard])
    assert before.text == "Zero"
    assert kept == heard.model_copy(update={"id": 1})


def test_cutting_again_changes_nothing_in_punctuated_text() -> None:
    once = cut_rows([row("That was hard. What did you do? And then (if any) Mr. Shah came.", 0, 9)])
    assert len(once) == 3
    assert cut_rows(once) == once
    assert all(not cuts(part.text.split()) for part in once)


SENTENCES = ("How was it?", "I see that.", "We meet on Monday.", "Yeah.")


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from([Role.WORKER, Role.PARENT]), st.integers(1, 12)), max_size=6),
    st.lists(st.integers(0, 30), min_size=5, max_size=9),
)
def test_cut_rows_keep_the_volley_rules(said: list[tuple[Role, int]], picks: list[int]) -> None:
    """However the parts are coded, a volley counts a family once and no more than the limit in all (MITI 4.2.1)."""
    rows = [row(" ".join(SENTENCES[n % 4] for n in range(length)), role=role) for role, length in said]
    parts = cut_rows(rows)
    assert len(parts) == sum(length for _, length in said)
    coded = []
    for part, pick in zip(parts, cycle(picks), strict=False):
        code = BOOK.codes(part.role)[pick % len(BOOK.codes(part.role))]
        coded.append(CodedUtterance(utterance=part, code=code, parent_code=BOOK.parent_of(code)))
    families: dict[int, list[str]] = {}
    for unit in apply_volley_rules(coded, BOOK):
        assert set(unit.counted) <= {unit.code}, "one code an utterance"
        found = [BOOK.behaviour(code).family for code in unit.counted]
        if unit.volley is not None:
            families.setdefault(unit.volley, []).extend(family for family in found if family is not None)
    for counted in families.values():
        assert len(counted) == len(set(counted)) <= BOOK.max_codes_per_volley


def test_parts_of_one_row_are_one_volley() -> None:
    """A row cut in three asks one question a volley, as it did whole; a sign of listening in between ends nothing."""
    rows = [
        row("You look tired. How did you sleep? And did he sleep?"),
        row("Yeah. I slept badly.", role=Role.PARENT),
        row("The form is here. Sign it."),
        row("Mm.", role=Role.PARENT),
        row("It goes off today."),
    ]
    coded = [CodedUtterance(utterance=part) for part in cut_rows(rows)]
    assert [unit.volley for unit in apply_volley_rules(coded, BOOK)] == [0, 0, 0, None, 1, 2, 2, None, 2]
