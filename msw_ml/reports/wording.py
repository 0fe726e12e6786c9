"""How times, numbers and the fixed vocabulary are written in reports."""

from __future__ import annotations

import datetime as dt

from msw_ml.session import Doubt, RatingStatus, Role

ROLES = {
    Role.WORKER: "Worker",
    Role.PARENT: "Parent",
    Role.CHILD: "Child",
    Role.OTHER: "Someone else",
    Role.UNKNOWN: "Not known",
}
STATUSES = {
    RatingStatus.RELEASED: "Released",
    RatingStatus.INDICATIVE: "Indicative",
    RatingStatus.WITHHELD: "Withheld",
}
STATUS_MEANINGS = {
    RatingStatus.RELEASED: "checked against your own coders and let through",
    RatingStatus.INDICATIVE: "an estimate to talk about, not yet checked against your own coders",
    RatingStatus.WITHHELD: "not given, for the reason stated",
}
NOT_RATED = "No rating was made of this element."
DOUBTS = {
    Doubt.NON_SPEECH: "written where no speech was heard",
    Doubt.REPEATED: "the same words again and again, as transcribers do when they lose the thread",
    Doubt.IMPOSSIBLE_RATE: "more words than anybody could say in the time",
    Doubt.LOW_CONFIDENCE: "the transcriber was unsure",
}
LIKELY = (
    "Likely 12 to 19 means: the true figure is within 12 to 19 in nine of ten sessions like those the coder was "
    "measured on, its own mistakes included. Where there is none, it is not known how often the coder is mistaken."
)
"""What the interval of a count or measure means."""
SET_ASIDE = {
    "repeated_in_volley": "not counted: the same kind of behaviour counts once until the other side speaks",
    "over_volley_limit": "not counted: the limit of codes in one stretch of speech was reached",
    "not_counted": "not counted: this code is not part of the counts",
}


def clock(seconds: float) -> str:
    """A time in the recording: `4:07`, from an hour on `1:04:07`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def long_time(seconds: float) -> str:
    """A length of time in words: `4 minutes 22 seconds`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [plural(hours, "hour"), plural(minutes, "minute"), plural(rest, "second") if not hours else ""]
    said = [part for part in parts if part and not part.startswith("0 ")]
    return " ".join(said) or "0 seconds"


def day(date: dt.date) -> str:
    """`2 March 2026`."""
    return f"{date.day} {date:%B %Y}"


def plural(count: float, noun: str, many: str | None = None) -> str:
    """`1 question`, `2 questions`."""
    return f"{number(count)} {noun if count == 1 else many or noun + 's'}"


def number(value: float, digits: int = 2) -> str:
    """As few digits as needed, at most `digits` after the point."""
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") if digits else f"{value:.0f}"


def percent(share: float) -> str:
    """A share, 0 to 1, in whole percent."""
    return f"{int(share * 100 + 0.5)}%"


def set_aside(reason: str) -> str:
    """Why a code does not count; a reason that this file does not know is shown as it stands."""
    return SET_ASIDE.get(reason, f"not counted: {reason.replace('_', ' ')}")
