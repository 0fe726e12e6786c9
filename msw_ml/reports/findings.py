"""What went well and one thing to try next, found in the counts by the codebook's own marks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from msw_ml.codebook import Codebook
from msw_ml.reports.guidance import Guidance, StepRule
from msw_ml.reports.wording import number, percent
from msw_ml.session import CodedUtterance, Measure, Role, Value

MAX_STRENGTHS = 4
EXAMPLES = 2
MIN_WORDS, MAX_WORDS = 4, 45
"""An example must say something and still be quick to read."""
LONG_ANSWER_WORDS = 8
SURE = 0.5
"""An example is shown only where its code is likelier than everything else together."""


class Quote(Value):
    """Something that was said, to be found again in the transcript."""

    utterance: int
    start: float | None
    role: Role
    text: str


class Strength(Value):
    """Something done well, with examples."""

    title: str
    why: str
    count: int
    quotes: tuple[Quote, ...]


class Step(Value):
    """One thing to try next, and what it rests on."""

    title: str
    text: str
    example: str
    because: str
    quotes: tuple[Quote, ...]


def quote(unit: CodedUtterance) -> Quote:
    """An utterance as reports cite it."""
    said = unit.utterance
    return Quote(utterance=said.id, start=said.start, role=said.role, text=said.text)


def strengths(units: Sequence[CodedUtterance], guidance: Guidance) -> tuple[Strength, ...]:
    """The first four rules with a sure example, each with its surest ones in order of time.

    An example need not count: the second reflection in one stretch of speech is as good as the first.
    """
    found = []
    for rule in guidance.strengths:
        shown = [unit for unit in units if unit.code in rule.codes]
        sure = [unit for unit in shown if _is_sure(unit, rule.codes) and not unit.utterance.doubtful_words]
        telling = [u for u in sure if MIN_WORDS <= len(u.utterance.text.split()) <= MAX_WORDS]
        if not telling:
            continue
        best = sorted(telling, key=lambda unit: (-_likelihood(unit, rule.codes), unit.utterance.id))[:EXAMPLES]
        quotes = tuple(quote(unit) for unit in sorted(best, key=lambda unit: unit.utterance.id))
        found.append(Strength(title=rule.title, why=rule.why, count=len(shown), quotes=quotes))
    return tuple(found[:MAX_STRENGTHS])


def _likelihood(unit: CodedUtterance, codes: Sequence[str]) -> float:
    """Probability of one of the codes; of a code that a person gave without one, certainty."""
    if unit.probabilities:
        return sum(unit.probabilities.get(code, 0.0) for code in codes)
    return 1.0 if unit.confidence is None else unit.confidence


def _is_sure(unit: CodedUtterance, codes: Sequence[str]) -> bool:
    return not unit.withheld and _likelihood(unit, codes) >= SURE


def next_step(
    units: Sequence[CodedUtterance], measures: Sequence[Measure], codebook: Codebook, guidance: Guidance
) -> Step | None:
    """The first rule that holds; `None` where none does."""
    values = {measure.id: measure for measure in measures}
    for rule in guidance.steps:
        found = _by_measure(rule, units, values, codebook) if rule.measure else _by_codes(rule, units)
        if found is not None:
            return found
    return None


def _by_measure(
    rule: StepRule, units: Sequence[CodedUtterance], values: dict[str, Measure], codebook: Codebook
) -> Step | None:
    measure = values.get(rule.measure or "")
    mark = getattr(codebook.measure(rule.measure or ""), rule.mark)
    if measure is None or measure.value is None or mark is None or measure.value >= mark:
        return None
    if (measure.denominator or 0) < rule.needs:
        return None
    named = codebook.measure(measure.id)
    write = percent if named.is_percent else number
    shown, limit = write(measure.value), write(mark)
    because = f"{named.name}: {shown}. Experts call {limit} {rule.mark}; that is an opinion, not a norm."
    return Step(title=rule.title, text=rule.text, example=rule.example, because=because, quotes=_moment(rule, units))


def _by_codes(rule: StepRule, units: Sequence[CodedUtterance]) -> Step | None:
    shown = [unit for unit in units if unit.code in rule.codes and _is_sure(unit, rule.codes)]
    if not shown:
        return None
    because = f"Found {'once' if len(shown) == 1 else f'{len(shown)} times'} in this session."
    return Step(title=rule.title, text=rule.text, example=rule.example, because=because, quotes=(quote(shown[0]),))


def _moment(rule: StepRule, units: Sequence[CodedUtterance]) -> tuple[Quote, ...]:
    """The longest answer that was followed by one of the rule's codes, and what followed it."""
    pairs = [
        (before, after)
        for before, after in pairwise(units)
        if before.utterance.role is Role.PARENT
        and after.code in rule.moment
        and _is_sure(after, rule.moment)
        and LONG_ANSWER_WORDS <= len(before.utterance.text.split()) <= MAX_WORDS
        and not before.utterance.doubtful_words
    ]
    if not pairs:
        return ()
    before, after = max(pairs, key=lambda pair: (len(pair[0].utterance.text.split()), -pair[0].utterance.id))
    return quote(before), quote(after)
