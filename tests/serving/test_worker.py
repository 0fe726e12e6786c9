"""A worker does jobs stage by stage, survives being killed, and stops when it is told to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from serving import webhooks
from serving.service import Service
from serving.settings import ServiceSettings
from serving.stage_names import STAGES
from serving.store.sessions import StageRun

CLIP = Path(__file__).parents[1] / "data" / "short_visit.flac"
CSV = b"speaker,role,text\nAnn,worker,How are mornings?\nBea,parent,I want them calmer.\n"


class Listener(BaseHTTPRequestHandler):
    """Takes messages; the first is refused, so that it must come again."""

    received: ClassVar[list[tuple[dict[str, str], bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(503 if len(self.received) == 1 else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def listener() -> Iterator[ThreadingHTTPServer]:
    Listener.received.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, listener: ThreadingHTTPServer) -> ServiceSettings:
    """One service for all tests here: a worker takes seconds to start."""
    hosts = (f"127.0.0.1:{listener.server_port}",)
    data = tmp_path_factory.mktemp("worker") / "service"
    return ServiceSettings(
        data=data, queue_poll_seconds=0.05, max_upload_mb=8, webhook_hosts=hosts, requests_per_minute=100_000
    )


@pytest.fixture(scope="module")
def client(settings: ServiceSettings, serve) -> Iterator[TestClient]:
    with serve(settings) as made:
        yield made


@pytest.fixture(scope="module")
def service(client: TestClient) -> Service:
    return client.app.state.service  # type: ignore[attr-defined, no-any-return]


@pytest.fixture(scope="module")
def people(service: Service, make_people: Callable[[Service], object]) -> object:
    return make_people(service)


def send(client, people, content: bytes = CSV, name: str = "visit.csv", **fields) -> str:
    answer = client.post("/v1/sessions", files={"file": (name, content)}, data=fields, headers=people.as_("coach"))
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def wait(client, people, job: str, until=("succeeded", "failed", "canceled"), seconds: float = 120) -> dict:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        found = client.get(f"/v1/jobs/{job}", headers=people.as_("coach")).json()
        if found["state"] in until or found["stage"] in until:
            return found
        time.sleep(0.1)
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


def test_cancel_stops_the_work_within_two_seconds(client, people, running):
    """The process that computes is gone, not only the row's state; nothing half-made stays."""
    job = send(client, people, CLIP.read_bytes(), "clip.flac")
    wait(client, people, job, until=("listen",))
    began = time.monotonic()
    assert client.post(f"/v1/jobs/{job}/cancel", headers=people.as_("coach")).json()["state"] == "canceled"
    after = send(client, people, CLIP.read_bytes(), "clip.flac")  # a short transcript would not have to wait
    while not client.get(f"/v1/jobs/{after}", headers=people.as_("coach")).json()["started_at"]:
        assert time.monotonic() - began < 2.0, "the worker is still at the cancelled job"
        time.sleep(0.02)
    assert client.post(f"/v1/jobs/{after}/cancel", headers=people.as_("coach")).json()["state"] == "canceled"
    assert client.get(f"/v1/jobs/{job}", headers=people.as_("coach")).json()["state"] == "canceled"
    running.tidies_up()


def test_short_transcripts_are_killed_and_stopped_whole(client, people, service, running):
    """Many in hand, the worker killed, some stopped by people: each ends once, and a stopped one leaves nothing."""
    headers = people.as_("coach")
    running.kill()
    jobs = [send(client, people) for _ in range(24)]
    running.again()
    while not client.get(f"/v1/jobs/{jobs[0]}", headers=headers).json()["started_at"]:
        time.sleep(0.05)
    running.kill()
    stopped = set(jobs[4:8])
    for job in stopped:
        assert client.post(f"/v1/jobs/{job}/cancel", headers=headers).json()["state"] == "canceled"
    running.again()
    ends = {job: wait(client, people, job) for job in jobs}
    for job, end in ends.items():
        assert end["state"] == ("canceled" if job in stopped else "succeeded"), end
        assert set(stages(service, job)) == (set() if job in stopped else set(STAGES))
        scores = client.get(f"/v1/sessions/{end['sessions'][0]}/ratings.json", headers=headers)
        assert scores.status_code == (409 if job in stopped else 200)
    running.tidies_up()


def test_a_webhook_is_signed_and_comes_again_until_taken(client, people, running, listener):
    """Status only, by Standard Webhooks, once for each end; a host that nobody allowed is refused."""
    headers, address = people.as_("administrator"), f"http://127.0.0.1:{listener.server_port}/hook"
    assert client.post("/v1/webhooks", json={"url": "http://169.254.169.254/"}, headers=headers).status_code == 422
    secret = client.post("/v1/webhooks", json={"url": address}, headers=headers).json()["secret"]
    Listener.received.clear()
    job = send(client, people)
    wait(client, people, job)
    ends = time.monotonic() + 60
    while len(Listener.received) < 2 and time.monotonic() < ends:
        time.sleep(0.1)
    (first, body), (second, again) = Listener.received[:2]
    assert body == again
    assert first["webhook-id"] == second["webhook-id"]
    content = json.loads(body)
    assert (content["type"], content["data"]["job"]) == ("job.succeeded", job)
    signed = webhooks.sign(secret, second["webhook-id"], second["webhook-timestamp"], body)
    assert second["webhook-signature"] == signed
    assert "mornings" not in body.decode()


def test_the_signature_is_that_of_the_standard():
    """The example of the Standard Webhooks libraries' own tests."""
    secret, number, at = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330"
    signature = webhooks.sign(secret, number, at, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.slow
def test_openai_clients_get_words_and_nothing_is_kept(client, people, service, running):
    """verbose_json, srt and text of one clip; neither sound nor words stay behind."""
    headers = people.as_("coder")
    for wanted in ("verbose_json", "srt"):
        files, data = {"file": ("clip.flac", CLIP.read_bytes())}, {"model": "whisper-1", "response_format": wanted}
        answer = client.post("/v1/audio/transcriptions", files=files, data=data, headers=headers)
        assert answer.status_code == 200, answer.text
        if wanted == "srt":
            assert "-->" in answer.text
            continue
        content = answer.json()
        assert content["text"]
        assert content["segments"][0]["end"] > 0
        assert content["words"][0]["word"]
    assert not service.objects.keys("transcriptions")
    refused = client.post("/v1/audio/transcriptions", files={"file": ("a.csv", CSV)}, headers=headers)
    assert refused.status_code == 422


@pytest.mark.slow
def test_a_recording_is_scored_heard_and_drawn(client, people, service, running):
    """A real clip through all engines: peaks, ranges of sound, report; metrics count it without naming it."""
    job = send(client, people, CLIP.read_bytes(), "clip.flac", family="F-7")
    session = wait(client, people, job)["sessions"][0]
    headers, path = people.as_("coach"), f"/v1/sessions/{session}"
    drawn = client.get(f"{path}/peaks", headers=headers).json()
    duration = client.get(path, headers=headers).json()["duration"]
    assert abs(len(drawn["peaks"]) * drawn["seconds"] - duration) < 0.2
    assert max(drawn["peaks"]) > 20
    part = client.get(f"{path}/audio", headers=headers | {"Range": "bytes=4-103"})
    assert (part.status_code, part.content) == (206, CLIP.read_bytes()[4:104])
    assert part.headers["content-range"] == f"bytes 4-103/{CLIP.stat().st_size}"
    assert client.get(f"{path}/audio", headers=headers | {"Range": "bytes=999999999-"}).status_code == 416
    assert "<html" in client.get(f"{path}/report", headers=headers).text
    assert client.get(f"{path}/transcript.vtt", headers=headers).text.startswith("WEBVTT")
    text = client.get("/metrics", headers=people.as_("administrator")).text
    assert 'msw_jobs{state="succeeded"}' in text
    assert 'route="/v1/sessions/{session_id}/audio"' in text
    assert session not in text
    assert "F-7" not in text


@pytest.mark.slow
def test_a_killed_worker_goes_on_at_its_stage(client, people, service, running):
    """SIGKILL in the middle of listening: the same name takes the job up, and `receive` is not done again."""
    job = send(client, people, CLIP.read_bytes(), "clip.flac")
    wait(client, people, job, until=("listen",))
    running.kill()
    before = stages(service, job)
    assert list(before) == ["receive"]
    running.again()
    done = wait(client, people, job)
    assert done["state"] == "succeeded", done
    after = stages(service, job)
    assert after["receive"] == before["receive"]
    assert set(after) == set(STAGES)
    assert not [key for key in service.objects.keys("") if "/stages/" in key or "/.incoming/" in key]


def stages(service, job: str) -> dict[str, object]:
    with service.begin() as db:
        runs = db.scalars(sa.select(StageRun).where(StageRun.job_id == job).order_by(StageRun.finished_at))
        return {run.stage: run.finished_at for run in runs}
