"""Roles that a transcript states the wrong way round, on a visit written for this test."""

from __future__ import annotations

import pytest

from msw_ml import bundle, engines
from msw_ml.pipeline import Pipeline
from msw_ml.session import Role, RoleChoice, Utterance
from msw_ml.settings import Settings
from msw_ml.speech.role_check import contradiction
from msw_ml.speech.roles import TrainedRoleFinder

VISIT = """
A: Hello Shona, thanks for having me. Can we talk about how the week has been for you and the boys?
B: It's been long. I had the car towed and I've got no money till Friday, and he's on at me every night.
A: It sounds as if you've had very little room to breathe. What has helped, even a bit?
B: My sister. She took them Saturday and I slept. I just slept.
A: So when somebody gives you a hand you use it. What would you like to be different by the time I'm back?
B: I want to stop shouting. I hate it, I hear my own mum in me.
A: You care about how it sounds to them. How do you think it is for Lewis when it gets loud?
B: He goes under the table. I told him I'm sorry, I always tell him I'm sorry.
A: You've noticed where he goes. What ideas do you have about what you might try first?
B: I don't know. I could go in the yard. I used to do that when I was pregnant with him.
"""


def visit(worker: str = "A") -> list[Utterance]:
    lines = [line.partition(": ") for line in VISIT.strip().splitlines()]
    return [
        Utterance(id=number, speaker=who, text=text, role=Role.WORKER if who == worker else Role.PARENT)
        for number, (who, _, text) in enumerate(lines)
    ]


@pytest.fixture(scope="module")
def finder() -> TrainedRoleFinder:
    return TrainedRoleFinder(bundle.shipped("role_finder"))


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return engines.pipeline(Settings())


def test_right_roles_are_not_doubted(pipeline: Pipeline) -> None:
    """The check must not cry wolf."""
    heard = pipeline.read(visit())
    assert heard.roles.margin == 1.0
    assert not heard.quality.warnings


def test_swapped_roles_are_said_first_and_cost_the_margin(pipeline: Pipeline) -> None:
    """Nobody reads a rating of the parent as the worker's without a warning; the stated roles stay."""
    heard = pipeline.read(visit(worker="B"), notes=("something else",))
    assert heard.roles.roles == {"A": Role.PARENT, "B": Role.WORKER}
    assert heard.roles.margin == 0.0
    assert "may be swapped" in heard.quality.warnings[0]
    assert heard.quality.warnings[1] == "something else"


def test_a_worker_named_by_hand_is_not_doubted(pipeline: Pipeline) -> None:
    """`--role` is how somebody who looked confirms unusual roles."""
    heard = pipeline.read(visit(worker="B"), given={"B": Role.WORKER})
    assert heard.roles.margin == 1.0
    assert not heard.quality.warnings


def test_no_name_and_no_word_of_the_talk_is_in_the_warning(finder: TrainedRoleFinder) -> None:
    """Warnings travel to places where speech must not."""
    names = {"A": "Shona Privatename", "B": "Lewis Privatename"}
    said = [one.model_copy(update={"speaker": names[one.speaker]}) for one in visit(worker="B")]
    stated = RoleChoice(roles={one.speaker: one.role for one in said}, margin=1.0, method="given")
    found = contradiction(said, stated, finder)
    assert found is not None
    assert "Privatename" not in found.warning


def test_a_slight_doubt_is_said_but_leaves_the_margin(pipeline: Pipeline) -> None:
    """A few swapped words are no ground for withholding, and a reader is told all the same."""
    said = (
        (Role.WORKER, "The bus was late and the rain came in."),
        (Role.PARENT, "Did it? The kettle is on."),
    )
    heard = pipeline.read([Utterance(id=i, speaker=f"S{i}", role=r, text=text) for i, (r, text) in enumerate(said)])
    assert "may be swapped" in heard.quality.warnings[0]
    assert heard.roles.margin == 1.0


def test_nothing_is_said_where_there_is_nobody_to_compare(finder: TrainedRoleFinder) -> None:
    """A worker alone with a child: no parent, no contradiction."""
    stated = RoleChoice(roles={"A": Role.CHILD, "B": Role.WORKER}, margin=1.0, method="given")
    assert contradiction(visit(), stated, finder) is None
