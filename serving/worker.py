"""A worker: takes jobs from the queue and does their stages, each a durable step.

Its name is its identity to the job engine: a worker that was killed takes up, when it is started again
under the same name, what it had in hand, at the stage it had reached.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from functools import cache
from typing import NoReturn

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer
from sqlalchemy.orm import Session

from msw_ml import engines
from msw_ml.pipeline import Pipeline
from msw_ml.settings import Settings
from serving import webhooks
from serving.job_queue import APPLICATION, APPLICATION_VERSION, DELIVERIES, DELIVERY, QUEUE, WORKFLOW
from serving.job_rows import PATIENCE, JobRows
from serving.settings import ServiceSettings
from serving.stage_names import STAGES
from serving.stage_process import Heartbeat, StageCanceled, StageFailed, StageProcess
from serving.stages import Order, share_of_listening
from serving.store.database import is_sqlite, open_engine
from serving.store.objects import Objects, StorageAway

_LOG = logging.getLogger(__name__)
MAX_RECOVERIES = 4
"""So often a job may take its worker with it before it is a dead letter."""
STAGE_ATTEMPTS = 3
_PROGRESS_EVERY = 0.5


class JobFailed(Exception):
    """What the job engine keeps of a failure: the reason stands in the job's own row."""


class Worker:
    """One process that scores one job at a time."""

    def __init__(self, settings: ServiceSettings, scoring: Settings, name: str) -> None:
        self.name = name
        self._settings = settings
        self._engine = open_engine(settings.database_url, pool_size=5)
        self._child = StageProcess(settings, scoring)
        self._turn = threading.Lock()
        objects = Objects(settings.objects_url, settings.objects_options, settings.data / "incoming")

        @cache
        def pipeline() -> Pipeline:
            return engines.pipeline(scoring)

        self._rows = JobRows(self._engine, objects, name, settings.max_hours, pipeline)

    def launch(self) -> None:
        """Connects to the job engine, takes up what was left, and begins to look for more."""
        quieten_job_engine()
        config = DBOSConfig(
            name=APPLICATION,
            system_database_engine=self._engine,
            system_database_url=self._engine.url.render_as_string(hide_password=False),
            dbos_system_schema=None if is_sqlite(self._engine) else "dbos",
            application_version=APPLICATION_VERSION,
            executor_id=self.name,
            serializer=DBOSPortableJSONSerializer(),
            run_migrations=False,
            enable_otlp=False,
            log_level="WARNING",
        )
        DBOS(config=config)
        self._register()
        DBOS.listen_queues([QUEUE, DELIVERIES])
        DBOS.launch()
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=1,
            polling_interval_sec=self._settings.queue_poll_seconds,
            on_conflict="always_update",
        )
        DBOS.register_queue(DELIVERIES, worker_concurrency=4, polling_interval_sec=1.0, on_conflict="always_update")

    def end(self) -> NoReturn:
        """Ends this process at once, with the stage in hand; its job goes on when the worker is started again.

        There is one way to end, and `kill -9` takes it too: what is not tidied up here never has to be.
        """
        self._child.stop()
        logging.shutdown()
        os._exit(0)

    def _register(self) -> None:
        @DBOS.step(
            name="stage",
            retries_allowed=True,
            max_attempts=STAGE_ATTEMPTS,
            interval_seconds=1.0,
            backoff_rate=3.0,
            should_retry=lambda error: isinstance(error, StageFailed) and error.is_transient,
        )
        def stage(job_id: str, name: str) -> None:
            self.do(job_id, name)

        @DBOS.step(name="send", retries_allowed=True, max_attempts=8, interval_seconds=2.0, backoff_rate=3.0)
        def send(hook_id: str, job_id: str, number: str) -> None:
            with Session(self._engine) as db:
                made = webhooks.message(db, hook_id, job_id, number, self._settings)
            if made is not None:
                webhooks.send(made)

        @DBOS.workflow(name=DELIVERY, max_recovery_attempts=MAX_RECOVERIES)
        def deliver_webhook(hook_id: str, job_id: str) -> None:
            send(hook_id, job_id, DBOS.workflow_id or job_id)

        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=MAX_RECOVERIES)
        def score_session(job_id: str) -> None:
            try:
                for name in STAGES:
                    stage(job_id, name)
            except StageCanceled:
                self._rows.tidy(job_id)
                return
            except Exception as error:  # noqa: BLE001 whatever it was, the job must say that it failed
                failure = _failure(error)
                self._rows.fail(job_id, failure)
                raise JobFailed(failure.kind) from None
            except BaseException:  # the queue's own cancellation is no Exception; the end of the process is none either
                self._rows.tidy(job_id, is_canceled=True)
                raise
            self._rows.tidy(job_id)

    def do(self, job_id: str, stage: str) -> None:
        """One stage of one job. Raises `StageFailed` and `StageCanceled`."""
        with self._turn:
            order = self._rows.begin_stage(job_id, stage)
            began, written = time.monotonic(), [0.0]

            def heartbeat(library_stage: str, share: float) -> bool:
                if time.monotonic() - written[0] < _PROGRESS_EVERY:
                    return True
                written[0] = time.monotonic()
                done = share_of_listening(library_stage, share) if stage == "listen" else share
                return self._rows.keep_going(job_id, stage, done)

            self._do_patiently(order, heartbeat)
            self._rows.end_stage(job_id, stage, time.monotonic() - began)
            _LOG.info("job %s: %s took %.2f s", job_id, stage, time.monotonic() - began)

    def _do_patiently(self, order: Order, heartbeat: Heartbeat) -> None:
        """Does a stage again and again while the storage is away; it may be stopped meanwhile."""
        ends, wait = time.monotonic() + PATIENCE, 1.0
        while True:
            try:
                return self._child.do(order, heartbeat)
            except StageFailed as failure:
                if failure.kind != StorageAway.__name__ or time.monotonic() > ends:
                    raise
            _LOG.warning("job %s: the storage cannot be reached; trying again in %.0f s", order.job, wait)
            tried = time.monotonic()
            while time.monotonic() < tried + wait:
                time.sleep(_PROGRESS_EVERY)
                if not heartbeat("", 0.0):
                    raise StageCanceled
            wait = min(10.0, wait * 2)


def run(settings: ServiceSettings, scoring: Settings, name: str | None = None) -> None:
    """Works until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    worker = Worker(settings, scoring, name or settings.worker_name or socket.gethostname())
    worker.launch()
    _LOG.info("worker %s is ready", worker.name)
    ended.wait()
    worker.end()


class _WithoutTraceback(logging.Filter):
    """The job engine logs the traceback of a failed step, and its text: neither may hold speech, so neither stays."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[0] is not None:
            record.msg, record.args = f"a step failed: {record.exc_info[0].__name__}", ()
        record.exc_info = record.exc_text = None
        return True


def quieten_job_engine() -> None:
    """Takes content out of the job engine's log, once."""
    logger = logging.getLogger("dbos")
    if not any(isinstance(known, _WithoutTraceback) for known in logger.filters):
        logger.addFilter(_WithoutTraceback())


def _failure(error: Exception) -> StageFailed:
    """The reason behind whatever the job engine wraps around it."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, StageFailed):
        inner = getattr(found, "errors", None)
        found = inner[-1] if isinstance(inner, list) and inner else found.__cause__
    if isinstance(found, StageFailed):
        return found
    kind = type(error).__name__
    message = f"{kind}; this should not happen: please report it with the job's id"
    return StageFailed(kind, message, is_transient=False)
