"""What comes in over the wire, checked: queries, the upload's fields, corrections."""

from __future__ import annotations

import base64
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError

from msw_ml.batch.options import ScoreOptions
from serving.problems import from_validation, invalid
from serving.store.sessions import JobState, SessionState
from serving.wire import Wire

Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)]
Long = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]

LEVELS = (1, 2, 3, 4, 5)
NOT_A_LEVEL = "a rating is a whole number from 1 to 5"


def _whole(value: object) -> object:
    if isinstance(value, bool) or value not in LEVELS:
        raise ValueError(NOT_A_LEVEL)
    return value


Level = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=5)]
"""What people rate an element with. The scale has no halves: 2 and 4 lie between the levels that are described."""

PRIORITIES = {"urgent": 10, "normal": 100, "low": 1000}
"""Places in the queue; 1 is kept for what somebody waits for."""
WAITING_FOR_IT = 1


class Cursor(Wire):
    """How much of a list to give, and where to go on."""

    limit: int = Field(default=50, ge=1, le=200)
    """The most that one answer holds."""
    cursor: str | None = Field(default=None, max_length=100)
    """The `next_cursor` of the answer before; the newest without it."""

    def after(self) -> str | None:
        """The id after which to go on. Raises 422 for a cursor that is none of ours."""
        if self.cursor is None:
            return None
        try:
            return base64.urlsafe_b64decode(self.cursor.encode()).decode("ascii")
        except ValueError as error:
            raise invalid("cursor", "take the next_cursor of the list before") from error

    @staticmethod
    def number(after: str) -> int:
        """The number in the cursor of a numbered list. Raises 422."""
        if not after.isdecimal() or len(after) > 18:
            raise invalid("cursor", "take the next_cursor of the list before")
        return int(after)

    def next(self, ids: list[str]) -> str | None:
        """The cursor behind the last of `limit` ids, where there are more than that."""
        if len(ids) <= self.limit:
            return None
        return base64.urlsafe_b64encode(ids[self.limit - 1].encode()).decode("ascii")


class SessionQuery(Cursor):
    """Which sessions to list."""

    q: str = Field(default="", max_length=200)
    """Words in name, file name, family or type of visit."""
    state: SessionState | None = None
    """Only sessions of this state."""


class JobQuery(Cursor):
    """Which jobs to list."""

    state: JobState | None = None
    """Only jobs of this state."""


class UploadForm(Wire):
    """The fields beside the file of `POST /v1/sessions`; all may be left out."""

    name: Short = ""
    """What the session is called; the file's name by default."""
    worker: Short = ""
    """Id or name of the person whose practice it is."""
    team: Short = ""
    """Id or name of the team; the uploader's by default. Only administrators choose another."""
    family: Short = ""
    """The service's own reference, never a name."""
    visit_type: Short = ""
    """The service's own word for it, e.g. `initial`."""
    priority: Literal["urgent", "normal", "low"] = "normal"
    """The place in the queue."""
    speakers: int | None = Field(default=None, ge=1, le=12)
    """How many people speak; found by the software by default."""
    target: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] | None = None
    """The behaviour that change talk is about."""
    segment_minutes: float | None = Field(default=None, gt=0, le=600)
    """Score only a random stretch of so many minutes."""
    seed: int = Field(default=1, ge=0, le=2**31)
    """Which stretch: the same seed gives the same one."""
    units: Literal["as-given", "split"] | None = None
    """Whether a transcript's rows stay the units to code, or are split into sentences; by its kind by default."""

    @classmethod
    def of(cls, fields: dict[str, str]) -> UploadForm:
        """From the text fields of a form; empty ones count as left out. Raises 422."""
        try:
            return cls.model_validate({name: value for name, value in fields.items() if value != ""})
        except ValidationError as error:
            raise from_validation(error) from error

    @property
    def options(self) -> ScoreOptions:
        return ScoreOptions(
            speakers=self.speakers,
            target=self.target,
            segment_minutes=self.segment_minutes,
            seed=self.seed,
            units=self.units,
        )


class CorrectionItem(Wire):
    """One change: the role of a speaker or utterance, or an utterance's speaker, text or code."""

    field: Literal["role", "speaker", "text", "code"]
    """What changes."""
    utterance: int | None = Field(default=None, ge=0)
    """The number of the utterance that it is about."""
    speaker: Annotated[str, StringConstraints(max_length=200)] | None = None
    """Whose role it is, where no utterance is named."""
    value: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
    """What it is from now on."""


class CorrectionRequest(Wire):
    """Changes to a session, made together: all of them or none."""

    version: int
    """The version that was looked at; 409 where somebody else has changed the session since."""
    changes: tuple[CorrectionItem, ...] = Field(min_length=1, max_length=500)
    reason: Long = ""
    """Kept in the history."""
