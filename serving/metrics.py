"""Prometheus metrics: counts and durations by route and state, never an id or a word."""

from __future__ import annotations

import time

import sqlalchemy as sa
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.store.base import Db, now
from serving.store.sessions import Job, JobState, StageRun

_BUCKETS = (0.005, 0.02, 0.05, 0.1, 0.3, 1, 3, 10, 60)


class Metrics:
    """The metrics of one server process; those of jobs are read from the database when asked for."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("msw_requests", "Requests answered.", labels, registry=self.registry)
        self.seconds = Histogram(
            "msw_request_seconds", "Time to answer.", ("method", "route"), buckets=_BUCKETS, registry=self.registry
        )
        self.jobs = Gauge("msw_jobs", "Jobs by state.", ("state",), registry=self.registry)
        self.oldest = Gauge("msw_queue_oldest_seconds", "Age of the oldest queued job.", registry=self.registry)
        self.stages = Gauge("msw_stage_seconds_sum", "Seconds spent in stages.", ("stage",), registry=self.registry)

    def text(self, db: Db) -> bytes:
        """The exposition format."""
        counts = {
            row.state: row.n for row in db.execute(sa.select(Job.state, sa.func.count().label("n")).group_by(Job.state))
        }
        for state in JobState:
            self.jobs.labels(state.value).set(counts.get(state, 0))
        oldest = db.scalar(sa.select(sa.func.min(Job.created_at)).where(Job.state == JobState.QUEUED))
        self.oldest.set((now() - oldest).total_seconds() if oldest else 0)
        spent = sa.select(StageRun.stage, sa.func.sum(StageRun.seconds).label("n")).group_by(StageRun.stage)
        for row in db.execute(spent):
            self.stages.labels(row.stage).set(row.n)
        return generate_latest(self.registry)


class _Measured:
    """Counts and times every request under its route's pattern."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), "500"

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = _pattern(scope)
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.requests.labels(method, route, status).inc()
            self._metrics.seconds.labels(method, route).observe(time.perf_counter() - began)


def _pattern(scope: Scope) -> str:
    """The route with its parameters' names instead of what stood there: an id would be a label of its own."""
    if scope.get("endpoint") is None:
        return "none"
    names = {str(value): f"{{{name}}}" for name, value in scope.get("path_params", {}).items()}
    return "/".join(names.get(segment, segment) for segment in str(scope["path"]).split("/"))


_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


def install(app: FastAPI) -> Metrics:
    """Measures the whole application."""
    metrics = Metrics()
    app.add_middleware(_Measured, metrics=metrics)
    return metrics
