"""How far ratings moved, as figures over sessions and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluation.intervals import Draws, Estimate, Resampling, estimate
from msw_ml.codebook import Codebook
from msw_ml.session import Rating, Value

Floats = NDArray[np.float64]


class Move(NamedTuple):
    """One rating before and after a change."""

    session: str
    before: Rating
    after: Rating

    @property
    def is_rated(self) -> bool:
        """Whether there is a value on both sides."""
        return self.before.value is not None and self.after.value is not None

    @property
    def by(self) -> float:
        """Rating points; + is up. NaN where one side is withheld."""
        return float("nan") if not self.is_rated else (self.after.value or 0.0) - (self.before.value or 0.0)

    @property
    def leaves(self) -> bool:
        """Whether the new rating lies outside the interval of the old one."""
        low, high = self.before.low or 0.0, self.before.high or 0.0
        return self.is_rated and not low <= (self.after.value or 0.0) <= high


class Movement(Value):
    """How far one element's ratings moved."""

    element: str
    sessions: int
    ratings: int
    """Compared: a session may stand in several variants."""
    shift: Estimate
    """Mean movement, up or down."""
    movement: Estimate
    """Mean absolute movement."""
    largest: float
    left: int
    """Ratings that left the interval they had before."""


class Change(Value):
    """What one disturbance did."""

    name: str
    what: str
    variants: int
    declined: int
    """Variants in which an element that was rated before came back withheld."""
    warned: int
    """Variants with more warnings than the visit had before, rated or not."""
    movements: tuple[Movement, ...]


def movements(moves: Iterable[Move]) -> tuple[Movement, ...]:
    """One for each element that was rated on both sides somewhere, in the order of the moves."""
    by_element: dict[str, list[Move]] = {}
    for move in moves:
        if move.is_rated:
            by_element.setdefault(move.before.element, []).append(move)
    return tuple(_movement(element, found) for element, found in by_element.items())


def _movement(element: str, moves: Sequence[Move]) -> Movement:
    names = list(dict.fromkeys(move.session for move in moves))
    place = np.array([names.index(move.session) for move in moves], dtype=np.intp)
    steps = np.array([move.by for move in moves])
    return Movement(
        element=element,
        sessions=len(names),
        ratings=len(moves),
        shift=mean_over_sessions(steps, place),
        movement=mean_over_sessions(np.abs(steps), place),
        largest=float(np.abs(steps).max()),
        left=sum(move.leaves for move in moves),
    )


def mean_over_sessions(values: Floats, sessions: NDArray[np.intp]) -> Estimate:
    """Mean of the values with a 95% interval from whole sessions drawn anew."""
    draws = Draws(sessions, Resampling(), are_utterances=False)
    sums = np.bincount(draws.groups, weights=values, minlength=draws.n_groups)
    counts = np.bincount(draws.groups, minlength=draws.n_groups).astype(np.float64)
    drawn = draws.sums(np.stack([sums, counts], axis=1))
    return estimate(drawn[:, 0] / drawn[:, 1], "nothing was compared")


def as_markdown(change: Change, book: Codebook) -> str:
    """A heading, what was done, how often the rater declined or warned, and the table."""
    seen = (
        f"{change.what[0].upper()}{change.what[1:]}. {change.variants} transcripts: "
        f"rating declined in {change.declined}, a warning given in {change.warned}."
    )
    if not change.movements:
        return f"## {change.name}\n{seen}\n"
    return f"## {change.name}\n{seen}\n\n{table(change.movements, book)}\n"


def table(found: Sequence[Movement], book: Codebook) -> str:
    """One row an element."""
    head = (
        "| element | sessions | ratings | mean movement, up or down [95%] | mean absolute movement [95%] | largest "
        "| leave their 90% interval |"
    )
    return "\n".join((head, "|---|---|---|---|---|---|---|", *(_row(one, book) for one in found)))


def _row(one: Movement, book: Codebook) -> str:
    name = book.element(one.element).name
    return (
        f"| {name} | {one.sessions} | {one.ratings} | {_with_interval(one.shift, '+.2f')} "
        f"| {_with_interval(one.movement, '.2f')} | {one.largest:.2f} | {one.left / one.ratings:.1%} |"
    )


def _with_interval(found: Estimate, form: str) -> str:
    if found.value is None or found.low is None or found.high is None:
        return f"{found.value or 0.0:{form}} (no interval)"
    return f"{found.value:{form}} [{found.low:{form}}, {found.high:{form}}]"


def spread(ratings: Sequence[Rating], warned: int, book: Codebook) -> str:
    """What ratings look like without any change: how far visits lie apart, and how wide intervals are."""
    lines = ["## As they are", f"Visits with a warning: {warned}.", ""]
    lines += ["| element | rated | mean | standard deviation between visits | mean half width of the 90% interval |"]
    lines += ["|---|---|---|---|---|"]
    for element in book.elements:
        found = [one for one in ratings if one.element == element.id and one.value is not None]
        values = np.array([one.value or 0.0 for one in found])
        widths = np.array([(one.high or 0.0) - (one.low or 0.0) for one in found]) / 2
        figures = f"{values.mean():.2f} | {values.std(ddof=1):.2f} | {widths.mean():.2f}" if len(found) > 1 else "| | "
        lines.append(f"| {element.name} | {len(found)} | {figures} |")
    return "\n".join((*lines, ""))


def one_session(name: str, what: str, moves: Sequence[Move], book: Codebook) -> str:
    """One session before and after, element by element."""
    lines = [f"## {name}", what, "", "| element | reference [90%] | as heard | moved | inside its interval |"]
    lines += ["|---|---|---|---|---|"]
    for move in moves:
        before, after = move.before, move.after
        element = book.element(before.element).name
        if before.value is None or after.value is None or before.low is None or before.high is None:
            lines.append(f"| {element} | {before.status} | {after.status} | | |")
            continue
        cells = f"{before.value:.2f} [{before.low:.2f}, {before.high:.2f}] | {after.value:.2f} | {move.by:+.2f}"
        lines.append(f"| {element} | {cells} | {'no' if move.leaves else 'yes'} |")
    return "\n".join((*lines, ""))
