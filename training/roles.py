"""Trains the small model that tells the worker from the parent, and writes the bundle `role_finder`.

    python training/roles.py ../shared/data msw_ml/bundles/role_finder

Sets: `annomi` (therapist and client) and `hlqc` (counsellor and client), a whole conversation and what
repeats it on one side of every split. Words and pairs of words are weighed by logistic regression on stretches
of `STRETCH` words by one speaker; language and share of the words of a session's two speakers by another, on
language scores from folds that did not see the session. Who begins counts by its own log odds alone: it
differs so much between sets (.85 in one, .50 in the other) that weighed beside language it misleads elsewhere.

No text leaves this program but words and pairs of words that stand in at least `LEAST_SESSIONS`
conversations.
"""

from __future__ import annotations

import csv
import math
import sys
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from msw_ml import codebook
from msw_ml.disk import sha256
from msw_ml.errors import WrongHash
from msw_ml.session import Role
from msw_ml.speech.roles import RoleWeights, terms, tokens
from training.corpora import SETS, CodedTranscript, Source, Unit, load
from training.roles_bundle import LEAST_SESSIONS, SHORT, SURE, RoleFigures, write_bundle
from training.splits import folds, group

FOLDS = 10
STRETCH = 40
"""Words of one training example: about what a person says before the other one answers."""
REGULARISATION = 0.01
"""Inverse strength, as scikit-learn's C, on counts per `STRETCH` words."""
DOUBT_WORDS = 20.0


@dataclass(frozen=True)
class Stretch:
    """Some utterances of one speaker: counts of their terms."""

    session: str
    is_worker: bool
    counts: Counter[str]
    words: int


def train(data: Path, out: Path) -> RoleFigures:
    """Trains on all sessions, writes the bundle, and returns figures from folds. Raises what the sets raise."""
    sessions = read_sessions(data)
    groups = group(sessions)
    fold_of = folds(sessions, groups, FOLDS)
    stretches = [stretch for session in sessions for stretch in cut(session)]
    unseen: list[tuple[CodedTranscript, RoleWeights]] = []
    for fold in range(FOLDS):
        language = fit_language([s for s in stretches if fold_of[s.session] != fold])
        unseen += [(t, language) for t in sessions if fold_of[t.key] == fold]
    found = []
    for fold in range(FOLDS):
        rule = fit_session([(t, w) for t, w in unseen if fold_of[t.key] != fold])
        found += [(t, w.model_copy(update=rule)) for t, w in unseen if fold_of[t.key] == fold]
    figures = measure(found, len(set(groups.values())))
    weights = fit_language(stretches).model_copy(update=fit_session(unseen))
    write_bundle(out, weights, figures, [_source(name) for name in ("annomi", "hlqc")])
    return figures


def read_sessions(data: Path) -> list[CodedTranscript]:
    """Sessions in which both sides speak; AnnoMI's transcripts with ten annotators stay out."""
    known = [*load("annomi", data, codebook.load()).transcripts, *_read_hlqc(data)]
    return [t for t in known if {Role.WORKER, Role.PARENT} <= {unit.role for unit in t.units}]


def _read_hlqc(data: Path) -> list[CodedTranscript]:
    source = _source("hlqc")
    path = data / source.file
    if sha256(path) != source.sha256:
        raise WrongHash(f"{path} is not the file that datasets/hlqc/source.toml names; get it again")
    role_of = {"counsellor": Role.WORKER, "client": Role.PARENT}
    said: dict[str, list[Unit]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            unit = Unit(id=str(number), role=role_of[row["speaker"]], text=row["vol_text"], codes=())
            said.setdefault(row["conv_id"], []).append(unit)
    return [
        CodedTranscript(corpus="hlqc", id=id_, group=f"hlqc/{id_}", target=None, quality=None, units=tuple(units))
        for id_, units in said.items()
    ]


def _source(name: str) -> Source:
    return Source.model_validate(tomllib.loads((SETS / name / "source.toml").read_text(encoding="utf-8")))


def cut(session: CodedTranscript) -> list[Stretch]:
    """Each speaker's utterances, taken together until they have `STRETCH` words."""
    stretches = []
    for role in (Role.WORKER, Role.PARENT):
        counts: Counter[str] = Counter()
        words = 0
        said = [unit.text for unit in session.units if unit.role is role]
        for number, text in enumerate(said, start=1):
            counts.update(terms(text))
            words += len(tokens(text))
            if words >= STRETCH or (words and number == len(said)):
                stretches.append(Stretch(session.key, role is Role.WORKER, counts, words))
                counts, words = Counter(), 0
    return stretches


def fit_language(stretches: Sequence[Stretch]) -> RoleWeights:
    """Weights of words and word pairs; no intercept, so that 0 says nothing about who speaks."""
    holders: dict[str, set[str]] = {}
    for stretch in stretches:
        for term in stretch.counts:
            holders.setdefault(term, set()).add(stretch.session)
    vocabulary = {
        term: i for i, term in enumerate(sorted(t for t, held in holders.items() if len(held) >= LEAST_SESSIONS))
    }
    rows, columns, values = [], [], []
    for row, stretch in enumerate(stretches):
        for term, count in stretch.counts.items():
            if term in vocabulary:
                rows.append(row)
                columns.append(vocabulary[term])
                values.append(STRETCH * count / stretch.words)
    matrix = csr_matrix((values, (rows, columns)), shape=(len(stretches), len(vocabulary)))
    model = LogisticRegression(C=REGULARISATION, class_weight="balanced", fit_intercept=False, max_iter=500)
    weights = STRETCH * model.fit(matrix, [stretch.is_worker for stretch in stretches]).coef_[0]
    kept = {term: round(float(weights[i]), 3) for term, i in vocabulary.items() if abs(weights[i]) >= 0.005}
    return RoleWeights(terms=kept, doubt_words=DOUBT_WORDS, language=1, first=0, share=0)


def fit_session(unseen: Sequence[tuple[CodedTranscript, RoleWeights]]) -> dict[str, float]:
    """Weights of language and share of words, on the difference of the two speakers, and of who begins."""
    cues = np.array([_cues(session, weights) for session, weights in unseen])
    differences = cues[:, [0, 2]]
    both_ways = np.concatenate([differences, -differences])
    labels = np.repeat([1, 0], len(differences))
    language, share = LogisticRegression(C=1.0, fit_intercept=False).fit(both_ways, labels).coef_[0]
    begins = float((cues[:, 1] > 0).mean())
    return {
        "language": round(float(language), 4),
        "first": round(math.log(begins / (1 - begins)), 4),
        "share": round(float(share), 4),
    }


def measure(found: Sequence[tuple[CodedTranscript, RoleWeights]], groups: int) -> RoleFigures:
    """Counts of right answers."""
    whole = [_ahead(weights, _said(session)) for session, weights in found]
    cues = np.array([_cues(session, weights) for session, weights in found])
    sure = [ahead for ahead in whole if abs(math.tanh(ahead / 2)) >= SURE]
    return RoleFigures(
        sessions=len(found),
        groups=groups,
        right=sum(ahead > 0 for ahead in whole),
        short_right=sum(_ahead(weights, _said(session, SHORT)) > 0 for session, weights in found),
        language_right=int((cues[:, 0] > 0).sum()),
        talk_right=int((cues[:, 2] > 0).sum()),
        first_right=int((cues[:, 1] > 0).sum()),
        sure=len(sure),
        sure_right=sum(ahead > 0 for ahead in sure),
    )


def _said(session: CodedTranscript, rows: int | None = None) -> dict[str, list[str]]:
    said: dict[str, list[str]] = {}
    for unit in session.units[:rows]:
        said.setdefault(unit.role.value, []).append(unit.text)
    return said


def _cues(session: CodedTranscript, weights: RoleWeights) -> NDArray[np.float64]:
    """Language, first turn and share of words: the worker's less the parent's."""
    alone = np.eye(3)
    said = _said(session)
    names = ("language", "first", "share")
    return np.array([_ahead(weights.model_copy(update=dict(zip(names, row, strict=True))), said) for row in alone])


def _ahead(weights: RoleWeights, said: dict[str, list[str]]) -> float:
    evidence = weights.evidence(said)
    return evidence.get(Role.WORKER, 0.0) - evidence.get(Role.PARENT, 0.0)


if __name__ == "__main__":
    train(Path(sys.argv[1]), Path(sys.argv[2]))
