"""Everything that a request needs, made once when the server starts."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from msw_ml import codebook, engines
from msw_ml.codebook import Codebook
from msw_ml.errors import MswError
from msw_ml.pipeline import Pipeline
from msw_ml.settings import Settings
from serving.job_queue import JobQueue, migrate_jobs
from serving.rate_limit import RateLimit
from serving.reads import RecentReads
from serving.settings import ServiceSettings
from serving.store.base import Db
from serving.store.database import migrate, open_engine
from serving.store.objects import Objects

if TYPE_CHECKING:
    from serving.oidc import Provider


class Service:
    """Database, objects, queue and codebook of one service."""

    def __init__(self, settings: ServiceSettings, scoring: Settings) -> None:
        self.settings = settings
        self.scoring = scoring
        self.engine: sa.Engine = open_engine(settings.database_url)
        self.objects = Objects(settings.objects_url, settings.objects_options, settings.data / "incoming")
        self.codebook: Codebook = codebook.load(scoring.codebook)
        self.rate_limit = RateLimit(settings.requests_per_minute)
        self.recent_reads = RecentReads()
        self._turn = threading.Lock()

    @cached_property
    def queue(self) -> JobQueue:
        return JobQueue(self.engine)

    @cached_property
    def pipeline(self) -> Pipeline:
        """The corridor, for what is recomputed while somebody waits; weights load on first use."""
        return engines.pipeline(self.scoring)

    @cached_property
    def provider(self) -> Provider | None:
        """The organisation's identity provider, where one is set; only then is the library for it loaded."""
        if self.settings.oidc_issuer is None:
            return None
        from serving.oidc import Provider

        return Provider(self.settings)

    @property
    def has_models(self) -> bool:
        """Whether the bundles are there and are what they claim to be; checked once, then believed."""
        try:
            return bool(engines.labels(self.pipeline))
        except MswError:
            return False

    @contextlib.contextmanager
    def begin(self) -> Iterator[Db]:
        """A transaction: committed at the end, rolled back on any error."""
        with Session(self.engine, expire_on_commit=False) as db, db.begin():
            yield db

    @contextlib.contextmanager
    def begin_in_turn(self) -> Iterator[Db]:
        """A transaction that adds to the audit log, for what comes in crowds: one after the other in this process.

        SQLite has one writer and the log one end, so all but one would wait anyway: on SQLite by sleeping and
        trying again, where the unlucky come last for more than a second. Here they are served as they came.
        """
        with self._turn, self.begin() as db:
            yield db

    def prepare(self) -> None:
        """Brings the database up to date: ours first, then the job engine's."""
        migrate(self.engine)
        migrate_jobs(self.engine)

    def close(self) -> None:
        self.engine.dispose()
