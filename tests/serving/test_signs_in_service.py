"""Signs of elements in the service: with the scores and never before them, and as the words stand now."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

AIM = "I've come about the mornings. What does he say about school?"


@pytest.fixture
def with_signs(client, people, scored) -> str:
    """A session whose first utterance was corrected, so that it holds signs."""
    asked = {"version": 1, "changes": [{"field": "text", "utterance": 0, "value": AIM}]}
    answer = client.patch(f"/v1/sessions/{scored}", json=asked, headers=people.as_("administrator"))
    assert answer.status_code == 200, answer.text
    return scored


@pytest.fixture
def browser(client, people) -> TestClient:
    made = TestClient(client.app, raise_server_exceptions=False, follow_redirects=False)
    assert made.post("/sign-in", data={"token": people.tokens["coach"]}).status_code == 303
    return made


def cues(client, people, session: str) -> dict[str, dict]:
    answer = client.get(f"/v1/sessions/{session}/ratings.json", headers=people.as_("coach"))
    return {cue["id"]: cue for cue in answer.json()["cues"]}


def test_ratings_come_with_the_signs_of_their_elements(client, people, with_signs):
    """What was not found is there as well, so that nobody takes silence for a missing field."""
    found = cues(client, people, with_signs)
    assert found["purpose_said"]["utterances"] == [0]
    assert (found["purpose_said"]["element"], found["purpose_said"]["first"]) == ("purposefulness", 0.0)
    assert found["purpose_returned_to"]["found"] == 0


def test_signs_follow_a_correction_of_words_and_roles(client, people, with_signs):
    """A sign never points to what is no longer written, or to somebody who is not the worker."""
    asked = {"version": 2, "changes": [{"field": "role", "speaker": "Ann", "value": "other"}]}
    assert client.patch(f"/v1/sessions/{with_signs}", json=asked, headers=people.as_("administrator")).is_success
    assert all(cue["found"] == 0 for cue in cues(client, people, with_signs).values())


def test_a_sign_on_the_page_opens_the_utterances_behind_it(browser, with_signs):
    page = browser.get(f"/sessions/{with_signs}?scores=show").text
    links = {link.replace("&amp;", "&") for link in re.findall('hx-get="([^"]+kind=cue[^"]+)"', page)}
    assert f"/sessions/{with_signs}/behind?kind=cue&name=purpose_said" in links
    for link in links:
        assert "What does he say about school?" in browser.get(link).text
    assert "Signs not found: Purpose returned to" in page
    assert "counted into no rating" in browser.get(min(links)).text
    unknown = browser.get(f"/sessions/{with_signs}/behind?kind=cue&name=nothing", headers={"hx-request": "true"})
    assert 400 <= unknown.status_code < 500
    assert "no sign is called" in unknown.text


def test_a_blind_coder_sees_no_sign(client, people, browser, with_signs):
    """Where the machine found something is the machine's opinion."""
    client.post("/v1/reviews", json={"session": with_signs}, headers=people.as_("coach"))
    for path in (f"/sessions/{with_signs}", f"/v1/sessions/{with_signs}/transcript.json"):
        shown = browser.get(path)
        assert shown.status_code == 200
        assert "purpose_said" not in shown.text
        assert "Purpose of the visit said" not in shown.text
    assert browser.get(f"/sessions/{with_signs}/behind?kind=cue&name=purpose_said").status_code == 403
