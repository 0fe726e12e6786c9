"""What a run is asked to do with each input, and the key that says whether it was done before."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from pydantic import Field

from msw_ml.session import Role, Value

Units = Literal["as-given", "split"]


class ScoreOptions(Value):
    """Options of `msw score` that change the result."""

    speakers: int | None = Field(default=None, ge=1, le=12)
    target: str | None = None
    segment_minutes: float | None = Field(default=None, gt=0)
    seed: int = 1
    units: Units | None = None
    """`None`: rows of tabular transcripts as given, subtitles and running text split."""
    roles: dict[str, Role] = Field(default_factory=dict)
    formats: tuple[str, ...] = ()
    """Extra output formats by name."""
    is_speech_only: bool = False

    def stated(self) -> dict[str, str]:
        """The options that were given, as text: they stand in the result's provenance."""
        given = self.model_dump(mode="json", exclude_defaults=True)
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}


def run_key(input_sha256: str, options: ScoreOptions, engines: dict[str, str]) -> str:
    """Hash of all that decides the result: input, options, engines with their versions."""
    content = json.dumps(
        {"input": input_sha256, "options": options.model_dump(mode="json"), "engines": engines}, sort_keys=True
    )
    return hashlib.sha256(content.encode()).hexdigest()
