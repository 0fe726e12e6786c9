"""Erasure with receipts, retention clocks, the audit chain, migrations on both databases, the commands."""

from __future__ import annotations

import datetime as dt
import json

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from serving import audit, cli, retention
from serving.audit import Act
from serving.job_queue import migrate_jobs
from serving.store.base import Base, now
from serving.store.database import is_ours, migrate, open_engine
from serving.store.records import AuditEntry


def test_erasure_leaves_nothing_and_gives_a_receipt(client, people, service, scored, settings):
    """Objects, rows, and the bytes in the database's files: gone. The receipt names what was there."""
    headers = people.as_("coach")
    text = "Marmalade on the piano"
    change = {"version": 1, "changes": [{"field": "text", "utterance": 0, "value": text}]}
    assert client.patch(f"/v1/sessions/{scored}", json=change, headers=headers).status_code == 200
    files = [settings.data / f"service.db{tail}" for tail in ("", "-wal")]
    assert any(text.encode() in file.read_bytes() for file in files)
    receipt = client.delete(f"/v1/sessions/{scored}", headers=headers).json()
    assert receipt["erased"]["rows"]["sessions"] == 1
    assert any(key.endswith("recording") for key in receipt["erased"]["objects"])
    assert not service.objects.keys("")
    assert client.get(f"/v1/sessions/{scored}", headers=headers).status_code == 404
    assert client.delete(f"/v1/sessions/{scored}", headers=headers).status_code == 404
    assert not [file.name for file in files if text.encode() in file.read_bytes()]
    (kept,) = client.get("/v1/receipts", headers=people.as_("administrator")).json()["items"]
    assert kept == receipt


def test_a_reader_keeps_erased_words_only_until_the_next_sweep(client, people, service, scored, settings):
    """A long reading during an erasure holds the write-ahead log open; the clocks' next round empties it."""
    text = "Marmalade on the piano"
    change = {"version": 1, "changes": [{"field": "text", "utterance": 0, "value": text}]}
    assert client.patch(f"/v1/sessions/{scored}", json=change, headers=people.as_("coach")).status_code == 200
    files = [settings.data / f"service.db{tail}" for tail in ("", "-wal")]

    def hurry(connection, *_: object) -> None:
        connection.execute("PRAGMA busy_timeout=50")

    sa.event.listen(service.engine, "checkout", hurry)
    with service.engine.connect() as reader:
        reader.exec_driver_sql("BEGIN")
        reader.exec_driver_sql("SELECT count(*) FROM sessions").scalar_one()
        assert client.delete(f"/v1/sessions/{scored}", headers=people.as_("coach")).status_code == 200
        assert any(text.encode() in file.read_bytes() for file in files)
    retention.sweep(service)
    assert not any(text.encode() in file.read_bytes() for file in files)


@pytest.mark.parametrize(
    ("clocks", "left"),
    [
        ({"transcript_days": 3}, {"transcript": 410, "ratings": 200, "report": 410}),
        ({"scores_days": 3}, {"transcript": 200, "ratings": 410, "report": 410}),
        ({"transcript_days": 3, "scores_days": 2}, {"transcript": 404, "ratings": 404, "report": 404}),
        ({"transcript_days": 30}, {"transcript": 200, "ratings": 200, "report": 200}),
    ],
)
def test_clocks_run_apart(client, people, service, scored, clocks, left):
    """Words go and scores stay, or the other way round; when both are gone the session is."""
    assert client.put("/v1/retention", json=clocks, headers=people.as_("administrator")).status_code == 200
    retention.sweep(service, now() + dt.timedelta(days=4))
    got = {part: client.get(f"/v1/sessions/{scored}/{part}", headers=people.as_("coach")).status_code for part in left}
    assert got == left
    assert retention.sweep(service, now() + dt.timedelta(days=4)) == 0


def test_the_audit_chain_shows_every_tampering(client, people, service, scored):
    """A changed, a removed and a cut-off entry, and a log that was written anew."""
    with service.begin() as db:
        whole = audit.verify(db)
    assert whole.is_whole
    assert whole.entries >= 10
    tamperings = [
        sa.update(AuditEntry).where(AuditEntry.number == 5).values(actor="somebody else"),
        sa.delete(AuditEntry).where(AuditEntry.number == 5),
        sa.delete(AuditEntry).where(AuditEntry.number == whole.entries),
    ]
    for tampering in tamperings:
        with Session(service.engine) as db:
            db.execute(tampering)
            assert not audit.verify(db).is_whole
            db.rollback()
    with service.begin() as db:
        audit.record(db, Act(actor="system", action="x", subject="y"))
        assert audit.verify(db, expect=whole.head).is_whole
        assert not audit.verify(db, expect="0" * 64).is_whole


def test_reading_and_changing_is_written_down(client, people, service, scored):
    """Who opened an account, uploaded, corrected, reviewed, erased; and no content in it."""
    client.post("/v1/reviews", json={"session": scored}, headers=people.as_("coder"))
    client.delete(f"/v1/sessions/{scored}", headers=people.as_("coach"))
    entries = client.get("/v1/audit?limit=200", headers=people.as_("administrator")).json()["items"]
    assert {"token.create", "session.create", "review.open", "session.erase"} <= {entry["action"] for entry in entries}
    assert "mornings" not in json.dumps(entries)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_migrations_reach_the_tables_from_every_revision(kind, tmp_path, request):
    """Upwards from each older revision with rows in it; the result is what the code expects."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    for number, revision in enumerate(("0001", "0002", "0003", "0005", "0006", "head")):
        if kind == "sqlite":
            engine = open_engine(f"sqlite:///{tmp_path / f'{number}.db'}")
        else:
            engine = open_engine(request.getfixturevalue("postgres").database())
        migrate(engine, revision)
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "INSERT INTO organisations (id, name, created_at) VALUES ('o', 'n', '2026-01-01')"
            )
        migrate(engine)
        migrate(engine)
        migrate_jobs(engine)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT name FROM organisations").scalar_one() == "n"
            context = MigrationContext.configure(
                connection, opts={"include_name": lambda name, what, _: is_ours(name, what)}
            )
            assert compare_metadata(context, Base.metadata) == []
        if kind == "sqlite":
            with engine.connect() as connection:
                assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        engine.dispose()


def test_tokens_and_audit_from_the_command_line(tmp_path):
    """`msw token create|list|revoke` and `msw audit verify` on a fresh folder."""
    run = CliRunner().invoke
    made = run(cli.token_app, ["create", "Kim", "--role", "coach", "--team", "North", "--data", str(tmp_path)])
    assert made.exit_code == 0, made.output
    token = made.stdout.strip()
    assert token.startswith("msw_")
    listed = run(cli.token_app, ["list", "--json", "--data", str(tmp_path)])
    assert [(row["person"], row["role"]) for row in json.loads(listed.stdout)] == [("Kim", "coach")]
    assert token.split("_", 2)[2] not in listed.stdout
    assert run(cli.token_app, ["revoke", token.split("_", 2)[1], "--data", str(tmp_path)]).exit_code == 0
    checked = run(cli.audit_app, ["verify", "--data", str(tmp_path)])
    assert checked.stdout.startswith("whole: 2 entries")
    engine = open_engine(f"sqlite:///{tmp_path / 'service.db'}")
    with engine.begin() as connection:
        connection.execute(sa.update(AuditEntry).where(AuditEntry.number == 1).values(actor="x"))
    assert run(cli.audit_app, ["verify", "--data", str(tmp_path)]).exit_code == 1
