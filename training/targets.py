"""What the network is taught of each unit: the label of a person, and softly what a second reading foretells.

Almost every unit was labelled by one person, and two people agree on few more units than chance and habit explain
(parent's talk: kappa .47). A second reading by other eyes is a second annotator: where both agree the target is
sharp, where they differ it is soft. What a reading foretells of people's labels is counted on the labelled units
that the network learns from, so that a reader's own leanings are taken out before anything is learned of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.corpora import Unit
from training.examples import Codes, Example

FIRST = 0.7
"""Share of a reading's first code where it names a second. A choice made here."""
OF_FIRST = 4.0
"""How many units what is known of the first code alone counts for, where few units have the same two codes."""
OF_ALL = 10.0
"""How many units what is known from all sets counts for, beside a set's own."""

Key = tuple[str, str]
"""A reading's first code, and the parent of its second (or nothing)."""

Counts = dict[Key, NDArray[np.float64]]
"""Key → number of labelled units by parent code, (parents of all sides)."""


@dataclass(frozen=True)
class Targets:
    """What the units of one example are taught beside their labels."""

    parents: NDArray[np.float32]
    """(n, parents of all sides): what the reading foretells of a person's parent code; zeros where nobody read."""
    codes: NDArray[np.float32]
    """(n, codes): shares of the parent's codes; zeros where nothing is known of them.

    The label's, where it is one code; where it leaves several open, what the reading foretells of a person's code;
    without a label, the reading's own code."""
    within: NDArray[np.bool_]
    """(n, codes): the codes of the parent that `codes` shares out."""
    share: NDArray[np.float32]
    """(n): weight of the reading against the label; 1 where no person gave one, 0 where nobody read."""
    labels: NDArray[np.float32]
    """(n, parents of all sides): the label's parent code; zeros where there is none."""
    names: tuple[str, ...]
    """The parents of all sides."""

    def of_parents(self, wanted: Sequence[str]) -> NDArray[np.float32]:
        """Label and reading together as shares of some parent codes, (n, wanted)."""
        both = (1 - self.share[:, None]) * self.labels + self.share[:, None] * self.parents
        shares: NDArray[np.float32] = both[:, [self.names.index(parent) for parent in wanted]]
        return shares


@dataclass(frozen=True)
class Foretold:
    """How people code what a reading takes for something: counted by set, and smoothed by what all sets say."""

    scheme: Codes
    by_set: Mapping[str, Counts]
    together: Counts
    of_first: Mapping[str, NDArray[np.float64]]
    """First code → shares of parent codes, whatever the second."""
    kinds: Mapping[str, Mapping[str, NDArray[np.float64]]]
    """Set → a reading's code → number of units by code, of those that people gave one code of the same parent."""
    kinds_together: Mapping[str, NDArray[np.float64]]

    @classmethod
    def of(cls, examples: Sequence[Example], scheme: Codes) -> Foretold:
        """Counts on the units that people labelled and somebody read a second time."""
        by_set: dict[str, Counts] = defaultdict(lambda: defaultdict(_none(scheme.all_parents)))
        together: Counts = defaultdict(_none(scheme.all_parents))
        # A code that no label ever met foretells its own parent.
        of_first = {code: _only(scheme, scheme.parent_of(code)) for code in scheme.ids}
        kinds: dict[str, dict[str, NDArray[np.float64]]] = defaultdict(lambda: defaultdict(_none(scheme.ids)))
        kinds_together: dict[str, NDArray[np.float64]] = defaultdict(_none(scheme.ids))
        for corpus, unit in _read_twice(examples):
            first, parent = unit.reading[0], scheme.parent_of(unit.codes[0])
            given = _only(scheme, parent)
            by_set[corpus][_key(unit, scheme)] += given
            together[_key(unit, scheme)] += given
            of_first[first] += given
            if len(unit.codes) == 1 and parent == scheme.parent_of(first):
                kinds[corpus][first] += _one(scheme.ids, unit.codes[0])
                kinds_together[first] += _one(scheme.ids, unit.codes[0])
        shares = {code: counts / counts.sum() for code, counts in of_first.items()}
        return cls(scheme, by_set, together, shares, kinds, kinds_together)

    def parents(self, unit: Unit, corpus: str) -> NDArray[np.float64]:
        """Shares of parent codes, (parents of all sides)."""
        key = _key(unit, self.scheme)
        shares = _mixed(self.together.get(key), self.of_first[key[0]], OF_FIRST)
        return _mixed(self.by_set.get(corpus, {}).get(key), shares, OF_ALL)

    def codes(self, code: str, corpus: str) -> NDArray[np.float64]:
        """Shares of the codes of its parent, (codes); zeros for a code that people give in no set."""
        own = _one(self.scheme.ids, code)
        if not any(counts @ own for counts in self.kinds_together.values()):
            return np.zeros(len(own))
        every = _mixed(self.kinds_together.get(code), own, OF_FIRST)
        return _mixed(self.kinds.get(corpus, {}).get(code), every, OF_ALL)


def _read_twice(examples: Sequence[Example]) -> Iterator[tuple[str, Unit]]:
    """Set and unit of what people labelled and somebody read a second time."""
    for example in examples:
        for unit in example.transcript.units if example.transcript.is_human else ():
            if unit.codes and unit.reading:
                yield example.transcript.corpus, unit


def make(examples: Sequence[Example], scheme: Codes, weight: float) -> list[Targets]:
    """Targets of each example; `weight` is the share of a reading beside a person's label."""
    foretold = Foretold.of(examples, scheme)
    return [_targets(example, foretold, weight) for example in examples]


def _targets(example: Example, foretold: Foretold, weight: float) -> Targets:
    scheme, n = foretold.scheme, len(example)
    found = Targets(
        parents=np.zeros((n, len(scheme.all_parents)), dtype=np.float32),
        codes=np.zeros((n, len(scheme.ids)), dtype=np.float32),
        within=np.zeros((n, len(scheme.ids)), dtype=np.bool_),
        share=np.zeros(n, dtype=np.float32),
        labels=np.zeros((n, len(scheme.all_parents)), dtype=np.float32),
        names=scheme.all_parents,
    )
    is_human = example.transcript.is_human
    for row, unit in enumerate(example.transcript.units):
        if unit.codes:
            found.labels[row] = _only(scheme, scheme.parent_of(unit.codes[0]))
        if not unit.reading:
            continue
        found.share[row] = weight if is_human else 1.0
        found.parents[row] = foretold.parents(unit, example.transcript.corpus)
        parent = scheme.parent_of(unit.codes[0] if is_human else unit.reading[0])
        found.within[row] = [one == parent for one in scheme.parents]
        if is_human and len(unit.codes) == 1:
            # The label says which of the parent's codes it is: the reading has no say in it.
            found.codes[row] = _one(scheme.ids, unit.codes[0])
            continue
        shares = (FIRST, 1 - FIRST) if len(unit.reading) > 1 else (1.0,)
        for code, share in zip(unit.reading, shares, strict=True):
            if scheme.parent_of(code) == parent:
                own = foretold.codes(code, example.transcript.corpus) if is_human else _one(scheme.ids, code)
                found.codes[row] += share * own
        if total := found.codes[row].sum():
            found.codes[row] /= total
    return found


def _key(unit: Unit, scheme: Codes) -> Key:
    second = scheme.parent_of(unit.reading[1]) if len(unit.reading) > 1 else ""
    return unit.reading[0], second


def _only(scheme: Codes, parent: str) -> NDArray[np.float64]:
    return _one(scheme.all_parents, parent)


def _none(names: Sequence[str]) -> Callable[[], NDArray[np.float64]]:
    return lambda: np.zeros(len(names))


def _one(names: Sequence[str], name: str) -> NDArray[np.float64]:
    return np.array([float(one == name) for one in names])


def _mixed(counts: NDArray[np.float64] | None, shares: NDArray[np.float64], worth: float) -> NDArray[np.float64]:
    """Counts as shares, with `worth` further units that are as `shares` says."""
    if counts is None:
        return shares
    mixed: NDArray[np.float64] = (counts + worth * shares) / (counts.sum() + worth)
    return mixed
