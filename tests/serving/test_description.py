"""The OpenAPI document: an example of everything, every one of them correct, and what it says is what happens."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator

import pytest
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator import OpenAPIV31SpecValidator

from msw_ml import codebook
from msw_ml.settings import Settings
from serving import webhooks
from serving.api.description.document import complete
from serving.api.description.routes import ROUTES
from serving.api.description.story import SESSION
from serving.app import create_app
from serving.settings import ServiceSettings
from serving.store.people import PersonRole

JSON, PROBLEM = "application/json", "application/problem+json"
Example = tuple[str, dict, object]


@pytest.fixture(scope="module")
def document(tmp_path_factory) -> dict:
    return create_app(ServiceSettings(data=tmp_path_factory.mktemp("described")), Settings()).openapi()


def operations(document: dict) -> Iterator[tuple[str, dict]]:
    for paths in (document["paths"], document["webhooks"]):
        for path, methods in paths.items():
            for method, operation in methods.items():
                yield f"{method.upper()} {path}", operation


def places(document: dict) -> Iterator[tuple[str, dict]]:
    """Every place that needs an example: parameters, bodies, answers in JSON, problems."""
    for address, operation in operations(document):
        for parameter in operation.get("parameters", []):
            yield f"{address}, {parameter['name']}", parameter
        for kind, body in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{address}, body as {kind}", body
        for status, answer in operation["responses"].items():
            for kind, content in answer.get("content", {}).items():
                if kind in (JSON, PROBLEM) or content["schema"].get("format") != "binary":
                    yield f"{address}, {status} as {kind}", content


def examples(document: dict) -> Iterator[Example]:
    for where, place in places(document):
        if "example" in place:
            yield where, place["schema"], place["example"]
        for name, one in place.get("examples", {}).items():
            yield f"{where}, {name}", place["schema"], one["value"]


def missing(document: dict) -> list[str]:
    return [where for where, place in places(document) if "example" not in place and not place.get("examples")]


def wrong(document: dict) -> list[str]:
    """Examples that their own schemas refuse, with the reason."""
    found = []
    for where, schema, example in examples(document):
        check = OAS31Validator(schema | {"components": document["components"]}, format_checker=oas31_format_checker)
        found += [f"{where}: {error.json_path} {error.message}" for error in check.iter_errors(example)]
    return found


def test_the_document_keeps_to_its_standard(document):
    """OpenAPI 3.1, as tools read it; every route is a described one and has a name of its own."""
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    names = [operation["operationId"] for _, operation in operations(document)]
    assert sorted(names) == sorted([*ROUTES, "job_ended"])
    assert {operation["tags"][0] for _, operation in operations(document)} == {tag["name"] for tag in document["tags"]}


def test_everything_has_an_example(document):
    """Every parameter, every body that is sent, every answer in JSON or text, every problem."""
    assert len(list(places(document))) > 300
    assert missing(document) == []


def test_every_example_is_correct(document):
    """Checked against its schema, formats and unknown fields included."""
    assert wrong(document) == []


def test_a_missing_and_a_wrong_example_would_be_found(document):
    """Planted: one taken away, one of another type, one with a field too many."""
    spoilt = copy.deepcopy(document)
    del spoilt["paths"]["/v1/reviews"]["post"]["requestBody"]["content"][JSON]["example"]
    job = spoilt["paths"]["/v1/jobs/{job_id}"]["get"]
    good, bad = job["responses"]["200"]["content"][JSON], job["responses"]["404"]["content"][PROBLEM]
    good["example"] = good["example"] | {"progress": 41}
    bad["example"] = bad["example"] | {"colour": "red"}
    job["parameters"][0]["example"] = 7
    assert missing(spoilt) == ["POST /v1/reviews, body as application/json"]
    assert [one.partition(":")[0] for one in wrong(spoilt)] == [
        "GET /v1/jobs/{job_id}, job_id",
        "GET /v1/jobs/{job_id}, 200 as application/json",
        "GET /v1/jobs/{job_id}, 404 as application/problem+json",
    ]


def test_every_route_says_what_can_go_wrong(document):
    """Who is not signed in, too often, an id that is not there, a body that does not fit, a database that is away."""
    for address, operation in operations(document):
        if operation["operationId"] == "job_ended":
            continue
        said = set(operation["responses"])
        expected = {"503"} - ({"503"} if address == "GET /healthz" else set())
        expected |= {"401", "429"} if operation.get("security") else set()
        expected |= {"404"} if "{" in address else set()
        expected |= {"422"} if "requestBody" in operation else set()
        expected |= {"403"} if operation["x-roles"] not in ([], list(PersonRole)) and "{" not in address else set()
        assert expected <= said, address
        assert all(PROBLEM in one["content"] for status, one in operation["responses"].items() if status >= "400")


PROVOKED = [
    ("GET", "/v1/me", None, {}),
    ("GET", "/v1/jobs/job_x", "coder", {}),
    ("GET", "/v1/sessions/ses_x", "coder", {}),
    ("GET", "/v1/reviews/rev_x", "coder", {}),
    ("GET", "/v1/sessions?limit=500", "coder", {}),
    ("GET", "/v1/people", "uploader", {}),
    ("POST", "/v1/people", "administrator", {"json": {}}),
    ("POST", "/v1/reviews", "coder", {"json": {}}),
    ("POST", "/v1/sessions", "manager", {}),
    ("POST", "/v1/sessions", "coder", {"files": {"worker": (None, "Kim")}}),
    ("POST", "/v1/webhooks", "uploader", {"json": {"url": "https://records.example.org/msw"}}),
    ("GET", "/v1/groups", "manager", {}),
    ("DELETE", "/v1/webhooks/hook_x", "administrator", {}),
    ("GET", "/v1/models/none/card", "coder", {}),
]


@pytest.mark.parametrize(("method", "path", "who", "sent"), PROVOKED)
def test_problems_are_those_of_the_examples(document, client, people, method, path, who, sent):
    """What the service answers when it goes wrong is the example, word for word."""
    answer = client.request(method, path, headers=people.as_(who) if who else {}, **sent)
    template = next(one for one in document["paths"] if _fits(one, path.partition("?")[0]))
    described = document["paths"][template][method.lower()]["responses"][str(answer.status_code)]
    assert answer.json() == described["content"][PROBLEM]["example"]
    assert set(described.get("headers", {})) <= {name.title() for name in answer.headers} | {"WWW-Authenticate"}


def _fits(template: str, path: str) -> bool:
    parts, given = template.split("/"), path.split("/")
    return len(parts) == len(given) and all(a == b or a.startswith("{") for a, b in zip(parts, given, strict=True))


@pytest.fixture
def ids(client, people, scored) -> dict[str, str]:
    """Real ids for the parameters; the review is the coder's own, submitted."""
    headers = people.as_("coder")
    review = client.post("/v1/reviews", json={"session": scored}, headers=headers).json()["id"]
    client.put(f"/v1/reviews/{review}", json={"codes": {"0": "question_open"}}, headers=headers)
    client.post(f"/v1/reviews/{review}/submit", headers=headers)
    job = client.get("/v1/jobs", headers=people.as_("uploader")).json()["items"][0]["id"]
    known = {"session_id": scored, "review_id": review, "job_id": job, "person_id": people.ids["worker"]}
    return known | {"part": "transcript.vtt", "name": "behaviour_coder", "token_id": "none", "hook_id": "none"}


def test_answers_are_as_described(document, client, people, ids):
    """Everything that can be asked for by GET: a described status, a described type, JSON that fits its schema."""
    paths = [path for path, methods in document["paths"].items() if "get" in methods]
    parts = ("transcript.json", "utterances.json", "ratings.json", "utterances.csv", "report.html")
    asked = [(path, ids) for path in paths]
    asked += [("/v1/sessions/{session_id}/{part}", ids | {"part": part}) for part in parts]
    for path, given in asked:
        answer = client.get(path.format_map(given), headers=people.as_("administrator"))
        described = document["paths"][path]["get"]["responses"][str(answer.status_code)]["content"]
        kind = answer.headers["content-type"].partition(";")[0]
        assert kind in described, (path, kind)
        if "json" in kind:
            schema = described[kind]["schema"] | {"components": document["components"]}
            errors = [error.message for error in OAS31Validator(schema).iter_errors(answer.json())]
            assert errors == [], path


OF_ONES_OWN = {"cancel_job", "retry_job", "save_review", "submit_review", "get_units", "get_review"}
"""Of these only who is left out is tried."""
WITHOUT_SOUND = {"peaks"}
"""The session is a transcript."""
LAST = {"open_review": 1, "erase": 2}
"""An open review hides the scores."""
NOT_TRIED = {"transcribe", "upload"}
"""They wait for a worker, or take the disk; their roles are those of `May.UPLOAD`, tried elsewhere."""


@pytest.mark.parametrize("role", list(PersonRole))
def test_roles_are_those_that_are_let_in(document, client, people, ids, role):
    """Every route, asked with its own example: whoever is not named gets 403 or 404, whoever is named does not."""
    wrong_ = []
    for address, operation in sorted(operations(document), key=lambda one: LAST.get(one[1]["operationId"], 0)):
        method, path = address.split(" ")
        name, body = operation["operationId"], operation.get("requestBody", {}).get("content", {}).get(JSON, {})
        if not operation.get("security") or name in NOT_TRIED:
            continue
        sent = json.loads(json.dumps(body["example"]).replace(SESSION, ids["session_id"])) if body else None
        answer = client.request(method, path.format_map(ids), json=sent, headers=people.as_(role.value))
        is_let_in = answer.status_code not in (403, 404)
        is_named = role.value in operation["x-roles"]
        if is_let_in != is_named and not (is_named and _is_excused(name, role, answer)):
            wrong_.append((address, role.value, answer.status_code))
    assert wrong_ == []


def _is_excused(name: str, role: PersonRole, answer) -> bool:
    """Somebody else's review or job, or what is not there."""
    is_not_there = name in WITHOUT_SOUND or role is PersonRole.ADMINISTRATOR
    return name in OF_ONES_OWN or (is_not_there and answer.status_code == 404)


def test_the_signature_among_the_examples_is_a_real_one(document):
    """Whoever writes a receiver can try the check on them."""
    paths = document["paths"]["/v1/webhooks"]["post"]["responses"]["201"]
    secret = paths["content"][JSON]["example"]["secret"]
    sent = document["webhooks"]["job-ended"]["post"]
    headers = {one["name"]: one["example"] for one in sent["parameters"]}
    body = json.dumps(sent["requestBody"]["content"][JSON]["example"], separators=(",", ":")).encode()
    made = webhooks.sign(secret, headers["webhook-id"], headers["webhook-timestamp"], body)
    assert made == headers["webhook-signature"]


def test_examples_use_the_codes_in_force(document):
    """Another codebook, other codes: nothing of the first is left over."""
    own = codebook.load("supervision")
    changed = own.model_copy(update={"behaviours": own.behaviours[2:], "elements": own.elements[2:]})
    other = copy.deepcopy(document)
    complete(other, changed)
    body = other["paths"]["/v1/reviews/{review_id}"]["put"]["requestBody"]["content"][JSON]["example"]
    assert set(body["codes"].values()) <= {None, *(one.id for one in changed.behaviours)}
    assert set(body["ratings"]) <= {one.id for one in changed.elements}
    assert wrong(other) == []


def test_everybody_may_read_it(client):
    """No token is needed, it is the same document, and it is made once."""
    answer = client.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.json() == json.loads(json.dumps(client.app.openapi()))
    assert client.app.openapi() is client.app.openapi()
