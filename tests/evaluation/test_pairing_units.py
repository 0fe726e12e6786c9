"""Units of coders who cut the talk differently meet where they are the same stretch, and nowhere else."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from evaluation.codings import Coder, Coding, Codings, Place
from evaluation.pairing import Aligned, Cutting, Method, align
from msw_ml.session import Role


def said(
    coder: str,
    unit: str,
    start: float | None = None,
    end: float | None = None,
    text: str = "",
    role: Role | None = None,
) -> Coding:
    return Coding(coder, "s", unit, "affirm", "other", Place("f", 1), role, start, end, text)


def of(*codings: Coding) -> Codings:
    names = dict.fromkeys(coding.coder for coding in codings)
    return Codings(list(codings), [], [Coder(name=name) for name in names], {}, Counter())


def pairs(found: Aligned, codings: Codings) -> set[tuple[str, str]]:
    rows = found.at[(found.at >= 0).all(axis=1)]
    return {(codings.codings[a].unit, codings.codings[b].unit) for a, b in rows.tolist()}


def test_the_same_ids_are_the_same_units() -> None:
    codings = of(said("A", "1"), said("A", "2"), said("B", "2"), said("B", "1"))
    found = align(codings)
    assert found.methods == {"s": "id"}
    assert pairs(found, codings) == {("1", "1"), ("2", "2")}
    assert found.cutting["A", "B"].value == 1


def test_ids_that_name_other_words_are_not_trusted() -> None:
    """One transcript was renumbered: units meet by their words."""
    lines = ["how was the week", "not so bad really", "and the nights", "he slept through twice"]
    codings = of(
        *(said("A", str(n), text=line) for n, line in enumerate(lines)),
        *(said("B", str(n + 1), text=line) for n, line in enumerate(lines)),
    )
    found = align(codings)
    assert found.methods == {"s": "text"}
    assert pairs(found, codings) == {(str(n), str(n + 1)) for n in range(4)}


def test_by_time_units_meet_that_share_more_than_half() -> None:
    codings = of(
        said("A", "a1", 0, 4), said("A", "a2", 4, 10), said("A", "a3", 10, 12),
        said("B", "b1", 0.2, 4.1), said("B", "b2", 4.1, 7), said("B", "b3", 7, 12),
    )  # fmt: skip
    found = align(codings)
    assert found.methods == {"s": "time"}
    assert pairs(found, codings) == {("a1", "b1")}, "a2 was cut in two and shares under half with either part"
    assert found.cutting["A", "B"] == Cutting(first=3, second=3, matched=1)


def test_people_who_speak_at_once_are_not_mixed_up() -> None:
    codings = of(
        said("A", "a1", 0, 4, role=Role.WORKER), said("A", "a2", 4, 5, role=Role.WORKER),
        said("B", "b1", 0, 4, role=Role.PARENT), said("B", "b2", 4, 5, role=Role.WORKER),
    )  # fmt: skip
    assert pairs(align(codings), codings) == {("a2", "b2")}


def test_by_text_a_recognised_transcript_meets_a_typed_one() -> None:
    """Words differ a little, and the second coder made one unit of two."""
    codings = of(
        said("A", "1", text="So how have the mornings been since we spoke?"),
        said("A", "2", text="Better."),
        said("A", "3", text="She gets up when I call her now, most days anyway."),
        said("B", "x", text="so how have the morning been since we spoke"),
        said("B", "y", text="better she gets up when I call her now most days anyway"),
    )
    assert pairs(align(codings), codings) == {("1", "x"), ("3", "y")}


@pytest.mark.parametrize("method", ["id", "time", "text"])
def test_nothing_is_lost_whatever_the_method(method: Method) -> None:
    rng = np.random.default_rng(1)
    codings = []
    for coder in "ABC":
        ends = np.sort(rng.choice(np.arange(1, 60), size=12, replace=False)).astype(float)
        codings += [
            said(coder, f"{n}", a, b, f"word{n} and more")
            for n, (a, b) in enumerate(zip([0, *ends[:-1]], ends, strict=True))
        ]
    found = align(of(*codings), method)
    assert sorted(found.at[found.at >= 0].tolist()) == list(range(len(codings)))


def test_swapping_coders_changes_nothing() -> None:
    first = [said("A", f"{n}", n, n + 1.0) for n in range(9)]
    second = [said("B", f"q{n}", n + 0.2, n + 1.1) for n in range(0, 9, 2)]
    ours, theirs = of(*first, *second), of(*second, *first)
    assert pairs(align(ours), ours) == {(a, b) for b, a in pairs(align(theirs), theirs)}
