"""No rating is shown anywhere without its status: reports, exports, every route and every page are walked.

A rating's value, its status and its reason are changed one at a time. A place whose output moves with the value
must move with the status, and with the reason, which says what would release it. A new place is walked by itself:
formats come from the registry, routes from the application.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from evaluation import reliability, report
from evaluation.codings import Batch, Coder, Place, RatingGiven, gather
from evaluation.reading import scored as reading
from msw_ml import codebook
from msw_ml.formats import registry
from msw_ml.formats.session_json import session_json
from msw_ml.formats.sessions_csv import write_sessions
from msw_ml.reports.practice import practice_report
from msw_ml.reports.service import Member, service_report
from msw_ml.reports.session import session_report
from msw_ml.session import Rating, RatingStatus, ScoredSession
from serving import representations, results
from serving.results import CORRECTED, MACHINE
from serving.store.sessions import Artefact, SessionRow

BOOK = codebook.load()
CODES = {0: "question_open", 1: "change", 2: "reflection_simple", 3: "sustain", 4: "question_closed"}
CHANGES: dict[str, dict[str, object]] = {
    "nothing": {},
    "value": {"value": 4.1, "low": 2.9, "high": 4.9},
    "status": {"status": RatingStatus.RELEASED},
    "reason": {"reason": "Another sentence on what would release it."},
}
POOLED = "figures of all sessions together, which say what would release them"
NO_REASON = {
    **{f"reliability.{kind}": POOLED for kind in ("html", "json", "docx")},
    **dict.fromkeys(("/reliability", "/reliability/report", "/v1/agreement"), POOLED),
}
NO_STATUS = {"reliability.csv": "statistics of agreement, no rating"}
ASIDE = {
    **dict.fromkeys(("/metrics", "/v1/audit", "/v1/audit/verdict", "/administration"), "tell what was just looked at"),
    "/v1/models": "loads every engine, and knows no session",
}


def changed(session: ScoredSession, change: str) -> ScoredSession:
    """The session with its first rating, an indicative one, changed."""
    first, *others = session.ratings
    moved = Rating.model_validate(first.model_dump() | CHANGES[change])
    return session.model_copy(update={"ratings": (moved, *others)})


def judge(told: dict[str, dict[str, object]]) -> set[str]:
    """The places that tell the value of a rating; fails where one of them keeps silent on its status or reason."""
    silent = []
    showing = set()
    for place, said in told["nothing"].items():
        moves = {change for change in ("value", "status", "reason") if told[change][place] != said}
        if "value" not in moves:
            continue
        showing.add(place)
        if "status" not in moves and place not in NO_STATUS:
            silent.append(f"{place} shows a rating without its status")
        elif "reason" not in moves and place not in {**NO_REASON, **NO_STATUS}:
            silent.append(f"{place} does not say what would release a rating")
    assert not silent, "\n".join(silent)
    return showing


@pytest.fixture
def session(service, scored) -> ScoredSession:
    """Every element indicative."""
    with service.begin() as db:
        return results.current(service, db, db.get_one(SessionRow, scored))


def library(session: ScoredSession, folder: Path) -> dict[str, object]:
    """What the library makes of a session, by the name of the output."""
    many = [
        session.model_copy(update={"recording": session.recording.model_copy(update={"name": f"visit {number}"})})
        for number in range(5)
    ]
    members = [Member(session=one.recording.name, worker=f"worker {number}") for number, one in enumerate(many)]
    made: dict[str, object] = {
        "report": session_report(session, BOOK),
        "practice report": practice_report(many[:2], BOOK),
        "service report": service_report(many, members, BOOK, is_indicative_shown=True),
        "sessions.csv": write_sessions(folder / "sessions.csv", [session], BOOK).read_bytes(),
    }
    made |= {name: registry.write(name, session, folder, BOOK).read_bytes() for name in registry.writable()}
    return made | agreed(session, folder / "agree")


def agreed(session: ScoredSession, folder: Path) -> dict[str, object]:
    """What `msw agree` says of the session's machine and a person."""
    folder.mkdir()
    (folder / "session.json").write_bytes(session_json(session))
    machine = reading.read(folder / "session.json", BOOK)
    person = Batch(coders=[Coder(name="A")])
    for row, rating in enumerate(session.ratings, start=1):
        person.ratings.append(RatingGiven("A", session.recording.name, rating.element, 3, Place("a.csv", row)))
    found = reliability.compare(gather([person, machine]), BOOK)
    return {path.name: path.read_bytes() for path in report.write(found, folder)}


def test_nothing_that_the_library_writes_shows_a_rating_without_its_status(session, tmp_path: Path) -> None:
    told = {}
    for change in CHANGES:
        (tmp_path / change).mkdir()
        told[change] = library(changed(session, change), tmp_path / change)
    showing = judge(told)
    assert {"report", "practice report", "service report", "sessions.csv", "json", "docx", "xlsx"} <= showing
    assert {f"reliability.{kind}" for kind in ("html", "json", "csv", "docx")} <= showing


def routes(found) -> Iterator[APIRoute]:
    for route in found:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "routes"):
            yield from routes(route.routes)
        elif hasattr(route, "original_router"):
            yield from routes(route.original_router.routes)


def addresses(client: TestClient, session: str, review: str, job: str) -> list[str]:
    """Every address that can be read, pages and API, in every format."""
    filled = {"session_id": session, "review_id": review, "job_id": job, "number": "0", "name": "session_rater"}
    paths = {route.path for route in routes(client.app.routes) if "GET" in route.methods}
    parts = {f"{part}.{kind}" for part, kinds in representations.PARTS.items() for kind in kinds}
    paths |= {f"/sessions/{{session_id}}/{part}" for part in parts}
    paths |= {f"/sessions/{{session_id}}/behind?kind=element&name={element.id}" for element in BOOK.elements[:1]}
    paths.remove("/sessions/{session_id}/{part}")
    both = [prefix + path.format(**filled) for path in sorted(paths) for prefix in ("", "/v1")]
    return [path for path in both if path not in ASIDE]


def plain(text: str) -> str:
    """A page without what is new in every answer."""
    return re.sub(r'(nonce|csrf-token" content)="[^"]*"', "", text)


@pytest.fixture
def swap(service, scored) -> Callable[[ScoredSession], None]:
    """Puts another content under the session's version, as if it had always been there."""

    def put(session: ScoredSession) -> None:
        with service.begin() as db:
            for one in db.scalars(sa.select(Artefact).where(Artefact.name.in_((CORRECTED, MACHINE)))):
                kept = service.objects.put(f"{one.key}-swapped", session_json(session))
                one.key, one.sha256, one.size = kept.key, kept.sha256, kept.size

    return put


def test_no_route_and_no_page_shows_a_rating_without_its_status(client, people, scored, session, swap) -> None:
    headers = people.as_("coder")
    review = client.post("/v1/reviews", json={"session": scored}, headers=headers).json()["id"]
    client.put(f"/v1/reviews/{review}", json={"codes": CODES, "ratings": {BOOK.elements[0].id: 4}}, headers=headers)
    assert client.post(f"/v1/reviews/{review}/submit", headers=headers).status_code == 200
    job = client.get("/v1/jobs", headers=people.as_("coach")).json()["items"][0]["id"]
    browser = TestClient(client.app, raise_server_exceptions=False, follow_redirects=False)
    assert browser.post("/sign-in", data={"token": people.tokens["coach"]}).status_code == 303
    browser.get(f"/sessions/{scored}?scores=show")
    told: dict[str, dict[str, object]] = {}
    for change in (*CHANGES, "again"):
        swap(changed(session, change.replace("again", "nothing")))
        answers = {path: browser.get(path) for path in addresses(client, scored, review, job)}
        assert [path for path, answer in answers.items() if answer.status_code >= 500] == []
        found = {path: plain(answer.text) for path, answer in answers.items()}
        asked = client.post("/v1/agreement", json={"sessions": [scored]}, headers=people.as_("coach"))
        told[change] = {path.replace(scored, "ID").replace(review, "ID"): text for path, text in found.items()}
        told[change]["/v1/agreement"] = asked.text
    restless = [path for path, text in told["nothing"].items() if told["again"][path] != text]
    assert not restless
    showing = judge(told)
    assert {"/sessions/ID", "/reviews/ID/compare", "/v1/reviews/ID/comparison"} <= showing
    assert {"/v1/agreement", "/reliability/report"} <= showing
    for part in ("report.html", "ratings.json", "ratings.csv", "utterances.json", "utterances.xlsx", "utterances.docx"):
        assert f"/v1/sessions/ID/{part}" in showing
