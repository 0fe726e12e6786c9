"""Starts the server: migrations, workers, the hourly round, then requests until it is told to stop."""

from __future__ import annotations

import logging
import threading

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from msw_ml.errors import MswError
from msw_ml.settings import Settings
from serving import auth, job_control, retention
from serving.app import create_app
from serving.service import Service
from serving.settings import ServiceSettings
from serving.supervisor import Supervisor
from serving.worker import quieten_job_engine

_LOG = logging.getLogger(__name__)
_ROUND = 60.0
_SWEEP_EVERY = 60
"""Rounds between two looks at the retention clocks."""


def run_server(settings: ServiceSettings, *, host: str, port: int, workers: int, proxy: str = "") -> None:
    """Serves until SIGTERM or Ctrl-C; `workers` 0 leaves the scoring to others."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    quieten_job_engine()
    scoring = Settings()
    app = create_app(settings, scoring)
    service: Service = app.state.service
    service.prepare()
    supervisor = Supervisor(settings, scoring, workers)
    ended = threading.Event()
    rounds = threading.Thread(target=_rounds, args=(service, ended), daemon=True, name="rounds")
    supervisor.start()
    rounds.start()
    try:
        uvicorn.run(
            app,
            host=host,
            port=port,
            log_level="warning",
            access_log=False,  # an address with a search in it would be content
            server_header=False,
            proxy_headers=bool(proxy),
            forwarded_allow_ips=proxy or None,
            timeout_keep_alive=15,
        )
    finally:
        ended.set()
        supervisor.stop()


def _rounds(service: Service, ended: threading.Event) -> None:
    """Every minute the dead letters, every hour the retention clocks and ended sign-ins; a failure waits a round."""
    count = 0
    while not ended.is_set():
        try:
            job_control.bury_given_up(service)
            if count % _SWEEP_EVERY == 0:
                retention.sweep(service)
                with service.begin() as db:
                    auth.forget_ended(db)
        except (SQLAlchemyError, MswError, OSError) as error:
            _LOG.warning("the round was cut short: %s", type(error).__name__)
        count += 1
        ended.wait(_ROUND)
