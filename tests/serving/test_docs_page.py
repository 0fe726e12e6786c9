"""The page of the HTTP interface: all that the document says, for everybody, without a script of its own."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest

from serving.api.description.routes import ROUTES


class Seen(HTMLParser):
    """Ids and what links to them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.ids.append(given["id"])
        if tag == "a" and (given.get("href") or "").startswith("#"):
            self.targets.add(given["href"][1:])


@pytest.fixture
def page(client):
    return client.get("/docs")


def test_it_needs_no_token_and_nothing_from_outside(page):
    """The policy is that of all pages; no inline script or style, no address of another host in what is loaded."""
    assert page.status_code == 200
    assert "script-src 'self'; style-src 'self' 'nonce-" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert not re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", page.text)
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page.text)


def test_it_says_all_that_the_document_says(client, page):
    """Every call with path, who may, parameters, statuses and examples; every value; and all links lead somewhere."""
    document = client.app.openapi()
    seen = Seen(page.text)
    assert len(seen.ids) == len(set(seen.ids))
    assert seen.targets <= set(seen.ids)
    assert {*ROUTES, "job_ended"} <= set(seen.ids)
    assert {f"value-{name}" for name in document["components"]["schemas"]} <= set(seen.ids)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            part = _call(page.text, operation["operationId"])
            assert f"<code>{path}</code>" in part
            assert re.search(f"{method.upper()}</span>", part)
            assert operation["x-who"] in part
            assert "Who may:" in part
            for parameter in operation.get("parameters", []):
                assert f"<code>{parameter['name']}</code>" in part
                assert f"<code>{parameter['example']}</code>" in part
            for status in operation["responses"]:
                assert status in part
            for content in operation.get("requestBody", {}).get("content", {}).values():
                for name in content["example"]:
                    assert f'"{name}":' in part


def _call(text: str, name: str) -> str:
    start = text.index(f'id="{name}"')
    end = re.compile(r'<details class="call"|</section>').search(text, start)
    return unescape(text[start : end.start()])


def test_roles_are_named_as_people_know_them(page):
    """Everybody, nobody in particular, a list; and what is asked beside the role."""
    assert "Everybody, without a token." in _call(page.text, "alive")
    assert "Everybody who has an account." in _call(page.text, "me")
    assert "Coach, administrator." in _call(page.text, "erase")
    assert "Manager, administrator. Nobody sees figures of fewer than five workers." in _call(page.text, "group_report")
    assert "Who may" not in _call(page.text, "job_ended")
    assert "<b>Errors</b> are RFC 9457 <code>" in page.text


def test_it_is_linked_for_those_who_are_signed_in(client, people):
    """From the foot of every page, and from where tokens are made; nobody else is shown a way into the pages."""
    assert 'href="/docs"' not in client.get("/sign-in").text
    assert '<nav aria-label="Main">' not in client.get("/docs").text
    client.post("/sign-in", data={"token": people.tokens["administrator"]})
    for path in ("/library", "/jobs"):
        assert 'href="/docs"' in client.get(path).text
    assert client.get("/administration").text.count('href="/docs"') == 2
    page = client.get("/docs").text
    assert '<nav aria-label="Main">' in page
    assert 'href="/docs" aria-current="page"' in page
