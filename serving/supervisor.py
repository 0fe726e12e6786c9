"""`msw serve` in one process tree: the web server, and the worker processes that it starts again when they die."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import socket
import threading
import time
from multiprocessing.process import BaseProcess

from msw_ml.batch.processes import end_with_parent
from msw_ml.settings import Settings
from serving.settings import ServiceSettings

_LOG = logging.getLogger(__name__)
_SPAWN = multiprocessing.get_context("spawn")
_GLANCE = 0.5
_QUICK = 5.0
"""A worker that lived shorter than this is started again with growing patience."""
_LONGEST_WAIT = 60.0


class Supervisor:
    """Keeps so many workers alive, each under its own stable name, so that it finds its own jobs again."""

    def __init__(self, settings: ServiceSettings, scoring: Settings, workers: int) -> None:
        first = settings.worker_name or socket.gethostname()
        self._names = [f"{first}-{number}" for number in range(1, workers + 1)]
        self._settings = (settings, scoring)
        self._processes: dict[str, BaseProcess] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="supervisor")

    def start(self) -> None:
        for name in self._names:
            self._begin(name)
        self._thread.start()

    def stop(self) -> None:
        """Ends the workers; their jobs go on at the next start."""
        self._ended.set()
        self._thread.join()
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            process.join(5)
            if process.is_alive():
                process.kill()
                process.join()

    def _begin(self, name: str) -> None:
        process = _SPAWN.Process(target=_work, args=(*self._settings, name), name=name)
        process.start()
        self._processes[name] = process

    def _watch(self) -> None:
        started = dict.fromkeys(self._names, time.monotonic())
        waits = dict.fromkeys(self._names, _GLANCE)
        due: dict[str, float] = {}
        while not self._ended.wait(_GLANCE):
            moment = time.monotonic()
            for name in self._names:
                if self._processes[name].is_alive():
                    continue
                if name not in due:
                    lived = moment - started[name]
                    waits[name] = min(_LONGEST_WAIT, waits[name] * 2) if lived < _QUICK else _GLANCE
                    due[name] = moment + waits[name]
                    _LOG.warning("worker %s ended (exit code %s)", name, self._processes[name].exitcode)
                elif moment >= due[name]:
                    del due[name]
                    started[name] = moment
                    self._begin(name)


def _work(settings: ServiceSettings, scoring: Settings, name: str) -> None:
    end_with_parent()
    from serving import worker

    with contextlib.suppress(KeyboardInterrupt):
        worker.run(settings, scoring, name)
