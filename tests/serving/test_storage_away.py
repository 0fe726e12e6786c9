"""Objects on S3, and the server of S3 goes away: 503 with Retry-After, no job lost, and afterwards work goes on."""

from __future__ import annotations

import multiprocessing
import shutil
import time
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from msw_ml.settings import Settings
from serving import worker
from serving.app import create_app
from serving.settings import ServiceSettings
from serving.store.sessions import SessionRow

CSV = b"speaker,role,text\nAnn,worker,How are mornings?\nBea,parent,I want them calmer.\n"


@pytest.fixture
def storage(make_s3) -> Iterator:
    """A server of S3 that a test may stop; one that is away is started for nobody."""
    server = make_s3()
    yield server
    server.stop()


@pytest.fixture
def settings(tmp_path, storage) -> ServiceSettings:
    where = {"objects": f"s3://{storage.bucket()}/msw", "objects_options": storage.options}
    return ServiceSettings(data=tmp_path / "service", queue_poll_seconds=0.05, requests_per_minute=10**6, **where)


def send(client: TestClient, people):
    return client.post("/v1/sessions", files={"file": ("a.csv", CSV)}, headers=people.as_("coder"))


def test_uploads_and_erasures_wait_for_the_storage(client, people, service, storage):
    """Nothing is taken in, and nothing called erased, that the storage did not confirm."""
    session_id = send(client, people).json()["sessions"][0]
    storage.stop()
    refused = send(client, people)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
    assert refused.headers["content-type"] == "application/problem+json"
    assert "storage cannot be reached" in client.get("/readyz").json()["detail"]
    assert not list(service.objects.incoming.iterdir())
    erased = client.delete(f"/v1/sessions/{session_id}", headers=people.as_("coach"))
    assert erased.status_code == 503
    with service.begin() as db:
        assert db.get(SessionRow, session_id) is not None
    storage.start()
    assert send(client, people).status_code == 202
    assert client.delete(f"/v1/sessions/{session_id}", headers=people.as_("coach")).status_code == 200
    assert not service.objects.keys(f"sessions/{session_id}")


def test_sound_is_played_in_ranges_from_s3(client, people, service, scored):
    """The upload comes back byte by byte through the HTTP interface."""
    whole = client.get(f"/v1/sessions/{scored}/audio", headers=people.as_("coach"))
    part = client.get(f"/v1/sessions/{scored}/audio", headers=people.as_("coach") | {"Range": "bytes=3-9"})
    assert (whole.status_code, part.status_code) == (200, 206)
    assert part.content == whole.content[3:10]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_jobs_outlast_a_storage_that_is_away(settings, empty_database, make_people, storage):
    """Jobs in the queue and in hand wait, and end when the storage is back: none fails, none is lost."""
    settings.data.mkdir()
    shutil.copy(empty_database, settings.data)
    app = create_app(settings, Settings())
    people = make_people(app.state.service)
    process = multiprocessing.get_context("spawn").Process(
        target=worker.run, args=(settings, Settings(threads=1), "w1")
    )
    with TestClient(app, raise_server_exceptions=False) as client:
        jobs = [send(client, people).json()["id"] for _ in range(5)]
        try:
            process.start()
            states = wait_for(client, people, jobs, lambda states: "succeeded" in states)
            storage.stop()
            time.sleep(25)  # longer than all attempts at a stage would take
            states = states_of(client, people, jobs)
            assert "failed" not in states
            assert states.count("succeeded") < len(jobs)
            storage.start()
            assert set(wait_for(client, people, jobs, lambda states: set(states) == {"succeeded"})) == {"succeeded"}
            service = app.state.service
            assert len({key.split("/")[1] for key in service.objects.keys("sessions")}) == len(jobs)
        finally:
            process.terminate()
            process.join(20)
            process.kill()


def states_of(client, people, jobs: list[str]) -> list[str]:
    return [client.get(f"/v1/jobs/{job}", headers=people.as_("coder")).json()["state"] for job in jobs]


def wait_for(client, people, jobs: list[str], is_reached) -> list[str]:
    ends = time.monotonic() + 90
    while time.monotonic() < ends:
        states = states_of(client, people, jobs)
        if is_reached(states):
            return states
        time.sleep(0.1)
    return states
