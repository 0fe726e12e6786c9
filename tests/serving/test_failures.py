"""What happens when the disk is full or the database away: 503 with Retry-After, and afterwards work goes on."""

from __future__ import annotations

import multiprocessing
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from msw_ml.settings import Settings
from serving import worker
from serving.app import create_app
from serving.settings import ServiceSettings
from serving.store import database
from serving.store.database import open_engine

CSV = b"speaker,role,text\nAnn,worker,How are mornings?\nBea,parent,I want them calmer.\n"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 264 MB: what must stay free and little more."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=264m", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("no permission to mount a small disk here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_said_and_passes(client, people, service, settings, small_disk):
    """Refused before the body is read, with the seconds to wait; nothing half-written; then taken again."""
    small = create_app(settings.model_copy(update={"objects": str(small_disk)}), Settings())
    filler = small_disk / "filler"
    with TestClient(small, raise_server_exceptions=False) as there:
        filler.write_bytes(b"x" * (16 << 20))
        refused = there.post("/v1/sessions", files={"file": ("a.csv", CSV)}, headers=people.as_("coder"))
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert refused.headers["content-type"] == "application/problem+json"
        assert there.get("/readyz").status_code == 503
        filler.unlink()
        assert (
            there.post("/v1/sessions", files={"file": ("a.csv", CSV)}, headers=people.as_("coder")).status_code == 202
        )


@pytest.mark.slow
def test_a_database_that_goes_away_comes_back(postgres, make_people, tmp_path):
    """On PostgreSQL: a killed server gives 503; after its restart server and worker go on without help."""
    settings = ServiceSettings(data=tmp_path / "service", database=postgres.database(), queue_poll_seconds=0.1)
    app = create_app(settings, Settings())
    app.state.service.prepare()
    people = make_people(app.state.service)
    process = multiprocessing.get_context("spawn").Process(
        target=worker.run, args=(settings, Settings(threads=1), "w1")
    )
    process.start()
    with TestClient(app, raise_server_exceptions=False) as client:
        try:
            jobs = [send(client, people)]
            assert wait(client, people, jobs[0]) == "succeeded"
            jobs += [send(client, people) for _ in range(3)]
            postgres.stop()
            away = client.get("/v1/jobs", headers=people.as_("coder"))
            assert (away.status_code, away.headers["retry-after"]) == (503, "10")
            postgres.start()
            jobs.append(send(client, people))
            assert [wait(client, people, job) for job in jobs] == ["succeeded"] * 5
        finally:
            process.terminate()
            process.join(20)
            process.kill()


def test_a_connection_that_rested_is_tried_before_use(postgres, monkeypatch):
    """Whoever comes first after the database was started anew is served, by a new connection."""
    engine = open_engine(postgres.database())

    def whose() -> int:
        with engine.connect() as connection:
            return connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()

    monkeypatch.setattr(database, "RESTED_SECONDS", 0.0)
    before = whose()
    assert whose() == before
    postgres.stop()
    postgres.start()
    assert whose() != before
    engine.dispose()


def send(client: TestClient, people) -> str:
    answer = client.post("/v1/sessions", files={"file": ("a.csv", CSV)}, headers=people.as_("coder"))
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def wait(client: TestClient, people, job: str) -> str:
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        state = client.get(f"/v1/jobs/{job}", headers=people.as_("coder")).json().get("state")
        if state in ("succeeded", "failed"):
            return state
        time.sleep(0.2)
    return f"still {state}"
