"""A service of its own for every test: SQLite in WAL mode, a local folder, people of every role."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from msw_ml import codebook
from msw_ml.coding.measures import measure
from msw_ml.coding.volleys import apply_volley_rules
from msw_ml.formats.session_json import session_json
from msw_ml.session import (
    CodedUtterance,
    Provenance,
    Quality,
    Rating,
    RatingStatus,
    Recording,
    Role,
    RoleChoice,
    ScoredSession,
    Utterance,
)
from msw_ml.settings import Settings
from serving import auth, worker
from serving.app import create_app
from serving.results import CORRECTED, MACHINE, Version, advance
from serving.service import Service
from serving.settings import ServiceSettings
from serving.store.base import now
from serving.store.people import Organisation, Person, PersonRole, Team
from serving.store.sessions import Job, JobState, SessionRow, SessionState

POSTGRES = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)

CSV = """speaker,role,text
Ann,worker,How have the mornings been since we last met?
Bea,parent,Better. I want him to get to school on time.
Ann,worker,So getting there on time matters to you.
Bea,parent,There is no point on Mondays though.
Ann,worker,Is there anything that would make Mondays easier?
"""


class People:
    """One person of every role in the north team, a second coder, and a coder of the south team."""

    def __init__(self, service: Service) -> None:
        self.tokens: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        with service.begin() as db:
            here = Organisation(name="County")
            db.add(here)
            db.flush()
            north, south = (Team(name=name, organisation_id=here.id) for name in ("North", "South"))
            db.add_all([north, south])
            db.flush()
            self.teams = {"north": north.id, "south": south.id}
            everyone = [(role.value, role, north.id) for role in PersonRole]
            everyone += [("coder2", PersonRole.CODER, north.id), ("stranger", PersonRole.CODER, south.id)]
            everyone += [("worker", PersonRole.UPLOADER, north.id)]
            for name, role, team in everyone:
                person = Person(name=name, role=role, organisation_id=here.id, team_id=team)
                db.add(person)
                db.flush()
                self.ids[name] = person.id
                self.tokens[name] = auth.issue_token(db, person, "test", 1)[1]
            other = Organisation(name="Elsewhere")
            db.add(other)
            db.flush()
            foreign = Person(name="foreign", role=PersonRole.ADMINISTRATOR, organisation_id=other.id)
            db.add(foreign)
            db.flush()
            self.tokens["foreign"] = auth.issue_token(db, foreign, "test", 1)[1]

    def as_(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[name]}"}


@pytest.fixture
def settings(tmp_path: Path) -> ServiceSettings:
    return ServiceSettings(data=tmp_path / "service", queue_poll_seconds=0.05, max_upload_mb=8)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied: migrating takes a second."""
    service = Service(ServiceSettings(data=tmp_path_factory.mktemp("empty")), Settings())
    service.prepare()
    with service.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    service.close()
    return service.settings.data / "service.db"


@pytest.fixture(scope="session")
def serve(empty_database: Path) -> Callable[[ServiceSettings], contextlib.AbstractContextManager[TestClient]]:
    """A service with a database of its own, which ends with the context."""

    @contextlib.contextmanager
    def serving(settings: ServiceSettings) -> Iterator[TestClient]:
        settings.data.mkdir()
        shutil.copy(empty_database, settings.data)
        with TestClient(create_app(settings, Settings()), raise_server_exceptions=False) as made:
            yield made

    return serving


@pytest.fixture
def client(settings: ServiceSettings, serve) -> Iterator[TestClient]:
    with serve(settings) as made:
        yield made


@pytest.fixture
def service(client: TestClient) -> Service:
    return client.app.state.service  # type: ignore[attr-defined, no-any-return]


@pytest.fixture
def people(service: Service) -> People:
    return People(service)


@pytest.fixture(scope="session")
def make_people() -> type[People]:
    """For modules that keep one service for all their tests."""
    return People


class Keeper:
    """The worker w1; it can be killed, and started again under its name."""

    def __init__(self, settings: ServiceSettings, service: Service) -> None:
        self._settings, self._service = settings, service
        self.again()

    def again(self) -> None:
        spawned = multiprocessing.get_context("spawn")
        self.process = spawned.Process(target=worker.run, args=(self._settings, Settings(threads=1), "w1"))
        self.process.start()

    def kill(self) -> None:
        os.kill(self.process.pid or 0, signal.SIGKILL)
        self.process.join()

    def tidies_up(self) -> None:
        """Waits until nothing half-made is left."""
        ends = time.monotonic() + 10
        while [key for key in self._service.objects.keys("") if "/stages/" in key]:
            assert time.monotonic() < ends, "something half-made stays"
            time.sleep(0.05)


@pytest.fixture(scope="module")
def running(settings: ServiceSettings, service: Service) -> Iterator[Keeper]:
    """For modules that keep one service for all their tests: a worker takes seconds to start."""
    keeper = Keeper(settings, service)
    yield keeper
    keeper.process.terminate()
    keeper.process.join(10)


class Postgres:
    """Debian's PostgreSQL on a port of its own, which can be stopped and started again."""

    def __init__(self, folder: Path, programs: Path, also_at: str | None = None) -> None:
        self._folder, self._programs = folder, programs
        self._addresses = "127.0.0.1" if also_at is None else f"127.0.0.1,{also_at}"
        self._prefix: list[str] = []
        if os.getuid() == 0:  # it refuses to run as root
            shutil.chown(folder, "postgres")
            self._prefix = ["runuser", "-u", "postgres", "--"]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._run("initdb", "-A", "trust", "-U", "msw", "-E", "UTF8")
        if also_at is not None:
            with (folder / "data" / "pg_hba.conf").open("a") as who_may:
                who_may.write(f"host all msw {also_at}/24 trust\n")
        self._count = 0

    def _run(self, program: str, *options: str) -> None:
        command = [*self._prefix, str(self._programs / program), "-D", str(self._folder / "data"), *options]
        subprocess.run(command, check=True, capture_output=True, cwd=self._folder)

    def start(self) -> None:
        options = f"-p {self._port} -k {self._folder} -c listen_addresses={self._addresses}"
        self._run("pg_ctl", "-o", options, "-l", str(self._folder / "log"), "-w", "start")

    def stop(self) -> None:
        """As `kill -9` would: without saying goodbye to anybody."""
        self._run("pg_ctl", "-m", "immediate", "stop")

    def database(self) -> str:
        """Address of a new, empty database."""
        self._count += 1
        with sa.create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT").connect() as admin:
            admin.exec_driver_sql(f"CREATE DATABASE d{self._count}")
        return self._url(f"d{self._count}")

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg://msw@127.0.0.1:{self._port}/{database}"


@contextlib.contextmanager
def running_postgres(also_at: str | None = None) -> Iterator[Postgres]:
    if POSTGRES is None:
        pytest.skip("PostgreSQL is not installed (Debian package postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="msw-postgres-"))  # its own user must get at it, pytest's folders are closed
    server = Postgres(folder, POSTGRES, also_at)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def make_postgres() -> Callable[[str], contextlib.AbstractContextManager[Postgres]]:
    """For proofs with a network of their own."""
    return running_postgres


class S3:
    """A server that speaks S3 (moto), which can be stopped and started again; what it holds is in memory."""

    def __init__(self, listens_at: str = "127.0.0.1") -> None:
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        with socket.socket() as free:
            free.bind((listens_at, 0))
            self._port = free.getsockname()[1]
        self._address, self._make, self._count = listens_at, ThreadedMotoServer, 0
        self.url = f"http://127.0.0.1:{self._port}"
        self.options = {"endpoint_url": self.url, "key": "msw", "secret": "not-a-secret"}
        self.start()

    def start(self) -> None:
        self._server = self._make(ip_address=self._address, port=self._port, verbose=False)
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def client(self) -> Any:
        """Of another make than the one under test."""
        import boto3

        names = {"aws_access_key_id": "msw", "aws_secret_access_key": "x", "region_name": "us-east-1"}
        return boto3.client("s3", endpoint_url=self.url, **names)

    def bucket(self) -> str:
        """Name of a new, empty bucket."""
        self._count += 1
        name = f"bucket-{self._port}-{self._count}"
        self.client().create_bucket(Bucket=name)
        return name


@pytest.fixture(scope="session")
def make_s3() -> type[S3]:
    pytest.importorskip("moto", reason="moto is not installed (pip install 'moto[server]')")
    return S3


@pytest.fixture(scope="session")
def s3(make_s3: type[S3]) -> Iterator[S3]:
    server = make_s3()
    yield server
    server.stop()


def made_by_hand(name: str) -> ScoredSession:
    """A scored session without an engine: codes and ratings set here, counted by the library."""
    book = codebook.load()
    said = [
        ("Ann", Role.WORKER, "How have the mornings been?", "question_open"),
        ("Bea", Role.PARENT, "I want him to be on time.", "change"),
        ("Ann", Role.WORKER, "Being on time matters to you.", "reflection_complex"),
        ("Bea", Role.PARENT, "There is no point on Mondays.", "sustain"),
        ("Ann", Role.WORKER, "Did you set the alarm?", "question_closed"),
    ]
    units = []
    for number, (speaker, role, text, code) in enumerate(said):
        utterance = Utterance(
            id=number, speaker=speaker, role=role, text=text, start=number * 5.0, end=number * 5.0 + 4
        )
        parent = book.parent_of(code)
        units.append(CodedUtterance(utterance=utterance, code=code, parent_code=parent, confidence=0.77))
    coded = apply_volley_rules(units, book)
    ratings = tuple(
        Rating(
            element=element.id, status=RatingStatus.INDICATIVE, value=3.3, low=2.1, high=4.4, coverage=0.8, reason="r"
        )
        for element in book.elements
    )
    return ScoredSession(
        recording=Recording(name=name, source=f"{name}.csv", sha256="0" * 64, kind="transcript", duration=24.0),
        roles=RoleChoice(roles={"Ann": Role.WORKER, "Bea": Role.PARENT}, margin=1.0, method="given"),
        quality=Quality(words=26, speakers=2),
        utterances=coded,
        measures=measure(coded, book),
        ratings=ratings,
        provenance=Provenance(
            msw_ml="0", codebook=book.id, codebook_version=book.version, engines={"coder": "by hand"}, settings={}
        ),
    )


def put_scores(service: Service, session_id: str, session: ScoredSession) -> None:
    """Gives a session its first result, as a worker would."""
    with service.begin() as db:
        row = db.get_one(SessionRow, session_id)
        version = Version(service.objects, row.id, advance(db, row, row.version))
        for name in (MACHINE, CORRECTED):
            version.add(db, name, session_json(session))
        row.version, row.state, row.duration = version.number, SessionState.SCORED, session.recording.duration
        job = db.scalars(sa.select(Job).where(Job.session_id == session_id)).first()
        if job is not None:
            job.state, job.stage, job.progress = JobState.SUCCEEDED, "write", 1.0


@pytest.fixture
def scored(client: TestClient, service: Service, people: People) -> str:
    """Id of a session of the north team, scored without a worker; 'worker' is whose visit it was."""
    answer = client.post(
        "/v1/sessions", files={"file": ("visit.csv", CSV)}, data={"worker": "worker"}, headers=people.as_("uploader")
    )
    session_id: str = answer.json()["sessions"][0]
    put_scores(service, session_id, made_by_hand("visit"))
    return session_id


@pytest.fixture
def visits_of(
    client: TestClient, service: Service, people: People, scored: str
) -> Callable[[str, int, int], list[str]]:
    """Adds scored visits of so many workers of a team, one each; their names come back. The fixture's own goes."""
    with service.begin() as db:
        organisation = db.get_one(Person, people.ids["manager"]).organisation_id
        db.get_one(SessionRow, scored).scores_erased_at = now()

    def add(team: str, count: int, first: int = 0) -> list[str]:
        names = [f"Worker {team} {number}" for number in range(first, first + count)]
        for name in names:
            with service.begin() as db:
                db.add(
                    Person(
                        name=name, role=PersonRole.UPLOADER, organisation_id=organisation, team_id=people.teams[team]
                    )
                )
            sent = client.post(
                "/v1/sessions",
                files={"file": ("visit.csv", CSV)},
                data={"worker": name},
                headers=people.as_("administrator"),
            )
            put_scores(service, sent.json()["sessions"][0], made_by_hand("visit"))
        return names

    return add
