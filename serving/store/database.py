"""Engines for both databases, and the migrations that bring them up to date.

One database holds our tables and the job engine's, so that a job is enqueued in the transaction that
inserts its row. On SQLite that is one file in WAL mode; on PostgreSQL the engine's tables are in the
schema `dbos`.
"""

from __future__ import annotations

import time
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from msw_ml.errors import BadSetting
from serving.store.tables import METADATA

BUSY_MS = 30_000
"""How long a writer waits for another on SQLite, as the job engine does."""
RESTED_SECONDS = 1.0
"""A PostgreSQL connection that lay unused for longer is tried before it is used: the server may have gone since.
Trying it each time costs a round trip for every transaction of a crowd."""

_UNTIL_GIVEN_UP = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""A network that swallows packets says nothing: without these a worker waits a quarter of an hour for an answer."""
_UNTIL_LET_GO = "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
"""The same for the server's end: else what a cut-off worker had locked stays locked for two hours, even for itself."""


def open_engine(url: str, pool_size: int = 10) -> sa.Engine:
    """An engine for SQLite (a file) or PostgreSQL. Raises `BadSetting` for anything else."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise BadSetting("MSW_SERVICE_DATABASE is no database address; write postgresql+psycopg://…") from error
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database:
            raise BadSetting("the service needs a SQLite file, not a database in memory")
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(parsed, pool_size=pool_size, max_overflow=pool_size, pool_timeout=30)
        sa.event.listen(engine, "connect", _prepare_sqlite)
        return engine
    if parsed.get_backend_name() != "postgresql":
        raise BadSetting(f"the service keeps its rows in SQLite or PostgreSQL, not in {parsed.get_backend_name()}")
    engine = sa.create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=10,
        connect_args={**_UNTIL_GIVEN_UP, "options": f"{parsed.query.get('options', '')} {_UNTIL_LET_GO}".strip()},
    )
    _try_the_rested(engine)
    return engine


def _try_the_rested(engine: sa.Engine) -> None:
    """Has the pool try connections that lay unused; where one is dead, the pool opens another in its place."""

    @sa.event.listens_for(engine, "checkin")
    def note(_: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info["rests_since"] = time.monotonic()

    @sa.event.listens_for(engine, "checkout")
    def look(connection: DBAPIConnection, record: ConnectionPoolEntry, _: PoolProxiedConnection) -> None:
        since = record.info.get("rests_since")
        if since is None or time.monotonic() - since < RESTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise sa.exc.DisconnectionError("this connection has ended") from error


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = "IMMEDIATE"  # writers queue up instead of failing
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",  # in WAL mode NORMAL may lose the last commits on power loss
        "foreign_keys=ON",
        "secure_delete=ON",  # what is erased is overwritten
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def is_sqlite(engine: sa.Engine) -> bool:
    """Whether everything lies in one file."""
    return engine.dialect.name == "sqlite"


def migrate(engine: sa.Engine, revision: str = "head") -> None:
    """Brings our tables up to a revision; whoever calls at the same time waits."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.connect() as connection, connection.begin():
        if is_sqlite(engine):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(6773)"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def is_ours(name: str | None, kind: str) -> bool:
    """Whether a thing in the database belongs to us: the job engine's tables lie in the same SQLite file."""
    return kind != "table" or name in METADATA.tables


def forget_erased(engine: sa.Engine) -> None:
    """After an erasure on SQLite: empties the write-ahead log, which still holds what was there.

    Somebody who reads for longer than `BUSY_MS` keeps it from that; whoever calls has to come again.
    """
    if is_sqlite(engine):
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
