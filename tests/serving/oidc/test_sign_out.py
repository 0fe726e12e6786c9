"""Sign-out with OpenID Connect: here at once, there by the provider's own page, and nothing of the person kept."""

from __future__ import annotations

import datetime as dt
import html
import re
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from joserfc.jwk import RSAKey

from serving import auth
from serving.settings import ServiceSettings
from serving.store.base import now
from serving.store.people import BrowserSession

PUBLIC = "http://localhost:8000"
KEY = RSAKey.generate_key(2048, {"use": "sig"})

pytestmark = [  # both are about the provider's half
    pytest.mark.filterwarnings("ignore:get_jwt_config:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:JWS algorithm:joserfc.errors.SecurityWarning"),
]


@pytest.fixture
def settings(settings, provider) -> ServiceSettings:
    return settings.model_copy(update=provider.settings(PUBLIC))


@pytest.fixture
def kim(client, people, provider) -> str:
    """Somebody with an account here and at the provider."""
    provider.add("kim-1", {"email": "kim@county.example", "email_verified": True, "name": "Kim Privatename"})
    sent = {"json": {"sign_in_name": "kim@county.example"}, "headers": people.as_("administrator")}
    assert client.patch(f"/v1/people/{people.ids['coder']}", **sent).is_success
    return people.ids["coder"]


class Browser:
    """Somebody at a browser that follows no redirect by itself."""

    def __init__(self, client, provider) -> None:
        self.http = TestClient(client.app, raise_server_exceptions=False, follow_redirects=False)
        self._provider = provider

    def enter(self):
        place = urlsplit(self._provider.log_in(self.http.get("/sign-in/oidc").headers["location"], "kim-1"))
        return self.http.get(f"{place.path}?{place.query}")

    def leave(self):
        page = self.http.get("/library")
        assert page.status_code == 200, page.headers
        csrf = re.search('csrf-token" content="([^"]+)"', page.text)[1]
        return self.http.post("/sign-out", data={"csrf_token": csrf})

    def is_in(self) -> bool:
        return self.http.get("/library").status_code == 200


@pytest.fixture
def browser(client, provider, kim) -> Browser:
    """Kim, signed in by way of the provider."""
    made = Browser(client, provider)
    assert made.enter().status_code == 200
    return made


def away(answer) -> str:
    """The address that a page sends the browser on to."""
    return html.unescape(re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.text)[1])


def kept(service) -> list[str | None]:
    with service.begin() as db:
        return list(db.scalars(sa.select(BrowserSession.id_token)))


def test_out_here_then_there_and_back(service, provider, browser):
    """The local session ends first; the provider gets its own id_token, our client id, the way back and a state."""
    (held,) = kept(service)
    assert provider.read(held)["sub"] == "kim-1"
    cookie = browser.http.cookies["msw_session"]
    left = browser.leave()
    assert left.status_code == 200
    assert "frame-ancestors" in left.headers["content-security-policy"]
    assert (left.headers["cache-control"], left.headers["referrer-policy"]) == ("no-store", "same-origin")
    assert kept(service) == []
    address = away(left)
    assert address.startswith(f"{provider.address}/oauth2/end_session?")
    sent = {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}
    assert sent.pop("state")
    assert sent == {
        "id_token_hint": held,
        "client_id": provider.client_id,
        "post_logout_redirect_uri": f"{PUBLIC}/sign-out/return",
    }
    browser.http.cookies.set("msw_session", cookie)
    assert not browser.is_in(), "an old cookie opens nothing"
    back = urlsplit(provider.log_out(address))
    assert f"{back.scheme}://{back.netloc}" == PUBLIC
    done = browser.http.get(f"{back.path}?{back.query}")
    assert "Here, and at your organisation" in done.text
    again = browser.http.get(f"{back.path}?{back.query}")
    assert (again.status_code, again.headers["location"]) == (303, "/sign-in"), "a state counts once"


def test_a_forged_return_says_and_changes_nothing(service, browser):
    """Whoever sends people to that address gets them to the sign-in page, or home where they are signed in."""
    for query in ("", "?state=", "?state=guessed"):
        answer = browser.http.get(f"/sign-out/return{query}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert browser.is_in()
    assert browser.http.post("/sign-out", data={"csrf_token": "guessed"}).status_code == 403
    assert browser.is_in()
    assert len(kept(service)) == 1


def test_a_provider_without_a_sign_out_is_not_asked_for_one(client, service, provider, kim):
    """Then nothing of the id_token is kept at all, and signing out is what it was."""
    provider.described = {"end_session_endpoint": None}
    one = Browser(client, provider)
    assert one.enter().status_code == 200
    assert kept(service) == [None]
    left = one.leave()
    assert (left.status_code, left.headers["location"]) == (303, "/sign-in")
    assert not one.is_in()


def test_who_came_in_with_a_token_does_not_go_there(client, service, provider, people, kim):
    one = Browser(client, provider)
    one.http.post("/sign-in", data={"token": people.tokens["coach"]})
    assert kept(service) == [None]
    assert one.leave().headers["location"] == "/sign-in"
    assert provider.seen == []


def test_a_provider_that_is_away_keeps_nobody_in(client, service, provider, browser):
    """Signed out here all the same, and told that it may not be so there."""
    client.app.state.service.provider._described = None  # as after an hour
    provider.is_away = True
    left = browser.leave()
    assert left.status_code == 200
    assert "cannot be reached" in left.text
    assert "http-equiv" not in left.text
    assert not browser.is_in()
    assert kept(service) == []


def test_the_way_out_must_be_private(client, provider, kim):
    """An id_token in an address goes nowhere without https: such a provider is refused at the sign-in already."""
    provider.described = {"end_session_endpoint": "http://evil.example/out"}
    refused = Browser(client, provider).http.get("/sign-in/oidc")
    assert refused.status_code == 502
    assert "evil" not in refused.text


def test_an_address_with_a_query_of_its_own_keeps_it(client, provider, kim):
    provider.described = {"end_session_endpoint": f"{provider.address}/oauth2/end_session?realm=a%26b"}
    one = Browser(client, provider)
    one.enter()
    assert parse_qs(urlsplit(away(one.leave())).query)["realm"] == ["a&b"]


def test_a_token_too_long_for_an_address_is_left_out(client, service, provider, kim):
    """Some providers put every group into it: then the client id alone says who asks, and the provider asks back."""
    provider.sign(lambda claims: claims | {"groups": ["county" * 10] * 80}, KEY)
    one = Browser(client, provider)
    assert one.enter().status_code == 200
    assert kept(service) == [""]
    sent = parse_qs(urlsplit(away(one.leave())).query)
    assert "id_token_hint" not in sent
    assert sent["client_id"] == [provider.client_id]


def test_what_ran_out_is_forgotten_with_its_token(client, service, provider, browser, kim, people):
    """Nobody signs out on most days: the row goes with the next sign-in or the hourly round, and the bytes with it."""
    with service.begin() as db:
        db.execute(sa.update(BrowserSession).values(expires_at=now() - dt.timedelta(seconds=1)))
    assert not browser.is_in()
    assert len(kept(service)) == 1
    with service.begin() as db:
        auth.forget_ended(db)
    assert kept(service) == []
    assert browser.enter().status_code == 200
    (held,) = kept(service)
    change = {"json": {"sign_in_name": ""}, "headers": people.as_("administrator")}
    assert client.patch(f"/v1/people/{kim}", **change).is_success
    assert kept(service) == []
    with service.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    assert held.encode() not in (service.settings.data / "service.db").read_bytes()
