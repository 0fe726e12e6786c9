"""Every route for every role, as README's table says; no route without a token but health and docs."""

from __future__ import annotations

from fastapi.routing import iter_route_contexts

from serving.store.people import Person

ROLES = ("uploader", "coder", "coach", "manager", "administrator", "stranger", "worker", "foreign")
OPEN = {"/healthz", "/readyz", "/openapi.json", "/docs"}

# One letter a role in the order of ROLES: y allowed, n 403, - 404, c 409, e allowed or 409
TABLE = {
    ("GET", "/v1/sessions/{session}"): "yyy-y-y-",
    ("GET", "/v1/sessions/{session}/transcript.vtt"): "nyy-y-y-",
    ("GET", "/v1/sessions/{session}/audio"): "nyy-y-y-",
    ("GET", "/v1/sessions/{session}/ratings.json"): "nny-y-y-",
    ("GET", "/v1/sessions/{session}/utterances.csv"): "nny-y-y-",
    ("GET", "/v1/sessions/{session}/report"): "nny-y-y-",
    ("GET", "/v1/sessions/{session}/corrections"): "nyy-y-y-",
    ("GET", "/v1/sessions/{session}/comments"): "nny-y-y-",
    ("GET", "/v1/jobs/{job}"): "yyy-y-y-",
    ("POST", "/v1/jobs/{job}/retry"): "cnc-c-n-",
    ("GET", "/v1/people"): "nnnnynny",
    ("GET", "/v1/tokens"): "nnnnynny",
    ("GET", "/v1/retention"): "nnnnynny",
    ("GET", "/v1/audit"): "nnnnynny",
    ("GET", "/v1/audit/verdict"): "nnnnynny",
    ("GET", "/v1/receipts"): "nnnnynny",
    ("GET", "/v1/groups"): "nnncennc",
    ("GET", "/v1/me"): "yyyyyyyy",
    ("GET", "/v1/teams"): "yyyyyyyy",
    ("GET", "/v1/models"): "yyyyyyyy",
    ("GET", "/v1/sessions"): "yyyyyyyy",
    ("GET", "/v1/jobs"): "yyyyyyyy",
}
STATUS = {"y": {200}, "n": {403}, "-": {404}, "c": {409}, "e": {200, 409}}


def test_every_role_gets_what_the_table_says(client, people, scored):
    """The uploader sees state and not content, managers no individual, other teams and organisations nothing."""
    job = client.get("/v1/jobs", headers=people.as_("uploader")).json()["items"][0]["id"]
    wrong = []
    for (method, path), allowed in TABLE.items():
        for role, letter in zip(ROLES, allowed, strict=True):
            answer = client.request(method, path.format(session=scored, job=job), headers=people.as_(role))
            if answer.status_code not in STATUS[letter]:
                wrong.append((method, path, role, letter, answer.status_code))
    assert not wrong


def test_lists_hold_only_what_one_may_know(client, people, scored):
    """A session of the north team is in no list of the south team, a manager or another organisation."""
    seen = {role: client.get("/v1/sessions", headers=people.as_(role)).json()["items"] for role in ROLES}
    assert {role for role, items in seen.items() if items} == {"uploader", "coder", "coach", "administrator", "worker"}


def test_who_knows_of_which_teams(client, people, service):
    """Administrators of all of their organisation's, everybody else of their own, and of none without one."""
    with service.begin() as db:
        db.get_one(Person, people.ids["worker"]).team_id = None
    lists = {role: client.get("/v1/teams", headers=people.as_(role)).json() for role in ROLES}
    seen = {role: " ".join(team["name"] for team in teams) for role, teams in lists.items()}
    own = dict.fromkeys(("uploader", "coder", "coach", "manager"), "North")
    assert seen == own | {"administrator": "North South", "stranger": "South", "worker": "", "foreign": ""}


def test_who_may_change_what(client, people, scored):
    """Uploads by managers, corrections by uploaders, erasure by coders: refused."""
    text = {"version": 1, "changes": [{"field": "text", "utterance": 0, "value": "x"}]}
    code = {"version": 1, "changes": [{"field": "code", "utterance": 0, "value": "affirm"}]}
    tries = [
        ("manager", "POST", "/v1/sessions", {"files": {"file": ("a.csv", b"speaker,text\nA,b\n")}}, 403),
        ("uploader", "PATCH", f"/v1/sessions/{scored}", {"json": text}, 403),
        ("coder", "PATCH", f"/v1/sessions/{scored}", {"json": code}, 403),
        ("coder", "DELETE", f"/v1/sessions/{scored}", {}, 403),
        ("uploader", "POST", "/v1/reviews", {"json": {"session": scored}}, 403),
        ("worker", "POST", "/v1/reviews", {"json": {"session": scored}}, 403),
        ("stranger", "POST", "/v1/reviews", {"json": {"session": scored}}, 404),
        ("coach", "POST", "/v1/people", {"json": {"name": "x", "role": "administrator"}}, 403),
        ("coach", "POST", "/v1/tokens", {"json": {"person": people.ids["administrator"]}}, 403),
        ("foreign", "POST", "/v1/tokens", {"json": {"person": people.ids["administrator"]}}, 404),
        ("foreign", "PATCH", f"/v1/people/{people.ids['coder']}", {"json": {"role": "manager"}}, 404),
        ("coach", "PUT", "/v1/retention", {"json": {"audio_days": 1}}, 403),
    ]  # fmt: skip
    got = [(who, method, path, client.request(method, path, headers=people.as_(who), **sent).status_code, wanted)
           for who, method, path, sent, wanted in tries]  # fmt: skip
    assert [row for row in got if row[3] != row[4]] == []


def test_every_route_needs_a_token_but_health_and_docs(client, people):
    """Read from the application itself, so that a new route cannot be forgotten."""
    routes = [route for route in iter_route_contexts(client.app.routes) if (route.path or "").startswith("/v1")]
    paths = [(route.path, method) for route in routes if route.path not in OPEN for method in route.methods]
    assert len(paths) > 40
    for path, method in paths:
        filled = path
        while "{" in filled:
            filled = filled[: filled.index("{")] + "x" + filled[filled.index("}") + 1 :]
        answer = client.request(method, filled)
        assert answer.status_code == 401, (method, path, answer.status_code)
        assert answer.headers["content-type"] == "application/problem+json"


def test_tokens_end(client, people, service):
    """A revoked token is dead at once, an inactive person's too; its secret is nowhere in the database."""
    made = client.post(
        "/v1/tokens", json={"person": people.ids["coder"], "days": 1}, headers=people.as_("administrator")
    ).json()
    headers = {"Authorization": f"Bearer {made['secret']}"}
    assert client.get("/v1/me", headers=headers).json()["name"] == "coder"
    assert made["secret"].split("_", 2)[2].encode() not in (service.settings.data / "service.db").read_bytes()
    client.delete(f"/v1/tokens/{made['token']['id']}", headers=people.as_("administrator"))
    assert client.get("/v1/me", headers=headers).status_code == 401
    client.patch(f"/v1/people/{people.ids['coach']}", json={"is_active": False}, headers=people.as_("administrator"))
    assert client.get("/v1/me", headers=people.as_("coach")).status_code == 401


def test_guessing_is_locked_out(client, people, settings):
    """After ten wrong tokens the address has to wait, with the right one too."""
    for _ in range(settings.failures_before_lock):
        assert client.get("/v1/me", headers={"Authorization": "Bearer msw_0_x"}).status_code == 401
    locked = client.get("/v1/me", headers=people.as_("coder"))
    assert (locked.status_code, locked.headers["retry-after"]) == (429, str(settings.lock_minutes * 60))
