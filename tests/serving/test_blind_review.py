"""Second opinions, tried as an attacker would: nothing of the machine's reaches a coder before the submission."""

from __future__ import annotations

import json

import pytest

from msw_ml import codebook

CODES = {0: "question_open", 1: "change", 2: "reflection_simple", 3: "sustain", 4: "question_closed"}


def open_review(client, people, session: str, coder: str = "coder"):
    return client.post("/v1/reviews", json={"session": session}, headers=people.as_(coder))


def routes(session: str, review: str) -> list[tuple[str, str]]:
    """Every address by which scores could come, with every format and every way to ask."""
    suffixes = ["", ".json", ".csv", ".xlsx", ".docx", ".eaf", ".textgrid", ".html", ".JSON", ".vtt", ".srt"]
    parts = [f"{part}{suffix}" for part in ("utterances", "ratings", "report", "transcript") for suffix in suffixes]
    found = [("GET", f"/v1/sessions/{session}/{part}") for part in parts]
    found += [
        ("GET", f"/v1/sessions/{session}{tail}") for tail in ("", "/corrections", "/reviews", "/comments", "/peaks")
    ]
    found += [("GET", f"/v1/reviews/{review}{tail}") for tail in ("", "/units", "/comparison")]
    found += [("GET", path) for path in ("/v1/sessions", "/v1/jobs", "/v1/groups", "/openapi.json", "/metrics")]
    return [*found, ("POST", "/v1/agreement"), ("POST", f"/v1/reviews/{review}/adjudications")]


@pytest.mark.parametrize("coder", ["coder", "coach", "administrator"])
def test_no_route_shows_a_score_to_whoever_is_coding_blind(client, people, scored, coder):
    """Whatever the role: from opening to submission no answer holds a machine code, confidence or rating."""
    review = open_review(client, people, scored, coder).json()
    assert review["is_blind"]
    bodies = {"/v1/agreement": {"sessions": [scored]}}
    bodies[f"/v1/reviews/{review['id']}/adjudications"] = {"utterance": 0, "agreed": "question_open", "reason": "x"}
    names = [b.id for b in codebook.load().behaviours if "_" in b.id]
    for method, path in routes(scored, review["id"]):
        for accept in ("*/*", "text/html", "application/json"):
            headers = people.as_(coder) | {"Accept": accept}
            answer = client.request(method, path, headers=headers, json=bodies.get(path))
            if path == "/openapi.json":
                continue
            assert "0.77" not in answer.text, path
            assert "3.3" not in answer.text, path
            assert answer.status_code >= 400 or not any(
                f"/{part}" in path for part in ("utterances", "ratings", "report")
            )
            if answer.status_code < 400:
                shown = [name for name in names if name in answer.text]
                assert not shown, (path, shown)


def test_scores_open_with_the_submission_and_not_before(client, people, scored):
    """A coder of the team sees nothing before a review of their own, all after it."""
    ratings = f"/v1/sessions/{scored}/ratings.json"
    assert client.get(ratings, headers=people.as_("coder")).status_code == 403
    review = open_review(client, people, scored).json()["id"]
    put = client.put(f"/v1/reviews/{review}", json={"codes": CODES}, headers=people.as_("coder"))
    assert put.status_code == 200, put.text
    assert client.get(ratings, headers=people.as_("coder")).status_code == 403
    done = client.post(f"/v1/reviews/{review}/submit", headers=people.as_("coder")).json()
    assert (done["uncoded"], done["review"]["state"]) == (0, "submitted")
    assert client.get(ratings, headers=people.as_("coder")).status_code == 200
    assert client.get(ratings, headers=people.as_("coder2")).status_code == 403


def test_who_has_seen_the_scores_is_not_blind(client, people, scored):
    """A coach who looked first may still review; the review says that it was not blind."""
    assert client.get(f"/v1/sessions/{scored}/ratings", headers=people.as_("coach")).status_code == 200
    assert not open_review(client, people, scored, "coach").json()["is_blind"]


def test_a_submitted_review_never_changes(client, people, scored):
    """Autosave is repeatable while it is open; afterwards everything is refused."""
    review = open_review(client, people, scored).json()["id"]
    path, headers = f"/v1/reviews/{review}", people.as_("coder")
    for _ in range(2):
        saved = client.put(
            path, json={"codes": {"0": "question_open"}, "ratings": {"empathy": 4}}, headers=headers
        ).json()
        assert (saved["codes"], saved["ratings"]) == ({"0": "question_open"}, {"empathy": 4.0})
    assert client.put(path, json={"codes": {"0": None}}, headers=headers).json()["codes"] == {}
    wrong = client.put(path, json={"codes": {"0": "change"}}, headers=headers)
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "body.codes.0")
    assert client.put(path, json={"codes": CODES}, headers=people.as_("coder2")).status_code == 404
    client.post(f"{path}/submit", headers=headers)
    assert client.put(path, json={"codes": CODES}, headers=headers).status_code == 409
    assert client.post(f"{path}/submit", headers=headers).status_code == 409


@pytest.mark.parametrize("value", [3.5, 0, 6, "4", True, [3]])
def test_ratings_are_whole_numbers(client, people, scored, value):
    """The scale is 1 to 5 without halves: the answer names the element and says so, and nothing is saved."""
    path, headers = f"/v1/reviews/{open_review(client, people, scored).json()['id']}", people.as_("coder")
    refused = client.put(path, json={"ratings": {"empathy": value}}, headers=headers)
    (error,) = refused.json()["errors"]
    assert (refused.status_code, error["field"]) == (422, "body.ratings.empathy")
    assert error["message"] == "a rating is a whole number from 1 to 5"
    assert client.get(path, headers=headers).json()["ratings"] == {}


@pytest.mark.parametrize(
    ("element", "agreed", "says"), [("empathy", "3.5", "whole number"), ("luck", "3", "there are:")]
)
def test_an_agreed_rating_is_a_whole_number(client, people, scored, element, agreed, says):
    """As the ratings themselves; an unknown element is told the known ones."""
    review = open_review(client, people, scored).json()["id"]
    client.put(f"/v1/reviews/{review}", json={"ratings": {"empathy": 4.0}}, headers=people.as_("coder"))
    client.post(f"/v1/reviews/{review}/submit", headers=people.as_("coder"))
    asked = {"element": element, "agreed": agreed, "reason": "between the two"}
    refused = client.post(f"/v1/reviews/{review}/adjudications", json=asked, headers=people.as_("coach"))
    assert refused.status_code == 422
    assert says in refused.json()["errors"][0]["message"]


def test_comparison_ranks_adjudication_adds_and_agreement_counts(client, people, scored):
    """Machine, coder and agreed value all stay; `POST /v1/agreement` gives the report of `msw agree`."""
    for coder, code in (("coder", "reflection_simple"), ("coder2", "reflection_complex")):
        review = open_review(client, people, scored, coder).json()["id"]
        body = {"codes": CODES | {2: code}, "ratings": {"empathy": 4}}
        client.put(f"/v1/reviews/{review}", json=json.loads(json.dumps(body)), headers=people.as_(coder))
        client.post(f"/v1/reviews/{review}/submit", headers=people.as_(coder))
        if coder == "coder":
            first = review
    headers = people.as_("coach")
    compared = client.get(f"/v1/reviews/{first}/comparison", headers=headers).json()
    assert (compared["compared"], compared["agreements"]) == (5, 4)
    (pair,) = compared["disagreements"]
    assert (pair["machine"], pair["coder"], pair["agreed"]) == ("reflection_complex", "reflection_simple", None)
    assert pair["effect"] > 0
    asked = {"utterance": 2, "agreed": "reflection_simple", "reason": "adds nothing"}
    assert client.post(f"/v1/reviews/{first}/adjudications", json=asked, headers=people.as_("coder")).status_code == 403
    settled = client.post(f"/v1/reviews/{first}/adjudications", json=asked, headers=headers).json()
    (pair,) = settled["disagreements"]
    assert (pair["machine"], pair["coder"], pair["agreed"]) == (
        "reflection_complex", "reflection_simple", "reflection_simple",
    )  # fmt: skip
    report = client.post("/v1/agreement", json={"sessions": [scored]}, headers=headers)
    assert report.status_code == 200, report.text
    assert {coder["name"] for coder in report.json()["coders"]} == {"coder", "coder2", "machine"}
    page = client.post("/v1/agreement", json={"sessions": [scored]}, headers=headers | {"Accept": "text/html"})
    assert page.text.lstrip().lower().startswith("<!doctype html")


def test_corrections_make_a_new_version_and_keep_the_old(client, people, scored):
    """Codes change measures at once; roles start a job; a stale version and a wrong code are refused."""
    path, headers = f"/v1/sessions/{scored}", people.as_("coach")
    before = client.get(f"{path}/ratings.json", headers=headers).json()["measures"]
    change = {
        "version": 1,
        "changes": [{"field": "code", "utterance": 2, "value": "reflection_simple"}],
        "reason": "heard it",
    }
    done = client.patch(path, json=change, headers=headers)
    assert done.status_code == 200, done.text
    assert (done.json()["session"]["version"], done.json()["job"]) == (2, None)
    assert client.get(f"{path}/ratings.json", headers=headers).json()["measures"] != before
    assert client.patch(path, json=change, headers=headers).status_code == 409
    wrong = {"version": 2, "changes": [{"field": "code", "utterance": 2, "value": "change"}]}
    assert client.patch(path, json=wrong, headers=headers).status_code == 422
    roles = {"version": 2, "changes": [{"field": "role", "speaker": "Ann", "value": "parent"}]}
    assert client.patch(path, json=roles, headers=headers).json()["job"].startswith("job_")
    kept = client.get(f"{path}/corrections", headers=headers).json()
    assert [(one["field"], one["before"], one["after"], one["person"]) for one in kept] == [
        ("code", "reflection_complex", "reflection_simple", "coach"),
        ("role", "worker", "parent", "coach"),
    ]
