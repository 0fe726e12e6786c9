"""What a rating should not be moved by, or not without a word: changes of a visit that leave its practice as it is."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from msw_ml.session import Role, Utterance
from training.dialects import every_dialect
from training.swapped_names import Person, every_swap
from training.word_errors import plain, with_errors

SEED = "7"
ERROR_RATES = (0.05, 0.10, 0.20)
CONFUSED = 0.2
"""Of the rows, where a diariser gives some to the wrong speaker."""

Changed = Iterator[tuple[str, list[Utterance]]]
"""Name of the variant, and the visit in it."""


class CastVisit(NamedTuple):
    """A visit and who is in it."""

    session: str
    target: str
    utterances: tuple[Utterance, ...]
    people: tuple[Person, ...]
    worker: str


class Disturbance(NamedTuple):
    """One way to change a visit."""

    name: str
    what: str
    """What is done, for the reader of the table."""
    change: Callable[[CastVisit], Changed]


def disturbances() -> list[Disturbance]:
    """All of them, in the order of the report."""
    return [
        Disturbance(
            "Names swapped",
            "every name replaced by names of one of six heritages, each visit in all six",
            lambda visit: every_swap(visit.utterances, visit.people, visit.worker),
        ),
        *(
            Disturbance(
                f"Dialect spelling, {of}",
                "Scots, Northern, Welsh and London forms, each visit in all four",
                lambda visit, sides=sides: every_dialect(visit.utterances, sides),  # type: ignore[misc]
            )
            for of, sides in (
                ("the worker's rows", (Role.WORKER,)),
                ("the parent's rows", (Role.PARENT,)),
                ("both", (Role.WORKER, Role.PARENT)),
            )
        ),
        Disturbance("Lower case, no punctuation", "all rows", lambda visit: _once(plain(visit.utterances))),
        *(
            Disturbance(
                f"Word errors, {rate:.0%}",
                "two thirds of them other words of the visit, one third words left out; all rows",
                lambda visit, rate=rate: _once(  # type: ignore[misc]
                    with_errors(visit.utterances, rate, f"{SEED} {visit.session} {rate}")
                ),
            )
            for rate in ERROR_RATES
        ),
        Disturbance(
            "Roles swapped",
            "the transcript calls the worker parent and the parent worker",
            lambda visit: _once(swap_roles(visit.utterances)),
        ),
        Disturbance(
            f"Rows confused, {CONFUSED:.0%}",
            "so many of the worker's and the parent's rows stand under the other's name and role",
            lambda visit: _once(confuse_rows(visit.utterances, CONFUSED, f"{SEED} {visit.session}")),
        ),
    ]  # fmt: skip


def swap_roles(utterances: Sequence[Utterance]) -> list[Utterance]:
    """The worker's rows called the parent's and the other way round; names stay."""
    other = {Role.WORKER: Role.PARENT, Role.PARENT: Role.WORKER}
    return [said.model_copy(update={"role": other.get(said.role, said.role)}) for said in utterances]


def confuse_rows(utterances: Sequence[Utterance], share: float, seed: str) -> list[Utterance]:
    """A share of the worker's and the parents' rows given to the other side, speaker and role; seeded."""
    drawn = random.Random(seed)  # noqa: S311 - noise, not a secret
    names = {said.role: said.speaker for said in reversed(utterances)}
    other = {Role.WORKER: Role.PARENT, Role.PARENT: Role.WORKER}
    rows = [row for row, said in enumerate(utterances) if said.role in other]
    wrong = set(drawn.sample(rows, round(share * len(rows))))
    return [
        said.model_copy(update={"role": other[said.role], "speaker": names[other[said.role]]}) if row in wrong else said
        for row, said in enumerate(utterances)
    ]


def _once(utterances: list[Utterance]) -> Changed:
    yield "", utterances
