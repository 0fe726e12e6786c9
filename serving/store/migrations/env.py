"""What Alembic runs: our tables alone, on the connection that `migrate` opened."""

from __future__ import annotations

from alembic import context

from serving.store.database import is_ours
from serving.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    include_name=lambda name, kind, _: is_ours(name, kind),
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
