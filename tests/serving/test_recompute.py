"""A correction that a real worker process works out: new scores, progress on the way, and nothing of before lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from msw_ml.session import Role
from serving import results
from serving.service import Service
from serving.settings import ServiceSettings
from serving.stage_names import STAGES
from serving.store.sessions import Job, SessionRow, StageRun

SAID = [
    "Hello Dawn, good to see you. Can we talk about how the week has been for you and Ruby?",
    "Long. The boiler went on Monday and she has had a cough ever since, and I shout.",
    "It sounds as if there was hardly a moment for you. What has helped, even a little?",
    "My neighbour. She took her for an hour on Sunday and I sat down. I just sat down.",
    "So a hand from somebody makes a difference. What would you like to be different in a month?",
    "I want to stop shouting at her. I do not want her to be scared of me.",
    "You care about how it feels for her. What ideas do you have about a first step?",
    "I do not know. I could go out on the step for a minute when it gets loud.",
]
SWAPPED = ("speaker,role,text\n" + "".join(
    f'{("Ann,parent", "Bea,worker")[number % 2]},"{text}"\n' for number, text in enumerate(SAID)
)).encode()  # fmt: skip
RIGHT = [
    {"field": "role", "speaker": "Ann", "value": "worker"},
    {"field": "role", "speaker": "Bea", "value": "parent"},
]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> ServiceSettings:
    data = tmp_path_factory.mktemp("recompute") / "service"
    return ServiceSettings(data=data, queue_poll_seconds=0.05, requests_per_minute=100_000)


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


@pytest.fixture(scope="module")
def session(client, people, running) -> str:
    """A transcript whose labels are swapped, scored by the worker."""
    sent = client.post("/v1/sessions", files={"file": ("visit.csv", SWAPPED)}, headers=people.as_("coach")).json()
    assert watch(client, people, sent["id"])[-1]["state"] == "succeeded"
    return sent["sessions"][0]


def watch(client, people, job: str, seconds: float = 200) -> list[dict]:
    """Everything that was to be seen of a job until it ended."""
    ends, seen = time.monotonic() + seconds, []
    while time.monotonic() < ends:
        seen.append(client.get(f"/v1/jobs/{job}", headers=people.as_("coach")).json())
        if seen[-1]["state"] in {"succeeded", "failed", "canceled"}:
            return seen
        time.sleep(0.02)
    raise AssertionError(f"still {seen[-1]['state']} at {seen[-1]['stage']}")


def correct(client, people, session: str, *changes: dict) -> dict:
    version = client.get(f"/v1/sessions/{session}", headers=people.as_("coach")).json()["version"]
    asked = {"version": version, "changes": changes, "reason": "listened to it"}
    answer = client.patch(f"/v1/sessions/{session}", json=asked, headers=people.as_("coach"))
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_swapped_roles_are_coded_anew_and_nothing_is_lost(client, people, service, session):
    """New codes, measures and ratings of the right side, a person's code on top, five stages, three versions."""
    with service.begin() as db:
        before = results.current(service, db, db.get_one(SessionRow, session))
    assert "may be swapped" in before.quality.warnings[0]
    made = correct(client, people, session, *RIGHT, {"field": "code", "utterance": 0, "value": "affirm"})
    assert made["session"]["version"] == 2
    seen = watch(client, people, made["job"])
    assert (seen[-1]["kind"], seen[-1]["state"], seen[-1]["progress"]) == ("recompute", "succeeded", 1.0)
    progress = [one["progress"] for one in seen]
    assert progress == sorted(progress)
    with service.begin() as db:
        ran = sa.select(StageRun.stage).where(StageRun.job_id == made["job"]).order_by(StageRun.finished_at)
        assert tuple(db.scalars(ran)) == STAGES
        row = db.get_one(SessionRow, session)
        assert row.version == 3
        first, human, now = (results.at(service, db, row, version) for version in (1, 2, 3))
        machine = results.machine(service, db, row, 3)
    assert first == before, "what the machine said at first stays as it was"
    assert all(unit.code is None for unit in human.utterances[1:]), "codes of the other side fall away at once"
    book = service.codebook
    for number, unit in enumerate(now.utterances):
        role = (Role.WORKER, Role.PARENT)[number % 2]
        assert (unit.utterance.role, unit.code in book.codes(role)) == (role, True)
    assert now.utterances[0].code == "affirm"
    assert machine.utterances[0].code != "affirm", "the machine's own opinion stands beside it"
    assert now.utterances[1:] == machine.utterances[1:]
    assert now.measures != before.measures
    assert [warning for warning in now.quality.warnings if "swapped" in warning] == []
    assert not any("speaks clearly against" in rating.reason for rating in now.ratings)
    kept = client.get(f"/v1/sessions/{session}/corrections", headers=people.as_("coach")).json()
    assert [(one["field"], one["after"], one["version"]) for one in kept] == [
        ("role", "worker", 2), ("role", "parent", 2), ("code", "affirm", 2),
    ]  # fmt: skip


def test_corrections_outlive_a_killed_worker(client, people, service, session, running):
    """Corrected twice while its worker is dead: both jobs end, the last words are what was coded, none half-made."""
    running.kill()
    jobs = []
    for number, text in ((1, "Fine, thank you."), (3, "I want to be calmer with her. I will try it.")):
        jobs.append(correct(client, people, session, {"field": "text", "utterance": number, "value": text})["job"])
    running.again()
    assert [watch(client, people, job)[-1]["state"] for job in jobs] == ["succeeded", "succeeded"]
    with service.begin() as db:
        row = db.get_one(SessionRow, session)
        now, machine = results.current(service, db, row), results.machine(service, db, row, row.version)
        runs = db.execute(sa.select(StageRun.job_id, StageRun.stage).where(StageRun.job_id.in_(jobs))).all()
        states = set(db.scalars(sa.select(Job.state).where(Job.session_id == session)))
    assert [now.utterances[number].utterance.text[:4] for number in (1, 3)] == ["Fine", "I wa"]
    assert [unit.utterance for unit in machine.utterances] == [unit.utterance for unit in now.utterances]
    assert now.utterances[0].code == "affirm", "a person's code stays through every new coding"
    assert len(runs) == len(set(runs)) == 2 * len(STAGES)
    assert states == {"succeeded"}
    running.tidies_up()
