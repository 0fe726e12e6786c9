"""What can be set for the service, in one place: each field is also the environment variable MSW_SERVICE_<FIELD>."""

from __future__ import annotations

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


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
    objects_options: dict[str, str] = Field(default_factory=dict, repr=False)
    """Options of that file system as JSON, e.g. `{"endpoint_url": "http://minio:9000"}`; keys are better in AWS_*."""
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
    public_address: str | None = None
    """How browsers reach the service, e.g. `https://msw.example.org`; needed for sign-in with OpenID Connect."""
    oidc_issuer: str | None = None
    """The organisation's identity provider, exactly as it calls itself; its description lies below
    `/.well-known/openid-configuration`. None by default: nothing leaves this machine."""
    oidc_client_id: str = ""
    """What the provider knows this service by."""
    oidc_client_secret: SecretStr | None = None
    """The secret that goes with it; better in a file."""
    oidc_client_secret_file: Path | None = None
    """A file that holds the secret alone."""
    oidc_account_claim: str = Field(default="email", pattern=r"^[A-Za-z0-9_:/.\-]{1,100}$")
    """The claim that an account's sign-in name is compared with at the first sign-in. `email` counts only where
    the provider says that it is verified; another must be one that people cannot change themselves (`sub`, `oid`)."""
    queue_poll_seconds: float = Field(default=0.5, gt=0)
    """How often a worker looks for new jobs."""
    worker_name: str | None = None
    """Name of this machine's first worker; the host's name by default. It must stay the same over restarts."""

    @model_validator(mode="after")
    def _check_oidc(self) -> Self:
        if self.oidc_issuer is None:
            return self
        missing = [name for name in ("oidc_client_id", "public_address") if not getattr(self, name)]
        if (self.oidc_client_secret is None) == (self.oidc_client_secret_file is None):
            missing.append("one of oidc_client_secret and oidc_client_secret_file")
        if missing:
            raise ValueError(f"sign-in with OpenID Connect also needs {', '.join(missing)}")
        for name in ("oidc_issuer", "public_address"):
            if not is_private(getattr(self, name)):
                raise ValueError(f"{name} must begin with https:// (http:// only on this machine)")
        return self

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.data / 'service.db'}"

    @property
    def objects_url(self) -> str:
        return self.objects or str(self.data / "objects")


def is_private(address: str) -> bool:
    """Whether nobody on the way can read along: https, or this machine itself."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    if parts.username is not None or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _THIS_MACHINE)
