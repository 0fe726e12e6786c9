"""A scored session made by hand from the codes that were intended for the demo visit."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from msw_ml import codebook as codebooks
from msw_ml.codebook import Codebook
from msw_ml.coding.measures import measure
from msw_ml.coding.volleys import apply_volley_rules
from msw_ml.rating.cues import find_cues
from msw_ml.session import (
    CodedUtterance,
    Doubt,
    Evidence,
    Provenance,
    Quality,
    Rating,
    RatingStatus,
    Recording,
    Role,
    RoleChoice,
    ScoredSession,
    Utterance,
    Word,
)

DEMO = Path(__file__).resolve().parents[2] / "datasets" / "demo"
INDICATIVE = "Trained on demonstration interviews, not on your visits; `msw agree` with your coders would release it."
WITHHELD = "No rated visits exist to learn this element from; it needs about thirty that your coders have rated."
VALUES = {"collaboration": 3.7, "autonomy": 3.5, "empathy": 3.9, "evocation": 3.4}
EVIDENCE = {
    "collaboration": ((5, 0.21), (50, 0.18), (33, -0.12)),
    "autonomy": ((53, 0.24), (33, -0.2)),
    "empathy": ((36, 0.3), (23, 0.22)),
    "evocation": ((30, 0.15), (33, -0.22)),
}


@pytest.fixture(scope="session")
def codebook() -> Codebook:
    return codebooks.load("msw")


def _unit(number: int, row: dict[str, str], codebook: Codebook) -> CodedUtterance:
    start, end = float(row["start"]), float(row["end"])
    texts = row["text"].split()
    step = (end - start) / len(texts)
    is_doubtful = number % 17 == 10
    words = tuple(
        Word(
            start=round(start + place * step, 3),
            end=round(start + (place + 1) * step, 3),
            text=text,
            probability=0.3 if is_doubtful and place in (2, 3) else 0.95,
            doubt=Doubt.LOW_CONFIDENCE if is_doubtful and place in (2, 3) else None,
        )
        for place, text in enumerate(texts)
    )
    code = row["code"] or None
    said = Utterance(
        id=number,
        speaker={"worker": "S1", "parent": "S2", "child": "S3"}[row["role"]],
        role=Role(row["role"]),
        text=row["text"],
        start=start,
        end=end,
        words=words,
    )
    return CodedUtterance(
        utterance=said,
        code=code,
        parent_code=codebook.parent_of(code) if code else None,
        confidence=round(0.6 + number * 37 % 39 / 100, 2) if code else None,
        withheld=code is not None and number % 13 == 7,
    )


def _rating(element: str) -> Rating:
    if element not in VALUES:
        return Rating(element=element, status=RatingStatus.WITHHELD, reason=WITHHELD)
    value = VALUES[element]
    return Rating(
        element=element,
        status=RatingStatus.INDICATIVE,
        value=value,
        low=round(value - 0.9, 1),
        high=min(5.0, round(value + 0.8, 1)),
        coverage=0.9,
        reason=INDICATIVE,
        evidence=tuple(Evidence(utterance=utterance, effect=effect) for utterance, effect in EVIDENCE[element]),
    )


@pytest.fixture(scope="session")
def demo(codebook: Codebook) -> ScoredSession:
    with (DEMO / "visit.codes.csv").open(encoding="utf-8", newline="") as file:
        raw = [_unit(number, row, codebook) for number, row in enumerate(csv.DictReader(file))]
    units = apply_volley_rules(raw, codebook)
    doubtful = sum(unit.utterance.doubtful_words for unit in units)
    return ScoredSession(
        recording=Recording(
            name="visit",
            source="visit.ogg",
            sha256="3e1920a8f15dfe64" * 4,
            kind="sound",
            duration=261.6,
            target="keeping smoke out of the flat",
        ),
        roles=RoleChoice(roles={"S1": Role.WORKER, "S2": Role.PARENT, "S3": Role.CHILD}, margin=0.84, method="found"),
        quality=Quality(
            speech_seconds=214.6,
            unheard_seconds=2.4,
            words=sum(len(unit.utterance.words) for unit in units),
            doubtful_words=doubtful,
            doubts={Doubt.LOW_CONFIDENCE: doubtful},
            speakers=3,
            is_draft=True,
        ),
        utterances=units,
        measures=measure(units, codebook),
        ratings=tuple(_rating(element.id) for element in codebook.elements),
        cues=tuple(find_cues(units, codebook)),
        provenance=Provenance(
            msw_ml="0.1.0",
            codebook="msw",
            codebook_version="1.0",
            engines={"transcriber": "whisper tiny.en 1a5afae0", "diariser": "voices 1.0 5f0c2a11"},
            settings={"language": "en", "seed": "1"},
        ),
    )
