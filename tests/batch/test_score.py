"""`msw score` as a person runs it: real processes, real engines, files on disk.

What is protected: one bad file never stops the rest, what is done is not done again, a kill at any
moment loses nothing, and a resumed run ends byte for byte like an undisturbed one.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

MSW = Path(sysconfig.get_path("scripts")) / "msw"
SOUND = Path(__file__).resolve().parents[1] / "data" / "short_visit.flac"

VISIT = """role,text
worker,"Hello, thank you for seeing me. How has the week been?"
parent,"Up and down. I want the mornings to be calmer, I really do."
worker,"You want the day to begin without a row."
parent,"Yeah. I laid his clothes out last night and it helped."
worker,"You tried something new and stuck with it. What else might help?"
parent,"I don't know. There's no point if he won't go to bed."
worker,"Bedtime decides the morning, as you see it."
parent,"It does. So I think I'll start there."
worker,"What you do about bedtime is up to you. Shall we write it into the plan?"
parent,"Go on then. I'm going to try it this week."
"""


def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [str(MSW), "score", *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False, **options)  # type: ignore[call-overload]


def contents(folder: Path) -> dict[str, bytes]:
    """All files of an output folder but the manifest, which holds times."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.jsonl"
    }


def manifest(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def visits(tmp_path: Path) -> Path:
    """A folder with a good transcript and files that cannot be scored."""
    folder = tmp_path / "visits – März"
    folder.mkdir()
    (folder / "a visit.csv").write_text(VISIT, encoding="utf-8")
    (folder / "empty.wav").touch()
    (folder / "not sound.mp3").write_text("this is a shopping list", encoding="utf-8")
    (folder / "roles.csv").write_text("role,text\nworker,Hello there.\nplumber,Where is the tap?\n", encoding="utf-8")
    (folder / "broken.vtt").write_text("WEBVTT\n\n00:01 --> soon\nHello\n", encoding="utf-8")
    return folder


def test_one_bad_file_never_stops_the_rest(visits: Path, tmp_path: Path) -> None:
    """Each failure is one line that names file and remedy; the good visit is scored; exit 1."""
    ended = run(visits, "-o", tmp_path / "out")
    assert ended.returncode == 1
    lines = {str(entry["source"]): entry for entry in manifest(tmp_path / "out")}
    assert lines["a visit.csv"]["state"] == "done"
    failed = {source: str(entry["error"]) for source, entry in lines.items() if entry["state"] == "failed"}
    assert set(failed) == {"empty.wav", "not sound.mp3", "roles.csv", "broken.vtt"}
    for source, message in failed.items():
        assert source in message
        assert message in ended.stderr
        assert "shopping" not in message, "an error never repeats what a file says"
    assert "row 3" in failed["roles.csv"].lower() or "line 3" in failed["roles.csv"].lower()
    rows = list(csv.DictReader((tmp_path / "out" / "sessions.csv").open(encoding="utf-8", newline="")))
    assert {row["session"]: row["status"] for row in rows} == {
        "a visit": "scored", "broken": "failed", "empty": "failed", "not sound": "failed", "roles": "failed",
    }  # fmt: skip


def test_what_is_done_is_skipped_until_input_or_options_change(tmp_path: Path) -> None:
    """A second night costs nothing; a changed file or target is scored anew."""
    visit = tmp_path / "visit.csv"
    visit.write_text(VISIT, encoding="utf-8")
    out = tmp_path / "out"
    assert run(visit, "-o", out).returncode == 0
    before = contents(out)
    again = run(visit, "-o", out, "--json")
    assert json.loads(again.stdout)["skipped"] == 1
    assert contents(out) == before
    assert json.loads(run(visit, "-o", out, "--target", "calm mornings", "--json").stdout)["done"] == 1
    visit.write_text(VISIT + 'worker,"See you on Friday."\n', encoding="utf-8")
    assert json.loads(run(visit, "-o", out, "--json").stdout)["done"] == 1


def test_a_transcript_gives_all_that_is_promised(tmp_path: Path) -> None:
    """The files and columns that other people's scripts rely on."""
    (tmp_path / "visit.csv").write_text(VISIT, encoding="utf-8")
    out = tmp_path / "out"
    assert run(tmp_path / "visit.csv", "-o", out, "--format", "xlsx,docx").returncode == 0
    made = {path.name for path in (out / "visit").iterdir()}
    assert {"session.json", "transcript.vtt", "utterances.csv", "report.html"} <= made
    session = json.loads((out / "visit" / "session.json").read_text(encoding="utf-8"))
    assert len(session["ratings"]) == 7
    assert all(rating["status"] in {"indicative", "withheld"} for rating in session["ratings"])
    rows = list(csv.DictReader((out / "visit" / "utterances.csv").open(encoding="utf-8", newline="")))
    columns = "session,utterance,start,end,speaker,role,text,code,parent_code,confidence,withheld,other_codes"
    assert ",".join(rows[0]) == columns
    assert len(rows) == 10, "tabular rows stay the coding units"
    assert {row["parent_code"] for row in rows if row["role"] == "parent"} <= {"change", "sustain", "neutral"}


def test_sessions_csv_has_a_row_for_every_session_of_the_folder(tmp_path: Path) -> None:
    """Two commands into one folder make the table, byte for byte, that one command makes."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(VISIT, encoding="utf-8")
    (tmp_path / "bad.csv").write_text("role,text\nplumber,Where is the tap?\n", encoding="utf-8")
    two_runs, at_once = tmp_path / "two runs", tmp_path / "at once"
    assert run(tmp_path / "b.csv", tmp_path / "bad.csv", "-o", two_runs).returncode == 1
    assert run(tmp_path / "a.csv", "-o", two_runs).returncode == 0
    assert run(*sorted(tmp_path.glob("*.csv")), "-o", at_once).returncode == 1
    with (two_runs / "sessions.csv").open(encoding="utf-8", newline="") as file:
        statuses = {row["session"]: row["status"] for row in csv.DictReader(file)}
    assert statuses == {"a": "scored", "b": "scored", "bad": "failed"}
    assert (two_runs / "sessions.csv").read_bytes() == (at_once / "sessions.csv").read_bytes()


def test_usage_errors_end_with_2_before_any_work(tmp_path: Path) -> None:
    """A typo is told at once, not after a night."""
    (tmp_path / "visit.csv").write_text(VISIT, encoding="utf-8")
    for wrong in (["--diariser", "ears"], ["--codebook", "mws"], ["--role", "S1=boss"], ["--format", "pdf"]):
        ended = run(tmp_path / "visit.csv", "-o", tmp_path / "out", *wrong)
        assert ended.returncode == 2, ended.stderr
        assert not (tmp_path / "out").exists()


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [str(MSW), "score", *(str(argument) for argument in arguments)]
    return subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # a shell's background jobs ignore Ctrl-C, and their children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )


def wait_for(pattern: str, folder: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not list(folder.glob(pattern)):
        assert process.poll() is None, "it ended before it could be disturbed"
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["words", "turns"])
def test_a_killed_run_ends_like_an_undisturbed_one(stage: str, tmp_path: Path) -> None:
    """`kill -9` of all processes after a stage: the same command resumes and gives the same bytes."""
    quiet, disturbed = tmp_path / "quiet", tmp_path / "disturbed"
    assert run(SOUND, "-o", quiet).returncode == 0
    process = start(SOUND, "-o", disturbed)
    wait_for(f"short_visit/.work/*/{stage}.json", disturbed, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert run(SOUND, "-o", disturbed).returncode == 0
    assert contents(disturbed) == contents(quiet)
    assert not (disturbed / "short_visit" / ".work").exists()


def ends(group: int) -> bool:
    """Whether all processes of a group are gone within ten seconds."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.slow
def test_ctrl_c_is_clean(tmp_path: Path) -> None:
    """The manifest says what was in hand, no process is left, and the same command resumes."""
    out = tmp_path / "out"
    process = start(SOUND, "-o", out)
    wait_for("short_visit/.work/*/speech.json", out, process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "same command" in said
    assert "Traceback" not in said
    assert [entry["state"] for entry in manifest(out)] == ["interrupted"]
    assert ends(process.pid), "a process of the run is still there"
    assert run(SOUND, "-o", out).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small file system")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_is_said_and_nothing_half_written_stays(small_disk: Path, tmp_path: Path) -> None:
    """After space was made the same command goes on."""
    (tmp_path / "visit.csv").write_text(VISIT, encoding="utf-8")
    filler = small_disk / "filler"
    filler.write_bytes(b"0" * 44 * 1024)
    ended = run(tmp_path / "visit.csv", "-o", small_disk / "out")
    assert ended.returncode == 1
    assert "disk is full" in ended.stderr
    assert not [path for path in (small_disk / "out").rglob(".*") if path.is_file()]
