"""What can be set for the service, in one place: each field is also the environment variable MSW_SERVICE_<FIELD>."""

from __future__ import annotations

from pathlib import Path

import platformdirs
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def _default_data() -> Path:
    return Path(platformdirs.user_data_dir("msw", appauthor=False)) / "service"


class ServiceSettings(BaseSettings):
    """Where the service keeps things and what it lets in. Engines are chosen by `msw_ml.settings.Settings`."""

    model_config = SettingsConfigDict(env_prefix="MSW_SERVICE_", frozen=True, extra="forbid")

    data: Path = Field(default_factory=_default_data)
    """Folder of the database and the objects, where neither is set on its own; local disk, never NFS."""
    database: str | None = None
    """SQLAlchemy address, e.g. `postgresql+psycopg://msw@db/msw`; SQLite in `data` by default."""
    objects: str | None = None
    """fsspec address of recordings and results, e.g. `s3://bucket/msw`; a folder in `data` by default."""
    objects_options: dict[str, str] = Field(default_factory=dict)
    """Options of that file system as JSON, e.g. `{"endpoint_url": "http://minio:9000"}`."""
    max_upload_mb: int = Field(default=4096, gt=0)
    """Largest recording that is taken in."""
    max_hours: float = Field(default=6.0, gt=0)
    """Longest recording that is scored."""
    max_transcript_mb: int = Field(default=64, gt=0)
    """Largest transcript that is taken in."""
    requests_per_minute: int = Field(default=600, gt=0)
    """Requests of one token or browser in a minute, counted in each server process by itself."""
    failures_before_lock: int = Field(default=10, gt=0)
    """Failed sign-ins of one address within `lock_minutes`, after which it has to wait."""
    lock_minutes: int = Field(default=15, gt=0)
    session_hours: int = Field(default=12, gt=0)
    """How long a browser stays signed in."""
    has_pages: bool = True
    """Serve the web pages beside the HTTP interface."""
    is_https: bool = False
    """The service is reached over https (a proxy ends it): cookies are marked secure."""
    hosts: tuple[str, ...] = ()
    """Names by which the service may be called; any by default."""
    webhook_hosts: tuple[str, ...] = ()
    """Hosts that webhooks may be sent to, as `name` or `name:port`; none by default: nothing leaves this machine."""
    queue_poll_seconds: float = Field(default=0.5, gt=0)
    """How often a worker looks for new jobs."""
    worker_name: str | None = None
    """Name of this machine's first worker; the host's name by default. It must stay the same over restarts."""

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.data / 'service.db'}"

    @property
    def objects_url(self) -> str:
        return self.objects or str(self.data / "objects")
