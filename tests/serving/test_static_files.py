"""Styles and scripts: kept for good under an address that changes with them, and never from outside the folder."""

from __future__ import annotations

import re
import shutil

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from serving.pages.static_files import FOLDER, VersionedFiles, addresses, version

FOR_GOOD = "public, max-age=31536000, immutable"


def test_a_page_names_files_that_are_kept_for_good(client):
    """Each address on the page and each script that a script imports is there, and is never asked for again."""
    page = client.get("/sign-in")
    assert page.headers["cache-control"] == "no-store"
    found = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
    assert len(found) == 4
    for name in sorted(path.name for path in FOLDER.glob("*.js")):
        script = addresses()(name)
        imported = re.findall(r'from "\./([^"]+)"', client.get(script).text)
        found += [script, *(f"{script.rpartition('/')[0]}/{one}" for one in imported)]
    for one in found:
        answer = client.get(one)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, FOR_GOOD), one


def test_scripts_name_others_by_relative_address_only():
    """Else a script would import another without its version."""
    for path in FOLDER.glob("*.js"):
        assert "/static" not in path.read_text(encoding="utf-8"), path.name
    assert "url(" not in (FOLDER / "msw.css").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(FOLDER, tmp_path / "static")


def test_a_changed_file_gets_a_new_address(folder):
    """One letter more in a file that others import; the address of before answers, but is not kept."""
    app = FastAPI()
    app.mount("/static", VersionedFiles(folder))
    client = TestClient(app)
    before = addresses(folder)("app.js")
    assert before == addresses()("app.js"), "the same content has the same address wherever it lies"
    assert client.get(before).headers["cache-control"] == FOR_GOOD
    (folder / "page.js").write_text("// another", encoding="utf-8")
    after = addresses(folder)("app.js")
    assert after != before
    assert client.get(after).headers["cache-control"] == FOR_GOOD
    assert client.get(after.replace("app.js", "page.js")).text == "// another"
    old = client.get(before)
    assert (old.status_code, old.headers["cache-control"]) == (200, "no-cache")


def test_a_renamed_or_added_file_changes_the_version(folder):
    """The version covers names, too."""
    versions = {version(folder)}
    (folder / "icon.svg").rename(folder / "sign.svg")
    versions.add(version(folder))
    (folder / "vendor" / "more.js").write_text("", encoding="utf-8")
    versions.add(version(folder))
    assert len(versions) == 3


def test_what_is_asked_for_without_a_version_is_asked_for_again(client):
    """It works, and no browser keeps it unasked; an unchanged file is not sent twice."""
    answer = client.get("/static/msw.css")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
    again = client.get("/static/msw.css", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.headers["cache-control"]) == (304, "no-cache")


@pytest.mark.parametrize(
    "path", ["..%2fsettings.py", "{version}/..%2f..%2fsettings.py", "{version}", "{version}/", "000000000000/none.js"]
)
def test_no_address_leads_out_of_the_folder(client, path):
    """Nor to what is not there; such an answer is not kept."""
    answer = client.get(f"/static/{path.format(version=version())}")
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")
