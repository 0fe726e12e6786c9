"""The demo visit is what its card says, and its reference files agree with each other."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path

import pytest

from msw_ml import codebook as codebooks
from msw_ml.disk import sha256
from msw_ml.session import Role

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "datasets" / "demo"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_files_are_those_of_the_card() -> None:
    """A changed sound with an old reference would make every figure on it wrong."""
    source = tomllib.loads((DEMO / "source.toml").read_text(encoding="utf-8"))
    assert source["sha256"] == {name: sha256(DEMO / name) for name in source["sha256"]}


@pytest.mark.parametrize("stem", [DEMO / "visit", ROOT / "tests" / "data" / "short_visit"], ids=["visit", "short"])
def test_reference_files_agree(stem: Path) -> None:
    """Turns, words and codes come from one script and say the same."""
    coded = rows(stem.with_suffix(".codes.csv"))
    script = rows(DEMO / f"{stem.name}.script.csv")
    stm = [line.split(" ", 5) for line in stem.with_suffix(".stm").read_text(encoding="utf-8").splitlines()]
    rttm = [line.split() for line in stem.with_suffix(".rttm").read_text(encoding="utf-8").splitlines()]
    assert [row["text"] for row in coded] == [row["text"] for row in script] == [fields[5] for fields in stm]
    assert [row["speaker"] for row in coded] == [fields[2] for fields in stm] == [fields[7] for fields in rttm]
    assert [float(row["start"]) for row in coded] == [float(fields[3]) for fields in rttm]
    assert all(float(row["start"]) < float(row["end"]) for row in coded)


def test_every_code_belongs_to_its_speaker() -> None:
    """Worker and parent are coded by the codebook, the child is not."""
    book = codebooks.load("msw")
    for row in rows(DEMO / "visit.codes.csv"):
        codes = book.codes(Role(row["role"]))
        assert row["code"] in codes if codes else row["code"] == ""
