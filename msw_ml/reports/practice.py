"""The practice report: several visits of one worker, for the worker and the coach to talk over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from pydantic import Field

from msw_ml.codebook import Codebook, MeasureRule
from msw_ml.errors import BadSetting
from msw_ml.reports import charts, findings
from msw_ml.reports.findings import Quote, Step
from msw_ml.reports.guidance import Guidance, load_guidance
from msw_ml.reports.page import render
from msw_ml.reports.wording import LIKELY, NOT_RATED, ROLES, STATUSES, number, percent
from msw_ml.session import Measure, Rating, RatingStatus, ScoredSession, Value


class SessionNotes(Value):
    """What people wrote about one session; whatever is missing becomes a box to write in."""

    name: str
    date: dt.date | None = None
    parent_feedback: str | None = None
    worker_comment: str | None = None
    coach_comment: str | None = None


class PracticeNotes(Value):
    """What the software cannot know: whose sessions these are, when they were, what people say."""

    worker: str | None = None
    sessions: tuple[SessionNotes, ...] = Field(default=(), alias="session")


class Cited(Value):
    """A quote with the session it is from."""

    session: str
    quote: Quote


class Habit(Value):
    """A strength over several sessions."""

    title: str
    why: str
    sessions: int
    examples: tuple[Cited, ...]


class Dot(Value):
    """One session's rating in a trend; `None` in `at` where it was withheld."""

    label: str
    text: str
    at: charts.Interval | None


class Standing(Value):
    """Sessions whose ratings of an element have one status for one reason."""

    status: str
    status_id: str
    reason: str
    sessions: tuple[str, ...]
    """Empty where it holds for all."""


class Trend(Value):
    """An element over the sessions, in their order, with the status of every rating."""

    name: str
    dots: tuple[Dot, ...]
    said: str
    standings: tuple[Standing, ...]


class MeasureTrend(Value):
    """A measure over the sessions and over all of them together."""

    name: str
    meaning: str
    values: tuple[str, ...]
    together: str


def practice_report(sessions: Sequence[ScoredSession], codebook: Codebook, notes: PracticeNotes | None = None) -> str:
    """The page as HTML; sessions go by date where the notes date them all, else in the order given.

    Raises `BadSetting` for no sessions, two of one name, or notes on a session that is not there.
    """
    notes = notes or PracticeNotes()
    _check(sessions, notes)
    about = {note.name: note for note in notes.sessions}
    dates = {session.recording.name: _date(about, session) for session in sessions}
    is_dated = all(dates.values())
    ordered = sorted(sessions, key=lambda s: dates[s.recording.name] or dt.date.min) if is_dated else list(sessions)
    guidance = load_guidance(codebook)
    return render(
        "practice.html.j2",
        title=f"Practice report{f': {notes.worker}' if notes.worker else ''}",
        worker=notes.worker,
        sessions=ordered,
        dates=dates,
        notes=[about.get(s.recording.name, SessionNotes(name=s.recording.name)) for s in ordered],
        is_dated=is_dated,
        codebook=codebook,
        has_guidance=bool(guidance.strengths or guidance.steps),
        habits=_habits(ordered, guidance),
        step=_step(ordered, codebook, guidance),
        trends=_trends(ordered, codebook),
        measures=[_measure_trend(rule, ordered) for rule in codebook.measures],
        versions=sorted({f"msw_ml {s.provenance.msw_ml}, {s.provenance.codebook_version}" for s in ordered}),
        has_draft=any(s.quality.is_draft for s in ordered),
        engines=sorted({f"{stage}: {label}" for s in ordered for stage, label in s.provenance.engines.items()}),
        roles=ROLES,
        likely=LIKELY if any(m.low is not None for s in ordered for m in s.measures) else None,
    )


def _check(sessions: Sequence[ScoredSession], notes: PracticeNotes) -> None:
    if not sessions:
        raise BadSetting("a practice report needs at least one scored session; give session.json files or folders")
    names = [session.recording.name for session in sessions]
    for name in names:
        if names.count(name) > 1:
            raise BadSetting(f"two sessions are called '{name}'; leave one out or rename its folder and score again")
    strange = {note.name for note in notes.sessions} - set(names)
    if strange:
        raise BadSetting(f"the notes speak of {', '.join(sorted(strange))}, which is not among: {', '.join(names)}")


def _date(about: dict[str, SessionNotes], session: ScoredSession) -> dt.date | None:
    note = about.get(session.recording.name)
    return note.date if note is not None else None


def _habits(sessions: Sequence[ScoredSession], guidance: Guidance) -> tuple[Habit, ...]:
    """Each strength by the number of sessions it was seen in, with its surest example from the latest three."""
    habits = []
    for rule in guidance.strengths:
        alone = Guidance(strength=(rule,))
        seen = [(session, findings.strengths(session.utterances, alone)) for session in sessions]
        cited = [Cited(session=session.recording.name, quote=found[0].quotes[0]) for session, found in seen if found]
        if cited:
            habits.append(Habit(title=rule.title, why=rule.why, sessions=len(cited), examples=tuple(cited[-3:])))
    ranked = sorted(habits, key=lambda habit: -habit.sessions)
    return tuple(ranked[: findings.MAX_STRENGTHS])


def _step(sessions: Sequence[ScoredSession], codebook: Codebook, guidance: Guidance) -> Step | None:
    """From the counts of all sessions together; the moment shown is from the latest one."""
    together = [pooled(rule.id, sessions) for rule in codebook.measures]
    return findings.next_step(sessions[-1].utterances, [m for m in together if m is not None], codebook, guidance)


def pooled(id_: str, sessions: Sequence[ScoredSession]) -> Measure | None:
    """A measure over several sessions: counts are added up and divided once, rates are never averaged."""
    found = [measure for session in sessions for measure in session.measures if measure.id == id_]
    if not found:
        return None
    is_ratio = any(measure.denominator is not None for measure in found)
    return Measure(
        id=id_,
        numerator=sum(measure.numerator for measure in found),
        denominator=sum(measure.denominator or 0 for measure in found) if is_ratio else None,
    )


def _measure_trend(rule: MeasureRule, sessions: Sequence[ScoredSession]) -> MeasureTrend:
    values = [next((m for m in session.measures if m.id == rule.id), None) for session in sessions]
    return MeasureTrend(
        name=rule.name,
        meaning=rule.meaning,
        values=tuple(_written(measure, rule) for measure in values),
        together=_written(pooled(rule.id, sessions), rule),
    )


def _written(measure: Measure | None, rule: MeasureRule) -> str:
    if measure is None or measure.value is None:
        return "not defined"
    write = percent if rule.is_percent else number
    if measure.low is None or measure.high is None:
        return write(measure.value)
    return f"{write(measure.value)} (likely {write(measure.low)} to {write(measure.high)})"


def _trends(sessions: Sequence[ScoredSession], codebook: Codebook) -> tuple[Trend, ...]:
    trends = []
    for element in codebook.elements:
        ratings = [next((r for r in s.ratings if r.element == element.id), None) for s in sessions]
        dots = tuple(
            Dot(label=session.recording.name, text=_rated(rating), at=charts.on_scale(rating) if rating else None)
            for session, rating in zip(sessions, ratings, strict=True)
        )
        said = _change([r for r in ratings if r is not None])
        names = [session.recording.name for session in sessions]
        trends.append(Trend(name=element.name, dots=dots, said=said, standings=_standings(names, ratings)))
    return tuple(trends)


def _standings(names: Sequence[str], ratings: Sequence[Rating | None]) -> tuple[Standing, ...]:
    of: dict[tuple[RatingStatus, str], list[str]] = {}
    for name, rating in zip(names, ratings, strict=True):
        key = (rating.status, rating.reason) if rating else (RatingStatus.WITHHELD, NOT_RATED)
        of.setdefault(key, []).append(name)
    return tuple(
        Standing(
            status=STATUSES[status],
            status_id=status.value,
            reason=reason,
            sessions=tuple(found) if len(found) < len(names) else (),
        )
        for (status, reason), found in of.items()
    )


def _rated(rating: Rating | None) -> str:
    if rating is None or rating.value is None or rating.low is None or rating.high is None:
        return "withheld"
    return f"{rating.value:.1f} ({rating.low:.1f} to {rating.high:.1f}), {rating.status.value}"


def _change(ratings: Sequence[Rating]) -> str:
    """What may be said of the first and the last rating; intervals that overlap allow no claim."""
    given = [r for r in ratings if r.low is not None and r.high is not None]
    if len(given) < 2:
        return "Fewer than two sessions have a rating of this, so there is no trend."
    first, last = given[0], given[-1]
    if (last.low or 0) > (first.high or 0):
        return "The last rating lies above the first by more than its uncertainty."
    if (last.high or 0) < (first.low or 0):
        return "The last rating lies below the first by more than its uncertainty; families and topics differ too."
    return "First and last overlap: no change can be read from this."
