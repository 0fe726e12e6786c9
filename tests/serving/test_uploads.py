"""What is taken in, what is refused, and that a key makes an upload count once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from serving import audit
from serving.service import Service
from serving.store.records import AuditEntry
from serving.store.sessions import Job

CSV = b"speaker,role,text\nAnn,worker,How are mornings?\nBea,parent,I want them calmer.\n"


def send(client: TestClient, people, content: bytes = CSV, name: str = "visit.csv", key: str | None = None, **fields):
    headers = people.as_("uploader") | ({"Idempotency-Key": key} if key else {})
    return client.post("/v1/sessions", files={"file": (name, content)}, data=fields, headers=headers)


def test_an_upload_is_accepted_and_findable(client, people):
    """202 with the job's place; the session is there at once, and its job waits."""
    answer = send(client, people, family="F-1")
    assert answer.status_code == 202, answer.text
    job = client.get(answer.headers["Location"], headers=people.as_("uploader")).json()
    assert (job["state"], job["progress"]) == ("queued", 0.0)
    session = client.get(f"/v1/sessions/{job['sessions'][0]}", headers=people.as_("coder")).json()
    assert (session["name"], session["family"], session["state"]) == ("visit", "F-1", "waiting")
    listed = client.get("/v1/sessions?q=visit", headers=people.as_("coder")).json()
    assert [item["id"] for item in listed["items"]] == job["sessions"]


def test_a_crowd_is_taken_in_once_each(client, people, service: Service):
    """Twenty-four uploads from twelve clients: a session, a queued job and one entry of a whole log for each."""
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda n: send(client, people, CSV + b"%d" % n, key=f"k-{n}"), range(24)))
    assert [answer.status_code for answer in answers] == [202] * 24
    sessions = {answer.json()["sessions"][0] for answer in answers}
    with service.begin() as db:
        noted = sa.select(AuditEntry.subject).where(AuditEntry.action == "session.create")
        assert sorted(db.scalars(noted)) == sorted(sessions)
        assert len(sessions) == len(set(db.scalars(sa.select(Job.workflow_id)))) == 24
        assert audit.verify(db).is_whole
    assert len(service.objects.keys("sessions")) == 24


def test_a_key_counts_once_even_from_many_threads(client, people, service: Service):
    """Twelve clients that repeat one upload get one job; another content under the key is refused."""
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: send(client, people, key="k-1"), range(12)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(client.get("/v1/jobs", headers=people.as_("uploader")).json()["items"]) == 1
    assert send(client, people, CSV + b"Ann,worker,Bye.\n", key="k-1").status_code == 422
    assert len({key.split("/")[1] for key in service.objects.keys("sessions")}) == 1


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("visit.csv", b"", 422),
        ("visit.exe", b"MZ\x90\x00\x03", 415),
        ("visit.docx", b"speaker,text\n", 415),
        ("visit.csv", b"PK\x03\x04zip", 415),
        ("visit.csv", b"\x00\x01\x02", 415),
        ("visit.eaf", b"no xml", 415),
        ("big.csv", b"x" * (9 << 20), 413),
    ],
)
def test_what_is_no_recording_is_refused(client, people, service: Service, name, content, status):
    """By content, not by name; a problem says why, and nothing stays on the disk."""
    answer = send(client, people, content, name)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert not service.objects.keys("")


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.csv", "..\\..\\boot.csv", "/abs/olute.csv", "%2e%2e%2fup.csv", "\x00.csv"]
)
def test_a_path_in_a_file_name_leads_nowhere(client, people, service: Service, name):
    """The name is shown without folders and never becomes a path."""
    answer = send(client, people, name=name)
    assert answer.status_code == 202, answer.text
    session = answer.json()["sessions"][0]
    source = client.get(f"/v1/sessions/{session}", headers=people.as_("uploader")).json()["source"]
    assert "/" not in source
    assert "\\" not in source
    assert service.objects.keys("") == [f"sessions/{session}/upload/recording"]


def test_a_claimed_length_is_refused_before_it_is_sent(client, people):
    """Four gigabytes in the header cost nothing."""
    headers = people.as_("uploader") | {
        "Content-Length": str(5 << 30),
        "Content-Type": "multipart/form-data; boundary=x",
    }
    assert client.post("/v1/sessions", content=b"--x--", headers=headers).status_code == 413


def test_visits_are_handed_in_for_ones_team(client, people):
    """Whoever is in another team cannot be named, and is not told from nobody."""
    assert send(client, people, worker="worker").status_code == 202
    answers = [send(client, people, worker=name).json()["errors"] for name in ("stranger", people.ids["stranger"], "x")]
    assert answers[0] == answers[1] == answers[2]
    assert send(client, people, worker=people.ids["worker"]).status_code == 202


def test_a_cut_off_upload_leaves_nothing(client, people, service: Service):
    """A connection that breaks in the middle is an error, not a short session."""
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nspeaker,text\n'
    headers = people.as_("uploader") | {"Content-Type": "multipart/form-data; boundary=x"}
    assert client.post("/v1/sessions", content=body, headers=headers).status_code == 400
    assert not service.objects.keys("")


def test_a_field_that_is_there_twice_is_refused(client, people, service: Service):
    """Neither of two families is dropped in silence; lists as OpenAI's clients send them are no such case."""
    answer = send(client, people, family=["F-1", "F-2"])
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, ["family"])
    assert not service.objects.keys("")
    asked = {"timestamp_granularities[]": ["word", "segment"], "response_format": "none"}
    sent = {"files": {"file": ("a.flac", b"fLaC")}, "data": asked, "headers": people.as_("uploader")}
    refused = client.post("/v1/audio/transcriptions", **sent)
    assert [error["field"] for error in refused.json()["errors"]] == ["response_format"]


def test_fields_that_make_no_sense_are_named(client, people):
    """`errors` names the field, and what was sent is not repeated."""
    answer = send(client, people, speakers="many-secret", colour="red")
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"speakers", "colour"}
    assert "secret" not in answer.text
