"""A worker does jobs stage by stage, survives being killed, and stops when it is told to."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from msw_ml.settings import Settings
from serving import worker
from serving.store.sessions import StageRun

SPAWN = multiprocessing.get_context("spawn")
CLIP = Path(__file__).parents[1] / "data" / "short_visit.flac"
CSV = b"speaker,role,text\nAnn,worker,How are mornings?\nBea,parent,I want them calmer.\n"


def begin(settings, name: str = "w1"):
    process = SPAWN.Process(target=worker.run, args=(settings, Settings(threads=1), name))
    process.start()
    return process


@pytest.fixture
def running(settings, service) -> Iterator[object]:
    process = begin(settings)
    yield process
    process.terminate()
    process.join(10)


def send(client, people, content: bytes = CSV, name: str = "visit.csv", **fields) -> str:
    answer = client.post("/v1/sessions", files={"file": (name, content)}, data=fields, headers=people.as_("coach"))
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def wait(client, people, job: str, until=("succeeded", "failed", "canceled"), seconds: float = 60) -> dict:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        found = client.get(f"/v1/jobs/{job}", headers=people.as_("coach")).json()
        if found["state"] in until or found["stage"] in until:
            return found
        time.sleep(0.05)
    raise AssertionError(f"still {found['state']} at {found['stage']}")


def test_a_transcript_is_scored(client, people, running):
    """From the upload to ratings, with every stage noted once; a bad file fails with a sentence."""
    good, bad = send(client, people), send(client, people, b"colour,shape\nred,round\n", "bad.csv")
    done = wait(client, people, good)
    assert (done["state"], done["progress"], done["error"]) == ("succeeded", 1.0, None)
    session = done["sessions"][0]
    scores = client.get(f"/v1/sessions/{session}/ratings.json", headers=people.as_("coach"))
    assert scores.status_code == 200, scores.text
    assert scores.json()["measures"]
    failed = wait(client, people, bad)
    assert (failed["state"], failed["error_kind"]) == ("failed", "MalformedTranscript")
    assert "bad.csv" in failed["error"]


def test_a_killed_worker_goes_on_at_its_stage(client, people, service, settings):
    """SIGKILL in the middle of listening: the same name takes the job up, and `receive` is not done again."""
    first = begin(settings)
    job = send(client, people, CLIP.read_bytes(), "clip.flac")
    wait(client, people, job, until=("listen",))
    os.kill(first.pid, signal.SIGKILL)
    first.join()
    with service.begin() as db:
        before = {run.stage: run.finished_at for run in db.scalars(sa.select(StageRun))}
    assert "receive" in before
    second = begin(settings)
    try:
        assert wait(client, people, job)["state"] == "succeeded"
    finally:
        second.terminate()
        second.join(10)
    with service.begin() as db:
        after = {run.stage: run.finished_at for run in db.scalars(sa.select(StageRun))}
    assert after["receive"] == before["receive"]
    assert list(after) == ["receive", "listen", "code", "rate", "write"] or len(after) == 5
    assert not [key for key in service.objects.keys("") if "/work/" in key]


def test_cancel_stops_the_work_within_two_seconds(client, people, running):
    """The process that computes is gone, not only the row's state."""
    job = send(client, people, CLIP.read_bytes(), "clip.flac")
    wait(client, people, job, until=("listen",))
    began = time.monotonic()
    assert client.post(f"/v1/jobs/{job}/cancel", headers=people.as_("coach")).json()["state"] == "canceled"
    after = send(client, people)
    while not client.get(f"/v1/jobs/{after}", headers=people.as_("coach")).json()["started_at"]:
        assert time.monotonic() - began < 2.0, "the worker is still at the cancelled job"
        time.sleep(0.02)
    assert wait(client, people, after)["state"] == "succeeded"
    assert client.get(f"/v1/jobs/{job}", headers=people.as_("coach")).json()["state"] == "canceled"
