"""What the log of readings costs: the same requests with and without it, in turns. `-m slow -s` prints the figures."""

from __future__ import annotations

import os
import statistics
import time

import pytest
from fastapi.testclient import TestClient

from msw_ml.settings import Settings
from serving import auth, reads
from serving.app import create_app
from serving.settings import ServiceSettings
from serving.store.people import Person, PersonRole

CSV = "speaker,role,text\n" + "".join(f"Ann,worker,How are mornings {number}?\n" for number in range(4000))
FIRST, AGAIN = 60, 200


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_what_a_reading_costs(kind, make_people, tmp_path, request, monkeypatch):
    """A player's next pieces cost no more than without; the first look a transaction, once a quarter of an hour."""
    address = request.getfixturevalue("postgres").database() if kind == "postgres" else None
    settings = ServiceSettings(data=tmp_path / "service", database=address, requests_per_minute=1_000_000)
    app = create_app(settings, Settings())
    service, real = app.state.service, reads.note
    service.prepare()
    people = make_people(service)
    with service.begin() as db:
        coach = db.get_one(Person, people.ids["coach"])
        kept = {"role": PersonRole.COACH, "organisation_id": coach.organisation_id, "team_id": coach.team_id}
        readers = [Person(name=f"reader {number}", **kept) for number in range(2 * FIRST)]
        db.add_all(readers)
        db.flush()
        tokens = [auth.issue_token(db, person, "test", 1)[1] for person in readers]
    with TestClient(app) as client:
        sent = client.post("/v1/sessions", files={"file": ("visit.csv", CSV)}, headers=people.as_("coach"))
        path = f"/v1/sessions/{sent.json()['sessions'][0]}/audio"

        def look(headers: dict[str, str], *, is_noted: bool) -> float:
            monkeypatch.setattr(reads, "note", real if is_noted else lambda *_: None)
            began = time.perf_counter()
            assert client.get(path, headers=headers | {"Range": "bytes=0-65535"}).status_code == 206
            return (time.perf_counter() - began) * 1000

        headers = [{"Authorization": f"Bearer {token}"} for token in tokens]
        for one in headers:
            client.get("/v1/me", headers=one)  # a token notes its first use
        turns = [(True, False), (False, True)]
        took = {True: [], False: []}
        for number in range(AGAIN):
            for is_noted in turns[number % 2]:
                took[is_noted].append(look(people.as_("coach"), is_noted=is_noted))
        first = {True: [], False: []}
        for number in range(FIRST):
            for is_noted in turns[number % 2]:
                first[is_noted].append(look(headers[2 * number + is_noted], is_noted=is_noted))
    said = [f"\n{kind}, load {os.getloadavg()[0]:.1f}"]
    for name, times in (("again", took), ("first", first)):
        both = [f"{statistics.median(times[one]):.1f} ms (p95 {quantile(times[one]):.1f})" for one in (True, False)]
        said.append(f"{name}: {both[0]} with the log, {both[1]} without, {len(times[True])} each")
    print("\n".join(said))  # noqa: T201
    assert statistics.median(took[True]) < 1.5 * statistics.median(took[False])
    assert statistics.median(first[True]) < statistics.median(first[False]) + 250


def quantile(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]
