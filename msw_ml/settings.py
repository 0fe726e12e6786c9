"""What can be set, in one place: each field is also the environment variable MSW_<FIELD>."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Which engines and weights score a recording, and where things lie."""

    model_config = SettingsConfigDict(env_prefix="MSW_", frozen=True, extra="forbid")

    transcriber: str = "whisper"
    """Engine that turns sound into words."""
    whisper_model: str = "embedded"
    """`embedded` (Whisper tiny.en, a draft), a folder with a CTranslate2 model, or a name that
    `msw models pull` has brought."""
    language: str = "en"
    """Language of the recording, as Whisper names it."""
    diariser: str = "voices"
    """Engine that tells speakers apart: `voices` or `pyannote`."""
    pyannote_model: str | None = None
    """Folder or hub name of a pyannote pipeline."""
    pyannote_token: SecretStr | None = None
    """Hub token for a gated pyannote pipeline."""
    pyannote_trusted: tuple[str, ...] = ()
    """Hashes of pyannote folders that may be loaded (their checkpoints can run code)."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where Whisper and pyannote run."""
    threads: int = Field(default=0, ge=0)
    """Processor threads of one worker process; 0 shares the processor's cores among the workers."""
    codebook: str = "msw"
    """Coding scheme: a shipped id or a TOML file."""
    speaker_encoder: Path | None = None
    """Bundle that tells voices apart; the shipped one by default."""
    role_finder: Path | None = None
    """Bundle that tells worker from parent; the shipped one by default."""
    behaviour_coder: Path | None = None
    """Bundle that codes utterances; the shipped one by default."""
    session_rater: Path | None = None
    """Bundle that rates sessions; the shipped one by default."""
    release_file: Path | None = None
    """What local agreement with human coders allows, written by `msw agree --release`."""
    cache_dir: Path | None = None
    """Where pulled weights lie; the user's cache folder by default."""
