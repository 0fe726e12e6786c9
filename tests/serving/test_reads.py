"""Who has read what, as an auditor asks it and as somebody would try who does not want to be found."""

from __future__ import annotations

import csv
import datetime as dt
import html
import io
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from msw_ml.settings import Settings
from serving import audit, reads
from serving.app import create_app
from serving.results import PEAKS, Version
from serving.settings import ServiceSettings
from serving.store.base import now
from serving.store.records import AuditEntry

CSV = b"speaker,role,text\nAnn,worker,How are mornings?\nBea,parent,I want them calmer.\n"
WITHOUT_CONTENT = {
    "/v1/sessions/{session_id}",
    "/sessions/{session_id}/progress",
}


def read_by(service, session: str, person: str | None = None) -> list[str]:
    """Which kinds of a session's content the log says were read, in order."""
    query = sa.select(AuditEntry).where(AuditEntry.action == reads.READ, AuditEntry.subject == session)
    with service.begin() as db:
        assert audit.verify(db).is_whole
        found = db.scalars(query.order_by(AuditEntry.number)).all()
    return [json.loads(one.detail)["kind"] for one in found if person in (None, one.actor)]


def test_a_coder_who_reads_is_found(client, people, service, scored):
    """What, which session, who and when, once for each kind; nobody else is named and no word is in it."""
    headers, before = people.as_("coder"), now()
    for path in ("transcript.vtt", "transcript.docx", "transcript.vtt", "audio", "corrections"):
        assert client.get(f"/v1/sessions/{scored}/{path}", headers=headers).status_code == 200, path
    entries = client.get("/v1/audit?limit=200", headers=people.as_("administrator")).json()["items"]
    found = [entry for entry in reversed(entries) if entry["action"] == "session.read"]
    assert {(entry["actor"], entry["subject"]) for entry in found} == {(people.ids["coder"], scored)}
    kinds = [json.loads(entry["detail"]) for entry in found]
    assert kinds == [{"kind": kind} for kind in ("transcript.vtt", "transcript.docx", "sound", "corrections")]
    assert all(before <= dt.datetime.fromisoformat(entry["at"]) <= now() for entry in found)
    assert client.get("/v1/audit/verdict", headers=people.as_("administrator")).json()["broken_at"] is None


def test_no_route_shows_content_without_an_entry(client, people, service, scored, monkeypatch):
    """Read from the application itself: whoever adds a route and forgets the log is caught here."""
    monkeypatch.setattr(reads, "AGAIN", dt.timedelta(seconds=-1))  # every time counts
    headers = people.as_("coach")
    with service.begin() as db:
        Version(service.objects, scored, 0).add(db, PEAKS, b'{"seconds":0.1,"peaks":[9]}')
    review = client.post("/v1/reviews", json={"session": scored}, headers=headers).json()["id"]
    client.put(f"/v1/reviews/{review}", json={"codes": {0: "question_open"}}, headers=headers)
    blind, wrong = [f"/v1/reviews/{review}/units", f"/reviews/{review}"], []
    known = content_routes(client.app.routes)
    assert len(known) > 14
    looked_at = [filled for path in known for filled in fillings(path, scored, review) if filled not in blind]
    for step in (*blind, "submit", *looked_at):
        if step == "submit":
            assert client.post(f"/v1/reviews/{review}/submit", headers=headers).is_success
            continue
        before = len(read_by(service, scored, people.ids["coach"]))
        assert client.get(step, headers=headers).status_code == 200, step
        is_noted = len(read_by(service, scored, people.ids["coach"])) > before
        if is_noted == (step in {path.replace("{session_id}", scored) for path in WITHOUT_CONTENT}):
            wrong.append(step)
    assert wrong == []


def content_routes(routes) -> list[str]:
    """Every address about one session or review that is only looked at."""
    looked_at = [one.path for one in iter_route_contexts(routes) if one.path and "GET" in (one.methods or ())]
    return [path for path in looked_at if "{session_id}" in path or "{review_id}" in path]


def fillings(path: str, session: str, review: str) -> list[str]:
    path = path.replace("{session_id}", session).replace("{review_id}", review).replace("{number}", "0")
    if path.endswith("/behind"):
        return [f"{path}?kind=code&name=question_open"]
    if "{part}" in path:
        return [path.replace("{part}", part) for part in ("transcript", "utterances.csv", "ratings.json", "report")]
    return [path]


def test_agreement_names_every_session_it_was_made_of(client, people, service, scored):
    """Figures over several sessions are a reading of each."""
    headers = people.as_("coach")
    review = client.post("/v1/reviews", json={"session": scored}, headers=headers).json()["id"]
    client.put(f"/v1/reviews/{review}", json={"codes": {0: "question_open", 1: "change"}}, headers=headers)
    client.post(f"/v1/reviews/{review}/submit", headers=headers)
    asked = client.post("/v1/agreement", json={"sessions": [scored]}, headers=people.as_("administrator"))
    assert asked.status_code == 200, asked.text
    assert read_by(service, scored, people.ids["administrator"]) == ["agreement"]


def test_who_looks_at_groups_is_found(client, people, service, visits_of, monkeypatch):
    """By the page, the report and the interface; not who is refused, nor who is told that there are too few workers."""
    monkeypatch.setattr(reads, "AGAIN", dt.timedelta(seconds=-1))  # every time counts
    paths = ("/groups", "/groups/report", "/v1/groups")
    visits_of("north", 4)
    asked = [client.get(path, headers=people.as_(who)).status_code for who in ("manager", "coach") for path in paths]
    assert asked == [200, 409, 409, 403, 403, 403]
    visits_of("north", 1, first=4)
    assert [client.get(path, headers=people.as_("manager")).status_code for path in paths] == [200] * 3
    entries = client.get("/v1/audit?limit=200", headers=people.as_("administrator")).json()["items"]
    found = [(one["actor"], one["detail"]) for one in entries if one["action"] == "groups.read"]
    assert found == [(people.ids["manager"], '{"kind": "figures"}')] * 3
    page = client.get("/administration/audit?only=reads", headers=people.as_("administrator")).text
    assert page.count("looked at figures of groups") == 3


def test_a_player_leaves_one_entry_and_a_long_listener_more(client, people, service, scored, monkeypatch):
    """Hundreds of ranges are one act; whoever still listens a quarter of an hour later is written down again."""
    headers = people.as_("coder")

    def play(times: int) -> None:
        for place in range(times):
            asked = headers | {"Range": f"bytes={place}-{place}"}
            assert client.get(f"/v1/sessions/{scored}/audio", headers=asked).status_code == 206

    with service.begin() as db:
        Version(service.objects, scored, 0).add(db, PEAKS, b'{"seconds":0.1,"peaks":[9]}')
    assert client.get(f"/v1/sessions/{scored}/peaks", headers=headers).status_code == 200
    assert read_by(service, scored) == ["sound"], "whoever sees how loud it was has had something of the sound"
    play(30)
    assert read_by(service, scored) == ["sound"]
    monkeypatch.setattr(reads, "now", lambda: now() + dt.timedelta(minutes=14))
    play(2)
    assert read_by(service, scored) == ["sound"]
    monkeypatch.setattr(reads, "now", lambda: now() + dt.timedelta(minutes=16))
    play(1)
    assert read_by(service, scored) == ["sound", "sound"]


def test_who_is_refused_has_read_nothing(client, people, service, scored):
    """A session of others, content not for uploaders, scores before the own review, a range that is not there."""
    for who, path, status in (
        ("stranger", "transcript", 404), ("foreign", "audio", 404), ("uploader", "audio", 403),
        ("uploader", "report", 403), ("coder", "ratings.json", 403), ("coder", "transcript.xyz", 404),
        ("coder", "nothing", 404),
    ):  # fmt: skip
        assert client.get(f"/v1/sessions/{scored}/{path}", headers=people.as_(who)).status_code == status, path
    asked = people.as_("coder") | {"Range": "bytes=99999999-"}
    assert client.get(f"/v1/sessions/{scored}/audio", headers=asked).status_code == 416
    assert read_by(service, scored) == []


def test_what_cannot_be_written_down_is_not_shown(client, people, service, scored):
    """Whoever keeps the log from being written, or fills its disk, reads nothing in the meantime; known readers do."""
    path, coder, coach = f"/v1/sessions/{scored}/transcript.vtt", people.as_("coder"), people.as_("coach")
    assert client.get(path, headers=coach).status_code == 200
    assert client.get("/v1/me", headers=coder).status_code == 200  # the token's own note of use is made

    def hurry(connection, *_: object) -> None:
        connection.execute("PRAGMA busy_timeout=50")

    sa.event.listen(service.engine, "checkout", hurry)
    with service.engine.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        refused = client.get(path, headers=coder)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
        assert "mornings" not in refused.text
        assert client.get(path, headers=coach).status_code == 200, (
            "reading on needs no new entry, so it waits for nobody"
        )
        other.rollback()
    assert client.get(path, headers=coder).status_code == 200
    assert read_by(service, scored, people.ids["coder"]) == ["transcript.vtt"]


def test_an_entry_cannot_be_taken_out_or_changed(client, people, service, scored):
    """A reader with the database in hand: the chain breaks, whichever way the trace is removed."""
    client.get(f"/v1/sessions/{scored}/audio", headers=people.as_("coder"))
    client.get(f"/v1/sessions/{scored}/audio", headers=people.as_("coach"))
    mine = sa.and_(AuditEntry.action == reads.READ, AuditEntry.actor == people.ids["coder"])
    for tampering in (
        sa.delete(AuditEntry).where(mine),
        sa.update(AuditEntry).where(mine).values(actor=people.ids["coder2"]),
        sa.update(AuditEntry).where(mine).values(subject="ses_other"),
        sa.update(AuditEntry).where(mine).values(detail='{"kind": "peaks"}'),
        sa.update(AuditEntry).where(mine).values(at="2026-01-01T00:00:00.000+00:00"),
    ):
        with Session(service.engine) as db:
            db.execute(tampering)
            assert not audit.verify(db).is_whole
            db.rollback()


def test_another_server_process_writes_nothing_twice(client, people, service, scored, settings):
    """What one process does not remember of another stands in the log: no second entry, and none left out later."""
    path, headers = f"/v1/sessions/{scored}/audio", people.as_("coder")
    with TestClient(create_app(settings, Settings()), raise_server_exceptions=False) as other:
        for one in (client, other, client, other):
            assert one.get(path, headers=headers).status_code == 200
    assert read_by(service, scored) == ["sound"]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_crowd_of_first_requests_is_one_entry(kind, make_people, tmp_path, request):
    """A browser asks for several ranges at once: one of them writes, on both databases; the chain stays whole."""
    address = request.getfixturevalue("postgres").database() if kind == "postgres" else None
    app = create_app(ServiceSettings(data=tmp_path / "crowd", database=address), Settings())
    service = app.state.service
    service.prepare()
    people = make_people(service)
    with TestClient(app, raise_server_exceptions=False) as client:
        sent = client.post("/v1/sessions", files={"file": ("visit.csv", CSV)}, headers=people.as_("coach"))
        session = sent.json()["sessions"][0]

        def ask(name: str) -> int:
            return client.get(f"/v1/sessions/{session}/audio", headers=people.as_(name)).status_code

        names = ["coder", "coder2", "coach"] * 4
        with ThreadPoolExecutor(len(names)) as crowd:
            assert set(crowd.map(ask, names)) == {200}
        assert sorted(read_by(service, session)) == ["sound"] * 3
        assert all(read_by(service, session, people.ids[name]) == ["sound"] for name in names)


def test_administrators_read_it_in_words(client, people, service, scored):
    """The page and the file say who, what and which session by name; nobody else gets either."""
    headers = people.as_("administrator")
    client.get(f"/sessions/{scored}", headers=people.as_("coder"))
    client.get(f"/v1/sessions/{scored}/transcript.docx", headers=people.as_("coach"))
    page = html.unescape(client.get("/administration/audit", headers=headers).text)
    for said in ("opened the page, without scores", "read transcript.docx", ">visit<", "handed in", "made a token"):
        assert said in page, said
    narrow = client.get(
        f"/administration/audit?only=reads&person={people.ids['coder']}&check=yes", headers=headers
    ).text
    assert "opened the page, without scores" in narrow
    assert "transcript.docx" not in narrow
    assert "The chain is whole" in narrow
    part = client.get("/administration/audit?limit=1", headers=headers).text
    assert "cursor=" in part
    text = client.get(f"/administration/audit.csv?session={scored}", headers=headers).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["action"] for row in rows] == ["session.create", "session.read", "session.read"]
    assert [row["actor_name"] for row in rows] == ["uploader", "coder", "coach"]
    assert {row["subject_name"] for row in rows} == {"visit"}
    for path in ("/administration/audit", "/administration/audit.csv"):
        assert client.get(path, headers=people.as_("coach")).status_code == 403
        assert scored not in client.get(path, headers=people.as_("foreign")).text


def test_a_name_is_no_formula_in_the_file(client, people, service):
    """Whoever names a session like a formula runs nothing on the administrator's computer."""
    sent = {"files": {"file": ("visit.csv", CSV)}, "data": {"name": "=HYPERLINK(1)"}, "headers": people.as_("coach")}
    assert client.post("/v1/sessions", **sent).status_code == 202
    text = client.get("/administration/audit.csv", headers=people.as_("administrator")).text
    assert "'=HYPERLINK(1)" in text
    assert not any(cell.startswith("=") for row in csv.reader(io.StringIO(text)) for cell in row)
