"""A doubt about who is who follows every correction: it goes, stays or comes by what the words say."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from msw_ml.formats.session_json import session_json
from serving import results
from serving.store.sessions import SessionRow

DOUBT = "may be swapped"
SWAP = (("Ann", "parent"), ("Bea", "worker"))


@pytest.fixture
def look(client, people, service, scored):
    """The session's roles and quality as of now."""

    def now() -> tuple[dict, dict]:
        answer = client.get(f"/v1/sessions/{scored}/transcript.json", headers=people.as_("coach"))
        return answer.json()["roles"], answer.json()["quality"]

    return now


@pytest.fixture
def correct(client, people, scored):
    def send(*roles: tuple[str, str], **one: object):
        version = client.get(f"/v1/sessions/{scored}", headers=people.as_("coach")).json()["version"]
        changes = [{"field": "role", "speaker": speaker, "value": role} for speaker, role in roles]
        asked = {"version": version, "changes": changes or [one], "reason": "listened to it"}
        return client.patch(f"/v1/sessions/{scored}", json=asked, headers=people.as_("coach"))

    return send


def test_a_doubt_comes_with_a_wrong_correction_and_goes_with_a_right_one(client, people, scored, look, correct):
    """The words are asked each time; while they clearly contradict nothing is rated; all corrections stay on record."""
    assert look()[1]["warnings"] == []
    assert correct(*SWAP).is_success
    roles, quality = look()
    assert DOUBT in quality["warnings"][0]
    assert (roles["roles"], roles["margin"]) == ({"Ann": "parent", "Bea": "worker"}, 0.0)
    reasons = [one["reason"] for one in ratings(client, people, scored)]
    assert all("speaks clearly against" in reason for reason in reasons)
    assert correct(("Ann", "worker"), ("Bea", "parent")).is_success
    roles, quality = look()
    assert (quality["warnings"], roles["margin"]) == ([], 1.0)
    assert not any("speaks clearly against" in one["reason"] for one in ratings(client, people, scored))
    kept = client.get(f"/v1/sessions/{scored}/corrections", headers=people.as_("coach")).json()
    assert [(one["speaker"], one["after"]) for one in kept] == [*SWAP, ("Ann", "worker"), ("Bea", "parent")]


def ratings(client, people, session: str) -> list[dict]:
    return client.get(f"/v1/sessions/{session}/ratings.json", headers=people.as_("coach")).json()["ratings"]


def test_naming_the_worker_again_confirms_unusual_roles(client, people, scored, look, correct):
    """Who looked and says so is believed, as with `--role`; that stands in the history, too."""
    assert correct(*SWAP).is_success
    assert correct(("Bea", "worker")).is_success
    roles, quality = look()
    assert (quality["warnings"], roles["margin"]) == ([], 1.0)
    assert correct(("Bea", "worker")).status_code == 422, "there is no doubt left to confirm against"
    kept = client.get(f"/v1/sessions/{scored}/corrections", headers=people.as_("coach")).json()
    assert (kept[-1]["before"], kept[-1]["after"], kept[-1]["person"]) == ("worker", "worker", "coach")


def test_a_change_beside_the_matter_leaves_the_doubt(look, correct):
    """Words, or a third person's role, say nothing of who the worker is: a margin of 0 is not lifted by them."""
    assert correct(*SWAP).is_success
    assert correct(field="speaker", utterance=4, value="Cal").is_success
    assert correct(("Cal", "child")).is_success
    assert correct(field="text", utterance=1, value="I want him to be on time for school.").is_success
    roles, quality = look()
    assert roles["margin"] == 0.0
    assert [DOUBT in warning for warning in quality["warnings"]] == [True]


def test_roles_corrected_line_by_line_are_looked_at_too(client, people, scored, look):
    """Some people correct each utterance instead of the speaker: what most of them say counts."""
    changes = [
        {"field": "role", "utterance": number, "value": "parent" if number % 2 == 0 else "worker"}
        for number in range(5)
    ]
    asked = {"version": 1, "changes": changes}
    assert client.patch(f"/v1/sessions/{scored}", json=asked, headers=people.as_("coach")).is_success
    assert DOUBT in look()[1]["warnings"][0]


def test_what_the_software_found_is_no_witness_against_a_person(client, people, service, scored, look, correct):
    """Where no file stated the roles, the correction overrules the very finder that the check would ask."""
    with service.begin() as db:
        row = db.get_one(SessionRow, scored)
        session = results.current(service, db, row)
        found = session.roles.model_copy(update={"method": "found", "margin": 0.8})
        version = results.Version(service.objects, scored, 1)
        for name in (results.MACHINE, results.CORRECTED):
            version.add(db, name, session_json(session.model_copy(update={"roles": found})))
    assert correct(*SWAP).is_success
    roles, quality = look()
    assert (quality["warnings"], roles["method"], roles["margin"]) == ([], "given", 1.0)


def test_the_page_confirms_by_saving_unchanged(client, people, scored, look, correct):
    """The sentence of the warning can be followed on the page that shows it."""
    assert correct(*SWAP).is_success
    browser = TestClient(client.app, raise_server_exceptions=False)
    browser.post("/sign-in", data={"token": people.tokens["coach"]})
    page = browser.get(f"/sessions/{scored}?scores=show").text
    assert "by saving who is who unchanged" in page
    csrf = re.search('csrf-token" content="([^"]+)"', page)[1]
    form = {"version": 2, "speakers": ["Ann", "Bea"], "chosen": ["parent", "worker"]}
    sent = {"data": form, "headers": {"x-csrf-token": csrf, "hx-request": "true"}}
    assert browser.post(f"/sessions/{scored}/roles", **sent).is_success
    assert look()[1]["warnings"] == []
    page = browser.get(f"/sessions/{scored}?scores=show").text
    assert re.search(r"Role of Bea:\s+confirmed as <b>Worker</b>", page)
    form["version"] = 3
    again = browser.post(f"/sessions/{scored}/roles", **sent)
    assert (again.status_code, again.text) == (422, "nothing was changed")
