"""The vocabulary of the corridor: every value that one room hands to the next.

Values are frozen, check themselves once, and are also the JSON on disk and on the wire.
Times are seconds from the start of the recording; a transcript without times has `None` there.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

SCHEMA_VERSION = "1.0"
"""Version of `session.json`; raised when a field changes its meaning or goes away."""

Progress = Callable[[str, float], None]
"""Called with a stage name and the share of it that is done, 0 to 1."""


def silent(stage: str, done: float) -> None:
    """The progress callable that says nothing."""


class Value(BaseModel):
    """A frozen value; an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Role(StrEnum):
    """Who somebody is in the visit. Only the worker is scored."""

    WORKER = "worker"
    PARENT = "parent"
    CHILD = "child"
    OTHER = "other"
    UNKNOWN = "unknown"


class Doubt(StrEnum):
    """Why a word is not trusted; a doubtful word is kept out of all counts."""

    NON_SPEECH = "non_speech"
    REPEATED = "repeated"
    IMPOSSIBLE_RATE = "impossible_rate"
    LOW_CONFIDENCE = "low_confidence"


class Span(Value):
    """A stretch of time, `start <= end`."""

    start: float = Field(ge=0)
    end: float = Field(ge=0)

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.end < self.start:
            raise ValueError(f"a span must not end ({self.end}) before it starts ({self.start})")
        return self

    @property
    def duration(self) -> float:
        return self.end - self.start


class Word(Span):
    """One recognised word, as written by the transcriber (case and punctuation kept)."""

    text: str
    probability: float = Field(default=1.0, ge=0, le=1)
    doubt: Doubt | None = None
    speaker: str | None = None
    """Who said it, where the sound itself says so (a channel a speaker); else `None`."""


class Turn(Span):
    """One speaker holding the floor, as found by a diariser."""

    speaker: str


class Recording(Value):
    """What was scored: a sound file or a transcript. The name is the output folder's name."""

    name: str
    source: str
    """The input's file name (never its folder)."""
    sha256: str
    kind: Literal["sound", "transcript"]
    duration: float | None = None
    target: str | None = None
    """The behaviour that change talk is about, in the words of whoever scored the session."""
    segment: Span | None = None
    """The part that was scored, where only a part was."""


class Utterance(Value):
    """An uninterrupted stretch of speech by one person: the unit that gets coded."""

    id: int = Field(ge=0)
    speaker: str
    text: str
    start: float | None = Field(default=None, ge=0)
    end: float | None = Field(default=None, ge=0)
    role: Role = Role.UNKNOWN
    words: tuple[Word, ...] = ()
    """The recognised words, doubtful ones included; empty where the input was a transcript."""

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError(f"utterance {self.id} ends ({self.end}) before it starts ({self.start})")
        return self

    @property
    def duration(self) -> float | None:
        return None if self.start is None or self.end is None else self.end - self.start

    @property
    def doubtful_words(self) -> int:
        return sum(word.doubt is not None for word in self.words)

    @property
    def trusted_text(self) -> str:
        """The text without doubtful words: what coders and raters read."""
        if not self.doubtful_words:
            return self.text
        return " ".join(word.text.strip() for word in self.words if word.doubt is None)


class CodedUtterance(Value):
    """An utterance with what the coder said of it (raw) and what the rules made of it (counted)."""

    utterance: Utterance
    volley: int | None = None
    """Number of the volley: one side's speech until the other side speaks."""
    code: str | None = None
    """The coder's main code, before any rule; `None` where nobody is coded."""
    parent_code: str | None = None
    confidence: float | None = Field(default=None, ge=0, le=1)
    """Calibrated probability of `parent_code` as given."""
    withheld: bool = False
    """The coder would not settle for one parent code at its stated coverage."""
    other_codes: tuple[str, ...] = ()
    probabilities: dict[str, float] = Field(default_factory=dict)
    """Calibrated probability of every code of this speaker's side; sums to 1."""
    counted: tuple[str, ...] = ()
    """Codes that count for the session after the volley rules."""
    set_aside: str | None = None
    """Why `code` does not count, where it does not: `repeated_in_volley`, `not_coded`, …"""


class Measure(Value):
    """A count or a ratio of counts. `value` is `None` ("not defined") on a zero denominator."""

    id: str
    numerator: float
    denominator: float | None = None
    """`None` for a plain count."""
    raw: float | None = None
    """The numerator before the volley rules, where rules changed what counts."""
    low: float | None = None
    high: float | None = None
    """Interval of the value that includes the coder's own error, where one was estimated."""
    expected: float | None = None
    """Of a count with an interval: what people would count on average, the coder's own error corrected for."""

    @property
    def value(self) -> float | None:
        if self.denominator is None:
            return self.numerator
        return self.numerator / self.denominator if self.denominator else None


class RatingStatus(StrEnum):
    """How far a rating may be trusted."""

    RELEASED = "released"
    INDICATIVE = "indicative"
    WITHHELD = "withheld"


class Evidence(Value):
    """An utterance that moved a rating, and by how much (rating points; + raises it)."""

    utterance: int
    effect: float


class Rating(Value):
    """One element of practice skill on the 1 to 5 scale, never shown without its status."""

    element: str
    status: RatingStatus
    value: float | None = Field(default=None, ge=1, le=5)
    low: float | None = Field(default=None, ge=1, le=5)
    high: float | None = Field(default=None, ge=1, le=5)
    coverage: float | None = Field(default=None, gt=0, lt=1)
    """Share of unseen sessions whose human rating the interval held when it was calibrated."""
    reason: str
    """Why the status is what it is and what would change it, for a person to read."""
    evidence: tuple[Evidence, ...] = ()

    @model_validator(mode="after")
    def _fits_its_status(self) -> Self:
        given = [part for part in (self.low, self.value, self.high) if part is not None]
        if self.status is RatingStatus.WITHHELD:
            if given:
                raise ValueError(f"{self.element} is withheld and must carry no value and no interval")
        elif len(given) != 3:
            raise ValueError(f"{self.element} is {self.status} and needs a value with its interval")
        elif given != sorted(given):
            raise ValueError(
                f"{self.element} has a value of {self.value} outside its interval, {self.low} to {self.high}"
            )
        return self


class Cue(Value):
    """A sign of an element, looked for in the wording: evidence to look at, never part of a rating."""

    id: str
    name: str
    element: str
    found: int = Field(ge=0)
    """Utterances that hold it."""
    first: float | None = Field(default=None, ge=0, le=1)
    """Share of the visit that had passed when it was first said; `None` where it was not."""
    spread: float | None = Field(default=None, ge=0, le=1)
    """Share of the visit's tenths that hold it; `None` where none does."""
    utterances: tuple[int, ...] = ()
    at: tuple[float, ...] = ()
    """Share of the visit that had passed at each of `utterances`, which are in time order."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if not self.found == len(self.utterances) == len(self.at):
            raise ValueError(f"{self.id} was found {self.found} times and needs as many utterances and places")
        return self


class RoleChoice(Value):
    """Who was taken for whom. `margin` is 0 (a coin toss) to 1 (certain) for the worker."""

    roles: dict[str, Role]
    margin: float = Field(ge=0, le=1)
    method: Literal["given", "found"]


class Quality(Value):
    """How far the sound and the transcript can be relied on."""

    speech_seconds: float | None = None
    """Seconds in which the voice activity detector heard speech."""
    unheard_seconds: float | None = None
    """Speech that no word covers."""
    words: int = 0
    doubtful_words: int = 0
    doubts: dict[Doubt, int] = Field(default_factory=dict)
    speakers: int = 0
    is_draft: bool = False
    """The words come from the small embedded model: a draft transcription."""
    warnings: tuple[str, ...] = ()
    """Sentences for the reader of the report, the most important first."""


class HeardSession(Value):
    """What the speech room hands on: utterances with roles, and how good they are."""

    utterances: tuple[Utterance, ...]
    roles: RoleChoice
    quality: Quality


class Provenance(Value):
    """What made the result: no times and no machine names, so that equal inputs give equal files."""

    msw_ml: str
    codebook: str
    codebook_version: str
    engines: dict[str, str]
    """Stage → engine and version, e.g. `transcriber` → `whisper tiny.en 1a5afae0`."""
    settings: dict[str, str]


class ScoredSession(Value):
    """Everything about one session: the content of `session.json`."""

    schema_version: str = SCHEMA_VERSION
    recording: Recording
    roles: RoleChoice
    quality: Quality
    utterances: tuple[CodedUtterance, ...]
    measures: tuple[Measure, ...]
    ratings: tuple[Rating, ...]
    cues: tuple[Cue, ...] = ()
    """Every sign that was looked for, found or not; empty where none was looked for."""
    provenance: Provenance
