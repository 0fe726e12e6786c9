"""Volley rules of MITI 4.2.1: what counts once, what ends a volley, what stays raw."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from msw_ml import codebook
from msw_ml.coding.measures import measure
from msw_ml.coding.volleys import apply_volley_rules, is_back_channel
from msw_ml.session import CodedUtterance, Role, Utterance

BOOK = codebook.load("msw")


def talk(*rows: tuple[Role, str, str | None]) -> list[CodedUtterance]:
    """Coded utterances from (role, text, code)."""
    return [
        CodedUtterance(
            utterance=Utterance(id=place, speaker=role.value, text=text, role=role),
            code=code,
            parent_code=BOOK.parent_of(code) if code else None,
        )
        for place, (role, text, code) in enumerate(rows)
    ]


W, P, C = Role.WORKER, Role.PARENT, Role.CHILD


def test_a_code_counts_once_a_volley_and_again_in_the_next() -> None:
    """Two questions in one breath are one question; the next volley starts afresh."""
    coded = apply_volley_rules(
        talk(
            (W, "How was it?", "question_open"),
            (W, "And what then?", "question_open"),
            (P, "It was a long day, to be fair.", "neutral"),
            (W, "What helped?", "question_open"),
        ),
        BOOK,
    )
    assert [unit.counted for unit in coded] == [("question_open",), (), ("neutral",), ("question_open",)]
    assert coded[1].set_aside == "repeated_in_volley"
    assert coded[1].code == "question_open", "the raw label is kept"
    assert [unit.volley for unit in coded] == [0, 0, 1, 2]


def test_complex_stands_over_simple_and_permission_over_persuasion() -> None:
    """One reflection a volley, and any complex one makes it complex."""
    coded = apply_volley_rules(
        talk(
            (W, "You're tired.", "reflection_simple"),
            (W, "Tired of doing it alone.", "reflection_complex"),
            (W, "You should ring them.", "persuade"),
            (W, "If you like, I could say what others do.", "persuade_with_permission"),
        ),
        BOOK,
    )
    assert [unit.counted for unit in coded] == [(), ("reflection_complex",), (), ("persuade_with_permission",)]


def test_a_back_channel_does_not_end_a_volley() -> None:
    """ "Mm" while the worker explains is listening, not answering."""
    coded = apply_volley_rules(
        talk(
            (W, "The meeting is on the ninth.", "giving_information"),
            (P, "Mm, yeah.", "neutral"),
            (W, "The report comes before it.", "giving_information"),
        ),
        BOOK,
    )
    assert [unit.volley for unit in coded] == [0, None, 0]
    assert coded[2].counted == ()
    assert coded[1].counted == ("neutral",), "the parent's own code still counts"


def test_a_short_answer_to_a_question_ends_the_volley() -> None:
    """ "Yeah" after a question is an answer."""
    coded = apply_volley_rules(
        talk(
            (W, "Did he go in?", "question_closed"),
            (P, "Yeah.", "neutral"),
            (W, "Was he on time?", "question_closed"),
        ),
        BOOK,
    )
    assert [unit.volley for unit in coded] == [0, 1, 2]
    assert coded[2].counted == ("question_closed",)


def test_a_child_who_speaks_ends_the_volley_but_is_not_coded() -> None:
    """Children are part of the talk and never scored."""
    coded = apply_volley_rules(
        talk(
            (W, "What did you draw?", "question_open"),
            (C, "A dog with a hat.", None),
            (W, "What is he called?", "question_open"),
        ),
        BOOK,
    )
    assert [unit.counted for unit in coded] == [("question_open",), (), ("question_open",)]


def test_what_belongs_to_no_family_counts_every_time() -> None:
    """`other` and the parent's talk have no limit a volley."""
    coded = apply_volley_rules(talk(*[(P, "I want it sorted out.", "change")] * 3), BOOK)
    assert sum(len(unit.counted) for unit in coded) == 3


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just(W), st.sampled_from(["Right.", "What now?"]), st.sampled_from(BOOK.codes(W))),
            st.tuples(st.just(P), st.sampled_from(["Yeah.", "I will try."]), st.sampled_from(BOOK.codes(P))),
            st.tuples(st.just(C), st.just("Look!"), st.none()),
        ),
        max_size=30,
    )
)
def test_rules_never_lose_or_invent(rows: list[tuple[Role, str, str | None]]) -> None:
    """Every raw label stays, a counted code is the unit's own, and no volley exceeds the limit or repeats a family."""
    raw = talk(*rows)
    coded = apply_volley_rules(raw, BOOK)
    assert [unit.code for unit in coded] == [unit.code for unit in raw]
    families: dict[tuple[int | None, str], int] = {}
    for unit in coded:
        assert set(unit.counted) <= {unit.code}
        assert (unit.set_aside is None) == (bool(unit.counted) or unit.code is None)
        for code in unit.counted:
            if (family := BOOK.behaviour(code).family) is not None and unit.volley is not None:
                families[unit.volley, family] = families.get((unit.volley, family), 0) + 1
    assert all(count == 1 for count in families.values())
    assert apply_volley_rules(coded, BOOK) == coded, "applying the rules twice changes nothing"


def test_back_channels_are_only_signs_of_listening() -> None:
    """A short answer with content is not a back-channel."""
    assert is_back_channel("Yeah, okay.", BOOK)
    assert is_back_channel("Mm-hmm", BOOK)
    assert not is_back_channel("Yeah, he did.", BOOK)


def test_measures_are_ratios_of_counts_and_undefined_on_nothing() -> None:
    """A zero denominator gives no value, never 0."""
    coded = apply_volley_rules(
        talk(
            (W, "You kept going.", "reflection_complex"),
            (P, "I did, and I mean to again.", "change"),
            (W, "So it matters.", "reflection_simple"),
        ),
        BOOK,
    )
    values = {entry.id: entry for entry in measure(coded, BOOK)}
    assert values["percent_complex_reflections"].value == 0.5
    assert values["reflection_to_question_ratio"].value is None
    assert values["reflection_to_question_ratio"].numerator == 2
    assert values["percent_change_talk"].value == 1.0
    assert values["mi_non_adherent"].value == 0
    assert values["worker_talk_share"].value == 6 / 13, "words, where there are no times"


def test_talk_share_uses_seconds_where_all_times_are_known() -> None:
    """Ten seconds of worker beside thirty of parent is a quarter."""
    utterances = [
        Utterance(id=0, speaker="A", text="one", role=W, start=0, end=10),
        Utterance(id=1, speaker="B", text="two words", role=P, start=10, end=40),
    ]
    (share,) = [
        m for m in measure([CodedUtterance(utterance=u) for u in utterances], BOOK) if m.id == "worker_talk_share"
    ]
    assert share.value == 0.25
