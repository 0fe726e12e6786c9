"""All that a card reports, computed from a bundle and the sets: once after training, again by `msw evaluate`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.agreement.confusion import confusion
from evaluation.agreement.detection import macro_f1
from evaluation.agreement.kappa import kappa
from msw_ml.bundle import Bundle
from msw_ml.coding.coder import BundleCoder
from msw_ml.errors import ModelNotFound
from msw_ml.session import Role, Utterance, Value
from training import figures, heldout, plan
from training.baselines import HumanLine, human_line, tfidf
from training.calibrate import Decided, decide_apart
from training.corpora import CodedTranscript
from training.count_intervals import CountCoverage, coverage
from training.figures import Figure
from training.heldout import HeldOut
from training.plan import Plan
from training.recipe import Recipe

SHORT = 3
"""A turn of so few words is a short one."""


class Slice(Value):
    """How well one kind of unit is coded: where the coder fails."""

    name: str
    side: Role
    n: int
    right: float
    withheld: float


class ReadingLine(Value):
    """How a second reading of a set agrees with the labels of people: how good a teacher it is."""

    corpus: str
    side: Role
    n: int
    macro_f1: float
    kappa: float


class Ceiling(Value):
    """Agreement with the majority of the annotators on sessions that were never trained on."""

    human: HumanLine
    macro_f1: float
    kappa: float


@dataclass(frozen=True)
class Report:
    """Figures on held-out folds, beside a baseline and people."""

    coder: list[Figure]
    plain: list[Figure]
    """The same without punctuation and case."""
    baseline: dict[str, float]
    """Figure id → TF-IDF with logistic regression."""
    ceilings: list[Ceiling]
    readings: list[ReadingLine]
    slices: list[Slice]
    coverage: dict[Role, tuple[float, float]]
    """Share of units whose parent code the prediction set held, and share withheld."""
    counts: list[CountCoverage]
    """How often the intervals of a session's counts hold what people counted."""
    risk: dict[Role, list[tuple[float, float, float]]]


def make(bundle: Bundle, data: Path, sets: Path) -> tuple[Plan, Report]:
    """Computes the report of a bundle; `data` is where the sets' files lie.

    Raises `ModelNotFound` where the bundle's held-out predictions are not of these sets.
    """
    recipe = Recipe.model_validate(bundle.info.parameters["recipe"])
    made = plan.make(recipe, data, sets)
    held, without = (_held(bundle, name, made) for name in ("folds.csv", "folds_plain.csv"))
    every, decided_every = held, decide_apart(held, made.scheme, recipe.calibration, made.given, made.by_people(held))
    held, without = (table.where(made.by_people(table)) for table in (held, without))
    decided, decided_plain = (
        decide_apart(table, made.scheme, recipe.calibration, made.given, made.by_people(table))
        for table in (held, without)
    )
    figures_plain = figures.coding_figures(without, decided_plain, made.scheme, recipe.turns)
    return made, Report(
        coder=figures.coding_figures(held, decided, made.scheme, recipe.turns),
        plain=figures_plain,
        baseline=_baseline(made, held),
        ceilings=_ceilings(bundle, made),
        readings=_readings(made),
        slices=_slices(made, every, decided_every),
        coverage={
            side: (float(decided.covered[own].mean()), float(decided.withheld[own].mean()))
            for side in made.scheme.sides
            for own in [held.sides == side.value]
        },
        counts=coverage(held, made.scheme, recipe.calibration, made.given),
        risk={side: figures.risk_coverage(held, decided, made.scheme, side) for side in made.scheme.sides},
    )


def _held(bundle: Bundle, name: str, made: Plan) -> HeldOut:
    held = heldout.read(bundle.file(name).read_bytes(), made.codes.ids, made.codes.also)
    labels = {f"{t.key}/{unit.id}": unit.codes for t in made.transcripts for unit in t.units if unit.codes}
    keys = _keys(held)
    if len(keys) != len(labels) or any(labels.get(key) != codes for key, codes in zip(keys, held.codes, strict=True)):
        raise ModelNotFound(f"{bundle.path / name} was not made from these sets and mappings; train the bundle again")
    return held


def _keys(held: HeldOut) -> list[str]:
    return [f"{c}/{s}/{u}" for c, s, u in zip(held.corpora, held.sessions, held.units, strict=True)]


def _baseline(made: Plan, held: HeldOut) -> dict[str, float]:
    """The baseline's figures: parent codes of both sides, and fine codes on the sets coded by utterance."""
    keys, truth = _keys(held), held.parents(made.scheme.codebook)
    parents = dict(zip(keys, truth.tolist(), strict=True))
    is_fine = [c != made.recipe.turns and len(codes) == 1 for c, codes in zip(held.corpora, held.codes, strict=True)]
    fine = {key: codes[0] for key, codes, known in zip(keys, held.codes, is_fine, strict=True) if known}
    given: dict[str, str] = {}
    for side in made.scheme.sides:
        given |= tfidf(made.transcripts, made.folds, parents, side)
    codes = tfidf(made.transcripts, made.folds, fine, Role.WORKER)
    decided = Decided(
        codes=np.array([codes.get(key, "") for key in keys]),
        parents=np.array([given[key] for key in keys]),
        confidence=np.ones(len(keys)),
        withheld=np.zeros(len(keys), dtype=np.bool_),
        covered=np.ones(len(keys), dtype=np.bool_),
    )
    found: list[Figure] = []
    for side in made.scheme.sides:
        own = (held.corpora == made.recipe.turns) & (held.sides == side.value)
        labelled = figures.parents(held, decided, made.scheme, side, own)
        found.append(labelled.figure(f"{side.value}_macro_f1", "", macro_f1))
        found.append(labelled.figure(f"{side.value}_kappa", "", kappa))
        found += figures.session_counts(held, decided, made.scheme, side, held.corpora == made.recipe.turns)
    found += figures.fine_figures(held, decided, made.scheme, held.corpora != made.recipe.turns)
    for kind in figures.kinds(held, made.scheme, held.corpora == made.recipe.turns):
        inside = [key for key, is_in in zip(keys, kind.inside, strict=True) if is_in]
        told = tfidf(made.transcripts, made.folds, dict(zip(inside, kind.truth, strict=True)), Role.WORKER)
        found.append(kind.figure([told[key] for key in inside], held.groups))
    return {figure.id: figure.value for figure in found if figure.value is not None}


def _readings(made: Plan) -> list[ReadingLine]:
    """The reading's likeliest code against people's labels, as it was given, on the sets that people labelled."""
    codebook, lines = made.scheme.codebook, []
    for corpus in made.corpora:
        parts = {corpus.id: corpus.transcripts, f"{corpus.id}, kept out: the majority of annotators": corpus.kept_out}
        for name, transcripts in parts.items() if corpus.source.is_human else ():
            for side in made.scheme.sides:
                pairs = [
                    (codebook.parent_of(unit.codes[0]), codebook.parent_of(unit.reading[0]))
                    for transcript in transcripts
                    for unit in transcript.units
                    if unit.role is side and unit.codes and unit.reading
                ]
                if pairs:
                    table = _confused(pairs, codebook.parent_codes(side))
                    f1, agreement = float(macro_f1(table)[0]), float(kappa(table)[0])
                    lines.append(ReadingLine(corpus=name, side=side, n=len(pairs), macro_f1=f1, kappa=agreement))
    return lines


def _confused(pairs: Sequence[tuple[str, str]], parents: Sequence[str]) -> NDArray[np.float64]:
    """Confusion of true and given parent codes, one stratum."""
    truth, given = (
        np.array([parents.index(one) for one in column], dtype=np.int64) for column in zip(*pairs, strict=True)
    )
    return confusion(truth, given, len(parents), np.zeros(len(truth), dtype=np.int64), 1)


def _ceilings(bundle: Bundle, made: Plan) -> list[Ceiling]:
    coder = BundleCoder(bundle.path, made.scheme.codebook)
    transcripts = made.kept_out
    given = {
        f"{t.key}/{unit.id}": code for t in transcripts for unit, code in zip(t.units, _code(coder, t), strict=True)
    }
    ceilings = []
    for side in made.scheme.sides:
        if not any(unit.annotations for t in transcripts for unit in t.units if unit.role is side):
            continue
        codebook = made.scheme.codebook
        pairs = [
            (codebook.parent_of(unit.codes[0]), given[f"{t.key}/{unit.id}"])
            for t in transcripts
            for unit in t.units
            if unit.role is side
        ]
        table = _confused(pairs, codebook.parent_codes(side))
        human = human_line(transcripts, made.scheme.codebook, side)
        f1, agreement = float(macro_f1(table)[0]), float(kappa(table)[0])
        ceilings.append(Ceiling(human=human, macro_f1=f1, kappa=agreement))
    return ceilings


def _code(coder: BundleCoder, transcript: CodedTranscript) -> list[str]:
    utterances = [
        Utterance(id=number, speaker=unit.role.value, text=unit.text, role=unit.role)
        for number, unit in enumerate(transcript.units)
    ]
    return [coded.parent_code or "" for coded in coder.code(utterances, transcript.target)]


def _slices(made: Plan, held: HeldOut, decided: Decided) -> list[Slice]:
    """Right parent codes by set, by length of turn and by quality of session."""
    right = held.parents(made.scheme.codebook) == decided.parents
    quality = {(t.corpus, t.id): t.quality for t in made.transcripts}
    qualities = np.array([quality[c, s] or "" for c, s in zip(held.corpora, held.sessions, strict=True)])
    kinds: list[tuple[str, NDArray[np.bool_]]] = [(f"set {c.id}", held.corpora == c.id) for c in made.corpora]
    turns = held.corpora == made.recipe.turns
    kinds.append((f"{made.recipe.turns}, up to {SHORT} words", turns & (held.words <= SHORT)))
    kinds.append((f"{made.recipe.turns}, more than {SHORT} words", turns & (held.words > SHORT)))
    kinds += [
        (f"{made.recipe.turns}, {name} quality", turns & (qualities == name)) for name in sorted(set(qualities) - {""})
    ]
    slices = []
    for side in made.scheme.sides:
        for name, chosen in kinds:
            own = chosen & (held.sides == side.value)
            if own.any():
                shares = float(right[own].mean()), float(decided.withheld[own].mean())
                slices.append(Slice(name=name, side=side, n=int(own.sum()), right=shares[0], withheld=shares[1]))
    return slices
