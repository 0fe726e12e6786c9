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
from serving.job_queue import APPLICATION, APPLICATION_VERSION, DELIVERIES, DELIVERY, QUEUE, SHORT, WORKFLOW
from serving.job_rows import PATIENCE, JobRows
from serving.settings import ServiceSettings
from serving.stage_names import STAGES, WHOLE
from serving.stage_process import Heartbeat, StageCanceled, StageFailed, StageProcess
from serving.stages import Order, share_of_listening
from serving.store.database import is_sqlite, open_engine
from serving.store.objects import Objects, StorageAway

_LOG = logging.getLogger(__name__)
MAX_RECOVERIES = 4
"""So often a job may take its worker with it before it is a dead letter."""
STAGE_ATTEMPTS = 3
_PROGRESS_EVERY = 0.5
_SHORT_AT_A_TIME = 16
"""So many short transcripts are taken at one look at the queue: their rows are written while others are scored."""


class JobFailed(Exception):
    """What the job engine keeps of a failure: the reason stands in the job's own row."""


class _Hand:
    """A child process and whose turn it is."""

    def __init__(self, process: StageProcess) -> None:
        self.process = process
        self.turn = threading.Lock()


class _Watch:
    """How far a stage is and how long it took; of a short job, stage after stage."""

    def __init__(self, ordered: str) -> None:
        self._is_whole = ordered == WHOLE
        self.stage = STAGES[0] if self._is_whole else ordered
        self.share = 0.0
        self.seconds: dict[str, float] = {}
        self._since = self._written = time.monotonic()

    def see(self, said: str, share: float) -> None:
        """What the child said: the library's stage, or of a short job the stage that it has finished."""
        if self._is_whole:
            if said == self.stage and said != STAGES[-1]:
                self.end()
                self.stage = STAGES[len(self.seconds)]
        elif self.stage == "listen":
            self.share = share_of_listening(said, share)
        else:
            self.share = share

    def is_due(self) -> bool:
        """Whether it is time to write it down."""
        is_due = time.monotonic() - self._written >= _PROGRESS_EVERY
        if is_due:
            self._written = time.monotonic()
        return is_due

    def end(self) -> None:
        """Notes the stage in hand as finished."""
        moment = time.monotonic()
        self.seconds[self.stage], self._since = moment - self._since, moment


class Worker:
    """One process that scores one recording at a time, and beside it short transcripts one after the other."""

    def __init__(self, settings: ServiceSettings, scoring: Settings, name: str) -> None:
        self.name = name
        self._settings = settings
        self._engine = open_engine(settings.database_url)
        self._long, self._short = (_Hand(StageProcess(settings, scoring)) for _ in range(2))
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
        DBOS.listen_queues([QUEUE, SHORT, DELIVERIES])
        DBOS.launch()
        for queue, at_a_time in ((QUEUE, 1), (SHORT, _SHORT_AT_A_TIME)):
            DBOS.register_queue(
                queue,
                worker_concurrency=at_a_time,
                polling_interval_sec=self._settings.queue_poll_seconds,
                on_conflict="always_update",
            )
        DBOS.register_queue(DELIVERIES, worker_concurrency=4, polling_interval_sec=1.0, on_conflict="always_update")

    def end(self) -> NoReturn:
        """Ends this process at once, with the stage in hand; its job goes on when the worker is started again.

        There is one way to end, and `kill -9` takes it too: what is not tidied up here never has to be.
        """
        for hand in (self._long, self._short):
            hand.process.stop()
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
        def stage(job_id: str, name: str) -> bool:
            return self.do(job_id, name)

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
                    if stage(job_id, name):
                        break
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

    def do(self, job_id: str, stage: str) -> bool:
        """One stage of one job; whether it was all of them. Raises `StageFailed` and `StageCanceled`."""
        order = self._rows.begin_stage(job_id, stage)
        hand = self._short if order.stage == WHOLE else self._long
        with hand.turn:
            watch = _Watch(order.stage)

            def heartbeat(library_stage: str, share: float) -> bool:
                watch.see(library_stage, share)
                return not watch.is_due() or self._rows.keep_going(job_id, watch.stage, watch.share)

            self._do_patiently(hand.process, order, heartbeat)
            watch.end()
        self._rows.end_stages(job_id, watch.seconds)
        _LOG.info("job %s: %s took %.2f s", job_id, order.stage, sum(watch.seconds.values()))
        return order.stage == WHOLE

    def _do_patiently(self, process: StageProcess, order: Order, heartbeat: Heartbeat) -> None:
        """Does a stage again and again while the storage is away; it may be stopped meanwhile."""
        ends, wait = time.monotonic() + PATIENCE, 1.0
        while True:
            try:
                return process.do(order, heartbeat)
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
