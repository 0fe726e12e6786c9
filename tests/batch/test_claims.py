"""No recording takes another's place in an output folder, and no result is silently that of another version.

What is protected: a night's scores. Two visits that recorders named alike are told apart by content and place;
the same visit, moved or corrected, is scored again as itself.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from msw_ml import __version__, engines
from msw_ml.batch.claims import place_of
from msw_ml.batch.manifest import Entry, Manifest, State
from msw_ml.batch.options import ScoreOptions, run_key, stage_keys
from msw_ml.batch.run import Plan, plan, run
from msw_ml.batch.work import Work, do
from msw_ml.cli.progress import report
from msw_ml.disk import sha256
from msw_ml.errors import OutputError
from msw_ml.session import Provenance, Quality, Recording, RoleChoice, ScoredSession
from msw_ml.settings import Settings

SETTINGS, OPTIONS = Settings(), ScoreOptions()
LABELS = engines.labels(engines.pipeline(SETTINGS)) | {"language": SETTINGS.language}


def visit(path: Path, said: str = "How was your week?") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"role,text\nworker,{said}\nparent,Long.\n", encoding="utf-8")
    return path


def scored(path: Path, out: Path, *sessions: str, version: str = __version__) -> Entry:
    """What stands in an output folder after a file was scored: its sessions and its line in the manifest."""
    digest, names = sha256(path), sessions or (path.stem,)
    for name in names:
        recording = Recording(name=name, source=path.name, sha256=digest, kind="transcript")
        session = ScoredSession(
            recording=recording, roles=RoleChoice(roles={}, margin=1, method="given"), quality=Quality(),
            utterances=(), measures=(), ratings=(),
            provenance=Provenance(msw_ml=version, codebook="msw", codebook_version="1.0", engines={}, settings={}),
        )  # fmt: skip
        (out / name).mkdir(parents=True, exist_ok=True)
        (out / name / "session.json").write_text(session.model_dump_json(), encoding="utf-8")
    entry = Entry(
        name=path.stem, source=path.name, input_sha256=digest, key=run_key(digest, OPTIONS, LABELS, version),
        msw_ml=version, place=place_of(path, out), state=State.DONE, sessions=names,
    )  # fmt: skip
    Manifest(out / "manifest.jsonl").add(entry)
    return entry


def planned(path: Path, out: Path, is_forced: bool = False) -> Plan:
    return plan([path], out, SETTINGS, OPTIONS, is_forced)


@pytest.mark.parametrize("is_forced", [False, True])
def test_another_visit_of_the_same_name_is_refused_and_both_are_told(tmp_path: Path, is_forced: bool) -> None:
    """The message says where and what to do; the first visit keeps folder, manifest and row, the second has its own."""
    out = tmp_path / "out"
    scored(visit(tmp_path / "monday" / "visit.csv"), out)
    before = (out / "visit" / "session.json").read_bytes()
    found = planned(visit(tmp_path / "friday" / "visit.csv", "And on Friday?"), out, is_forced)
    assert (found.works, found.skipped) == ((), ())
    message = str(found.failed[0].error)
    assert message.startswith(str(tmp_path / "friday" / "visit.csv"))
    assert "holds the scores of another recording; rename this file, or choose another folder" in message
    assert len(run(found, 1, SETTINGS, OPTIONS, lambda _: None).failed) == 1
    assert (out / "visit" / "session.json").read_bytes() == before
    with (out / "sessions.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["session"]: row["status"] for row in csv.DictReader(file)}
    assert rows == {"visit": "scored", "visit.csv": "failed"}
    assert Manifest(out / "manifest.jsonl").last()["visit"].state is State.DONE


def test_after_the_folder_was_deleted_the_name_is_free(tmp_path: Path) -> None:
    """The remedy that the message names."""
    out = tmp_path / "out"
    scored(visit(tmp_path / "monday" / "visit.csv"), out)
    (out / "visit" / "session.json").unlink()
    assert [work.name for work in planned(visit(tmp_path / "friday" / "visit.csv", "Friday?"), out).works] == ["visit"]


def test_the_same_visit_elsewhere_is_the_same(tmp_path: Path) -> None:
    """A moved file is done; asked for anew, or with other options, it takes its own place."""
    out = tmp_path / "out"
    first = scored(visit(tmp_path / "monday" / "visit.csv"), out)
    moved = visit(tmp_path / "archive" / "visit.csv")
    assert planned(moved, out).skipped == (first,)
    assert [work.own for work in planned(moved, out, is_forced=True).works] == [{"visit"}]
    other = plan([moved], out, SETTINGS, ScoreOptions(target="calm mornings"))
    assert (len(other.works), other.failed) == (1, ())


def test_a_corrected_transcript_is_scored_again_in_its_place(tmp_path: Path) -> None:
    """Also where inputs and scores were moved together, and where the manifest is of an older kind."""
    out = tmp_path / "study" / "out"
    first = scored(visit(tmp_path / "study" / "visit.csv"), out)
    corrected = visit(tmp_path / "study" / "visit.csv", "How was the week?")
    assert [work.earlier for work in planned(corrected, out).works] == [first]
    (tmp_path / "study").rename(tmp_path / "laptop")
    assert len(planned(tmp_path / "laptop" / "visit.csv", tmp_path / "laptop" / "out").works) == 1
    older = first.model_copy(update={"place": ""})
    Manifest(tmp_path / "laptop" / "out" / "manifest.jsonl").add(older)
    assert len(planned(visit(tmp_path / "new" / "visit.csv", "Well?"), tmp_path / "laptop" / "out").works) == 1


def test_two_tables_of_one_name_do_not_hide_each_other(tmp_path: Path) -> None:
    """Sessions of two tables may have other folders, but one line in the manifest would hide the other's."""
    out = tmp_path / "out"
    scored(visit(tmp_path / "a" / "visits.csv"), out, "visits-monday", "visits-friday")
    found = planned(visit(tmp_path / "b" / "visits.csv", "And in June?"), out)
    assert (found.works, "visits-monday" in str(found.failed[0].error)) == ((), True)


def test_a_session_of_a_table_does_not_overwrite_a_visit(tmp_path: Path) -> None:
    """Only the reader of the table learns what its sessions are called: nothing is written where one is taken."""
    out = tmp_path / "out"
    scored(visit(tmp_path / "visits-friday.csv"), out)
    before = (out / "visits-friday" / "session.json").read_bytes()
    table = tmp_path / "visits.csv"
    table.write_text("session,role,text\nmonday,worker,Hello.\nfriday,worker,Hello again.\n", encoding="utf-8")
    (work,) = planned(table, out).works
    with pytest.raises(OutputError, match=r"visits-friday holds the scores of another recording"):
        do(work, ScoreOptions(is_speech_only=True), engines.pipeline(SETTINGS))
    assert (out / "visits-friday" / "session.json").read_bytes() == before
    assert not (out / "visits-monday").exists()


def test_a_recording_is_refused_before_it_is_heard(tmp_path: Path) -> None:
    """Hours of hearing for nothing would be the second loss: this file is no sound and would fail if it were heard."""
    out = tmp_path / "out"
    scored(visit(tmp_path / "visit.csv"), out)
    sound = tmp_path / "visit.wav"
    sound.write_bytes(b"no sound")
    work = Work(path=sound, name="visit", sha256=sha256(sound), key="k", out=out)
    with pytest.raises(OutputError, match="another recording"):
        do(work, OPTIONS, engines.pipeline(SETTINGS))


def test_scores_of_another_version_stay_and_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An upgrade does not hear everything again unasked, nor hide that a table holds two versions' scores."""
    out = tmp_path / "out"
    path = visit(tmp_path / "visit.csv")
    older = scored(path, out, version="0.0.9")
    found = planned(path, out)
    assert (found.works, found.of_another_version) == ((), (older,))
    report(found, run(found, 1, SETTINGS, OPTIONS, lambda _: None), is_json=True)
    said = capsys.readouterr()
    assert (
        f"1 of those already done were scored by msw_ml 0.0.9 and stay as they are, this is {__version__}" in said.err
    )
    assert "--force" in said.err
    assert '"of_another_version": ["visit"]' in said.out
    assert len(planned(path, out, is_forced=True).works) == 1
    scored(path, out)
    assert planned(path, out).of_another_version == ()


def test_half_a_recording_of_another_version_is_not_gone_on_with(tmp_path: Path) -> None:
    """What an interrupted try kept is named by the key: words of one version never meet codes of another."""
    digest = sha256(visit(tmp_path / "visit.csv"))
    assert run_key(digest, OPTIONS, LABELS) == run_key(digest, OPTIONS, LABELS, __version__)
    assert run_key(digest, OPTIONS, LABELS) != run_key(digest, OPTIONS, LABELS, "0.0.9")
    older = scored(tmp_path / "visit.csv", tmp_path / "out", version="0.0.9")
    (work,) = planned(tmp_path / "visit.csv", tmp_path / "out", is_forced=True).works
    assert work.key != older.key
    assert work.stages == stage_keys(digest, OPTIONS, LABELS)
