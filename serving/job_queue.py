"""The server's side of the durable jobs: enqueue, cancel, take up again. No workflow runs here."""

from __future__ import annotations

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer, EnqueueOptions

from serving.store.base import Db
from serving.store.database import is_sqlite

APPLICATION = "msw"
APPLICATION_VERSION = "1"
"""Raised only when the order of stages changes: jobs of another version stay where they are."""
WORKFLOW = "score_session"
QUEUE = "sessions"
SHORT = "short"
"""Short transcripts: many at a time, and none waits behind an hour of sound."""
DELIVERY = "deliver_webhook"
DELIVERIES = "webhooks"


def migrate_jobs(engine: sa.Engine) -> None:
    """Brings the job engine's own tables up to date."""
    DBOS.migrate(engine.url.render_as_string(hide_password=False))


class JobQueue:
    """Hands jobs to workers by way of the database."""

    def __init__(self, engine: sa.Engine) -> None:
        self._is_sqlite = is_sqlite(engine)
        self._client = DBOSClient(
            system_database_engine=engine,
            dbos_system_schema=None if self._is_sqlite else "dbos",
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
            lazy=True,
            retry_connection_errors=False,
        )

    def add(self, db: Db, job_id: str, workflow_id: str, priority: int, *, is_short: bool = False) -> None:
        """Enqueues in the caller's transaction: the job's row and its place in the queue, or neither."""
        options = EnqueueOptions(
            workflow_name=WORKFLOW,
            queue_name=SHORT if is_short else QUEUE,
            workflow_id=workflow_id,
            app_version=APPLICATION_VERSION,
            priority=priority,
        )
        self._client.enqueue_in_transaction(db, options, job_id)

    def report(self, db: Db, hook_id: str, job_id: str, workflow_id: str) -> None:
        """Enqueues a webhook's delivery in the transaction that ends the job: one for each end."""
        options = EnqueueOptions(
            workflow_name=DELIVERY,
            queue_name=DELIVERIES,
            workflow_id=f"{workflow_id}.{hook_id}",
            app_version=APPLICATION_VERSION,
            priority=1,
        )
        self._client.enqueue_in_transaction(db, options, hook_id, job_id)

    def cancel(self, workflow_id: str) -> None:
        """Stops a workflow before its next stage; the running stage is ended by its worker."""
        self._client.cancel_workflow(workflow_id)

    def retry(self, workflow_id: str, from_stage: int) -> str:
        """Takes a failed workflow up again at a stage (from 0), on its queue; the id of the new one comes back."""
        queue = self._client.retrieve_workflow(workflow_id).get_status().queue_name
        made = self._client.fork_workflow(
            workflow_id, from_stage + 1, application_version=APPLICATION_VERSION, queue_name=queue
        )
        return made.get_workflow_id()

    def forget(self, workflow_ids: list[str]) -> None:
        """Removes what the engine kept of finished or cancelled workflows."""
        self._client.delete_workflows(workflow_ids)

    def given_up(self) -> list[str]:
        """Workflows whose workers died over them more often than allowed."""
        found = self._client.list_workflows(
            status="MAX_RECOVERY_ATTEMPTS_EXCEEDED", name=WORKFLOW, load_input=False, load_output=False
        )
        return [one.workflow_id for one in found]

    def close(self) -> None:
        self._client.destroy()
