"""Which sessions to code twice, and what that many will tell.

About a fifth of the sessions and at least thirty (Koo and Li 2016; Whittaker et al. 2017 coded 28 of 133
twice), drawn from every stratum by its share, in an order that says nothing. What comes out carries no score.
"""

from __future__ import annotations

import csv
import io
import math
import random
from collections.abc import Mapping, Sequence

from scipy import stats

from evaluation.candidates import Candidate, Pool
from msw_ml.errors import InputError
from msw_ml.session import Value

SHARE, LEAST = 0.20, 30
PLANNED = (0.5, 0.6, 0.7, 0.8, 0.9)
"""Agreements that a plan is shown for: nobody knows theirs beforehand."""

SCORE_BANDS = 3
"""Strata made of machine scores: low, middle, high."""


class Design(Value):
    """How to draw."""

    share: float = SHARE
    least: int = LEAST
    coders: int = 2
    strata: tuple[str, ...] = ()
    """Of `worker`, `family`, `team`, `visit_type`, `score`."""
    seed: int = 1


class HalfWidth(Value):
    """Expected half-width of the 95% interval of ICC(A,1), were it `icc`."""

    icc: float
    single: float


class Sample(Value):
    """Sessions in the order to code them, and what to expect of them."""

    design: Design
    candidates: int
    left_out: dict[str, tuple[str, ...]]
    """Reason → sessions that were not drawn from."""
    drawn: tuple[str, ...]
    strata: dict[str, tuple[int, int]]
    """Stratum → sessions in it and drawn of it; machine scores stand as `stratum 1`, … so that coders stay blind."""
    expected: tuple[HalfWidth, ...]


def draw(pool: Pool, design: Design) -> Sample:
    """Draws a share of every stratum, at least one of each while they last. The same seed draws the same."""
    candidates = pool.candidates
    if not candidates:
        raise InputError("there are no sessions to draw from; give the output folder of `msw score` or a table of them")
    size = min(len(candidates), max(design.least, math.ceil(design.share * len(candidates))))
    strata = _strata(candidates, design)
    rng = random.Random(design.seed)  # noqa: S311  a draw to be repeated, not a secret
    taken: dict[str, list[str]] = {}
    for name, number in _allotted({name: len(of) for name, of in strata.items()}, size).items():
        taken[name] = rng.sample(sorted(strata[name]), number)
    drawn = [session for sessions in taken.values() for session in sessions]
    rng.shuffle(drawn)
    return Sample(
        design=design,
        candidates=len(candidates),
        left_out=pool.left_out,
        drawn=tuple(drawn),
        strata={name: (len(strata[name]), len(sessions)) for name, sessions in taken.items()},
        expected=tuple(HalfWidth(icc=icc, single=half_width(icc, len(drawn), design.coders)) for icc in PLANNED),
    )


def half_width(icc: float, n: int, k: int, level: float = 0.95) -> float:
    """Expected half-width of the interval of a single coder's ICC with n sessions and k coders.

    Bonett 2002, Statistics in Medicine 21:1331-1335: n = 8 z² (1-p)² (1+(k-1)p)² / (k(k-1)w²) + 1, solved for
    w, the whole width.
    """
    if n < 2 or k < 2:
        return math.inf
    z = float(stats.norm.ppf((1.0 + level) / 2.0))
    spread = (1.0 - icc) * (1.0 + (k - 1) * icc)
    return z * spread * math.sqrt(2.0 / (k * (k - 1) * (n - 1)))


def as_csv(sample: Sample) -> str:
    """The list for coders: order and session, nothing else."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("order", "session"))
    writer.writerows(enumerate(sample.drawn, start=1))
    return text.getvalue()


def _strata(candidates: Sequence[Candidate], design: Design) -> dict[str, list[str]]:
    """Sessions by stratum; raises `InputError` where what to stratify by is not known."""
    bands = _bands(candidates) if "score" in design.strata else {}
    strata: dict[str, list[str]] = {}
    for candidate in candidates:
        parts = []
        for kind in design.strata:
            part = bands.get(candidate.session, "") if kind == "score" else getattr(candidate.visit, kind, "")
            if not part:
                raise InputError(
                    f"session '{candidate.session}' has no {kind}, so the draw cannot be stratified by it: add it to "
                    "the table of sessions (--sessions FILE), or leave it out of --by"
                )
            parts.append(part)
        strata.setdefault(", ".join(parts) or "all", []).append(candidate.session)
    return dict(sorted(strata.items()))


def _bands(candidates: Sequence[Candidate]) -> dict[str, str]:
    """Thirds by machine score, under names that do not say which is which."""
    scored = sorted((c.score, c.session) for c in candidates if c.score is not None)
    return {session: f"stratum {1 + place * SCORE_BANDS // len(scored)}" for place, (_, session) in enumerate(scored)}


def _allotted(sizes: Mapping[str, int], wanted: int) -> dict[str, int]:
    """How many of each stratum: by its share, largest remainders first, one of each while they last."""
    total = sum(sizes.values())
    exact = {name: wanted * size / total for name, size in sizes.items()}
    given = {name: min(sizes[name], max(int(share), 1 if wanted >= len(sizes) else 0)) for name, share in exact.items()}
    while sum(given.values()) > wanted:
        most = max((name for name in given if given[name] > 1), key=lambda name: given[name] - exact[name])
        given[most] -= 1
    while sum(given.values()) < wanted:
        open_ = [name for name in given if given[name] < sizes[name]]
        given[max(open_, key=lambda name: exact[name] - given[name])] += 1
    return given
