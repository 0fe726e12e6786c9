"""`msw serve`, `msw worker`, `msw token`, `msw audit`. Nothing heavy is imported until a command runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from msw_ml.errors import BadSetting

if TYPE_CHECKING:
    from serving.settings import ServiceSettings
    from serving.store.base import Db

DataOption = Annotated[Path | None, typer.Option("--data", help="Folder of database and recordings.")]

token_app = typer.Typer(help="Who may use the service: tokens are shown once and kept only as digests.")
audit_app = typer.Typer(help="The audit log.")


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for other machines.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    data: DataOption = None,
    workers: Annotated[int, typer.Option(min=1, help="Worker processes; each scores one recording at a time.")] = 1,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Serve alone: workers run elsewhere.")] = False,
    proxy: Annotated[str, typer.Option(help="Address of a proxy whose X-Forwarded-For is believed.")] = "",
) -> None:
    """Serves the web pages and the HTTP interface, with worker processes beside them."""
    from serving.run import run_server

    run_server(_settings(data), host=host, port=port, workers=0 if no_worker else workers, proxy=proxy)


def worker(
    name: Annotated[str | None, typer.Option(help="Stays the same over restarts; the host's name by default.")] = None,
    data: DataOption = None,
) -> None:
    """Takes jobs from the service's queue and scores them, until it is ended."""
    from msw_ml.settings import Settings
    from serving.worker import run

    run(_settings(data), Settings(), name)


@token_app.command("create")
def create_token(
    person: Annotated[str, typer.Argument(help="Whom it is for; added if nobody goes by that name.")],
    role: Annotated[str, typer.Option(help="uploader, coder, coach, manager or administrator.")] = "coder",
    team: Annotated[str, typer.Option(help="Team of somebody who is added.")] = "",
    organisation: Annotated[str, typer.Option(help="Organisation; made if it is not there.")] = "Default",
    days: Annotated[int, typer.Option(min=1, max=400, help="How long it is good for.")] = 90,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    data: DataOption = None,
) -> None:
    """Prints a new token. It is shown this once."""
    from serving import auth
    from serving.first_people import find_or_add

    with _database(data) as db:
        found = find_or_add(db, person, role, team, organisation)
        token, text = auth.issue_token(db, found, label, days)
    print(text)
    print(f"token {token.id} for {person} ({found.role}), good until {token.expires_at:%Y-%m-%d}", file=sys.stderr)


@token_app.command("list")
def list_tokens(data: DataOption = None, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Lists all tokens, without their secrets."""
    import sqlalchemy as sa

    from serving.store.people import Token

    with _database(data) as db:
        rows = [
            {
                "id": token.id,
                "person": token.person.name,
                "role": str(token.person.role),
                "label": token.label,
                "expires": f"{token.expires_at:%Y-%m-%d}",
                "last_used": f"{token.last_used_at:%Y-%m-%d %H:%M}" if token.last_used_at else "",
                "revoked": f"{token.revoked_at:%Y-%m-%d %H:%M}" if token.revoked_at else "",
            }
            for token in db.scalars(sa.select(Token).order_by(Token.created_at))
        ]
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print("  ".join(str(value) for value in row.values()).rstrip())


@token_app.command("revoke")
def revoke_token(token_id: Annotated[str, typer.Argument(help="The token's id.")], data: DataOption = None) -> None:
    """Ends a token, and every browser that was signed in with it."""
    from serving import auth
    from serving.store.people import Token

    with _database(data) as db:
        token = db.get(Token, token_id)
        if token is None:
            raise BadSetting(f"there is no token {token_id}; `msw token list` shows all")
        auth.revoke_token(db, token)
    print(f"revoked {token_id}")


@audit_app.callback()
def _audit() -> None:
    """The audit log."""


@audit_app.command("verify")
def verify_audit(
    expect: Annotated[
        str | None, typer.Option(help="A hash that was kept elsewhere and must stand in the log.")
    ] = None,
    data: DataOption = None,
) -> None:
    """Checks the log's chain from its first entry to its last; exit 1 where it is broken."""
    from serving import audit

    with _database(data) as db:
        verdict = audit.verify(db, expect)
    if not verdict.is_whole:
        print(f"broken: {verdict.reason}", file=sys.stderr)
        raise typer.Exit(1)
    print(f"whole: {verdict.entries} entries, head {verdict.head}")


def _settings(data: Path | None) -> ServiceSettings:
    from pydantic import ValidationError

    from serving.settings import ServiceSettings

    try:
        return ServiceSettings() if data is None else ServiceSettings(data=data)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadSetting(f"{f'{place}: ' if place else ''}{first['msg'].removeprefix('Value error, ')}") from error


def _database(data: Path | None) -> _Opened:
    return _Opened(_settings(data))


class _Opened:
    """The service's database for one command, brought up to date; committed at the end."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings

    def __enter__(self) -> Db:
        from sqlalchemy.orm import Session

        from serving.store.database import migrate, open_engine

        self._engine = open_engine(self._settings.database_url, pool_size=1)
        migrate(self._engine)
        self._db = Session(self._engine, expire_on_commit=False)
        return self._db

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._db.commit()
        self._db.close()
        self._engine.dispose()
