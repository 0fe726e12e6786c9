"""Do coders, and the machine, still code as they did? Re-coding of gold sessions over time, on control charts.

Codes: the share of units on which a coder agrees with gold, on a p chart: centre at the share over all
rounds, limits at ± 3 √(p(1-p)/n). Ratings: the mean difference from gold, on a chart with limits at ± 3 s/√n,
s pooled within rounds. Outside the limits, or eight rounds in a row on one side of the centre, something has
changed (Montgomery 2013, Introduction to Statistical Quality Control, 7th ed., ch. 5 to 7).
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

from evaluation.codings import Batch, Codings
from evaluation.pairing import align
from msw_ml.codebook import Codebook
from msw_ml.errors import InputError
from msw_ml.session import Value

RUN = 8
"""So many rounds in a row on one side of the centre are a signal."""

SIGMAS = 3.0

Kind = Literal["codes", "ratings"]


class Round(Value):
    """One coder's round of re-coding: how far from gold."""

    round: str
    n: int
    total: float
    """Units agreed on, or the sum of differences from gold."""
    squares: float = 0.0
    """Sum of squared differences (ratings)."""
    low: float | None = None
    high: float | None = None
    """Control limits."""
    signal: str | None = None
    """Why the round is out of control; `None`: it is not."""

    @property
    def value(self) -> float | None:
        """Share agreed, or mean difference."""
        return self.total / self.n if self.n else None


class Chart(Value):
    """A coder's rounds in order of time, with the centre line."""

    coder: str
    kind: Kind
    what: str
    """Side of the talk or element."""
    centre: float
    rounds: tuple[Round, ...]


def gold_of(batches: Iterable[Batch]) -> Codings:
    """Files of the agreed coding. Raises `InputError` where they are more than one coder's."""
    gathered = list(batches)
    coders = {coder.name: coder for batch in gathered for coder in batch.coders}
    if len(coders) != 1:
        raise InputError(
            f"the gold coding must be one coder's (an agreed one), but has: {', '.join(sorted(coders)) or 'nobody'}"
        )
    return Codings(
        codings=[coding for batch in gathered for coding in batch.codings],
        ratings=[rating for batch in gathered for rating in batch.ratings],
        coders=list(coders.values()),
        visits={},
        left_out=Counter(),
    )


def charts(gold: Codings, batches: Sequence[Batch], book: Codebook) -> list[Chart]:
    """Charts of every coder. Raises `InputError` where a coding has no round or no gold session was re-coded."""
    found: defaultdict[tuple[str, Kind, str], dict[str, Round]] = defaultdict(dict)
    for batch in batches:
        for coder, round_, part in _rounds(batch):
            for (kind, what), one in _against(gold, part, book, round_).items():
                before = found[coder, kind, what].get(round_)
                found[coder, kind, what][round_] = one if before is None else _sum(before, one)
    if not found:
        raise InputError(
            "none of the gold sessions was coded again: sessions and units must be named as in the gold file"
        )
    return [_chart(coder, kind, what, rounds) for (coder, kind, what), rounds in sorted(found.items())]


def as_csv(found: Iterable[Chart]) -> str:
    """All rounds, one a line."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("coder", "kind", "what", "round", "n", "value", "centre", "low", "high", "signal"))
    for chart in found:
        for one in chart.rounds:
            numbers = [f"{x:.6g}" if x is not None else "" for x in (one.value, chart.centre, one.low, one.high)]
            writer.writerow((chart.coder, chart.kind, chart.what, one.round, one.n, *numbers, one.signal or ""))
    return text.getvalue()


def _rounds(batch: Batch) -> Iterable[tuple[str, str, Batch]]:
    """A batch split by coder and round."""
    parts: dict[tuple[str, str], Batch] = {}
    for coding in batch.codings:
        parts.setdefault(_when(batch, coding.coder, coding.session), Batch()).codings.append(coding)
    for rating in batch.ratings:
        parts.setdefault(_when(batch, rating.coder, rating.session), Batch()).ratings.append(rating)
    for (coder, round_), part in sorted(parts.items()):
        yield coder, round_, part


def _when(batch: Batch, coder: str, session: str) -> tuple[str, str]:
    round_ = batch.rounds.get((coder, session), "")
    if not round_:
        raise InputError(
            f"it is not known when '{coder}' coded session '{session}': add a column 'round' (a date as 2026-03-01, or "
            "a number), fill in 'coded on' in coding sheets, or put files into folders named after the round and add "
            "--rounds-from-folders"
        )
    return coder, round_


def _against(gold: Codings, part: Batch, book: Codebook, round_: str) -> dict[tuple[Kind, str], Round]:
    """One coder's round against gold: sums by side of the talk and by element."""
    found: defaultdict[tuple[Kind, str], list[float]] = defaultdict(list)
    gold_name = gold.coders[0]
    theirs = [coding._replace(coder="recoded") for coding in part.codings]
    ours = [coding._replace(coder="gold") for coding in gold.codings if coding.session in {c.session for c in theirs}]
    if theirs and ours:
        coders = [gold_name.model_copy(update={"name": "gold"}), gold_name.model_copy(update={"name": "recoded"})]
        both = Codings([*ours, *theirs], [], coders, {}, gold.left_out)
        for first, second in align(both).at.tolist():
            if first >= 0 and second >= 0:
                one, other = both.codings[first], both.codings[second]
                side = next((p.speaker.value for p in book.parents if p.id == one.parent), "")
                found["codes", side].append(float(one.parent == other.parent))
    values = {(r.session, r.element): r.value for r in gold.ratings}
    for rating in part.ratings:
        if (rating.session, rating.element) in values:
            name = book.element(rating.element).name
            found["ratings", name].append(rating.value - values[rating.session, rating.element])
    return {
        key: Round(round=round_, n=len(list_), total=sum(list_), squares=sum(x * x for x in list_))
        for key, list_ in found.items()
    }


def _sum(first: Round, second: Round) -> Round:
    return first.model_copy(
        update={
            "n": first.n + second.n,
            "total": first.total + second.total,
            "squares": first.squares + second.squares,
        }
    )


def _chart(coder: str, kind: Kind, what: str, rounds: dict[str, Round]) -> Chart:
    in_order = [rounds[name] for name in sorted(rounds, key=_by_time)]
    n = sum(one.n for one in in_order)
    centre = sum(one.total for one in in_order) / n
    if kind == "codes":
        spread = math.sqrt(centre * (1.0 - centre))
    else:
        freedom = n - len(in_order)
        within = sum(one.squares - one.total**2 / one.n for one in in_order)
        spread = math.sqrt(max(0.0, within / freedom)) if freedom > 0 else math.nan
    limited = [_limited(one, kind, centre, spread) for one in in_order]
    return Chart(coder=coder, kind=kind, what=what, centre=centre, rounds=tuple(_runs(limited, centre)))


def _limited(one: Round, kind: Kind, centre: float, spread: float) -> Round:
    if math.isnan(spread):
        return one
    reach = SIGMAS * spread / math.sqrt(one.n)
    low, high = centre - reach, centre + reach
    if kind == "codes":
        low, high = max(0.0, low), min(1.0, high)
    value = one.value
    is_out = value is not None and not low - 1e-12 <= value <= high + 1e-12
    return one.model_copy(update={"low": low, "high": high, "signal": "outside the limits" if is_out else None})


def _runs(rounds: Sequence[Round], centre: float) -> list[Round]:
    """Marks the end of every run of rounds on one side of the centre."""
    marked, run, side = [], 0, 0
    for one in rounds:
        now = 0 if one.value is None else (one.value > centre) - (one.value < centre)
        run = run + 1 if now == side and now != 0 else abs(now)
        side = now
        is_run = run >= RUN and one.signal is None
        marked.append(one.model_copy(update={"signal": f"{run} rounds on one side"}) if is_run else one)
    return marked


def _by_time(name: str) -> tuple[int, float, str]:
    """Numbers as numbers, dates (written year first) as text."""
    try:
        return 0, float(name), name
    except ValueError:
        return 1, 0.0, name
