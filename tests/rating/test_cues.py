"""Cues point to where an element shows; they never rate."""

from __future__ import annotations

import pytest

from msw_ml.codebook import load
from msw_ml.errors import BadSetting
from msw_ml.rating.cues import find_cues, parse_rules, rules
from msw_ml.session import CodedUtterance, Cue, Role, Utterance

CODEBOOK = load()

VISIT = [
    (Role.WORKER, "Hello again. I've come about Rosa's attendance, like we said on the phone."),
    (Role.PARENT, "I'm worried too, because she was off on Monday."),
    (Role.WORKER, "I'm worried because she missed nine mornings in March."),
    (Role.WORKER, "If that carries on, school will ask for a meeting."),
    (Role.PARENT, "I know."),
    (Role.WORKER, "How do you see it? And what does she say about school?"),
    (Role.PARENT, "She says nothing."),
    (Role.WORKER, "It's up to you whether we ring them together."),
    (Role.WORKER, "Sounds like you're worn out."),
    (Role.WORKER, "I'll ring you on Friday."),
]


def found(rows: list[tuple[Role, str]], times: list[tuple[float, float]] | None = None) -> dict[str, Cue]:
    coded = [
        CodedUtterance(
            utterance=Utterance(
                id=10 + n,
                speaker=role,
                text=text,
                role=role,
                start=times[n][0] if times else None,
                end=times[n][1] if times else None,
            )
        )
        for n, (role, text) in enumerate(rows)
    ]
    return {cue.id: cue for cue in find_cues(coded, CODEBOOK)}


def test_cues_are_found_where_they_were_said() -> None:
    cues = found(VISIT)
    assert cues["purpose_said"].utterances == (10,)
    assert cues["purpose_said"].first == 0.0
    assert cues["concern_with_reason"].utterances == (12,)
    assert cues["consequence_said"].utterances == (13,)
    assert 15 in cues["parents_view_of_concern"].utterances
    assert 15 in cues["childs_experience"].utterances
    assert cues["autonomy_named"].utterances == (17,)
    assert cues["understanding_shown"].utterances == (18,)
    assert cues["summary_or_next_step"].utterances == (19,)


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("Is your dad in?", "autonomy_named"),
        ("I'd like yours to come first.", "autonomy_named"),
        ("What made you decide against it?", "autonomy_named"),
        ("What was the plan for Monday?", "childs_experience"),
        ("Do you feel any better about it?", "understanding_shown"),
        ("You can come to the meeting.", "purpose_returned_to"),
        ("It's the Thursday nurse if you want her.", "understanding_shown"),
    ],
)
def test_everyday_talk_is_no_sign(text: str, cue: str) -> None:
    """A reader who is led to such a place stops following the links."""
    assert found([(Role.WORKER, text)])[cue].found == 0


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("That's your decision, and I'd back it.", "autonomy_named"),
        ("What the children eat is yours to settle.", "autonomy_named"),
        ("How do you think the baby is at night?", "childs_experience"),
        ("You must feel worn out.", "understanding_shown"),
        ("Right, back to the letter.", "purpose_returned_to"),
        ("Shall we come back to what you said?", "purpose_returned_to"),
    ],
)
def test_a_sign_is_found_in_several_wordings(text: str, cue: str) -> None:
    assert found([(Role.WORKER, text)])[cue].found == 1


def test_only_the_side_that_a_cue_is_about_is_read() -> None:
    """The parent's worry is not the worker's clarity."""
    assert found([VISIT[1]])["concern_said"].found == 0


def test_every_cue_comes_back_found_or_not() -> None:
    cues = found([])
    assert list(cues) == [rule.id for rule in rules()]
    assert all(cue.found == 0 and cue.first is None and cue.spread is None for cue in cues.values())


def test_every_element_has_a_cue_and_every_cue_an_element() -> None:
    """A misspelt element in the file would silently drop its cue."""
    assert {rule.element for rule in rules()} == {element.id for element in CODEBOOK.elements}


def test_first_and_spread_follow_the_clock_where_there_is_one() -> None:
    rows = [(Role.WORKER, "your son"), (Role.PARENT, "yes"), (Role.WORKER, "your son")]
    cue = found(rows, [(0.0, 1.0), (40.0, 41.0), (95.0, 100.0)])["child_named"]
    assert (cue.first, cue.spread) == (0.0, 0.2)
    late = found(rows[1:], [(0.0, 1.0), (50.0, 100.0)])["child_named"]
    assert late.first == 0.5


@pytest.mark.parametrize(
    "text",
    [
        "[[cue]\n",
        '[[cue]]\nid = "x"\nname = "X"\nelement = "y"\nspeaker = "worker"\nphrases = ["(open"]',
        '[[cue]]\nid = "x"\nname = "X"\nelement = "y"\nspeaker = "nobody"\nphrases = ["a"]',
    ],
    ids=["toml", "pattern", "speaker"],
)
def test_faulty_rules_are_named(text: str) -> None:
    with pytest.raises(BadSetting, match=r"mine\.toml"):
        parse_rules(text, "mine.toml")
