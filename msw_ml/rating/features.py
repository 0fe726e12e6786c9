"""A coded session as a row of numbers: what the session rater reads.

A feature is named by its kind and what it is about, so that a bundle says which ones it reads and
Python names no code:

    words:CODE          share of a side's words that are spent on CODE
    runs:CODE           share of a side's runs that are CODE
    after:CODE:CODE     of the runs that are the first code, the share that the other side answers
                        with the second
    words_a_run:ROLE    log of the mean number of words in a side's run
    long_runs:ROLE      share of a side's words that stand in runs of more than 60 words
    word_share:ROLE     a side's share of all words
    often:CODE          square root of the share of a side's runs that are CODE
    mark:MARK           square root of the share of the worker's runs that carry MARK
    early:MARK          the same in the first quarter of the worker's runs
    manner:ROLE         how a side talks, from its commonest words

CODE is a code, or a parent code with a + behind it. A run is what one side says until the other speaks;
back-channels do not end it. Everything is a share or a mean, so that a session of an hour and one of ten
minutes lie on one scale and it matters little how finely units are cut. Codes enter by their
probabilities: where the coder doubts, a share changes little. A unit that was coded without
probabilities, as by a person, is taken at its word.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from msw_ml.codebook import Codebook
from msw_ml.errors import UnknownName
from msw_ml.rating.manner import Manner
from msw_ml.session import CodedUtterance, Role

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

LONG_RUN_WORDS = 60
"""About half a minute of speech: a longer run without an answer is a monologue (proposed here)."""

PRIOR_RUNS = 2.0
"""Runs of average content that every share of runs starts from, so that two runs decide nothing."""

EARLY = 0.25
"""Share of the worker's runs that counts as early."""

SIDES = (Role.WORKER, Role.PARENT)
KINDS = (
    "words", "runs", "after", "words_a_run", "long_runs", "word_share", "manner", "often", "mark", "early"
)  # fmt: skip


@dataclass(frozen=True)
class Talk:
    """What both sides said, as arrays of one length in time order."""

    ids: Ints
    at: Ints
    """Positions among all of the session's utterances."""
    side: Ints
    """Index into `SIDES`."""
    run: Ints
    """Number of the run that an utterance stands in, from 0."""
    words: Floats
    """Trusted words."""
    probabilities: dict[str, Floats]
    """Code, or parent code with + → its probability in each utterance, 0 on the other side."""
    manner: Floats
    """Counts by `Manner.count`."""
    marks: dict[str, Floats] = field(default_factory=dict)
    """Mark → its probability in each utterance, 0 for the parent's."""

    def without(self, position: int) -> Talk:
        """The same talk with one utterance unsaid; the other runs stay as they are."""
        words, manner = self.words.copy(), self.manner.copy()
        words[position], manner[position] = 0.0, 0.0
        return replace(self, words=words, manner=manner)

    def with_marks(self, ids: Sequence[str], read: Floats) -> Talk:
        """The same talk with marks; `read` (utterances of the session, marks): their probabilities."""
        return replace(self, marks={mark: read[self.at, number] for number, mark in enumerate(ids)})


def read_talk(coded: Sequence[CodedUtterance], codebook: Codebook, manner: Manner) -> Talk:
    """What worker and parent said, without back-channels and without doubtful words."""
    skipped = set(codebook.back_channels)
    places = [
        number
        for number, one in enumerate(coded)
        if one.utterance.role in SIDES and _plain(one) not in skipped and _words(one)
    ]
    spoken = [coded[place] for place in places]
    side = np.array([SIDES.index(one.utterance.role) for one in spoken], dtype=np.intp)
    return Talk(
        ids=np.array([one.utterance.id for one in spoken], dtype=np.intp),
        at=np.array(places, dtype=np.intp),
        side=side,
        run=np.cumsum(np.diff(side, prepend=side[:1]) != 0).astype(np.intp),
        words=np.array([_words(one) for one in spoken], dtype=np.float64),
        probabilities=_probabilities(spoken, codebook),
        manner=manner.count([one.utterance.trusted_text for one in spoken]),
    )


def feature_names(
    codebook: Codebook,
    kinds: Iterable[str] = KINDS,
    roles: Sequence[Role] = SIDES,
    marks: Sequence[str] = (),
    *,
    is_fine: bool = False,
) -> list[str]:
    """Every feature of these kinds about these sides: over their parent codes, or over their codes if `is_fine`.

    Raises `UnknownName`.
    """
    codes = {role: codebook.codes(role) if is_fine else _parents(role, codebook) for role in roles}
    said = [code for role in roles for code in codes[role]]
    pairs = [(a, b) for one in roles for other in roles if one is not other for a in codes[one] for b in codes[other]]
    made = {
        "words": [f"words:{code}" for code in said],
        "runs": [f"runs:{code}" for code in said],
        "after": [f"after:{first}:{then}" for first, then in pairs],
        "words_a_run": [f"words_a_run:{role}" for role in roles],
        "long_runs": [f"long_runs:{role}" for role in roles],
        "word_share": [f"word_share:{Role.WORKER}"],
        "manner": [f"manner:{Role.WORKER}"],
        "often": [f"often:{code}" for code in said],
        "mark": [f"mark:{mark}" for mark in marks],
        "early": [f"early:{mark}" for mark in marks],
    }
    names: list[str] = []
    for kind in kinds:
        if kind not in made:
            raise UnknownName("kind of feature", kind, KINDS)
        names += made[kind]
    return names


def feature_row(talk: Talk, names: Sequence[str], codebook: Codebook, manner: Manner) -> Floats:
    """The named features of a session, in that order. Raises `UnknownName`."""
    reader = _Reader(talk, codebook, manner)
    return np.array([reader.read(name) for name in names], dtype=np.float64)


class _Reader:
    """Computes features of one talk; what several of them need is computed once."""

    def __init__(self, talk: Talk, codebook: Codebook, manner: Manner) -> None:
        self._talk = talk
        self._codebook = codebook
        self._manner = manner
        runs = int(talk.run[-1]) + 1 if len(talk.run) else 0
        self._words = np.bincount(talk.run, weights=talk.words, minlength=runs)
        self._side = np.zeros(runs, dtype=np.intp)
        self._side[talk.run] = talk.side
        self._contents: dict[str, Floats] = {}

    def read(self, name: str) -> float:
        kind, *about = name.split(":")
        match kind, about:
            case "words", [code]:
                return self._share_of_words(code)
            case "runs", [code]:
                said = (self._side == self._side_of(code)) & (self._words > 0)
                return _smoothed(float(self._content(code)[said].sum()), float(said.sum()), self._prior(code))
            case "often", [code]:
                said = (self._side == self._side_of(code)) & (self._words > 0)
                return float(np.sqrt(self._content(code)[said].mean())) if said.any() else 0.0
            case "mark" | "early", [mark] if mark in self._talk.marks:
                return self._marked(mark, is_early=kind == "early")
            case "after", [first, then]:
                asked, answered = self._content(first)[:-1], self._content(then)[1:]
                return _smoothed(float(asked @ answered), float(asked.sum()), self._prior(then))
            case _, [role] if role in SIDES:
                return self._of_side(kind, SIDES.index(Role(role)))
        raise UnknownName("feature", name, KINDS)

    def _of_side(self, kind: str, side: int) -> float:
        own: Floats = self._words[(self._side == side) & (self._words > 0)]
        match kind:
            case "words_a_run":
                return float(np.log(own.mean())) if len(own) else 0.0
            case "long_runs":
                return _ratio(own[own > LONG_RUN_WORDS].sum(), own.sum())
            case "word_share":
                return _ratio(own.sum(), self._words.sum())
            case "manner":
                return self._manner.score(self._talk.manner[self._talk.side == side].sum(axis=0))
        raise UnknownName("kind of feature", kind, KINDS)

    def _share_of_words(self, code: str) -> float:
        total = float(self._words[self._side == self._side_of(code)].sum())
        return float(self._talk.words @ self._talk.probabilities[code]) / total if total else self._prior(code)

    def _marked(self, mark: str, *, is_early: bool) -> float:
        """A run carries a mark as far as that of its utterances does which carries it most.

        Of what was left unsaid nothing counts, but the places of the rest stay as they are.
        """
        most = np.zeros(len(self._words))
        np.maximum.at(most, self._talk.run, np.where(self._talk.words > 0, self._talk.marks[mark], 0.0))
        own = np.flatnonzero(self._side == SIDES.index(Role.WORKER))
        own = own[: max(1, round(len(own) * EARLY))] if is_early else own
        said = own[self._words[own] > 0]
        return float(np.sqrt(most[said].mean())) if len(said) else 0.0

    def _content(self, code: str) -> Floats:
        """How far each run is `code`: the mean over its utterances, weighted by words.

        A run of one utterance and the same run cut into three come out on one scale.
        """
        if code not in self._contents:
            weighted = self._talk.words * self._talk.probabilities[code]
            totals = np.bincount(self._talk.run, weights=weighted, minlength=len(self._words))
            self._contents[code] = totals / np.maximum(self._words, 1.0)
        return self._contents[code]

    def _side_of(self, code: str) -> int:
        for number, role in enumerate(SIDES):
            if code in self._codebook.codes(role) or code in _parents(role, self._codebook):
                return number
        raise UnknownName("code", code, [behaviour.id for behaviour in self._codebook.behaviours])

    def _prior(self, code: str) -> float:
        return 1.0 / len(self._codebook.parent_codes(SIDES[self._side_of(code)]))


def _smoothed(part: float, whole: float, prior: float) -> float:
    return (part + PRIOR_RUNS * prior) / (whole + PRIOR_RUNS)


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0


def _probabilities(spoken: Sequence[CodedUtterance], codebook: Codebook) -> dict[str, Floats]:
    made: dict[str, Floats] = {}
    for role in SIDES:
        made |= {parent: np.zeros(len(spoken)) for parent in _parents(role, codebook)}
        for code in codebook.codes(role):
            made[code] = np.array([_probability(one, code) for one in spoken], dtype=np.float64)
            made[f"{codebook.parent_of(code)}+"] += made[code]
    return made


def _probability(one: CodedUtterance, code: str) -> float:
    return one.probabilities.get(code, 0.0) if one.probabilities else float(one.code == code)


def _parents(role: Role, codebook: Codebook) -> tuple[str, ...]:
    """A side's parent codes as features name them: a code may be called as its parent is."""
    return tuple(f"{parent}+" for parent in codebook.parent_codes(role))


def _words(one: CodedUtterance) -> int:
    return len(one.utterance.trusted_text.split())


def _plain(one: CodedUtterance) -> str:
    return one.utterance.trusted_text.lower().strip(" .,!?…-")
