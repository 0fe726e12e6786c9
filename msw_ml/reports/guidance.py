"""What a report says about strengths and the next step: sentences that belong to a codebook.

They stand as data in `templates/guidance.<codebook id>.toml`, since Python names no code. A codebook without
such a file gets a report without strengths and next step, and the report says so.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from msw_ml.codebook import Codebook
from msw_ml.errors import BadCodebook
from msw_ml.session import Value


class StrengthRule(Value):
    """A thing done well, and the codes that show it."""

    codes: tuple[str, ...]
    title: str
    why: str


class StepRule(Value):
    """A thing to try next, and when to propose it: below a mark of the codebook, or after certain codes."""

    title: str
    text: str
    example: str
    measure: str | None = None
    mark: Literal["fair", "good"] = "fair"
    needs: int = Field(default=0, ge=0)
    """The measure's denominator must be at least this, so that nothing is concluded from two questions."""
    moment: tuple[str, ...] = ()
    """Shows the place where one of these codes came right after a long answer of the other side."""
    codes: tuple[str, ...] = ()
    """Proposed where one of these codes counts; shows the first such place."""

    @model_validator(mode="after")
    def _has_one_reason(self) -> Self:
        if (self.measure is None) == (not self.codes):
            raise ValueError(f"step '{self.title}' needs either a measure or codes")
        return self


class Caution(Value):
    """Codes and measures on which coders, human or machine, are known to agree poorly."""

    codes: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    """Measures that rest on such codes."""
    text: str


class Guidance(Value):
    """Everything a report may say about a codebook's counts; rules are tried in order."""

    strengths: tuple[StrengthRule, ...] = Field(default=(), alias="strength")
    steps: tuple[StepRule, ...] = Field(default=(), alias="step")
    cautions: tuple[Caution, ...] = Field(default=(), alias="caution")

    def caution(self, id_: str) -> str | None:
        """What to mind about a code or a measure."""
        return next((caution.text for caution in self.cautions if id_ in caution.codes + caution.measures), None)


def load_guidance(codebook: Codebook) -> Guidance:
    """The guidance that ships for a codebook, empty where there is none.

    Raises `BadCodebook` if it names a code or measure that the codebook does not have.
    """
    name = f"guidance.{codebook.id}.toml"
    file = resources.files("msw_ml.reports").joinpath("templates", name)
    if not file.is_file():
        return Guidance()
    try:
        guidance = Guidance.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise BadCodebook(f"{name} cannot be read: {error}; correct it") from error
    named = {code for strength in guidance.strengths for code in strength.codes}
    named |= {code for step in guidance.steps for code in (*step.codes, *step.moment)}
    named |= {code for caution in guidance.cautions for code in caution.codes}
    strange = named - {behaviour.id for behaviour in codebook.behaviours}
    measured = {step.measure for step in guidance.steps if step.measure}
    measured |= {measure for caution in guidance.cautions for measure in caution.measures}
    strange |= measured - {rule.id for rule in codebook.measures}
    if strange:
        raise BadCodebook(f"{name} names {', '.join(sorted(strange))}, which {codebook.key} does not have; correct it")
    return guidance
