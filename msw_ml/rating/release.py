"""What local agreement with human coders allows: the file that `msw agree --release` writes, and its gate.

Without such a file every rating stays indicative. A grant holds for one codebook and for the very engine
that was compared with the coders: a retrained rater has to be compared anew.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from msw_ml.codebook import Codebook
from msw_ml.errors import BadSetting
from msw_ml.session import Rating, RatingStatus, Value

RELEASE_SCHEMA: Literal["1.0"] = "1.0"
"""Version of the release file."""

THRESHOLD = 0.60
"""Default for the lower bound of the 95% interval: the foot of "good" by Cicchetti 1994. An organisation
sets its own."""

MINIMUM_SESSIONS = 30
"""Sessions that two people or more scored beside the machine, at least (Koo and Li 2016 ask for thirty)."""

COMPARE_AGAIN = "compare again with `msw agree --release`."
"""What would change a rating that a release file does not let through."""


class Grant(Value):
    """What was found for one element or code, and whether it is enough."""

    is_released: bool
    statistic: Literal["ICC(A,1)", "kappa"]
    value: float | None
    low: float | None
    """Lower bound of the 95% interval: what is held against the threshold."""
    high: float | None
    sessions: int = Field(ge=0)
    """Scored by two people or more, and by the machine."""
    reason: str
    """Why it is released, with what two people reach among themselves, or what it lacks."""


class ReleaseFile(Value):
    """The content of a release file."""

    schema_version: Literal["1.0"] = RELEASE_SCHEMA
    codebook: str
    """`Codebook.key`."""
    rater: str | None
    """Label of the engine whose ratings were compared; `None` where none were."""
    coder: str | None
    """Label of the engine whose codes were compared."""
    threshold: float = Field(gt=0, lt=1)
    minimum_sessions: int = Field(ge=2)
    humans: tuple[str, ...]
    elements: dict[str, Grant]
    codes: dict[str, Grant]


class ReleaseGate:
    """Decides with a release file which ratings are released."""

    def __init__(self, path: Path | None, book: Codebook) -> None:
        """Reads the file at once. Raises `BadSetting` where it is no release file of this codebook's elements."""
        self._book = book
        self._file = None if path is None else _read(path, book)
        self.label = "none" if path is None else f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"
        """Changes with the file's content: with the input it decides the result."""

    def apply(self, rating: Rating, rater: str) -> Rating:
        """The rating with the status that local agreement allows; a withheld one stays withheld.

        `rater` is the label of the engine that rated.
        """
        if rating.status is RatingStatus.WITHHELD:
            return rating
        obstacle = self._obstacle(rating.element, rater)
        if obstacle is not None:
            return rating.model_copy(update={"status": RatingStatus.INDICATIVE, "reason": _joined(rating, obstacle)})
        grant = self._grant(rating.element)
        return rating.model_copy(
            update={"status": RatingStatus.RELEASED, "reason": grant.reason if grant is not None else rating.reason}
        )

    def _obstacle(self, element: str, rater: str) -> str | None:
        """What stands in the way of a release, as a sentence; `None`: nothing."""
        if self._file is None:
            return (
                "Not checked against this service's own coders: compare at least "
                f"{MINIMUM_SESSIONS} double-coded sessions with `msw agree --release`."
            )
        if self._file.codebook != self._book.key:
            return f"The release file is for codebook {self._file.codebook}, this is {self._book.key}: {COMPARE_AGAIN}"
        if self._file.rater != rater:
            return f"The release file is for the rater '{self._file.rater}', this is '{rater}': {COMPARE_AGAIN}"
        if len(set(self._file.humans)) < 2:
            return f"The release file rests on one person alone: have sessions coded by a second, and {COMPARE_AGAIN}"
        grant = self._grant(element)
        if grant is None:
            return f"The release file says nothing of this element: have it rated by coders and {COMPARE_AGAIN}"
        return None if grant.is_released else f"{grant.reason} With more double-coded sessions, {COMPARE_AGAIN}"

    def _grant(self, element: str) -> Grant | None:
        return None if self._file is None else self._file.elements.get(element)


def _joined(rating: Rating, obstacle: str) -> str:
    """The rater's own reservation, where it had one, and the gate's behind it."""
    return obstacle if not rating.reason or rating.reason == obstacle else f"{rating.reason} {obstacle}"


def _read(path: Path, book: Codebook) -> ReleaseFile:
    try:
        content = ReleaseFile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BadSetting(f"the release file {path} cannot be read ({error.strerror}); correct its setting") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadSetting(
            f"{path} is not a release file: {place}: {first['msg']}; write it with `msw agree --release`"
        ) from error
    unknown = sorted(set(content.elements) - {element.id for element in book.elements})
    if content.codebook == book.key and unknown:
        raise BadSetting(f"the release file {path} names '{unknown[0]}', which is no element of {book.key}")
    return content
