"""Stretches of speech → windows that a recogniser hears at a time → batches that are read at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msw_ml.session import Span

LONGEST_WINDOW = 30.0
"""Seconds that Whisper hears at a time (fixed by its training)."""
LONGEST_GAP = 2.0
"""Seconds; in a longer pause the window ends: recognisers invent text on silence."""
PADDING = 0.3
"""Seconds kept around a window: a word cut at its edge is misheard."""
WINDOWS_A_BATCH = 8
"""Windows decoded together: beyond this two cores gain nothing."""
LONGEST_READ = 600.0
"""Seconds of sound in memory at a time, 38 MB as float32."""


def plan_windows(speech: Sequence[Span], within: Span) -> list[Span]:
    """Windows of at most `LONGEST_WINDOW`, cut at pauses, that cover all of `speech` once, in time order.

    Speech without a pause for longer than a window is cut at the window's length.
    """
    windows: list[Span] = []
    start, end = 0.0, -1.0
    for span in _cut(speech):
        if end >= start and (span.end - start > LONGEST_WINDOW - 2 * PADDING or span.start - end > LONGEST_GAP):
            windows.append(Span(start=start, end=end))
            start = span.start
        elif end < start:
            start = span.start
        end = span.end
    if end > start:
        windows.append(Span(start=start, end=end))
    return _padded(windows, within)


def batches(windows: Sequence[Span]) -> Iterator[list[Span]]:
    """Consecutive windows that are read and decoded together."""
    batch: list[Span] = []
    for window in windows:
        if batch and (len(batch) == WINDOWS_A_BATCH or window.end - batch[0].start > LONGEST_READ):
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


def _cut(speech: Sequence[Span]) -> Iterator[Span]:
    longest = LONGEST_WINDOW - 2 * PADDING
    for span in speech:
        start = span.start
        while span.end - start > longest:
            yield Span(start=start, end=start + longest)
            start += longest
        yield Span(start=start, end=span.end)


def _padded(windows: Sequence[Span], within: Span) -> list[Span]:
    """Widens each window by `PADDING`, but never beyond the middle of the gap to its neighbour."""
    padded = []
    for index, window in enumerate(windows):
        before = windows[index - 1].end if index else within.start
        after = windows[index + 1].start if index + 1 < len(windows) else within.end
        left = (before + window.start) / 2 if index else within.start
        right = (window.end + after) / 2 if index + 1 < len(windows) else within.end
        padded.append(
            Span(
                start=max(window.start - PADDING, min(left, window.start)),
                end=min(window.end + PADDING, max(right, window.end)),
            )
        )
    return padded


def uncovered(speech: Sequence[Span], words: Sequence[Span], least: float, reach: float = 0.3) -> list[Span]:
    """Stretches of speech of at least `least` seconds that no word covers, each word widened by `reach`."""
    covered = _joined(sorted((word.start - reach, word.end + reach) for word in words))
    missing: list[Span] = []
    at = 0
    for span in speech:
        position = span.start
        while at < len(covered) and covered[at][0] < span.end:
            start, end = covered[at]
            if start - position >= least:
                missing.append(Span(start=position, end=start))
            position = max(position, end)
            at += 1
        if span.end - position >= least:
            missing.append(Span(start=position, end=span.end))
        if at > 0 and covered[at - 1][1] > span.end:
            at -= 1  # what reaches beyond this stretch may cover the beginning of the next
    return missing


def _joined(intervals: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Intervals sorted by their start → the same without overlaps."""
    joined: list[tuple[float, float]] = []
    for start, end in intervals:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined
