"""Sign-in with OpenID Connect, against a provider that runs here: the whole walk, and those who try to cheat."""

from __future__ import annotations

import base64
import hmac
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from pydantic import ValidationError
from typer.testing import CliRunner

from msw_ml.errors import BadSetting
from msw_ml.settings import Settings
from serving import audit, cli, sign_in
from serving.app import create_app
from serving.oidc import Departure, SignInRefused
from serving.service import Service
from serving.settings import ServiceSettings
from serving.store.base import now
from serving.store.people import BrowserSession, Person, SignInAttempt
from serving.store.records import AuditEntry

KIM = {"email": "kim@county.example", "email_verified": True, "name": "Kim"}

pytestmark = [  # both are about the provider's half
    pytest.mark.filterwarnings("ignore:get_jwt_config:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:JWS algorithm:joserfc.errors.SecurityWarning"),
]


@pytest.fixture
def settings(settings, provider) -> ServiceSettings:
    return settings.model_copy(update=provider.settings("http://localhost:8000"))


@pytest.fixture
def kim(client, people, provider) -> str:
    """Somebody with an account here and at the provider; the coder of the north team."""
    provider.add("kim-1", KIM)
    name_account(client, people, "coder", "Kim@county.example")
    return people.ids["coder"]


def name_account(client, people, who: str, name: str) -> int:
    sent = {"json": {"sign_in_name": name}, "headers": people.as_("administrator")}
    return client.patch(f"/v1/people/{people.ids[who]}", **sent).status_code


class Browser:
    """Somebody at a browser that follows no redirect by itself."""

    def __init__(self, client, provider) -> None:
        self.http = TestClient(client.app, raise_server_exceptions=False, follow_redirects=False)
        self.provider = provider

    def depart(self, target: str = "/jobs") -> str:
        away = self.http.get("/sign-in/oidc", params={"next": target})
        assert away.status_code == 303, away.text
        return away.headers["location"]

    def back(self, sub: str, target: str = "/jobs") -> str:
        """The address that the provider sends the browser back to, not yet opened."""
        place = urlsplit(self.provider.log_in(self.depart(target), sub))
        assert f"{place.scheme}://{place.netloc}" == "http://localhost:8000"
        return f"{place.path}?{place.query}"

    def walk(self, sub: str = "kim-1"):
        return self.http.get(self.back(sub))

    def is_in(self) -> bool:
        return self.http.get("/library").status_code == 200


@pytest.fixture
def browser(client, provider) -> Browser:
    return Browser(client, provider)


def acts(service, action: str) -> list[AuditEntry]:
    with service.begin() as db:
        return list(db.scalars(sa.select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.number)))


def test_the_whole_walk(client, service, people, provider, kim, browser):
    """Button → provider → back → signed in as with a token: flags, CSRF, expiry, audit."""
    page = browser.http.get("/sign-in?next=/jobs").text
    link = re.search(r'href="(/sign-in/oidc\?next=[^"]+)">Sign in with your organisation<', page)[1]
    assert provider.seen == [], "nothing is asked before somebody wants to sign in"
    there = browser.http.get(link).headers["location"]
    asked = parse_qs(urlsplit(there).query)
    assert (asked["response_type"], asked["code_challenge_method"]) == (["code"], ["S256"])
    assert {"state", "nonce", "code_challenge"} <= asked.keys()
    assert "openid" in asked["scope"][0].split()
    back = urlsplit(provider.log_in(there, "kim-1"))
    arrived = browser.http.get(f"{back.path}?{back.query}")
    assert arrived.status_code == 200, arrived.text
    assert provider.verified == 1, "the code was redeemed with the verifier of its challenge"
    assert 'http-equiv="refresh" content="0; url=/jobs"' in arrived.text
    by_token = TestClient(client.app).post("/sign-in", data={"token": people.tokens["coach"]}, follow_redirects=False)
    flags = [
        re.sub(r"msw_session=[^;]+", "", one.headers["set-cookie"].split(", msw_")[0]) for one in (arrived, by_token)
    ]
    assert flags[0] == flags[1]
    assert "HttpOnly" in flags[0]
    assert "SameSite=strict" in flags[0]
    page = browser.http.get("/library").text
    assert "<b>coder</b>" in page
    with service.begin() as db:
        opened = db.scalars(sa.select(BrowserSession).where(BrowserSession.person_id == kim)).one()
        hours = (opened.expires_at - opened.created_at).total_seconds() / 3600
        assert db.get_one(Person, kim).oidc_subject == f"{provider.address} kim-1"
        assert audit.verify(db).is_whole
    assert hours == pytest.approx(service.settings.session_hours, abs=0.01)
    assert browser.http.post("/v1/reviews", json={"session": "ses_x"}).status_code == 403, "no CSRF secret"
    (linked,), entered = acts(service, "person.link"), acts(service, "browser.sign_in")
    assert (linked.actor, linked.subject) == (kim, kim)
    assert [json.loads(act.detail) for act in entered] == [{"by": "oidc"}, {"by": "token"}]
    with service.begin() as db:
        whole = " ".join(f"{act.subject} {act.detail}" for act in db.scalars(sa.select(AuditEntry)))
    assert "county.example" not in whole
    assert "kim-1" not in whole


def test_once_linked_the_subject_alone_counts(client, service, people, provider, kim, browser):
    """A new address of the same person comes in; the old address in other hands does not."""
    assert browser.walk().status_code == 200
    provider.add("kim-1", {"email": "kim.new@county.example", "email_verified": False})
    assert Browser(client, provider).walk().status_code == 200
    provider.add("other-2", KIM)
    other = Browser(client, provider)
    refused = other.walk("other-2")
    assert refused.status_code == 403
    assert "an administrator must empty its sign-in name" in refused.text
    assert not other.is_in()


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"email": "nobody@county.example", "email_verified": True}, "ask an administrator to make one"),
        ({"email": "kim@county.example", "email_verified": False}, "is verified"),
        ({"email": "kim@county.example", "email_verified": "true"}, "is verified"),
        ({"email": "kim@county.example"}, "is verified"),
        ({"email": "\u212aim@county.example", "email_verified": True}, "ask an administrator to make one"),
        ({"email_verified": True}, "is missing"),
        ({"email": ["kim@county.example"], "email_verified": True}, "is missing"),
    ],
)
def test_only_a_verified_address_with_an_account_comes_in(
    client, service, people, provider, kim, browser, claims, says
):
    """403 with what the administrator must do; written down without the address; no account is made or linked."""
    provider.add("new-1", claims)
    refused = browser.walk("new-1")
    assert refused.status_code == 403, refused.text
    assert says in refused.text
    assert "administrator" in refused.text
    assert not browser.is_in()
    (kept,) = acts(service, "sign_in.refused")
    assert kept.actor == "nobody"
    assert "example" not in kept.detail + kept.subject
    with service.begin() as db:
        assert db.scalars(sa.select(Person).where(Person.oidc_subject.is_not(None))).all() == []


def test_a_closed_account_stays_closed(client, people, provider, kim, browser):
    """Closing an account ends the browser that is in, and lets it in no more."""
    assert browser.walk().status_code == 200
    client.patch(f"/v1/people/{kim}", json={"is_active": False}, headers=people.as_("administrator"))
    assert not browser.is_in()
    assert "account is closed" in browser.walk().text


def test_a_changed_sign_in_name_ends_the_link(client, service, people, provider, kim, browser):
    """Nobody shares a name; a new one ends browsers of the old and links anew, a saved one stays."""
    assert browser.walk().status_code == 200
    assert name_account(client, people, "coach", "Kim@county.example") == 409
    assert name_account(client, people, "coder", "Kim@county.example") == 200
    assert browser.is_in()
    assert name_account(client, people, "coder", "") == 200
    assert not browser.is_in()
    assert browser.walk().status_code == 403
    name_account(client, people, "coder", "kim@county.example")
    assert browser.walk().status_code == 200
    name_account(client, people, "coach", "KIM@county.example")
    provider.add("twin-3", KIM)
    assert "ore than one account" in Browser(client, provider).walk("twin-3").text


def test_the_return_fits_this_browser_once(client, service, provider, kim, browser):
    """Wrong state, another browser, a second return, a late one: refused before the provider is asked."""
    back = browser.back("kim-1")
    asked = len(provider.seen)
    forged = re.sub("state=[^&]+", "state=guessed", back)
    for one, path in ((browser, forged), (Browser(client, provider), back), (browser, back.split("&state")[0])):
        assert one.http.get(path).status_code == 403
        assert not one.is_in()
    assert len(provider.seen) == asked
    assert browser.http.get(back).status_code == 200
    cookie = browser.http.cookies["msw_session"]
    assert browser.http.get(back).status_code == 403
    assert browser.http.cookies["msw_session"] == cookie
    late = browser.back("kim-1")
    with service.begin() as db:
        db.execute(sa.update(SignInAttempt).values(expires_at=now()))
    assert browser.http.get(late).status_code == 403
    assert [json.loads(act.detail)["why"] for act in acts(service, "sign_in.refused")] == ["state"] * 5


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_an_attempt_counts_once_from_many_threads(request, tmp_path, settings, database):
    """Of twelve returns at the same moment one is let on, on both databases."""
    url = request.getfixturevalue("postgres").database() if database == "postgresql" else None
    at = Service(settings.model_copy(update={"data": tmp_path / "own", "database": url}), Settings())
    at.prepare()
    departure = Departure(address="", state="s", nonce="n", verifier="v")
    with at.begin() as db:
        sign_in.remember(db, departure, "browser", "/jobs")

    def take(_: int) -> bool:
        try:
            with at.begin() as db:
                return sign_in.take(db, "s", "browser").verifier == "v"
        except SignInRefused:
            return False

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(take, range(12))) == 1
    at.close()


def test_a_code_counts_once(client, provider, kim, browser):
    """A code that was seen on the way and is put into another sign-in opens nothing."""
    seen = browser.back("kim-1")
    assert browser.http.get(seen).status_code == 200
    thief = Browser(client, provider)
    own = thief.back("kim-1")
    code = re.search("code=[^&]+", seen)[0]
    refused = thief.http.get(re.sub("code=[^&]+", code, own))
    assert refused.status_code == 403
    assert "used up" in refused.text
    assert not thief.is_in()


def test_a_stolen_code_is_worth_nothing_without_its_verifier(client, provider, kim, browser):
    """PKCE: a fresh code of somebody else's sign-in does not fit this browser's verifier."""
    stolen = re.search("code=[^&]+", browser.back("kim-1"))[0]
    thief = Browser(client, provider)
    refused = thief.http.get(re.sub("code=[^&]+", stolen, thief.back("kim-1")))
    assert refused.status_code == 403
    assert not thief.is_in()


RIGHT, WRONG = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
LIES = {
    "nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "issuer": {"iss": "https://evil.example"},
    "audience": {"aud": "another-service"},
    "audience of two": {"aud": ["another-service"], "azp": "another-service"},
    "audience and our azp": {"aud": "another-service", "azp": "msw"},
    "expired": {"exp": 1_000_000_000},
    "no expiry": {"exp": None},
    "from the future": {"iat": 99_999_999_999},
    "nobody": {"sub": ""},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_is_not_for_this_sign_in_is_refused(client, service, provider, kim, browser, lie):
    """Signed by the provider, and still not good: nonce, issuer, audience, times."""
    lied = {name: "msw" if value == "msw" else value for name, value in LIES[lie].items()}
    if lied.get("azp") == "msw":
        lied["azp"] = provider.client_id
    provider.sign(lambda claims: {k: v for k, v in (claims | lied).items() if v is not None}, RIGHT)
    refused = browser.walk()
    assert refused.status_code == 403, refused.text
    assert "sign in again" in refused.text
    assert not browser.is_in()
    assert acts(service, "sign_in.refused")[-1].actor == "nobody"
    assert ("clocks" in refused.text) == (lie == "expired")


def test_the_relay_that_twists_lets_the_truth_through(provider, kim, browser):
    """The control of the test before: signed anew and unchanged, the sign-in works."""
    provider.sign(lambda claims: claims, RIGHT)
    assert browser.walk().status_code == 200


@pytest.mark.parametrize("forgery", ["same kid", "unknown kid", "none", "hmac with the public key"])
def test_a_token_signed_by_another_key_is_refused(client, provider, kim, browser, forgery):
    """Forged signatures, no signature, and the public key taken for an HMAC's secret."""
    provider.sign(lambda claims: claims, RIGHT)
    kid = RIGHT.thumbprint()
    if forgery == "none":
        provider.write = lambda claims: jwt.encode({"alg": "none"}, claims, OctKey.generate_key(256), ["none"])
    elif forgery == "hmac with the public key":
        provider.write = lambda claims: by_hmac({"alg": "HS256", "kid": kid}, claims, RIGHT.as_pem(private=False))
    else:
        header = {"alg": "RS256", "kid": kid if forgery == "same kid" else "k2"}
        provider.write = lambda claims: jwt.encode(header, claims, WRONG, ["RS256"])
    refused = browser.walk()
    assert refused.status_code == 403, refused.text
    assert not browser.is_in()


def by_hmac(header: dict, claims: dict, key: bytes) -> str:
    """By hand: no library signs with a public key any more."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signature = hmac.digest(key, b".".join(parts), "sha256")
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def test_keys_may_change(provider, kim, browser, client):
    """A provider that signs with a new key is asked for its keys again, not refused until tomorrow."""
    assert browser.walk().status_code == 200
    provider.sign(lambda claims: claims, RIGHT)
    from serving import oidc

    before, oidc._KEYS_AT_MOST_EVERY = oidc._KEYS_AT_MOST_EVERY, 0.0
    try:
        assert Browser(client, provider).walk().status_code == 200
    finally:
        oidc._KEYS_AT_MOST_EVERY = before


def test_people_without_an_account_lock_nobody_out(service, provider, kim, browser):
    """An organisation's people share an address: strangers among them do not close the door for the others."""
    provider.add("new-1", {"email": "nobody@county.example", "email_verified": True})
    for _ in range(service.settings.failures_before_lock + 1):
        assert browser.walk("new-1").status_code == 403
    assert browser.walk().status_code == 200


def test_forgers_are_locked_out(client, service, provider, kim, browser):
    """Ten returns that nobody began lock the address, for tokens too."""
    for _ in range(service.settings.failures_before_lock):
        assert browser.http.get("/sign-in/oidc/return?code=x&state=y").status_code == 403
    locked = browser.http.get("/sign-in/oidc")
    assert (locked.status_code, locked.headers["retry-after"]) == (429, str(service.settings.lock_minutes * 60))


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"])
def test_the_way_back_leads_nowhere_else(provider, kim, browser, target):
    """`next` is a path of this service or the first page."""
    arrived = browser.http.get(browser.back("kim-1", target))
    assert arrived.status_code == 200
    assert "evil" not in arrived.text
    assert 'content="0; url=/"' in arrived.text


def test_an_answer_of_another_provider_is_refused(provider, kim, browser):
    """RFC 9207: where the answer names its issuer, it must be ours."""
    back = browser.back("kim-1")
    assert browser.http.get(f"{back}&iss=https://evil.example").status_code == 403
    assert not browser.is_in()


def test_a_claim_may_come_from_userinfo(client, provider, kim, browser):
    """A slim id_token is filled up by the provider's userinfo; userinfo about somebody else is refused."""
    provider.sign(lambda claims: {k: v for k, v in claims.items() if not k.startswith("email")}, RIGHT)
    assert browser.walk().status_code == 200
    provider.add("other-2", KIM)
    provider.sign(lambda claims: {k: v for k, v in claims.items() if k != "email"} | {"sub": "other-2"}, RIGHT)
    assert "contradict" in Browser(client, provider).walk().text


def test_a_refusal_at_the_provider_is_said(provider, kim, browser):
    """Who presses 'deny' there comes back to a page that says so, and may try again."""
    place = urlsplit(provider.log_in(browser.depart(), "kim-1", action="deny"))
    state = parse_qs(urlsplit(browser.depart()).query)["state"][0]
    assert "error=access_denied" in place.query
    refused = browser.http.get(f"{place.path}?error=access_denied&state={state}")
    assert refused.status_code == 403
    assert "cancelled" in refused.text


def test_a_provider_that_is_away_gives_503(client, people, provider, kim, browser):
    """On the way there and on the way back: Retry-After, and a token still opens the door."""
    back = browser.back("kim-1")
    provider.is_away = True
    gone = browser.http.get(back)
    assert (gone.status_code, gone.headers["retry-after"]) == (503, "30")
    assert not browser.is_in()
    fresh = Browser(client, provider)
    app = create_app(client.app.state.service.settings, Settings())
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as cold:
        gone = cold.get("/sign-in/oidc")
        assert (gone.status_code, gone.headers["retry-after"]) == (503, "30")
        assert "cannot be reached" in gone.text
        provider.stop()
        assert cold.get("/sign-in/oidc").status_code == 503
    came = fresh.http.post("/sign-in", data={"token": people.tokens["coder"]})
    assert came.status_code == 303


@pytest.mark.parametrize(
    "described",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": None},
        {"id_token_signing_alg_values_supported": ["HS256", "none"]},
    ],
)
def test_a_provider_that_is_set_up_wrongly_is_said(client, provider, kim, browser, described):
    """502 and a word for the administrator; nobody is sent anywhere."""
    provider.described = described
    refused = browser.http.get("/sign-in/oidc")
    assert refused.status_code == 502
    assert "administrator" in refused.text
    assert "evil" not in refused.text


def test_a_wrong_secret_is_the_administrators_to_mend(client, provider, kim, settings):
    """502 without the secret in it."""
    wrong = settings.model_copy(update=provider.settings("http://localhost:8000", secret="wrong-secret"))
    with TestClient(create_app(wrong, Settings())) as made:
        refused = Browser(made, provider).walk()
    assert refused.status_code == 502
    assert "client secret" in refused.text
    assert "wrong-secret" not in refused.text


def test_without_a_provider_nothing_is_there_and_nothing_loaded(tmp_path):
    """No button, no route, no OAuth library in memory."""
    program = """
import sys, pathlib
from fastapi.testclient import TestClient
from msw_ml.settings import Settings
from serving.app import create_app
from serving.settings import ServiceSettings
app = create_app(ServiceSettings(data=pathlib.Path(sys.argv[1])), Settings())
app.state.service.prepare()
with TestClient(app) as one:
    assert "your organisation" not in one.get("/sign-in").text
    assert one.get("/sign-in/oidc").status_code == 404
    assert one.get("/sign-in/oidc/return?code=a&state=b").status_code == 404
print([name for name in sys.modules if name.partition(".")[0] in ("authlib", "joserfc")])
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


BASE = {
    "oidc_issuer": "https://id.county.example",
    "oidc_client_id": "msw",
    "oidc_client_secret": "hush-hush",
    "public_address": "https://msw.county.example",
}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"oidc_client_id": ""}, "oidc_client_id"),
        ({"public_address": None}, "public_address"),
        ({"oidc_client_secret": None}, "one of"),
        ({"oidc_client_secret_file": "f"}, "one of"),
        ({"oidc_issuer": "http://id.county.example"}, "https"),
        ({"oidc_issuer": "https://user:pass@id.county.example"}, "https"),
        ({"public_address": "http://msw.county.example"}, "https"),
    ],
)
def test_half_a_setting_is_refused(change, says):
    """At the start, with the name of what is missing, and never with the secret."""
    with pytest.raises(ValidationError, match=says) as caught:
        ServiceSettings(**(BASE | change))
    assert "hush" not in str(caught.value.errors(include_input=False))


def test_the_secret_stays_out_of_sight(tmp_path, monkeypatch):
    """From a file or the environment; not in the settings' text; a file that is not there is said in one line."""
    assert "hush" not in repr(ServiceSettings(**BASE))
    held = tmp_path / "secret"
    with_file = BASE | {"oidc_client_secret": None, "oidc_client_secret_file": held, "data": tmp_path / "d"}
    with pytest.raises(BadSetting, match="cannot be read"):
        create_app(ServiceSettings(**with_file), Settings())
    held.write_text("hush-hush\n")
    create_app(ServiceSettings(**with_file), Settings()).state.service.close()
    monkeypatch.setenv("MSW_SERVICE_OIDC_ISSUER", "https://id.county.example")
    done = CliRunner().invoke(cli.token_app, ["list", "--data", str(tmp_path)])
    assert isinstance(done.exception, BadSetting)
    assert "oidc_client_id" in str(done.exception)
