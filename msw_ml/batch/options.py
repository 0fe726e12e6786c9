"""What a run is asked to do with each input, and the key that says whether it was done before."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from pydantic import Field, JsonValue

from msw_ml import __version__
from msw_ml.session import Role, Value

Units = Literal["as-given", "split"]
Stage = Literal["speech", "codes"]
"""A stage whose result another try may take over."""


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


class StageKeys(Value):
    """Hashes of all that the two long stages depend on."""

    speech: str
    """Of words, speakers and utterances."""
    codes: str | None
    """Of the codes; `None` where nothing was coded."""


_AFTER_CODES = {"formats", "is_speech_only", "rater", "release"}
_AFTER_SPEECH = _AFTER_CODES | {"target", "units", "roles", "coder", "codebook"}
"""Options and engines that a stage does not depend on; one that is not named here, such as a new one, it does."""


def run_key(input_sha256: str, options: ScoreOptions, engines: dict[str, str], version: str = __version__) -> str:
    """Hash of all that decides the result: input, options, engines with their versions, version of msw_ml."""
    given = {"options": options.model_dump(mode="json"), "engines": dict(engines)}
    return _hash({"input": input_sha256, "msw_ml": version, **given})


def stage_keys(input_sha256: str, options: ScoreOptions, engines: dict[str, str]) -> StageKeys:
    """What has to be the same for speech and codes of an earlier try to be taken over; this version among it."""

    def key(left_out: set[str]) -> str:
        parts = {"options": options.model_dump(mode="json"), "engines": dict(engines)}
        kept = {part: {n: v for n, v in named.items() if n not in left_out} for part, named in parts.items()}
        return _hash({"input": input_sha256, "msw_ml": __version__, **kept})

    return StageKeys(speech=key(_AFTER_SPEECH), codes=None if options.is_speech_only else key(_AFTER_CODES))


def _hash(content: dict[str, JsonValue]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
