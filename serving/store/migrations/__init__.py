"""Alembic's revisions, run by `serving.store.database.migrate`."""
