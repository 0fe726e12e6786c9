"""The hub: whatever file a transcript came in, this is what it becomes. n formats need n readers."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from msw_ml.session import Utterance, Value

UNKNOWN_SPEAKER = "unknown"
"""The speaker's name where a file does not say who speaks."""


class RowCode(Value):
    """One label that the file carries for one utterance, as the file writes it."""

    utterance: int
    """`Utterance.id` in the same transcript."""
    label: str
    coder: str = ""
    """Who gave it; empty where the file does not say."""
    column: str = "code"
    """The column or tier it stands in: one coder may give several labels to an utterance."""


class Transcript(Value):
    """One session as a file tells it. Utterances keep the order of the file and number from 0."""

    session: str
    utterances: tuple[Utterance, ...]
    units: Literal["rows", "running"]
    """`rows`: a table whose rows are the coding units. `running`: subtitles or prose, to be split."""
    coded: tuple[RowCode, ...] = ()
    given_ids: tuple[str, ...] = ()
    """The file's own utterance ids in order, where it has any; else empty."""
    target: str | None = None
    """The behaviour that change talk is about, where the file names it."""
    notes: tuple[str, ...] = ()
    """Sentences for the user about what was not read or had to be assumed."""

    @model_validator(mode="after")
    def _is_numbered(self) -> Self:
        if any(utterance.id != place for place, utterance in enumerate(self.utterances)):
            raise ValueError(f"the utterances of {self.session} must be numbered from 0 in order")
        if self.given_ids and len(self.given_ids) != len(self.utterances):
            raise ValueError(f"{self.session} has {len(self.utterances)} utterances but {len(self.given_ids)} ids")
        if any(not 0 <= code.utterance < len(self.utterances) for code in self.coded):
            raise ValueError(f"{self.session} has a code for an utterance that does not exist")
        return self

    @property
    def has_words(self) -> bool:
        """Whether any utterance has text; a coding program's export has times and codes alone."""
        return any(utterance.text.strip() for utterance in self.utterances)

    @property
    def duration(self) -> float | None:
        """The latest time that the file names, in seconds."""
        times = [time for u in self.utterances for time in (u.start, u.end) if time is not None]
        return max(times, default=None)
