"""sessions.csv tells what stands in the output folder, whichever run made it."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

from msw_ml import codebook
from msw_ml.batch.manifest import Entry, State
from msw_ml.batch.table import write_table
from msw_ml.formats import registry
from msw_ml.session import CodedUtterance, Provenance, Quality, Recording, Role, RoleChoice, ScoredSession, Utterance

BOOK = codebook.load("msw")


def made(out: Path, *names: str) -> Entry:
    """A finished try of one table with these sessions, and their folders."""
    said = Utterance(id=0, speaker="A", text="Hello there.", role=Role.WORKER)
    for name in names:
        session = ScoredSession(
            recording=Recording(name=name, source="visits.csv", sha256="ab", kind="transcript"),
            roles=RoleChoice(roles={"A": Role.WORKER}, margin=1, method="given"),
            quality=Quality(),
            utterances=(CodedUtterance(utterance=said),),
            measures=(),
            ratings=(),
            provenance=Provenance(msw_ml="0", codebook="msw", codebook_version="1.0", engines={}, settings={}),
        )
        registry.write("json", session, out / name, BOOK)
    return Entry(
        name=names[0], source="visits.csv", input_sha256="ab", key="k", state=State.DONE, sessions=tuple(names)
    )


def failed(name: str) -> Entry:
    return Entry(name=name, source=f"{name}.wav", input_sha256="cd", key="k", state=State.FAILED)


def statuses(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["session"]: row["status"] for row in csv.DictReader(file)}


def test_a_row_a_session_in_name_order_then_what_failed(tmp_path: Path) -> None:
    """The order of runs leaves no trace."""
    entries = [failed("b"), made(tmp_path, "d", "c"), failed("a")]
    first = write_table(tmp_path, entries, BOOK).read_bytes()
    assert list(statuses(tmp_path / "sessions.csv").items()) == [
        ("c", "scored"), ("d", "scored"), ("a", "failed"), ("b", "failed"),
    ]  # fmt: skip
    assert write_table(tmp_path, reversed(entries), BOOK).read_bytes() == first


def test_an_erased_session_leaves_the_table_and_a_damaged_one_says_so(tmp_path: Path) -> None:
    """Erasing a family's folder erases its row; one broken file does not cost the other rows."""
    entry = made(tmp_path, "a", "b", "c")
    shutil.rmtree(tmp_path / "a")
    (tmp_path / "b" / "session.json").write_text("{", encoding="utf-8")
    assert statuses(write_table(tmp_path, [entry], BOOK)) == {"b": "unreadable", "c": "scored"}
