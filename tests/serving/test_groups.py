"""What managers see: groups of at least five workers, and nothing from which a smaller one could be had."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from serving.store.sessions import SessionRow


def report(client, people, role: str = "manager"):
    return client.get("/v1/groups", headers=people.as_(role))


def test_five_workers_are_a_group(client, people, visits_of):
    """The figures of five, with nobody's name or id and no single session."""
    names = visits_of("north", 5)
    answer = report(client, people)
    assert answer.status_code == 200
    assert "5 workers" in answer.text
    assert [name for name in names if name in answer.text] == []
    assert "person_" not in answer.text
    assert "ses_" not in answer.text
    assert report(client, people, "coder").status_code == 403


def test_four_workers_are_none(client, people, visits_of):
    """One fewer, and there is no figure."""
    visits_of("north", 4)
    answer = report(client, people)
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert "at least 5 workers" in answer.json()["detail"]


def test_many_sessions_are_not_many_workers(client, service, people, visits_of):
    """Eight sessions of four workers stay hidden."""
    visits_of("north", 4)
    visits_of("south", 4)
    with service.begin() as db:
        rows = [row for row in db.query(SessionRow) if row.scores_erased_at is None]
        workers = sorted({row.worker_id for row in rows})[:4]
        for place, row in enumerate(rows):
            row.worker_id = workers[place % 4]
    assert report(client, people).status_code == 409


def test_a_small_team_hides_beside_a_large_one(client, people, visits_of):
    """The team of four is left out, of the total too: else it could be had by subtraction."""
    visits_of("north", 5)
    alone = report(client, people).text
    visits_of("south", 4)
    together = report(client, people).text
    assert "South" not in together
    assert figures(together) == figures(alone)
    visits_of("south", 1, first=4)
    assert "South" in report(client, people).text


@pytest.fixture
def manager(client, people) -> TestClient:
    """The manager's browser."""
    http = TestClient(client.app, raise_server_exceptions=False)
    http.post("/sign-in", data={"token": people.tokens["manager"]})
    return http


def test_the_page_shows_what_the_report_shows(manager, visits_of):
    """Of five workers figures by name of the team, of four only why there are none; nobody's name, no session."""
    names = visits_of("north", 4)
    page = manager.get("/groups")
    assert page.status_code == 200
    assert "at least 5 workers" in page.text
    assert "<table" not in page.text
    assert manager.get("/groups/report").status_code == 409
    names += visits_of("north", 1, first=4)
    page = manager.get("/groups")
    assert "5 visits by 5 workers" in page.text
    assert page.text.count("<table") == 2
    assert [name for name in [*names, "ses_", "person_"] if name in page.text] == []
    report = manager.get("/groups/report")
    assert 'aria-current="page"' in page.text
    assert "5 visits by 5 workers" in report.text
    assert "sandbox" in report.headers["content-security-policy"]


def test_the_page_hides_small_teams_as_the_report_does(manager, visits_of):
    """A team of four beside one of five is in no figure and not named."""
    visits_of("north", 5)
    alone = figures(manager.get("/groups").text)
    visits_of("south", 4)
    together = manager.get("/groups").text
    assert "1 group not shown" in together
    assert "South" not in together
    assert figures(together) == alone
    visits_of("south", 1, first=4)
    assert "South" in manager.get("/groups").text


def figures(page: str) -> str:
    """The page from its first table on."""
    return page[page.index("<table") : page.rindex("</table>")]
