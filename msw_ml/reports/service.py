"""The service report: distributions and change over groups of workers, never a person, never a ranking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from pydantic import ValidationError

from msw_ml.codebook import Codebook, MeasureRule
from msw_ml.errors import BadSetting
from msw_ml.reports.drawing_workers import FEW_WORKERS, Numbers, difference, draw, interval, ratios
from msw_ml.reports.page import render
from msw_ml.reports.wording import STATUSES, number, percent
from msw_ml.session import Rating, RatingStatus, ScoredSession, Value

SMALLEST_GROUP = 5
"""Workers in a group, and in each of its periods, below which nothing about it is shown."""
LEVELS = (1, 2, 3, 4, 5)


class Member(Value):
    """Whose session it was and where it belongs; the worker serves to count and to resample, and is not shown."""

    session: str
    worker: str
    team: str = ""
    period: str = ""


class Standing(Value):
    """How many of an element's ratings have one status."""

    status: str
    status_id: str
    n: int
    reason: str
    """The commonest reason."""


class Figure(Value):
    """A figure of a group with its 95% interval, where there are workers enough for one."""

    name: str
    value: str
    interval: str
    n: int
    levels: tuple[int, ...] = ()
    """Sessions by rating, rounded to the nearest level; empty for a measure."""
    change: str = ""
    standings: tuple[Standing, ...] = ()
    """Of the ratings behind an element's figure; empty for a measure."""


class Group(Value):
    """A team, or everybody shown."""

    name: str
    sessions: int
    workers: int
    periods: tuple[str, ...]
    measures: tuple[Figure, ...]
    elements: tuple[Figure, ...]


class Shown(Value):
    """What may be shown of the groups: everybody together first, then each by itself where there are several."""

    groups: tuple[Group, ...]
    hidden: int
    """Groups left out for having too few workers."""
    sessions: int
    draft: int
    """Sessions whose words come from the small embedded model."""
    engines: tuple[str, ...]


class _Case(Value):
    """One session with its member."""

    member: Member
    session: ScoredSession


def members(rows: Sequence[dict[str, str]], where: str) -> tuple[Member, ...]:
    """Members from the rows of a table with the columns session, worker and, if wanted, team and period."""
    found = []
    for line, row in enumerate(rows, start=2):
        try:
            found.append(Member(**{key: (row.get(key) or "").strip() for key in Member.model_fields}))
        except ValidationError as error:
            raise BadSetting(f"{where}, row {line}: {error.errors()[0]['msg']}") from error
        if not found[-1].session or not found[-1].worker:
            raise BadSetting(f"{where}, row {line}: 'session' and 'worker' must both be filled in")
    return tuple(found)


def service_report(
    sessions: Sequence[ScoredSession],
    belongs: Sequence[Member],
    codebook: Codebook,
    *,
    is_indicative_shown: bool = False,
) -> str:
    """The page as HTML; see `shown_groups`."""
    shown = shown_groups(sessions, belongs, codebook, is_indicative_shown=is_indicative_shown)
    return render(
        "service.html.j2",
        title="Service report",
        codebook=codebook,
        groups=shown.groups,
        hidden=shown.hidden,
        smallest=SMALLEST_GROUP,
        few=FEW_WORKERS,
        is_indicative_shown=is_indicative_shown,
        engines=shown.engines,
        draft=shown.draft,
        total=shown.sessions,
    )


def shown_groups(
    sessions: Sequence[ScoredSession],
    belongs: Sequence[Member],
    codebook: Codebook,
    *,
    is_indicative_shown: bool = False,
) -> Shown:
    """The figures of groups. Ratings that are only indicative are left out unless asked for.

    Raises `BadSetting` for a session without a row or a row without a session, and where no group has
    five workers.
    """
    cases = _cases(sessions, belongs)
    teams = sorted({case.member.team for case in cases})
    by_team = [(team, [case for case in cases if case.member.team == team]) for team in teams]
    shown = [(team, found) for team, found in by_team if _workers(found) >= SMALLEST_GROUP]
    if not shown:
        raise BadSetting(
            f"no group has {SMALLEST_GROUP} workers, so nothing may be shown; join teams in the table, or wait for more"
        )
    # Everybody together means everybody shown: else a hidden team could be had by subtraction.
    everybody = [case for _, found in shown for case in found]
    groups = [_group("All groups shown", everybody, codebook, is_indicative_shown)]
    if len(shown) > 1:
        groups += [_group(team or "No team", found, codebook, is_indicative_shown) for team, found in shown]
    engines = {f"{stage}: {label}" for c in everybody for stage, label in c.session.provenance.engines.items()}
    return Shown(
        groups=tuple(groups),
        hidden=len(by_team) - len(shown),
        sessions=len(everybody),
        draft=sum(case.session.quality.is_draft for case in everybody),
        engines=tuple(sorted(engines)),
    )


def _cases(sessions: Sequence[ScoredSession], belongs: Sequence[Member]) -> list[_Case]:
    of = {member.session: member for member in belongs}
    if len(of) != len(belongs):
        raise BadSetting("the table of groups names a session twice; keep one row a session")
    names = {session.recording.name for session in sessions}
    if len(names) != len(sessions):
        raise BadSetting("two sessions have one name; leave one out or rename its folder and score again")
    missing, strange = names - set(of), set(of) - names
    if missing or strange:
        said = [f"no row for {', '.join(sorted(missing))}"] if missing else []
        said += [f"no session for {', '.join(sorted(strange))}"] if strange else []
        raise BadSetting(f"the table of groups does not fit the sessions: {'; '.join(said)}")
    return [_Case(member=of[session.recording.name], session=session) for session in sessions]


def _workers(cases: Sequence[_Case]) -> int:
    return len({case.member.worker for case in cases})


def _group(name: str, cases: Sequence[_Case], codebook: Codebook, is_indicative_shown: bool) -> Group:
    periods = sorted({case.member.period for case in cases} - {""})
    ends = [[case for case in cases if case.member.period == period] for period in (periods[:1] + periods[1:][-1:])]
    comparable = len(ends) == 2 and all(_workers(end) >= SMALLEST_GROUP for end in ends)
    shown_periods = (periods[0], periods[-1]) if comparable else ()
    statuses = {RatingStatus.RELEASED} | ({RatingStatus.INDICATIVE} if is_indicative_shown else set())
    return Group(
        name=name,
        sessions=len(cases),
        workers=_workers(cases),
        periods=shown_periods,
        measures=tuple(_measure(rule, cases, shown_periods) for rule in codebook.measures),
        elements=tuple(_element(e.id, e.name, cases, statuses, shown_periods) for e in codebook.elements),
    )


def _measure(rule: MeasureRule, cases: Sequence[_Case], periods: Sequence[str]) -> Figure:
    def amounts(case: _Case) -> tuple[float, float] | None:
        found = next((m for m in case.session.measures if m.id == rule.id), None)
        return None if found is None else (found.numerator, 1.0 if found.denominator is None else found.denominator)

    write = percent if rule.is_percent else number
    name = rule.name if rule.kind != "count" else f"{rule.name}, a session"
    return _figure(name, cases, amounts, write, periods)


def _element(
    id_: str, name: str, cases: Sequence[_Case], statuses: set[RatingStatus], periods: Sequence[str]
) -> Figure:
    def rating(case: _Case) -> Rating | None:
        given = (r for r in case.session.ratings if r.element == id_ and r.status in statuses)
        return next((r for r in given if r.value is not None), None)

    def amounts(case: _Case) -> tuple[float, float] | None:
        found = rating(case)
        return None if found is None or found.value is None else (found.value, 1.0)

    # A team whose ratings are too few for its own figure stays out of the sum too, as a small team does.
    has_rating = [case for case in cases if rating(case) is not None]
    teams = {
        team: _workers([c for c in has_rating if c.member.team == team]) for team in {c.member.team for c in cases}
    }
    cases = [case for case in has_rating if teams[case.member.team] >= SMALLEST_GROUP]
    if not cases:
        return Figure(name=name, value="not shown", interval=f"ratings of fewer than {SMALLEST_GROUP} workers", n=0)
    rated = [found for found in map(rating, cases) if found is not None]
    levels = tuple(sum(int((found.value or 0.0) + 0.5) == level for found in rated) for level in LEVELS)
    figure = _figure(name, cases, amounts, lambda value: f"{value:.1f}", periods)
    return figure.model_copy(update={"levels": levels, "standings": _standings(rated)})


def _standings(rated: Sequence[Rating]) -> tuple[Standing, ...]:
    return tuple(
        Standing(
            status=STATUSES[status],
            status_id=status.value,
            n=len(reasons),
            reason=min(Counter(reasons).items(), key=lambda entry: (-entry[1], entry[0]))[0],
        )
        for status in RatingStatus
        if (reasons := [rating.reason for rating in rated if rating.status is status])
    )


def _figure(
    name: str,
    cases: Sequence[_Case],
    amounts: Callable[[_Case], tuple[float, float] | None],
    write: Callable[[float], str],
    periods: Sequence[str],
) -> Figure:
    """The sum of numerators over the sum of denominators, resampled by worker."""
    taken = [(case.member, pair) for case in cases if (pair := amounts(case)) is not None]
    workers = sorted({member.worker for member, _ in taken})
    if not sum(pair[1] for _, pair in taken):
        return Figure(name=name, value="not defined", interval="nothing to divide by", n=len(taken))

    def sums(period: str | None) -> Numbers:
        table = np.zeros((len(workers), 2))
        for member, pair in taken:
            if period is None or member.period == period:
                table[workers.index(member.worker)] += pair
        return table

    drawn = draw(len(workers))
    values = ratios(drawn, sums(None))
    change = ""
    if periods:
        moved = ratios(drawn, sums(periods[1])) - ratios(drawn, sums(periods[0]))
        change = difference(moved, write, len(workers))
    return Figure(
        name=name,
        value=write(float(values[0])),
        interval=interval(values, write, len(workers)),
        n=len(taken),
        change=change,
    )
