"""Counts and ratios of a session, as the codebook defines them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msw_ml.codebook import Codebook, MeasureRule
from msw_ml.coding.intervals import CountErrors, DrawnCounts, draw_counts
from msw_ml.session import CodedUtterance, Measure, Role


def measure(
    coded: Sequence[CodedUtterance], codebook: Codebook, errors: CountErrors | None = None
) -> tuple[Measure, ...]:
    """One `Measure` for every code (its count) and then every rule of the codebook, in its order.

    Counts are taken after the volley rules; `raw` is the count of the coder's labels before them. `low`, `high` and
    `expected` (of counts) are there where a machine gave the codes and its `errors` are known.
    """
    counted = Counter(code for unit in coded for code in unit.counted)
    raw = Counter(unit.code for unit in coded if unit.code is not None)
    drawn = draw_counts(coded, errors, codebook) if errors is not None else None
    counts = [
        _with_interval(Measure(id=b.id, numerator=counted[b.id], raw=raw[b.id]), drawn, (b.id,))
        for b in codebook.behaviours
    ]
    rules = [
        _with_interval(_apply(rule, coded, counted, raw), drawn, rule.numerator, rule.denominator)
        for rule in codebook.measures
    ]
    return (*counts, *rules)


def _with_interval(
    made: Measure, drawn: DrawnCounts | None, numerator: Sequence[str], denominator: Sequence[str] = ()
) -> Measure:
    if drawn is None or made.value is None or not numerator:
        return made
    found = drawn.interval(numerator, denominator)
    if found is None:
        return made
    expected = drawn.expected(numerator) if made.denominator is None else None
    return made.model_copy(update={"low": found[0], "high": found[1], "expected": expected})


def _apply(rule: MeasureRule, coded: Sequence[CodedUtterance], counted: Counter[str], raw: Counter[str]) -> Measure:
    if rule.kind == "talk_share":
        return _talk_share(rule.id, coded)
    numerator = sum(counted[code] for code in rule.numerator)
    return Measure(
        id=rule.id,
        numerator=numerator,
        denominator=sum(counted[code] for code in rule.denominator) if rule.kind == "ratio" else None,
        raw=sum(raw[code] for code in rule.numerator),
    )


def _talk_share(id_: str, coded: Sequence[CodedUtterance]) -> Measure:
    """The worker's part of all talking time in seconds; of words, where any utterance has no times.

    Not defined while nobody is known to be the worker.
    """
    utterances = [unit.utterance for unit in coded]
    if not any(u.role is Role.WORKER for u in utterances):
        return Measure(id=id_, numerator=0, denominator=0)
    has_times = all(u.duration is not None for u in utterances)
    spoken = [(u.duration or 0.0) if has_times else len(u.trusted_text.split()) for u in utterances]
    worker = sum(amount for u, amount in zip(utterances, spoken, strict=True) if u.role is Role.WORKER)
    return Measure(id=id_, numerator=round(worker, 3), denominator=round(sum(spoken), 3))
