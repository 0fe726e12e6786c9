"""Sessions to write and read back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from msw_ml.codebook import book
from msw_ml.codebook.book import Codebook
from msw_ml.session import (
    CodedUtterance,
    Cue,
    Measure,
    Provenance,
    Quality,
    Rating,
    RatingStatus,
    Recording,
    Role,
    RoleChoice,
    ScoredSession,
    Utterance,
)

Scored = Callable[[Sequence[Utterance]], ScoredSession]


def code_unit(utterance: Utterance) -> CodedUtterance:
    if utterance.role is Role.WORKER:
        return CodedUtterance(
            utterance=utterance, volley=0, code="question_open", parent_code="question", confidence=0.81234,
            other_codes=("affirm",), counted=("question_open", "affirm"),
        )  # fmt: skip
    if utterance.role is Role.PARENT:
        return CodedUtterance(
            utterance=utterance, code="change", parent_code="change", confidence=0.5, withheld=True, counted=("change",)
        )
    return CodedUtterance(utterance=utterance)


def make(utterances: Sequence[Utterance]) -> ScoredSession:
    """A scored session of these utterances, with all kinds of ratings and measures in it."""
    return ScoredSession(
        recording=Recording(name="visit 1", source="visit 1.wav", sha256="0" * 64, kind="sound", target="bedtimes"),
        roles=RoleChoice(roles={u.speaker: u.role for u in utterances}, margin=0.61, method="found"),
        quality=Quality(speech_seconds=12.3456, unheard_seconds=0.0, words=40, doubtful_words=2, is_draft=True),
        utterances=tuple(code_unit(utterance) for utterance in utterances),
        measures=(
            Measure(id="percent_complex_reflections", numerator=1, denominator=3),
            Measure(id="reflection_to_question_ratio", numerator=1, denominator=0),
            Measure(id="mi_adherent", numerator=4),
            Measure(id="worker_talk_share", numerator=30, denominator=50),
        ),
        ratings=(
            Rating(element="empathy", status=RatingStatus.INDICATIVE, value=3.25, low=2.5, high=4.0, reason="few"),
            Rating(element="child_focus", status=RatingStatus.WITHHELD, reason="no ratings to learn from yet"),
        ),
        cues=(
            Cue(id="aim", name="Aim said", element="empathy", found=2, first=0.125, spread=0.2, utterances=(0, 2),
                at=(0.125, 0.5)),
            Cue(id="end", name="Next step", element="child_focus", found=0),
        ),
        provenance=Provenance(
            msw_ml="0.1.0", codebook="msw", codebook_version="1.0", engines={"transcriber": "w"}, settings={}
        ),
    )  # fmt: skip


@pytest.fixture(scope="session")
def scored() -> Scored:
    return make


@pytest.fixture(scope="session")
def codebook() -> Codebook:
    return book.load()


def said(
    id_: int, speaker: str, role: Role, text: str, start: float | None = None, end: float | None = None
) -> Utterance:
    return Utterance(id=id_, speaker=speaker, role=role, text=text, start=start, end=end)


@pytest.fixture
def visit() -> ScoredSession:
    """Four turns with overlap, quotes, a line break, non-ASCII and what Excel takes for a formula."""
    return make(
        [
            said(0, "Anna", Role.WORKER, 'How did "bedtime" go, with the little one?', 0.0, 2.5),
            said(1, "Mrs O'Neill", Role.PARENT, "=SUM(A1) she said, then\nslept – café, naïve", 2.25, 4.125),
            said(2, "Anna", Role.WORKER, 'Mm <b>&amp; item [1]: "x"', 4.125, 4.126),
            said(3, "Tia", Role.CHILD, "@home; +1, -2", 4.0, 6.0),
        ]
    )
