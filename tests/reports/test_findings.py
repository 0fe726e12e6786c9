"""What the report calls a strength or a next step rests on counts, and on enough of them."""

from __future__ import annotations

import pytest

from msw_ml.codebook import Codebook
from msw_ml.errors import BadCodebook
from msw_ml.reports import guidance as guidances
from msw_ml.reports.findings import next_step, strengths
from msw_ml.reports.guidance import Guidance, StepRule, load_guidance
from msw_ml.session import Measure, ScoredSession


def ratio(numerator: float, denominator: float) -> tuple[Measure, ...]:
    return (Measure(id="reflection_to_question_ratio", numerator=numerator, denominator=denominator),)


def test_strengths_quote_only_what_is_settled(demo: ScoredSession, codebook: Codebook) -> None:
    """A strength is shown with words that a reader can find again."""
    units = {unit.utterance.id: unit for unit in demo.utterances}
    found = strengths(demo.utterances, load_guidance(codebook))
    assert found
    for strength in found:
        for quote in strength.quotes:
            unit = units[quote.utterance]
            assert unit.code
            assert not unit.withheld
            assert not unit.utterance.doubtful_words


def test_a_code_that_is_less_likely_than_the_rest_is_not_praised(demo: ScoredSession, codebook: Codebook) -> None:
    """A false compliment is as bad as a false reproach."""
    unsure = tuple(
        unit.model_copy(update={"probabilities": {unit.code: 0.4}}) if unit.code else unit for unit in demo.utterances
    )
    assert strengths(unsure, load_guidance(codebook)) == ()
    assert strengths(demo.utterances, load_guidance(codebook)) != ()


def test_few_questions_give_no_next_step(codebook: Codebook) -> None:
    """Nothing is concluded from two questions."""
    rule = load_guidance(codebook)
    assert next_step((), ratio(0, 2), codebook, rule) is None


def test_next_step_names_the_mark_as_opinion(demo: ScoredSession, codebook: Codebook) -> None:
    """Below the mark for fair, the report says what it rests on and shows the place."""
    step = next_step(demo.utterances, ratio(3, 10), codebook, load_guidance(codebook))
    assert step is not None
    assert "0.3" in step.because
    assert "opinion" in step.because
    assert len(step.quotes) == 2


def test_above_every_mark_nothing_is_proposed(codebook: Codebook) -> None:
    """No fault is invented where the counts show none."""
    good = (*ratio(30, 10), Measure(id="percent_complex_reflections", numerator=20, denominator=30))
    assert next_step((), good, codebook, load_guidance(codebook)) is None


def test_guidance_that_names_a_strange_code_is_refused(codebook: Codebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """A renamed code must not silently lose its sentence."""
    smaller = codebook.model_copy(update={"behaviours": codebook.behaviours[1:]})
    with pytest.raises(BadCodebook, match=r"guidance\.msw\.toml"):
        load_guidance(smaller)


def test_codebook_without_guidance_gets_none(codebook: Codebook) -> None:
    """Another scheme is reported without sentences that were written for this one."""
    assert load_guidance(codebook.model_copy(update={"id": "elsewhere"})) == Guidance()


def test_a_step_has_one_reason() -> None:
    """Either a measure below a mark or codes that occurred."""
    with pytest.raises(ValueError, match="either"):
        StepRule(title="t", text="t", example="e")
    assert guidances.StepRule(title="t", text="t", example="e", codes=("x",)).mark == "fair"
