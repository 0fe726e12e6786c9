"""All tables in one import: whoever needs the whole of the metadata (migrations, erasure) takes it from here."""

from __future__ import annotations

from serving.store import opinions, people, records, sessions
from serving.store.base import Base

METADATA = Base.metadata
MODULES = (people, sessions, opinions, records)
