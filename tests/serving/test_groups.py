"""What managers see: groups of at least five workers, and nothing from which a smaller one could be had."""

from __future__ import annotations

import pytest

from serving.results import CORRECTED, MACHINE, Version, advance
from serving.store.base import now
from serving.store.people import Person, PersonRole
from serving.store.sessions import SessionRow, SessionState

CSV = b"speaker,role,text\nAnn,worker,How are mornings?\nBea,parent,I want them calmer.\n"


@pytest.fixture
def visit(client, service, people, scored):
    """Adds scored visits of so many workers of a team, one each; their names come back. The fixture's own goes."""
    keys = {key.rpartition("/")[2]: key for key in service.objects.keys(f"sessions/{scored}")}
    content = {name: service.objects.get(keys[name]) for name in (MACHINE, CORRECTED)}
    with service.begin() as db:
        organisation = db.get_one(Person, people.ids["manager"]).organisation_id
        db.get_one(SessionRow, scored).scores_erased_at = now()

    def add(team: str, count: int, first: int = 0) -> list[str]:
        names = [f"Worker {team} {number}" for number in range(first, first + count)]
        with service.begin() as db:
            for name in names:
                worker = Person(
                    name=name, role=PersonRole.UPLOADER, organisation_id=organisation, team_id=people.teams[team]
                )
                db.add(worker)
        for name in names:
            sent = client.post(
                "/v1/sessions",
                files={"file": ("visit.csv", CSV)},
                data={"worker": name},
                headers=people.as_("administrator"),
            )
            with service.begin() as db:
                row = db.get_one(SessionRow, sent.json()["sessions"][0])
                version = Version(service.objects, row.id, advance(db, row, row.version))
                for part, data in content.items():
                    version.add(db, part, data)
                row.version, row.state, row.duration = version.number, SessionState.SCORED, 24.0
        return names

    return add


def report(client, people, role: str = "manager"):
    return client.get("/v1/groups", headers=people.as_(role))


def test_five_workers_are_a_group(client, people, visit):
    """The figures of five, with nobody's name or id and no single session."""
    names = visit("north", 5)
    answer = report(client, people)
    assert answer.status_code == 200
    assert "5 workers" in answer.text
    assert [name for name in names if name in answer.text] == []
    assert "person_" not in answer.text
    assert "ses_" not in answer.text
    assert report(client, people, "coder").status_code == 403


def test_four_workers_are_none(client, people, visit):
    """One fewer, and there is no figure."""
    visit("north", 4)
    answer = report(client, people)
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert "at least 5 workers" in answer.json()["detail"]


def test_many_sessions_are_not_many_workers(client, service, people, visit):
    """Eight sessions of four workers stay hidden."""
    visit("north", 4)
    visit("south", 4)
    with service.begin() as db:
        rows = [row for row in db.query(SessionRow) if row.scores_erased_at is None]
        workers = sorted({row.worker_id for row in rows})[:4]
        for place, row in enumerate(rows):
            row.worker_id = workers[place % 4]
    assert report(client, people).status_code == 409


def test_a_small_team_hides_beside_a_large_one(client, people, visit):
    """The team of four is left out, of the total too: else it could be had by subtraction."""
    visit("north", 5)
    alone = report(client, people).text
    visit("south", 4)
    together = report(client, people).text
    assert "South" not in together
    assert figures(together) == figures(alone)
    visit("south", 1, first=4)
    assert "South" in report(client, people).text


def figures(page: str) -> str:
    """The page from its first table on."""
    return page[page.index("<table") : page.rindex("</table>")]
