"""A visit is coded twice only where it tells something: it has scores, and its rater did not learn from it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from evaluation import candidates, sampling
from evaluation.candidates import DAMAGED, FAILED, GONE, LEARNED, WORDS_ONLY
from evaluation.cli import sample
from msw_ml import bundle, codebook
from msw_ml.errors import InputError
from msw_ml.formats.sessions_csv import write_sessions
from msw_ml.rating.learned import LEARNED as MARKS
from msw_ml.rating.learned import mark
from msw_ml.session import Provenance, Quality, Rating, RatingStatus, Recording, RoleChoice, ScoredSession

BOOK = codebook.load("msw")
SHIPPED = bundle.load(bundle.shipped("session_rater"), "session_rater").label

app = typer.Typer()
app.command()(sample)


def sha(name: str) -> str:
    return name.encode().hex().ljust(64, "0")


def session(name: str, rater: str = SHIPPED, value: float | None = 3.0) -> ScoredSession:
    status = RatingStatus.WITHHELD if value is None else RatingStatus.INDICATIVE
    limits = {} if value is None else {"low": 1.0, "value": value, "high": 5.0}
    return ScoredSession(
        recording=Recording(name=name, source=f"{name}.wav", sha256=sha(name), kind="sound"),
        roles=RoleChoice(roles={}, margin=1, method="given"),
        quality=Quality(),
        utterances=(),
        measures=(),
        ratings=(Rating(element=BOOK.elements[0].id, status=status, reason="", **limits),),
        provenance=Provenance(
            msw_ml="0", codebook=BOOK.id, codebook_version=BOOK.version, engines={"rater": rater}, settings={}
        ),
    )


def scores(folder: Path, sessions: Sequence[ScoredSession], failed: Sequence[str] = ()) -> Path:
    """An output folder of `msw score`."""
    for one in sessions:
        path = folder / one.recording.name / "session.json"
        path.parent.mkdir(parents=True)
        path.write_text(one.model_dump_json(), encoding="utf-8")
    rows = [{"session": name, "source": f"{name}.wav", "status": "failed"} for name in failed]
    write_sessions(folder / "sessions.csv", [*sessions, *rows], BOOK)
    return folder


def fine_tuned(folder: Path, learned: Sequence[str]) -> bundle.Bundle:
    """What a fine-tuned rater's bundle says of the recordings that it learned from."""
    info = bundle.BundleInfo(
        name="session_rater", version="9.0+own", kind="session_rater", codebook=BOOK.key, licence="Apache-2.0",
        parameters={MARKS: [mark(sha(name)) for name in learned]},
    )  # fmt: skip
    return bundle.write(folder / "own_rater", info, {})


def drawn(pool: candidates.Pool) -> set[str]:
    return {candidate.session for candidate in pool.candidates}


def test_a_session_without_scores_is_left_out_and_named(tmp_path: Path) -> None:
    """Failed, transcribed only, erased, damaged: none could be held beside people's codes. A withheld rating could."""
    words = session("words").model_copy(update={"ratings": ()})
    out = scores(tmp_path / "scores", [session("a"), session("b", value=None), words, session("gone"), session("x")],
                 ["bad"])  # fmt: skip
    (out / "gone" / "session.json").unlink()
    (out / "x" / "session.json").write_text("{", encoding="utf-8")
    found = candidates.find(out)
    assert [(one.session, one.score) for one in found.candidates] == [("a", 3.0), ("b", None)]
    assert found.left_out == {FAILED: ("bad",), GONE: ("gone",), DAMAGED: ("x",), WORDS_ONLY: ("words",)}
    assert sampling.draw(found, sampling.Design()).left_out == found.left_out


def test_what_stands_from_before_a_failure_is_not_drawn(tmp_path: Path) -> None:
    """Its folder holds scores of an earlier try, its row in sessions.csv says that the last one failed."""
    out = scores(tmp_path / "scores", [session("a"), session("b")])
    write_sessions(out / "sessions.csv", [session("a"), {"session": "b", "status": "failed"}], BOOK)
    assert candidates.find(out).left_out == {FAILED: ("b",)}


def test_after_a_run_that_was_killed_what_was_scored_is_drawn(tmp_path: Path) -> None:
    """sessions.csv is written when a run ends: sessions that it does not name yet are there all the same."""
    out = scores(tmp_path / "scores", [session("a")])
    scores(tmp_path / "other", [session("b")])
    (tmp_path / "other" / "b").rename(out / "b")
    assert drawn(candidates.find(out)) == {"a", "b"}


def test_a_folder_in_which_nothing_was_scored_is_refused(tmp_path: Path) -> None:
    """An empty list would look like an answer."""
    out = scores(tmp_path / "scores", [], ["a", "b"])
    with pytest.raises(InputError, match=r"no session can be drawn \(2 could not be scored\).*msw score"):
        candidates.find(out)


@pytest.mark.parametrize("by", ["own", "shipped"])
def test_a_session_that_the_rater_learned_from_is_left_out(tmp_path: Path, by: str) -> None:
    """Whether it was scored by the fine-tuned rater already or is about to be: a release would not count it."""
    own = fine_tuned(tmp_path, ["a", "c"])
    rater = own.label if by == "own" else SHIPPED
    out = scores(tmp_path / "scores", [session(name, rater) for name in "abcd"])
    found = candidates.find(out, own_rater=own.path)
    assert (drawn(found), found.left_out, found.notes) == ({"b", "d"}, {LEARNED: ("a", "c")}, ())


def test_a_rater_that_is_not_at_hand_is_said(tmp_path: Path) -> None:
    """Its bundle alone says what it learned from; until it is set all its sessions may be drawn."""
    out = scores(tmp_path / "scores", [session(name, "session_rater 9.0+own 0a1b2c3d") for name in "ab"])
    found = candidates.find(out)
    assert drawn(found) == {"a", "b"}
    assert "9.0+own 0a1b2c3d' learned from is not known: set MSW_SESSION_RATER" in found.notes[0]


def test_a_table_of_scores_leaves_failures_out_too(tmp_path: Path) -> None:
    """sessions.csv by itself; a table of somebody else's may call a column `status` and mean something else."""
    out = scores(tmp_path / "scores", [session("a"), session("b", value=None)], ["bad"])
    found = candidates.find(out / "sessions.csv")
    assert (drawn(found), found.left_out) == ({"a", "b"}, {FAILED: ("bad",)})
    assert "give the output folder" in found.notes[0]
    (tmp_path / "visits.csv").write_text("session,worker,status\na,w1,failed\nb,w2,kept\n", encoding="utf-8")
    theirs = candidates.find(tmp_path / "visits.csv")
    assert (drawn(theirs), theirs.left_out, theirs.notes) == ({"a", "b"}, {}, ())
    assert theirs.candidates[0].visit.worker == "w1"


def test_the_command_says_what_it_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the screen and in sample.json; the coders' list has neither."""
    own = fine_tuned(tmp_path, ["b"])
    monkeypatch.setenv("MSW_SESSION_RATER", str(own.path))
    out = scores(tmp_path / "scores", [session(name, own.label) for name in "abc"], ["bad"])
    result = CliRunner().invoke(app, [str(out), "-o", str(tmp_path / "sample")])
    assert result.exit_code == 0, result.output
    assert "2 of 2 sessions" in result.stdout
    assert f"1 left out, {FAILED}: bad\n" in result.stdout
    assert f"1 left out, {LEARNED}: b\n" in result.stdout
    record = sampling.Sample.model_validate_json((tmp_path / "sample" / "sample.json").read_text(encoding="utf-8"))
    assert record.left_out == {FAILED: ("bad",), LEARNED: ("b",)}
    lines = (tmp_path / "sample" / "sample.csv").read_text(encoding="utf-8").splitlines()
    assert sorted(line.partition(",")[2] for line in lines) == ["a", "c", "session"]
