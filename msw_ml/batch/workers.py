"""Worker processes: each builds the corridor once and takes one input after another.

A worker that dies (out of memory, killed) takes only its own input with it: the parent is told, and
another worker is started. A worker whose parent dies ends itself.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from typing import Literal

from msw_ml.batch.options import ScoreOptions
from msw_ml.batch.processes import end_with_parent, place_of
from msw_ml.batch.work import Done, Work
from msw_ml.errors import MswError
from msw_ml.session import Value
from msw_ml.settings import Settings

_SPAWN = multiprocessing.get_context("spawn")


class Event(Value):
    """What a worker says of the input it has in hand."""

    name: str
    kind: Literal["progress", "done", "failed"]
    stage: str = ""
    share: float = 0.0
    result: Done | None = None
    """Where it is done."""
    error: str = ""
    error_kind: str = ""


class _Worker:
    def __init__(self, settings: Settings, options: ScoreOptions) -> None:
        self.connection, theirs = _SPAWN.Pipe()
        self.process = _SPAWN.Process(target=_serve, args=(theirs, settings, options), daemon=True)
        self.process.start()
        theirs.close()
        self.work: Work | None = None

    def take(self, work: Work) -> None:
        self.work = work
        self.connection.send(work)

    def stop(self) -> None:
        """Lets an idle worker end by itself; one that is at work is ended."""
        self.connection.close()
        if self.work is None:
            self.process.join(10)
        if self.process.is_alive():
            self.process.terminate()
            self.process.join(5)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def run(works: list[Work], jobs: int, settings: Settings, options: ScoreOptions) -> Iterator[Event]:
    """Does all works on `jobs` processes and says what happens, in the order in which it does.

    Closing the iterator (or an exception such as Ctrl-C inside it) ends the workers at once.
    """
    waiting = list(reversed(works))
    workers = [_Worker(settings, options) for _ in range(min(jobs, len(works)))]
    try:
        while True:
            for place, idle in enumerate(workers):
                if idle.work is None and waiting:
                    if not idle.process.is_alive():
                        idle.stop()
                        workers[place] = _Worker(settings, options)
                    workers[place].take(waiting.pop())
            busy = {worker.connection: worker for worker in workers if worker.work is not None}
            if not busy:
                return
            for ready in wait(list(busy)):
                yield from _hear(busy[ready])  # type: ignore[index]
    finally:
        for worker in workers:
            worker.stop()


def _hear(worker: _Worker) -> Iterator[Event]:
    if worker.work is None:
        return
    name = worker.work.name
    try:
        event = worker.connection.recv()
    except (EOFError, OSError):
        worker.process.join(5)
        worker.work = None
        yield Event(
            name=name,
            kind="failed",
            error_kind="WorkerDied",
            error=f"{name}: the worker process ended (exit code {worker.process.exitcode}), perhaps for lack of "
            f"memory; run the same command again, with fewer --jobs if it happens twice",
        )
        return
    if event.kind != "progress":
        worker.work = None
    yield event


def _serve(connection: Connection, settings: Settings, options: ScoreOptions) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    from msw_ml import engines
    from msw_ml.batch.work import do

    pipeline = engines.pipeline(settings)
    while True:
        try:
            work: Work = connection.recv()
        except EOFError:
            return

        def progress(stage: str, share: float, name: str = work.name) -> None:
            connection.send(Event(name=name, kind="progress", stage=stage, share=share))

        try:
            result = do(work, options, pipeline, progress)
            connection.send(Event(name=work.name, kind="done", result=result))
        except MswError as error:
            connection.send(Event(name=work.name, kind="failed", error=str(error), error_kind=type(error).__name__))
        except Exception as error:  # noqa: BLE001 whatever it is, the next recording must go on
            connection.send(_unexpected(work, error))


def _unexpected(work: Work, error: Exception) -> Event:
    """An error nobody foresaw: its kind and place, not its text, which may hold speech."""
    kind = type(error).__name__
    return Event(
        name=work.name,
        kind="failed",
        error_kind=kind,
        error=f"{work.path.name}: {kind} at {place_of(error)}; this should not happen: "
        f"please report it with the manifest's line",
    )
