"""The web pages: who sees what, that text stays text, and that a blind coder's pages hold nothing of the machine's."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from msw_ml import codebook
from serving import results
from serving.pages.entrance import inside
from serving.store.people import Person
from serving.store.sessions import Job, JobState, SessionRow, SessionState

CODES = {0: "question_open", 1: "change", 2: "reflection_simple", 3: "sustain", 4: "question_closed"}
HTMX = {"hx-request": "true"}
EVIL = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"


class Browser:
    """A signed-in browser: cookie, and the CSRF secret from the page."""

    def __init__(self, client, people, name: str) -> None:
        self.http = TestClient(client.app, raise_server_exceptions=False, follow_redirects=False)
        came = self.http.post("/sign-in", data={"token": people.tokens[name], "next": "/jobs"})
        assert (came.status_code, came.headers["location"]) == (303, "/jobs")
        self.csrf = re.search('csrf-token" content="([^"]+)"', self.get("/library").text)[1]

    def get(self, path: str, **more):
        return self.http.get(path, **more)

    def post(self, path: str, data: dict | None = None):
        return self.http.post(path, data=data or {}, headers=HTMX | {"x-csrf-token": self.csrf})


@pytest.fixture
def browser(client, people):
    return lambda name: Browser(client, people, name)


def submitted(browser, scored, name: str = "coder", codes=CODES) -> str:
    """Path of a review that was opened, coded and submitted by way of the pages."""
    one = browser(name)
    path = one.post(f"/sessions/{scored}/review").headers["hx-redirect"]
    api = f"/v1{path}"
    saved = one.http.put(api, json={"codes": codes, "ratings": {"empathy": 4}}, headers={"x-csrf-token": one.csrf})
    assert saved.status_code == 200, saved.text
    assert one.http.post(f"{api}/submit", headers={"x-csrf-token": one.csrf}).status_code == 200
    return path


def test_whoever_is_not_signed_in_is_asked_to(client):
    """Every page leads to the sign-in and back again; the sign-in tells nothing about why a token fails."""
    for path in (
        "/library",
        "/jobs",
        "/reliability",
        "/administration",
        "/sessions/ses_x",
        "/reviews/rev_x",
        "/groups",
    ):
        answer = client.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={path}")
    refused = client.post("/sign-in", data={"token": EVIL})
    assert refused.status_code == 401
    assert "<script>alert" not in refused.text
    assert "unknown, expired or revoked" in refused.text


def test_another_site_cannot_sign_anybody_in(client, people):
    """A form sent from elsewhere is refused even with a good token."""
    sent = {"data": {"token": people.tokens["coder"]}, "follow_redirects": False}
    refused = client.post("/sign-in", headers={"sec-fetch-site": "cross-site"}, **sent)
    assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)
    assert client.post("/sign-in", headers={"sec-fetch-site": "same-origin"}, **sent).status_code == 303


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "", "/a\nb"]
)
def test_the_sign_in_leads_nowhere_else(target):
    """An address from outside never becomes a redirect."""
    assert inside(target) == "/"


def test_the_cookie_is_closed_and_signing_out_ends_it(client, people, browser):
    """HttpOnly and SameSite=Strict; a sign-out needs the page's secret and ends the session for good."""
    answer = client.post("/sign-in", data={"token": people.tokens["coder"]}, follow_redirects=False)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    one = browser("coder")
    assert one.http.post("/sign-out", data={"csrf_token": "guessed"}).status_code == 403
    assert one.get("/library").status_code == 200
    value = one.http.cookies["msw_session"]
    assert one.http.post("/sign-out", data={"csrf_token": one.csrf}).headers["location"] == "/sign-in"
    one.http.cookies.set("msw_session", value)
    assert one.get("/library").status_code == 303


def test_a_change_without_the_secret_is_refused(browser, scored):
    """Every form of the pages that changes something."""
    one = browser("administrator")
    for path in (
        f"/sessions/{scored}/review", f"/sessions/{scored}/erase", f"/sessions/{scored}/comments",
        f"/sessions/{scored}/roles", f"/sessions/{scored}/utterances/0", "/jobs/x/cancel", "/jobs/x/retry",
        "/reviews/x/adjudications", "/administration/people", "/administration/tokens", "/administration/retention",
    ):  # fmt: skip
        assert one.http.post(path).status_code == 403, path


PAGES = [
    "/library", "/jobs", "/reliability", "/groups", "/administration", "/administration/audit", "session", "review",
    "compare",
]  # fmt: skip
ALLOWED = {
    "uploader": {"/library", "/jobs", "session"},
    "coder": {"/library", "/jobs", "/reliability", "session"},
    "coder2": {"/library", "/jobs", "/reliability", "session"},
    "stranger": {"/library", "/jobs", "/reliability"},
    "coach": {"/library", "/jobs", "/reliability", "session", "compare"},
    "manager": {"/library", "/jobs", "/groups"},
    "administrator": {
        "/library", "/jobs", "/reliability", "/groups", "/administration", "/administration/audit", "session",
        "compare",
    },
    "worker": {"/library", "/jobs", "session"},
    "foreign": {"/library", "/jobs", "/reliability", "/groups", "/administration", "/administration/audit"},
}  # fmt: skip


EMPTY = {"manager": {"/library", "/jobs"}}
"""Pages that hold nothing for a role: nobody is led there."""


def navigation(page: str) -> list[str]:
    """Where the main navigation leads, in order."""
    return re.findall('href="(/[^"]+)"', re.search('<nav aria-label="Main">.*?</nav>', page, re.DOTALL)[0])


@pytest.mark.parametrize("name", ALLOWED)
def test_who_sees_which_page(browser, scored, name):
    """Role by page: what is not allowed is an error page without content, and the navigation does not lead there."""
    path = submitted(browser, scored, "coder")
    addresses = {"session": f"/sessions/{scored}", "review": path, "compare": f"{path}/compare"}
    expected = ALLOWED[name] | ({"compare"} if name == "coder" else set())
    one = browser(name)
    seen = {page for page in PAGES if one.get(addresses.get(page, page)).status_code == 200}
    assert seen == expected
    linked = {page for page in expected if page.count("/") == 1} - EMPTY.get(name, set())
    assert set(navigation(one.get("/library").text)) == linked
    if "session" not in expected:
        assert "mornings" not in one.get(f"/sessions/{scored}").text


@pytest.mark.parametrize(
    ("name", "first"), [("uploader", "library"), ("coach", "library"), ("manager", "groups"), ("foreign", "library")]
)
def test_people_begin_where_there_is_something_for_them(client, people, browser, scored, name, first):
    """Signing in, `/`, the title and the way out of an error lead to the first place of the navigation."""
    signed_in = client.post("/sign-in", data={"token": people.tokens[name]})
    assert signed_in.url.path == client.get("/").url.path == f"/{first}"
    assert navigation(signed_in.text)[0] == f"/{first}"
    assert f'class="brand"><a href="/{first}"' in signed_in.text
    lost = client.get("/sessions/ses_x")
    assert (lost.status_code, f'href="/{first}">Go to the {first}<' in lost.text) == (404, True)
    assert ("/library" in lost.text) is (first == "library")


def test_before_the_sign_in_every_way_leads_there(client):
    """`/`, and the way out of an error of the sign-in itself."""
    assert client.get("/", follow_redirects=False).headers["location"] == "/sign-in"
    refused = client.post("/sign-in", headers={"sec-fetch-site": "cross-site"})
    assert (refused.status_code, 'href="/sign-in">Go to the sign-in<' in refused.text) == (403, True)


def test_a_manager_finds_visits_of_their_own(browser, people, scored, service):
    """The groups page leads to the library once there is something in it for them, and not before."""
    one = browser("manager")
    assert "/library" not in one.get("/groups").text
    with service.begin() as db:
        db.get_one(SessionRow, scored).worker_id = people.ids["manager"]
    assert 'href="/library">Visits of your own<' in one.get("/groups").text
    assert scored in one.get("/library").text
    assert "Visits of your own" not in browser("administrator").get("/groups").text


def test_an_empty_library_says_whose_sessions_it_would_hold(browser, people, scored, service):
    """There is a session, though not for these: nobody is told that there is none."""
    assert "managers see figures of groups alone" in browser("manager").get("/library").text
    assert "Your team has handed nothing in yet" in browser("stranger").get("/library").text
    with service.begin() as db:
        db.get_one(Person, people.ids["stranger"]).team_id = None
    assert "You are in no team yet" in browser("stranger").get("/library").text


def test_names_to_hand_in_for_are_those_of_ones_team(browser, people, service):
    """Whoever is in no team may name themselves, and is not shown who else is in none."""

    def offered(name: str) -> set[str]:
        chooser = re.search('<select id="worker".*?</select>', browser(name).get("/library").text, re.DOTALL)[0]
        return set(re.findall("<option>([^<]+)</option>", chooser))

    assert {"uploader", "worker"} < offered("uploader")
    assert "stranger" not in offered("uploader")
    with service.begin() as db:
        for name in ("stranger", "worker"):
            db.get_one(Person, people.ids[name]).team_id = None
    assert offered("stranger") == {"stranger"}
    assert "stranger" in offered("administrator")


def test_the_list_has_no_column_that_stays_empty(browser, scored):
    """Only who reviews is told of a review of theirs."""
    assert "Your review" in browser("coder").get("/library").text
    assert "Your review" not in browser("uploader").get("/library").text


def test_the_uploader_sees_the_state_and_not_the_words(browser, scored):
    """Whoever handed a session in knows how far it is, and nothing of what was said."""
    page = browser("uploader").get(f"/sessions/{scored}")
    assert page.status_code == 200
    assert "mornings" not in page.text


def machine_marks() -> list[str]:
    """What would betray the machine: names of codes as tags, its confidence, its ratings."""
    return ["0.77", "77%", "3.3", "2.1 to 4.4", "unsettled", 'class="status']


@pytest.mark.parametrize("name", ["coder", "coach", "administrator"])
def test_a_blind_coders_pages_hold_nothing_of_the_machines(browser, scored, service, name):
    """From the opening to the submission no page of theirs has a machine code, confidence or rating in its markup."""
    one = browser(name)
    path = one.post(f"/sessions/{scored}/review").headers["hx-redirect"]
    names = [b.name for b in codebook.load().behaviours if b.speaker == "worker" and " " in b.name]
    for address in (
        "/library", "/jobs", "/reliability", path, f"{path}/compare", f"/sessions/{scored}",
        f"/sessions/{scored}?scores=show", f"/sessions/{scored}/utterances/2", f"/sessions/{scored}/progress",
    ):  # fmt: skip
        page = one.get(address)
        assert not [mark for mark in machine_marks() if mark in page.text], address
        if address != path:
            assert not [name for name in names if name in page.text], address
    page = one.get(path).text
    assert " selected>" not in page, "a code is chosen before the coder has chosen any"
    assert page.count("No code yet") == 5
    for address in (
        f"/sessions/{scored}/behind?kind=code&name=question_open",
        f"/sessions/{scored}/behind?kind=element&name=empathy", f"/sessions/{scored}/utterances/2?coded=true",
        f"/reliability/report?session={scored}",
    ):  # fmt: skip
        assert one.get(address).status_code == 403, address
    assert one.post(f"{path}/adjudications", {"utterance": 0, "agreed": "affirm", "reason": "x"}).status_code == 409


@pytest.mark.parametrize("code", ["reflection_complex", "reflection_simple"])
def test_guessing_the_machines_code_by_correcting_it_tells_nothing(browser, scored, code):
    """The right guess and a wrong one get the same refusal."""
    one = browser("coder")
    one.post(f"/sessions/{scored}/review")
    form = {"version": 1, "text": "Being on time matters to you.", "speaker": "Ann", "role": "worker", "code": code}
    answer = one.post(f"/sessions/{scored}/utterances/2", form)
    assert (answer.status_code, answer.text) == (
        403,
        one.get(f"/sessions/{scored}/utterances/2?coded=true", headers=HTMX).text,
    )


def test_a_coach_is_asked_before_the_scores_are_shown(browser, scored):
    """Looking at the session does not spend the chance to code it blind; asking for the scores does."""
    one = browser("coach")
    first = one.get(f"/sessions/{scored}").text
    assert "Show the scores" in first
    assert "Open question" not in first
    assert "Open question" in one.get(f"/sessions/{scored}?scores=show").text
    assert "Show the scores" not in one.get(f"/sessions/{scored}").text
    review = one.post(f"/sessions/{scored}/review").headers["hx-redirect"]
    assert "not blind" in one.get(review).text


def test_every_figure_leads_to_its_utterances(browser, scored):
    """Each count and rating on the page opens a list; a rating is never without its status."""
    one = browser("worker")
    page = one.get(f"/sessions/{scored}").text
    assert page.count('class="status indicative"') == len(codebook.load().elements)
    links = {link.replace("&amp;", "&") for link in re.findall('hx-get="(/sessions/[^"]+/behind[^"]+)"', page)}
    assert len(links) >= 5 + 7
    for link in links:
        assert one.get(link).status_code == 200, link
    shown = one.get(f"/sessions/{scored}/behind?kind=code&name=reflection_complex").text
    assert "Being on time matters to you." in shown
    assert "I want him" not in shown


def test_text_stays_text(browser, scored, service, people):
    """Names, words, reasons and comments that look like HTML are shown as they were written."""
    with service.begin() as db:
        row = db.get_one(SessionRow, scored)
        row.name = row.family = row.target = EVIL
        session = results.current(service, db, row)
        said = session.utterances[0]
        evil = said.model_copy(update={"utterance": said.utterance.model_copy(update={"text": EVIL, "speaker": EVIL})})
        roles = session.roles.model_copy(update={"roles": {**session.roles.roles, EVIL: said.utterance.role}})
        changed = session.model_copy(update={"utterances": (evil, *session.utterances[1:]), "roles": roles})
        results.write_version(service, db, row, changed, 1)
    one = browser("coach")
    one.get(f"/sessions/{scored}?scores=show")
    one.post(f"/sessions/{scored}/comments", {"about": "element empathy", "text": EVIL, "contest": "yes"})
    review = submitted(browser, scored, "coder")
    one.post(f"{review}/adjudications", {"utterance": 2, "agreed": "reflection_simple", "reason": EVIL})
    for path in (
        "/library", f"/library?q={EVIL}", "/jobs", f"/sessions/{scored}", f"/sessions/{scored}/utterances/0?coded=true",
        f"{review}/compare", "/reliability", f"/sessions/{scored}/behind?kind=code&name=question_open",
    ):  # fmt: skip
        page = one.get(path)
        assert page.status_code == 200, (path, page.text)
        assert "<script>alert" not in page.text, path
        assert "<img src=x" not in page.text, path
    assert "&lt;script&gt;alert" in one.get(f"/sessions/{scored}").text


def test_corrections_and_their_history(browser, scored):
    """A code that is corrected counts at once, with who and why; a stale form and an empty one are refused."""
    one = browser("coach")
    one.get(f"/sessions/{scored}?scores=show")
    form = {"version": 1, "text": "Being on time matters to you.", "speaker": "Ann", "role": "worker"}
    assert one.post(f"/sessions/{scored}/utterances/2", form).text == "nothing was changed"
    right = one.post(f"/sessions/{scored}/utterances/2", form | {"code": "reflection_simple", "reason": "adds nothing"})
    assert right.headers["hx-refresh"] == "true"
    stale = one.post(f"/sessions/{scored}/utterances/2", form | {"code": "affirm"})
    assert stale.status_code == 409
    page = one.get(f"/sessions/{scored}").text
    assert "Complex reflection → <b>Simple reflection</b>" in page
    assert "adds nothing" in page
    roles = {"version": 2, "speakers": ["Ann", "Bea"], "chosen": ["parent", "worker"]}
    assert one.post(f"/sessions/{scored}/roles", roles).headers["hx-refresh"] == "true"
    assert "Being coded again" in one.get(f"/sessions/{scored}").text


def test_compare_and_adjudicate(browser, scored):
    """Both codes, the agreed one with who and why; reliability counts the review."""
    path = submitted(browser, scored)
    coach = browser("coach")
    page = coach.get(f"{path}/compare").text
    assert "4 of 5" in page
    assert (
        coach.post(f"{path}/adjudications", {"utterance": 2, "agreed": "reflection_simple", "reason": ""}).status_code
        == 422
    )
    done = coach.post(
        f"{path}/adjudications", {"utterance": 2, "agreed": "reflection_simple", "reason": "adds nothing"}
    )
    assert done.status_code == 200
    assert "adds nothing" in coach.get(f"{path}/compare").text
    assert "Agree on a code" not in browser("coder").get(f"{path}/compare").text
    reliability = coach.get("/reliability").text
    assert "1 of 1" in reliability
    assert coach.get(f"/reliability/report?session={scored}").text.lstrip().lower().startswith("<!doctype html")


def test_search_and_filter(browser, scored):
    """The list's fragment alone for htmx; words and state narrow it; nonsense in the address does no harm."""
    one = browser("coder")
    part = one.get("/library?q=visit&state=scored", headers=HTMX).text
    assert "<html" not in part
    assert scored in part
    assert scored not in one.get("/library?q=nowhere").text
    assert scored not in one.get("/library?state=failed").text
    assert one.get("/library?state=sideways&cursor=a").status_code == 422
    assert one.get("/jobs?state=sideways").status_code == 200


def test_tokens_are_shown_once(browser, people, client):
    """The text of a token is in the answer that made it, works, and is on no page afterwards."""
    one = browser("administrator")
    made = one.post("/administration/tokens", {"person": people.ids["coder"], "label": "desk", "days": 3}).text
    secret = re.search("msw_[0-9a-f]{16}_[A-Za-z0-9_-]{43}", made)[0]
    assert secret not in one.get("/administration").text
    assert client.get("/v1/me", headers={"Authorization": f"Bearer {secret}"}).json()["name"] == "coder"
    token = secret.split("_")[1]
    assert one.post(f"/administration/tokens/{token}/end").status_code == 200
    assert client.get("/v1/me", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
    assert one.post("/administration/retention", {"audio": "30", "transcript": "", "scores": "x"}).status_code == 422
    one.post("/administration/retention", {"audio": "30"})
    assert 'name="audio" inputmode="numeric" value="30"' in one.get("/administration").text


def test_pages_need_no_inline_script_or_style(browser, scored):
    """What the content policy forbids is in no page, so nothing is silently dead."""
    path = submitted(browser, scored)
    one = browser("administrator")
    one.get(f"/sessions/{scored}?scores=show")
    alone = ("/library", "/jobs", "/reliability", "/administration", "/administration/audit")
    for address in (*alone, f"/sessions/{scored}", f"{path}/compare"):
        page = one.get(address)
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert not re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", page.text), address
        assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page.text), address


def test_what_was_erased_is_said_and_the_rest_stays(browser, scored, service):
    """Without words the ratings stay and nothing can be corrected; without scores the transcript stays."""
    one = browser("coach")
    one.get(f"/sessions/{scored}?scores=show")
    for part, gone, kept in (
        ("scores", 'class="status', "How have the mornings"),
        ("transcript", "mornings", "erased"),
    ):
        with service.begin() as db:
            row = db.get_one(SessionRow, scored)
            setattr(row, f"{part}_erased_at", row.created_at)
        page = one.get(f"/sessions/{scored}")
        assert page.status_code == 200
        assert gone not in page.text, part
        assert kept in page.text, part
        assert "Correct<span" not in page.text


def test_a_failed_job_is_explained_and_tried_again(browser, scored, service):
    """Its sentence stands in the library, on the session and among the jobs, where its maker can retry it."""
    with service.begin() as db:
        row = db.get_one(SessionRow, scored)
        row.version, row.state = 0, SessionState.FAILED
        job = db.scalars(sa.select(Job).where(Job.session_id == scored)).one()
        job.state, job.stage, job.error, job_id = JobState.FAILED, "receive", "row 2 has no role", job.id
    for name, may in (("uploader", True), ("coach", True), ("coder", False)):
        one = browser(name)
        for path in ("/library", "/jobs", f"/sessions/{scored}"):
            page = one.get(path).text
            assert "ow 2 has no role" in page, path
            if path != "/library":
                assert (f"/jobs/{job_id}/retry" in page) is may, (name, path)
    assert browser("coder").post(f"/jobs/{job_id}/retry").status_code == 403


def test_an_erased_session_is_gone_and_has_a_receipt(browser, scored):
    """Only who may erase sees the button; afterwards the library names the receipt."""
    assert "/erase" not in browser("worker").get(f"/sessions/{scored}").text
    one = browser("coach")
    assert f"/sessions/{scored}/erase" in one.get(f"/sessions/{scored}").text
    after = one.post(f"/sessions/{scored}/erase").headers["hx-redirect"]
    assert after.partition("=")[2] in one.get(after).text
    assert one.get(f"/sessions/{scored}").status_code == 404
