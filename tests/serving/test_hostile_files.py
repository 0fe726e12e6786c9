"""Files that are made to do harm, over HTTP: a 4xx that a coder understands at once, and nothing left behind."""

from __future__ import annotations

import io
import tracemalloc
import zipfile

import pytest
import sqlalchemy as sa

from serving.store.sessions import Job, SessionRow

DECLARING = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><ANNOTATION_DOCUMENT>&x;</ANNOTATION_DOCUMENT>'
LAUGHS = '<!DOCTYPE a [<!ENTITY l "lol"><!ENTITY m "&l;&l;&l;">]><ANNOTATION_DOCUMENT>&m;</ANNOTATION_DOCUMENT>'
WORD, EXCEL = "word/document.xml", "xl/workbook.xml"


def packed(*parts: tuple[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in parts:
            package.writestr(name, data)
    return held.getvalue()


def bomb(part: str) -> bytes:
    """210 MB of nothing in 200 KB."""
    return packed((part, b"<a/>"), ("x.xml", bytes(210 << 20)))


def bomb_that_lies(part: str) -> bytes:
    """Claims that its part is small, in the directory and before the part."""
    data = bomb(part)
    return data.replace((210 << 20).to_bytes(4, "little"), (1000).to_bytes(4, "little"))


def quine_like(part: str) -> bytes:
    """More parts than any document has."""
    return packed((part, b"<a/>"), *((f"{number}.bin", b"") for number in range(6000)))


FILES = {
    "bomb.docx": (lambda: bomb(WORD), "would unpack to 210 MB"),
    "bomb.xlsx": (lambda: bomb(EXCEL), "would unpack to 210 MB"),
    "liar.docx": (lambda: bomb_that_lies(WORD), "damaged"),
    "parts.docx": (lambda: quine_like(WORD), "6001 parts"),
    "entity.docx": (lambda: packed((WORD, DECLARING.encode())), "declares entities"),
    "entity16.xlsx": (lambda: packed((EXCEL, DECLARING.encode("utf-16"))), "declares entities"),
    "entity.eaf": (DECLARING.encode, "declares entities"),
    "laughs.eaf": (LAUGHS.encode, "declares entities"),
    "laughs-late.eaf": (lambda: b"<!--" + b"x" * 9000 + b"-->" + LAUGHS.encode(), "declares entities"),
    "laughs16.eaf": (
        lambda: ('<?xml version="1.0" encoding="utf-16"?>' + LAUGHS).encode("utf-16"),
        "declares entities",
    ),
    "page.eaf": (lambda: b"<<<", "is not XML"),
}


def send(client, people, name: str, content: bytes, **headers: str):
    sent = people.as_("uploader") | {key.replace("_", "-"): value for key, value in headers.items()}
    return client.post("/v1/sessions", files={"file": (name, content)}, headers=sent)


def is_untouched(service) -> bool:
    """No object, no file on its way in, no row."""
    waiting = service.objects.incoming
    with service.begin() as db:
        rows = sum(db.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in (SessionRow, Job))
    folders = [path for path in waiting.parent.rglob("*") if path != waiting]
    return not service.objects.keys("") and rows == 0 and [path for path in folders if path.name != "sessions"] == []


@pytest.mark.parametrize("name", FILES)
def test_bombs_and_entities_are_refused_at_once(client, people, service, name):
    """Named in a sentence, with what to do or why it was not opened; never what the entity stands for."""
    make, says = FILES[name]
    answer = send(client, people, name, make())
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.json()["detail"]
    assert name in answer.json()["detail"]
    assert "root:" not in answer.text
    assert is_untouched(service)


def test_a_bomb_is_not_unpacked(client, people, service):
    """210 MB never come to be in memory."""
    content = bomb(WORD)
    tracemalloc.start()
    try:
        assert send(client, people, "bomb.docx", content).status_code == 422
        assert tracemalloc.get_traced_memory()[1] < 60 << 20
    finally:
        tracemalloc.stop()


def test_the_key_of_a_refused_upload_is_free_again(client, people, service):
    """What was refused counts as never sent: the mended file may come under the same key."""
    assert send(client, people, "visit.docx", bomb(WORD), idempotency_key="k").status_code == 422
    mended = send(client, people, "visit.csv", b"speaker,role,text\nAnn,worker,Hello?\n", idempotency_key="k")
    assert mended.status_code == 202


@pytest.mark.parametrize("name", ["../../../evil.docx", "..\\..\\evil.eaf", "/etc/cron.d/evil.eaf", "%2e%2e/evil.docx"])
def test_a_path_in_the_name_of_a_hostile_file(client, people, service, name):
    """The refusal names the file alone, and nothing lies where the path points."""
    content = bomb(WORD) if name.endswith("docx") else DECLARING.encode()
    answer = send(client, people, name, content)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("evil.")
    assert is_untouched(service)
    assert not list(service.settings.data.parent.rglob("evil*"))


@pytest.mark.parametrize("claimed", [4 << 30, 1 << 62, 10**40])
def test_four_gigabytes_that_are_only_claimed(client, people, service, claimed):
    """Refused by the header; nothing is waited for."""
    headers = {"Content-Length": str(claimed), "Content-Type": "multipart/form-data; boundary=x"}
    answer = client.post("/v1/sessions", content=b"--x--", headers=people.as_("uploader") | headers)
    assert answer.status_code == 413
    assert "larger than 8 MB" in answer.json()["detail"]
    assert is_untouched(service)


def test_more_than_was_claimed(client, people, service):
    """Without a length the bytes are counted as they come."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.flac"\r\n\r\nfLaC'
    sent = iter([head, *[bytes(1 << 20)] * 9])
    headers = people.as_("uploader") | {"Content-Type": "multipart/form-data; boundary=x"}
    assert client.post("/v1/sessions", content=sent, headers=headers).status_code == 413
    assert is_untouched(service)
