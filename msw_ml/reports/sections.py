"""The parts of the session report as values: what is said about talk, counts, measures and elements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from msw_ml.codebook import Codebook, Element, MeasureRule
from msw_ml.reports.charts import Interval, on_scale, tones
from msw_ml.reports.findings import Quote, quote
from msw_ml.reports.guidance import Guidance
from msw_ml.reports.signs import Signs, signs
from msw_ml.reports.wording import NOT_RATED, ROLES, STATUS_MEANINGS, STATUSES, long_time, number, percent, plural
from msw_ml.session import CodedUtterance, Measure, Rating, RatingStatus, Role, ScoredSession, Value


class Share(Value):
    """How much one role spoke."""

    role: Role
    name: str
    amount: str
    share: float
    before: float
    """Shares of the roles that stand before it, together."""


class CountRow(Value):
    """How often one code was found and how often it counts."""

    name: str
    parent: str
    tone: int
    raw: int
    counted: int
    likely: str | None
    """The interval of `counted`."""
    definition: str
    example: str
    caution: str | None


class Side(Value):
    """The codes of one role."""

    name: str
    rows: tuple[CountRow, ...]
    most: int


class MeasureRow(Value):
    """A measure with its meaning and, where experts gave any, its marks."""

    name: str
    value: str
    of: str
    meaning: str
    fair: str | None
    good: str | None
    standing: str | None
    caution: str | None
    source: str
    at: float | None
    """Value and marks between 0 and 1 of the drawing."""
    fair_at: float | None
    good_at: float | None


class Moved(Value):
    """A quote that moved a rating."""

    quote: Quote
    is_up: bool


class ElementRow(Value):
    """One element of practice skill, always with its status and reason."""

    element: Element
    status: str
    status_id: str
    status_meaning: str
    value: str | None
    interval: str | None
    held: str | None
    at: Interval | None
    reason: str
    evidence: tuple[Moved, ...]
    signs: Signs | None
    """Found in the wording; shown beside the rating, whether there is one or not, and never part of it."""


class ElementGroup(Value):
    """Elements that belong together."""

    name: str
    rows: tuple[ElementRow, ...]


def talk(units: Sequence[CodedUtterance]) -> tuple[Share, ...]:
    """Each role's part of all talking time; of trusted words, where an utterance has no times."""
    has_times = all(unit.utterance.duration is not None for unit in units)
    spoken = dict.fromkeys(Role, 0.0)
    for unit in units:
        said = unit.utterance
        spoken[said.role] += (said.duration or 0.0) if has_times else len(said.trusted_text.split())
    whole = sum(spoken.values())
    shares: list[Share] = []
    for role in Role:
        if whole and spoken[role]:
            amount = long_time(spoken[role]) if has_times else plural(spoken[role], "word")
            before = sum(share.share for share in shares)
            shares.append(Share(role=role, name=ROLES[role], amount=amount, share=spoken[role] / whole, before=before))
    return tuple(shares)


def counts(session: ScoredSession, codebook: Codebook, guidance: Guidance) -> tuple[Side, ...]:
    """Every code of every coded role, found or not."""
    units, made = session.utterances, {measure.id: measure for measure in session.measures}
    raw = Counter(unit.code for unit in units if unit.code is not None)
    counted = Counter(code for unit in units for code in unit.counted)
    names, tone_of = {parent.id: parent.name for parent in codebook.parents}, tones(codebook)
    sides = []
    for role in Role:
        rows = tuple(
            CountRow(
                name=b.name,
                parent=names[b.parent],
                tone=tone_of[b.parent],
                raw=raw[b.id],
                counted=counted[b.id],
                likely=_likely(made.get(b.id)),
                definition=b.definition,
                example=b.example,
                caution=guidance.caution(b.id),
            )
            for b in codebook.behaviours
            if b.speaker is role
        )
        if rows:
            sides.append(Side(name=ROLES[role], rows=rows, most=max(1, *(row.raw for row in rows))))
    return tuple(sides)


def measures(found: Sequence[Measure], codebook: Codebook, guidance: Guidance) -> tuple[MeasureRow, ...]:
    """Every measure of the codebook; one that was not taken is "not defined"."""
    values = {measure.id: measure for measure in found}
    return tuple(_measure(rule, values.get(rule.id), guidance.caution(rule.id)) for rule in codebook.measures)


def _measure(rule: MeasureRule, measure: Measure | None, caution: str | None) -> MeasureRow:
    value = measure.value if measure is not None else None
    most = 1.0 if rule.is_percent else max(value or 0.0, rule.good or 0.0, rule.fair or 0.0) * 1.25
    has_marks = rule.fair is not None and rule.good is not None

    def at(place: float | None) -> float | None:
        return place / most if has_marks and place is not None and most else None

    return MeasureRow(
        name=rule.name,
        value=_written(value, rule) if value is not None else "not defined",
        of=_of(rule, measure),
        meaning=rule.meaning,
        fair=_written(rule.fair, rule) if rule.fair is not None else None,
        good=_written(rule.good, rule) if rule.good is not None else None,
        standing=_standing(value, rule),
        caution=caution,
        source=rule.source,
        at=at(value),
        fair_at=at(rule.fair),
        good_at=at(rule.good),
    )


def _of(rule: MeasureRule, measure: Measure | None) -> str:
    if measure is None or measure.denominator is None:
        likely = _likely(measure)
        return f"likely {likely}" if likely else ""
    if not measure.denominator:
        return "nothing to divide by"
    if rule.kind == "talk_share":
        return ""
    said = f"{number(measure.numerator)} {'of' if rule.is_percent else 'to'} {number(measure.denominator)}"
    if measure.low is None or measure.high is None:
        return said
    return f"{said}; likely {_written(measure.low, rule)} to {_written(measure.high, rule)}"


def _likely(measure: Measure | None) -> str | None:
    if measure is None or measure.low is None or measure.high is None:
        return None
    return f"{number(measure.low)} to {number(measure.high)}"


def _written(value: float, rule: MeasureRule) -> str:
    return percent(value) if rule.is_percent else number(value)


def _standing(value: float | None, rule: MeasureRule) -> str | None:
    if value is None or rule.fair is None or rule.good is None:
        return None
    if value >= rule.good:
        return "at the mark for good"
    return "between fair and good" if value >= rule.fair else "not yet at the mark for fair"


def elements(session: ScoredSession, codebook: Codebook) -> tuple[ElementGroup, ...]:
    """Every element of the codebook, by group; one without a rating is withheld."""
    ratings = {rating.element: rating for rating in session.ratings}
    said = {unit.utterance.id: unit for unit in session.utterances}
    return tuple(
        ElementGroup(
            name=group.name,
            rows=tuple(
                _element(element, ratings.get(element.id), said, signs(session.cues, element.id, said))
                for element in codebook.elements
                if element.group == group.id
            ),
        )
        for group in codebook.groups
    )


def _element(
    element: Element, rating: Rating | None, said: Mapping[int, CodedUtterance], found: Signs | None
) -> ElementRow:
    if rating is None:
        rating = Rating(element=element.id, status=RatingStatus.WITHHELD, reason=NOT_RATED)
    has_value = rating.value is not None and rating.low is not None and rating.high is not None
    return ElementRow(
        element=element,
        status=STATUSES[rating.status],
        status_id=rating.status.value,
        status_meaning=STATUS_MEANINGS[rating.status],
        value=f"{rating.value:.1f}" if has_value else None,
        interval=f"{rating.low:.1f} to {rating.high:.1f}" if has_value else None,
        held=percent(rating.coverage) if rating.coverage is not None else None,
        at=on_scale(rating),
        reason=rating.reason,
        evidence=tuple(
            Moved(quote=quote(said[item.utterance]), is_up=item.effect > 0)
            for item in sorted(rating.evidence, key=lambda item: (item.effect <= 0, -abs(item.effect), item.utterance))
            if item.utterance in said
        ),
        signs=found,
    )
