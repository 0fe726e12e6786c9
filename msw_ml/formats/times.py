"""Clock times as people and programs write them, and numbers as we write them: the same every time."""

from __future__ import annotations

import re

_CLOCK = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,7}(?:[.,]\d*)?|[.,]\d+)")


def seconds(text: str) -> float:
    """Seconds from `hh:mm:ss.mmm`, `mm:ss`, `ss.mmm` or `12.5s`; a decimal comma is read as a point.

    Raises `ValueError` with a sentence about what is accepted.
    """
    cleaned = text.strip().strip("[]()").strip().removesuffix("s").rstrip()
    match = _CLOCK.fullmatch(cleaned)
    if match is None:
        raise ValueError("is not a time; write hh:mm:ss.mmm, mm:ss or seconds")
    hours, minutes, rest = match.groups()
    second = float(rest.replace(",", "."))
    if (hours and int(minutes) >= 60) or (minutes and second >= 60):
        raise ValueError("is not a time: minutes and seconds go up to 59")
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + second


def clock(time: float, point: str = ".") -> str:
    """`hh:mm:ss.mmm`, as WebVTT writes it (SRT has a comma for the point)."""
    ms = round(time * 1000)
    hours, ms = divmod(ms, 3_600_000)
    minutes, ms = divmod(ms, 60_000)
    return f"{hours:02d}:{minutes:02d}:{ms // 1000:02d}{point}{ms % 1000:03d}"


def fixed(time: float | None) -> str:
    """Seconds with three decimals; empty where there is no time."""
    return "" if time is None else f"{time:.3f}"


def number(value: float | None) -> str:
    """A value with up to four decimals and no trailing zeros; empty where it is not defined."""
    if value is None:
        return ""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
