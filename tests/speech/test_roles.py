"""Who is the worker: on visits written for this test."""

from __future__ import annotations

import pytest

from msw_ml import bundle
from msw_ml.errors import BadSetting
from msw_ml.session import Role, Utterance
from msw_ml.speech.roles import TrainedRoleFinder

WORKER_BEGINS = """
A: Hello Leanne, I'm Priya from children's services. Is it still a good time for you?
B: I suppose so. I've only just got him down for his nap.
A: Thank you for seeing me. I wanted to talk with you about how things have been since the school rang us.
B: They always ring. I told them I was late because my car wouldn't start.
A: So it sounds like it felt unfair, when you were doing your best to get there.
B: It did. I sat in that car and cried. I don't even know who I can ask for help.
A: What would make the mornings easier for you?
B: If my mum lived nearer. I used to have her and now it's just me.
A: You've been managing on your own, and you still got him in four days out of five. How did you do that?
"""

PARENT_BEGINS = """
X: Come in, mind the step, I've not had a minute to tidy up.
Y: That's fine, thank you. How have you been since I saw you last week?
X: Not great. My ex turned up on Saturday and I didn't know what to do so I let him in.
Y: Okay. Can you tell me a bit more about what happened when he came?
X: He was shouting. I put the girls upstairs and I just wanted him gone.
Y: You wanted to keep the girls out of it. Where were they while he was shouting?
X: In my room. I said I'd be up in a minute. I felt sick.
Y: I'm worried about what they might have heard, and I'd like us to think together about what you could do next time.
X: I know. I don't want them growing up like I did.
"""

THREE = """
S1: Right, shall we start with what's going well for you and the children?
S2: I think I'm doing okay. I got my hours changed at work so I'm home when they finish school.
S3: She is. I see her every day and she's run off her feet.
S1: So you've made a real change there. What difference has it made for your boys?
S2: They talk to me more. My eldest told me he's been having bad dreams.
S3: He told me too.
S1: How did you respond when he told you that?
S2: I sat with him. I didn't know what to say so I just held him.
S1: You stayed with him. That might be just what he needed. Would it be alright if I told you about a group for boys?
S2: I'd have to think about it. I'm not good with groups.
"""


def visit(text: str) -> list[Utterance]:
    rows = (line.split(": ", 1) for line in text.strip().splitlines())
    return [Utterance(id=place, speaker=speaker, text=said) for place, (speaker, said) in enumerate(rows)]


@pytest.fixture(scope="module")
def finder() -> TrainedRoleFinder:
    return TrainedRoleFinder(bundle.shipped("role_finder"))


@pytest.mark.parametrize(("text", "worker", "parent"), [(WORKER_BEGINS, "A", "B"), (PARENT_BEGINS, "Y", "X")])
def test_finds_worker_and_parent(finder: TrainedRoleFinder, text: str, worker: str, parent: str) -> None:
    """Whoever begins: at a front door that says little."""
    choice = finder.find(visit(text))
    assert choice.roles == {worker: Role.WORKER, parent: Role.PARENT}
    assert choice.method == "found"
    assert choice.margin > 0.3


def test_a_third_person_is_other(finder: TrainedRoleFinder) -> None:
    choice = finder.find(visit(THREE))
    assert choice.roles == {"S1": Role.WORKER, "S2": Role.PARENT, "S3": Role.OTHER}


def test_who_says_little_makes_a_small_margin(finder: TrainedRoleFinder) -> None:
    """A margin that is not earned would keep people from checking."""
    assert finder.find(visit("A: Hello.\nB: Hello.")).margin < 0.5


def test_what_was_given_stands(finder: TrainedRoleFinder) -> None:
    choice = finder.find(visit(WORKER_BEGINS), {"B": Role.WORKER})
    assert choice.roles == {"A": Role.PARENT, "B": Role.WORKER}
    assert (choice.method, choice.margin) == ("given", 1.0)


def test_a_given_child_leaves_the_rest_to_be_found(finder: TrainedRoleFinder) -> None:
    choice = finder.find(visit(THREE), {"S3": Role.CHILD})
    assert choice.roles == {"S1": Role.WORKER, "S2": Role.PARENT, "S3": Role.CHILD}
    assert choice.method == "found"


def test_an_unknown_name_is_an_error_that_lists_those_there_are(finder: TrainedRoleFinder) -> None:
    with pytest.raises(BadSetting, match="'Priya' here; there are: A, B"):
        finder.find(visit(WORKER_BEGINS), {"Priya": Role.WORKER})


def test_one_speaker_alone(finder: TrainedRoleFinder) -> None:
    """Nobody to compare with: language alone, and never certainty."""
    alone = [u for u in visit(PARENT_BEGINS) if u.speaker == "X"]
    choice = finder.find(alone)
    assert choice.roles == {"X": Role.PARENT}
    assert choice.margin < 1


def test_nobody_at_all(finder: TrainedRoleFinder) -> None:
    choice = finder.find([])
    assert (choice.roles, choice.margin) == ({}, 0.0)


def test_names_and_order_of_names_do_not_matter(finder: TrainedRoleFinder) -> None:
    other_names = visit(WORKER_BEGINS.replace("A:", "zoe:").replace("B:", "Adam:"))
    choice = finder.find(other_names)
    assert choice.roles == {"zoe": Role.WORKER, "Adam": Role.PARENT}
    assert choice.margin == finder.find(visit(WORKER_BEGINS)).margin
