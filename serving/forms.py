"""What comes in over the wire, checked: queries, the upload's fields, corrections."""

from __future__ import annotations

import base64
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, ValidationError

from msw_ml.batch.options import ScoreOptions
from msw_ml.session import Role, Value
from serving.problems import from_validation, invalid
from serving.store.sessions import JobState, SessionState

Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)]
Long = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]

PRIORITIES = {"urgent": 10, "normal": 100, "low": 1000}
"""Places in the queue; 1 is kept for what somebody waits for."""
WAITING_FOR_IT = 1


class Cursor(Value):
    """How much of a list to give, and where to go on."""

    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, max_length=100)

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


class JobQuery(Cursor):
    """Which jobs to list."""

    state: JobState | None = None


class UploadForm(Value):
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
    priority: Literal["urgent", "normal", "low"] = "normal"
    speakers: int | None = Field(default=None, ge=1, le=12)
    target: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] | None = None
    """The behaviour that change talk is about."""
    segment_minutes: float | None = Field(default=None, gt=0, le=600)
    seed: int = Field(default=1, ge=0, le=2**31)
    units: Literal["as-given", "split"] | None = None

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"name": "Visit 12", "family": "F-104", "speakers": 2, "target": "bedtimes"}]},
    )

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


class CorrectionItem(Value):
    """One change: the role of a speaker or utterance, or an utterance's speaker, text or code."""

    field: Literal["role", "speaker", "text", "code"]
    utterance: int | None = Field(default=None, ge=0)
    speaker: Annotated[str, StringConstraints(max_length=200)] | None = None
    """Whose role it is, where no utterance is named."""
    value: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]


class CorrectionRequest(Value):
    """Changes to a session, made together: all of them or none."""

    version: int
    """The version that was looked at; 409 where somebody else has changed the session since."""
    changes: tuple[CorrectionItem, ...] = Field(min_length=1, max_length=500)
    reason: Long = ""
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "version": 1,
                    "changes": [{"field": "role", "speaker": "S2", "value": Role.WORKER.value}],
                    "reason": "swapped",
                }
            ]
        },
    )
