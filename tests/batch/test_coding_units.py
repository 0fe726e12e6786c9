"""`--units`: which rows of a transcript stay the coding units, and which are cut."""

from __future__ import annotations

from typing import Literal

import pytest

from msw_ml.batch.options import Units
from msw_ml.batch.work import coding_units
from msw_ml.formats.transcript import Transcript
from msw_ml.session import Utterance


@pytest.mark.parametrize(
    ("kind", "asked", "count"),
    [
        ("rows", None, 1),
        ("rows", "as-given", 1),
        ("rows", "split", 2),
        ("running", None, 2),
        ("running", "as-given", 1),
        ("running", "split", 2),
    ],
)
def test_what_was_asked_for_stands_over_the_kind_of_file(
    kind: Literal["rows", "running"], asked: Units | None, count: int
) -> None:
    """Protects a coder's own units: the rows of a table are cut only when somebody asks."""
    row = Utterance(id=0, speaker="SW", text="That was hard. What did you do?")
    units = coding_units(Transcript(session="visit", utterances=(row,), units=kind), asked)
    assert len(units) == count
    assert " ".join(unit.text for unit in units) == row.text
