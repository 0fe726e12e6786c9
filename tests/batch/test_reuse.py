"""Scoring again with another rater, release file, coder or other roles hears nothing twice.

What is protected: what is taken over from an earlier try gives, byte for byte, what scoring anew gives, and
nothing is taken over that could come out differently.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from msw_ml import bundle, engines
from msw_ml.batch.manifest import Entry, State
from msw_ml.batch.options import ScoreOptions, stage_keys
from msw_ml.batch.work import Work, do
from msw_ml.disk import sha256
from msw_ml.pipeline import Pipeline
from msw_ml.session import Role
from msw_ml.settings import Settings

MSW = Path(sysconfig.get_path("scripts")) / "msw"
SOUND = Path(__file__).resolve().parents[1] / "data" / "short_visit.flac"
TWO_VISITS = """session,role,text
monday,worker,"Hello, thank you for seeing me. How has the week been?"
monday,parent,"Up and down. I want the mornings to be calmer."
monday,worker,"Yeah."
monday,worker,"You want the day to begin without a row."
friday,worker,"You laid his clothes out. What else might help?"
friday,parent,"There's no point if he won't go to bed."
"""
ENGINES = {"transcriber": "w 1", "diariser": "v 1", "roles": "r 1", "coder": "c 1", "rater": "e 1", "release": "none",
           "codebook": "msw 1.0", "language": "en"}  # fmt: skip


def retrained(name: str, folder: Path) -> Path:
    """A shipped bundle under another version: another engine with the same weights."""
    path = folder / name
    shutil.copytree(bundle.shipped(name), path)
    info = json.loads((path / "bundle.json").read_text(encoding="utf-8"))
    (path / "bundle.json").write_text(json.dumps(info | {"version": "9.9"}), encoding="utf-8")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """All files of an output folder but the manifest, which holds times."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "manifest.jsonl"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize(
    ("options", "engine", "same"),
    [
        ({}, {"rater": "e 2"}, {"speech", "codes"}),
        ({}, {"release": "local.json 1"}, {"speech", "codes"}),
        ({"formats": ("srt",)}, {}, {"speech", "codes"}),
        ({}, {"coder": "c 2"}, {"speech"}),
        ({}, {"codebook": "msw 1.1"}, {"speech"}),
        ({}, {"roles": "r 2"}, {"speech"}),
        ({"roles": {"S1": Role.WORKER}}, {}, {"speech"}),
        ({"target": "calm mornings"}, {}, {"speech"}),
        ({"is_speech_only": True}, {}, {"speech"}),
        ({"speakers": 2}, {}, set()),
        ({"segment_minutes": 5}, {}, set()),
        ({}, {"transcriber": "w 2"}, set()),
        ({}, {"diariser": "v 2"}, set()),
        ({}, {"language": "cy"}, set()),
        ({}, {"something new": "1"}, set()),
    ],
)
def test_what_each_stage_depends_on(options: dict[str, object], engine: dict[str, str], same: set[str]) -> None:
    """An engine or option that nobody thought of here holds nothing back wrongly: it makes all stages anew."""
    before = stage_keys("ab", ScoreOptions(), ENGINES)
    now = stage_keys("ab", ScoreOptions.model_validate(options), ENGINES | engine)
    assert {stage for stage in ("speech", "codes") if getattr(before, stage) == getattr(now, stage)} == same
    other = stage_keys("cd", ScoreOptions(), ENGINES)
    assert {other.speech, other.codes}.isdisjoint({before.speech, before.codes}), "another input shares nothing"


class Lines:
    """Pipelines of this test and a table of two visits."""

    def __init__(self, folder: Path) -> None:
        self.usual = engines.pipeline(Settings())
        self.rater = engines.pipeline(Settings(session_rater=retrained("session_rater", folder)))
        self.coder = engines.pipeline(Settings(behaviour_coder=retrained("behaviour_coder", folder)))
        self.visits = folder / "visits.csv"
        self.visits.write_text(TWO_VISITS, encoding="utf-8")

    def score(self, line: Pipeline, out: Path, last: Entry | None = None, **given: object) -> Entry:
        options = ScoreOptions.model_validate(given)
        digest = sha256(self.visits)
        keys = stage_keys(digest, options, engines.labels(line))
        work = Work(path=self.visits, name="visits", sha256=digest, key="k", out=out, stages=keys, earlier=last)
        done = do(work, options, line)
        return Entry(
            name="visits", source="visits.csv", input_sha256=digest, key="k", state=State.DONE, stages=keys,
            sessions=tuple(done.made), made=done.made, reused=done.reused,
        )  # fmt: skip


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Lines:
    return Lines(tmp_path_factory.mktemp("lines"))


def test_codes_of_a_table_are_taken_over_for_another_rater(lines: Lines, tmp_path: Path) -> None:
    """Every session of the table, its volley rules included, as if it had been scored anew."""
    first = lines.score(lines.usual, tmp_path / "again")
    again = lines.score(lines.rater, tmp_path / "again", first)
    anew = lines.score(lines.rater, tmp_path / "anew")
    assert (first.reused, again.reused, anew.reused) == ((), ("codes",), ())
    assert len(again.made) == 2
    assert again.made == anew.made != first.made
    assert contents(tmp_path / "again") == contents(tmp_path / "anew")


def test_codes_are_made_anew_where_they_could_differ(lines: Lines, tmp_path: Path) -> None:
    """Another coder, another target, no codes yet, a session.json that somebody corrected or that is gone."""
    first = lines.score(lines.usual, tmp_path)
    assert lines.score(lines.coder, tmp_path, first).reused == ()
    first = lines.score(lines.usual, tmp_path)
    assert lines.score(lines.rater, tmp_path, first, target="calm mornings").reused == ()
    words_only = lines.score(lines.usual, tmp_path, first, is_speech_only=True)
    assert lines.score(lines.usual, tmp_path, words_only).reused == ()
    first = lines.score(lines.usual, tmp_path)
    path = tmp_path / first.sessions[0] / "session.json"
    made = path.read_bytes()
    path.write_bytes(made.replace(b"without a row", b"without a fight"))
    assert path.read_bytes() != made
    assert lines.score(lines.rater, tmp_path, first).reused == ()
    assert b"without a row" in path.read_bytes()
    first = lines.score(lines.usual, tmp_path)
    path.unlink()
    assert lines.score(lines.rater, tmp_path, first).reused == ()


@pytest.mark.slow
def test_a_recording_is_heard_once(tmp_path: Path) -> None:
    """`msw transcribe`, then `msw score`, then with another rater, other roles, and back: heard once, same bytes."""
    out, anew = tmp_path / "out", tmp_path / "anew"
    rater = {"MSW_SESSION_RATER": str(retrained("session_rater", tmp_path))}

    def msw(command: str, folder: Path, *arguments: str, **settings: str) -> tuple[list[str], dict[str, bytes]]:
        called = [str(MSW), command, str(SOUND), "-o", str(folder), *arguments]
        ended = subprocess.run(called, env=os.environ | settings, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        last = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()[-1]
        return json.loads(last)["reused"], contents(folder)

    assert msw("transcribe", out)[0] == []
    reused, usual = msw("score", out)
    assert reused == ["speech"]
    reused, rated = msw("score", out, **rater)
    assert reused == ["speech", "codes"]
    assert rated == msw("score", anew, **rater)[1] != usual
    reused, swapped = msw("score", out, "--role", "S1=parent", "--role", "S2=worker")
    assert reused == ["speech"]
    assert swapped != usual
    assert msw("score", out) == (["speech"], usual)
    assert msw("score", out, "--force") == ([], usual)
