"""Two workers on hosts of their own (network namespaces), PostgreSQL and S3 shared; one host is cut off and comes back.

pytest tests/serving/test_proof_two_hosts.py -m slow -s        (as root, with iproute2 and PostgreSQL)
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from msw_ml.disk import sha256
from msw_ml.settings import Settings
from serving.app import create_app
from serving.service import Service
from serving.settings import ServiceSettings
from serving.stage_names import SHORT_BYTES, STAGES
from serving.store.sessions import Artefact, Job, JobState, SessionRow, StageRun

JOBS, MORE, CUT_SECONDS = 16, 4, 40
"""The cut lasts longer than a connection waits for an answer (20 seconds)."""
PATIENCE = 900
"""Seconds; much, for the machine may be busy with other things."""
ADDRESS = "10.213.97"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]


class Network:
    """A bridge, and hosts on it that can be unplugged."""

    def __init__(self, hosts: tuple[str, ...]) -> None:
        self.hosts, self.address = hosts, f"{ADDRESS}.1"
        self._bridge = "msw-bridge"

    def build(self) -> None:
        ip("link", "add", self._bridge, "type", "bridge")
        ip("address", "add", f"{self.address}/24", "dev", self._bridge)
        ip("link", "set", self._bridge, "up")
        for number, host in enumerate(self.hosts, 2):
            ip("netns", "add", host)
            ip("link", "add", f"{host}-plug", "type", "veth", "peer", "name", "eth0", "netns", host)
            ip("link", "set", f"{host}-plug", "master", self._bridge, "up")
            ip("-n", host, "address", "add", f"{ADDRESS}.{number}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                ip("-n", host, "link", "set", device, "up")

    def unplug(self, host: str) -> None:
        """Its packets go nowhere and nobody is told: no reset, no refusal."""
        ip("link", "set", f"{host}-plug", "down")

    def plug(self, host: str) -> None:
        ip("link", "set", f"{host}-plug", "up")

    def remove(self) -> None:
        for host in self.hosts:
            with contextlib.suppress(subprocess.CalledProcessError):
                ip("netns", "delete", host)
        with contextlib.suppress(subprocess.CalledProcessError):
            ip("link", "delete", self._bridge)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    if os.getuid() != 0:
        pytest.skip("network namespaces need root")
    if shutil.which("ip") is None:
        pytest.skip("iproute2 is not installed (Debian package iproute2)")
    made = Network(("msw-w1", "msw-w2"))
    try:
        made.build()
    except subprocess.CalledProcessError as error:
        made.remove()
        pytest.skip(f"this machine gives no network namespaces: {error.stderr.strip()}")
    yield made
    made.remove()


@pytest.fixture
def settings(network, make_postgres, make_s3, tmp_path) -> Iterator[ServiceSettings]:
    with make_postgres(network.address) as database:
        storage = make_s3("0.0.0.0")  # here it is called on this machine, from the hosts over the bridge
        yield ServiceSettings(
            data=tmp_path / "service",
            database=database.database(),
            objects=f"s3://{storage.bucket()}/msw",
            objects_options=storage.options,
            requests_per_minute=10**6,
            queue_poll_seconds=0.1,
            has_pages=False,
        )
        storage.stop()


@pytest.fixture
def service(settings) -> Iterator[Service]:
    made = Service(settings, Settings())
    made.prepare()
    yield made
    made.close()


@pytest.fixture
def workers(network, settings, service, tmp_path) -> Iterator[dict[str, Path]]:
    """A worker on each host, started as anybody would; the path of each one's log."""
    logs = {host: tmp_path / f"{host}.log" for host in network.hosts}
    running = []
    for host, log in logs.items():
        environment = os.environ | {
            "MSW_SERVICE_DATA": str(tmp_path / host),
            "MSW_SERVICE_DATABASE": settings.database.replace("127.0.0.1", network.address),
            "MSW_SERVICE_OBJECTS": settings.objects,
            "MSW_SERVICE_QUEUE_POLL_SECONDS": "0.1",
            "AWS_ENDPOINT_URL": settings.objects_options["endpoint_url"].replace("127.0.0.1", network.address),
            "AWS_ACCESS_KEY_ID": "msw",
            "AWS_SECRET_ACCESS_KEY": "not-a-secret",
            "MSW_THREADS": "1",
        }
        command = ["ip", "netns", "exec", host, str(Path(sys.executable).parent / "msw"), "worker", "--name", host]
        with log.open("wb") as said:
            running.append(subprocess.Popen(command, env=environment, stdout=said, stderr=said))
    yield logs
    for process in running:
        process.kill()
        process.wait()


def transcript(number: int) -> bytes:
    """Just too long for the lane of short ones, of which a worker takes many at a look: a few would all go to one."""
    rows = "Ann,worker,How was day {0} and {1} for you?\nBea,parent,I want day {1} calmer.\n"
    text = "speaker,role,text\n"
    while len(text) <= SHORT_BYTES:
        text += rows.format(number, text.count("\n"))
    return text.encode()


def until(is_reached: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + PATIENCE
    while not is_reached():
        assert time.monotonic() < ends, what
        time.sleep(0.1)


class Books:
    """What the rows say of jobs and stages."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def states(self) -> Counter[str]:
        """How many jobs are in which state; one that failed ends the proof."""
        with self._service.begin() as db:
            failed = db.execute(sa.select(Job.stage, Job.error).where(Job.state == JobState.FAILED)).all()
            assert not failed, failed[0]
            return Counter(db.scalars(sa.select(Job.state)))

    def in_hand(self, worker: str) -> list[str]:
        with self._service.begin() as db:
            held = sa.select(Job.id).where(Job.worker == worker, Job.state == JobState.RUNNING)
            return list(db.scalars(held))

    def stages(self) -> list[StageRun]:
        self.states()
        with self._service.begin() as db:
            return list(db.scalars(sa.select(StageRun)))

    def workers(self) -> Counter[str]:
        return Counter(run.worker for run in self.stages() if run.stage == STAGES[-1])


def test_a_host_is_cut_off_and_comes_back(network, settings, service, workers, make_people, capsys):
    """Both take jobs; while one is cut off the other does the rest; back again it ends what it had in hand, once."""
    people, books = make_people(service), Books(service)
    lost, other = network.hosts

    sent = itertools.count()

    def send(client: TestClient, count: int) -> int:
        """How many were sent in all."""
        for number in itertools.islice(sent, count):
            file = {"file": ("a.csv", transcript(number))}
            assert client.post("/v1/sessions", files=file, headers=people.as_("coder")).status_code == 202
        return number + 1

    with TestClient(create_app(settings, Settings()), raise_server_exceptions=False) as client:
        until(lambda: all("is ready" in log.read_text() for log in workers.values()), "no worker became ready")
        send(client, JOBS)
        until(lambda: set(books.workers()) == {lost, other}, "the jobs are not shared out")
        for _ in range(50):  # in the middle of a job
            send(client, MORE)
            until(lambda: bool(books.in_hand(lost)), "it takes no jobs")
            network.unplug(lost)
            time.sleep(1.0)  # what was on its way arrives
            if held := books.in_hand(lost):
                break
            network.plug(lost)
        assert held, "it was never caught at work"
        cut_at, before = time.monotonic(), books.workers()
        total = send(client, MORE)
        until(lambda: books.states()[JobState.SUCCEEDED] == total - len(held), "the other did not go on")
        time.sleep(max(0.0, CUT_SECONDS - (time.monotonic() - cut_at)))
        assert books.in_hand(lost) == held
        assert books.workers()[lost] == before[lost]
        cut, back_at = time.monotonic() - cut_at, time.monotonic()
        network.plug(lost)
        until(lambda: books.states() == {JobState.SUCCEEDED: total}, "a job was lost")
        took = time.monotonic() - back_at
        total = send(client, MORE)
        until(lambda: books.states() == {JobState.SUCCEEDED: total}, "a job was lost")

    runs = books.stages()
    assert len(runs) == total * len(STAGES)
    assert {run.worker for run in runs if run.job_id in held and run.stage == STAGES[-1]} == {lost}
    with service.begin() as db:
        assert set(db.scalars(sa.select(SessionRow.version))) == {1}
        kept = {artefact.key: artefact.sha256 for artefact in db.scalars(sa.select(Artefact))}
    for key, digest in kept.items():
        with service.objects.local_copy(key, "x") as path:
            assert sha256(path) == digest
    with capsys.disabled():
        shares = ", ".join(f"{host} {count}" for host, count in sorted(books.workers().items()))
        sys.stdout.write(
            f"\n{total} jobs ended once ({shares}); {lost} cut off for {cut:.0f} s with {len(held)} job "
            f"in hand, which ended {took:.0f} s after it was back (load {os.getloadavg()[0]:.1f})\n"
        )
