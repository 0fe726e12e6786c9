"""A child process that does stages, one at a time, and can be ended at any moment.

The engines run in native code that Python cannot interrupt. In a process of their own they can be stopped
within a moment, a crash takes nothing else along, and the pipeline is built once for many jobs.
"""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Literal

from msw_ml.batch.processes import end_with_parent, place_of
from msw_ml.errors import EngineError, MswError, OutputError
from msw_ml.session import Value
from msw_ml.settings import Settings
from serving.settings import ServiceSettings
from serving.stages import Order

_SPAWN = multiprocessing.get_context("spawn")
_GLANCE = 0.2
"""Seconds between two looks at whether the job was cancelled."""

Heartbeat = Callable[[str, float], bool]
"""Called with the library's stage and its share every so often; `False` means: stop."""


class StageFailed(Exception):
    """A stage that could not be done. The message is for the user and holds no speech."""

    def __init__(self, kind: str, message: str, *, is_transient: bool) -> None:
        super().__init__(kind)  # the job engine keeps an exception's text: the kind is enough for it
        self.kind = kind
        self.message = message
        self.is_transient = is_transient


class StageCanceled(Exception):
    """Somebody stopped the job."""


class _Said(Value):
    """What the child says."""

    what: Literal["progress", "done", "failed"]
    stage: str = ""
    share: float = 0.0
    kind: str = ""
    message: str = ""
    is_transient: bool = False


class StageProcess:
    """The parent's side. Not for several threads at once."""

    def __init__(self, service: ServiceSettings, scoring: Settings) -> None:
        self._settings = (service, scoring)
        self._connection: Connection | None = None
        self._process: multiprocessing.process.BaseProcess | None = None

    def do(self, order: Order, heartbeat: Heartbeat) -> None:
        """Does one stage. Raises `StageFailed` and `StageCanceled`; the child is ended on both cancel and crash."""
        connection = self._ready()
        connection.send(order)
        last = ("", 0.0)
        try:
            while True:
                said = connection.recv() if connection.poll(_GLANCE) else None
                if said is not None and said.what == "done":
                    return
                if said is not None and said.what == "failed":
                    raise StageFailed(said.kind, said.message, is_transient=said.is_transient)
                if said is not None:
                    last = (said.stage, said.share)
                if not heartbeat(*last):
                    self.stop()
                    raise StageCanceled
        except (EOFError, OSError) as error:
            self.stop()
            raise StageFailed(
                "WorkerDied", "the process that scored it ended, perhaps for lack of memory", is_transient=True
            ) from error

    def stop(self) -> None:
        """Ends the child at once; the next stage starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None

    def _ready(self) -> Connection:
        if self._connection is None or self._process is None or not self._process.is_alive():
            self.stop()
            self._connection, theirs = _SPAWN.Pipe()
            self._process = _SPAWN.Process(target=_serve, args=(theirs, *self._settings), daemon=True)
            self._process.start()
            theirs.close()
        return self._connection


def _serve(connection: Connection, service: ServiceSettings, scoring: Settings) -> None:
    end_with_parent()
    from msw_ml import engines
    from serving.stages import Stages
    from serving.store.objects import Objects

    objects = Objects(service.objects_url, service.objects_options, service.data / "incoming")
    stages: Stages | None = None

    def progress(stage: str, share: float) -> None:
        connection.send(_Said(what="progress", stage=stage, share=share))

    while True:
        try:
            order: Order = connection.recv()
        except EOFError:
            return
        try:
            stages = stages or Stages(engines.pipeline(scoring), objects)
            stages.do(order, progress)
            said = _Said(what="done")
        except MswError as error:
            is_transient = isinstance(error, OutputError | EngineError)
            said = _Said(what="failed", kind=type(error).__name__, message=str(error), is_transient=is_transient)
        except Exception as error:  # noqa: BLE001 whatever it is, the next job must go on
            said = _unexpected(error)
        with contextlib.suppress(BrokenPipeError):
            connection.send(said)


def _unexpected(error: Exception) -> _Said:
    """An error nobody foresaw: its kind and place, not its text, which may hold speech."""
    kind = type(error).__name__
    message = f"{kind} at {place_of(error)}; this should not happen: please report it with the job's id"
    return _Said(what="failed", kind=kind, message=message, is_transient=isinstance(error, OSError))
