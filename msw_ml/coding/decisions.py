"""From a coder's logits to one code: calibration, the conservative choice on doubt, abstention.

Everything that was measured on held-out folds stands in the bundle (`CoderParameters`); the costs of a
false claim stand in the codebook.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from msw_ml.bundle import BundleInfo
from msw_ml.codebook.book import Codebook
from msw_ml.errors import ModelNotFound
from msw_ml.session import CodedUtterance, Role, Utterance, Value
from msw_ml.text.packing import Window

CODES = "codes"
ALSO = "also"
"""Names of the network's two heads in `BundleInfo.labels`."""


class SideParameters(Value):
    """What was measured on held-out folds for one side, worker or parent."""

    temperature: float = Field(gt=0)
    """Logits are divided by it (Guo et al. 2017)."""
    weights: dict[str, float]
    """Parent code → factor of its probability when the parent is chosen; 1 everywhere is the plain arg-max."""
    code_weights: dict[str, float]
    """Code → factor of its probability when a code of the chosen parent is chosen."""
    least: float = Field(ge=0, le=1)
    """A parent code of at least this probability is in the prediction set (split conformal, LAC)."""


class CoderParameters(Value):
    """The part of a coder's `BundleInfo.parameters` that coding reads."""

    window: Window
    words_weight: float = Field(ge=0)
    """What the second opinion from words alone weighs."""
    coverage: float = Field(gt=0, lt=1)
    """Share of unseen utterances whose parent code the prediction set holds."""
    also: float = Field(gt=0, lt=1)
    """A parent code occurs besides the main one from this probability on."""
    sides: dict[Role, SideParameters]

    @classmethod
    def of(cls, info: BundleInfo) -> Self:
        """Raises `ModelNotFound` when the bundle does not hold them."""
        try:
            return cls.model_validate({name: info.parameters.get(name) for name in cls.model_fields})
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise ModelNotFound(f"the bundle {info.name} lacks {place}: {first['msg']}; train it again") from error


class Decider:
    """Applies a bundle's parameters and a codebook's rules to logits."""

    def __init__(self, codebook: Codebook, labels: Mapping[str, Sequence[str]], parameters: CoderParameters) -> None:
        self._codebook = codebook
        self._also = tuple(labels[ALSO])
        self._parameters = parameters
        self._codes = tuple(labels[CODES])
        self._places = {side: [self._codes.index(code) for code in codebook.codes(side)] for side in parameters.sides}

    def probabilities(self, side: Role, logits: NDArray[np.float32]) -> dict[str, float]:
        """Calibrated probability of every code of a side."""
        own = logits[self._places[side]].astype(np.float64) / self._parameters.sides[side].temperature
        shares = np.exp(own - own.max())
        shares /= shares.sum()
        return dict(zip(self._codebook.codes(side), shares.tolist(), strict=True))

    def decide(self, utterance: Utterance, logits: NDArray[np.float32], also: NDArray[np.float32]) -> CodedUtterance:
        """One coded utterance from its logits (codes) and the logits of the parents that occur (also)."""
        side = utterance.role
        probabilities = self.probabilities(side, logits)
        parents = self._by_parent(probabilities)
        code = self.choose(side, probabilities)
        parent = self._codebook.parent_of(code)
        kept = [one for one, p in parents.items() if p >= self._parameters.sides[side].least]
        return CodedUtterance(
            utterance=utterance,
            code=code,
            parent_code=parent,
            confidence=min(1.0, parents[parent]),
            withheld=kept != [parent],
            other_codes=self._others(side, parent, probabilities, also),
            probabilities=probabilities,
        )

    def choose(self, side: Role, probabilities: Mapping[str, float]) -> str:
        """The parent first, then its code, or what that falls to on doubt.

        On doubt means: less than `doubt_cost` times as probable as the code it falls to. Probabilities count
        with their weights: without them a code that is rare in the sets would never be given.
        """
        weights = self._parameters.sides[side].weights
        parents = {one: p * weights[one] for one, p in self._by_parent(probabilities).items()}
        return self._on_doubt(side, max(parents, key=lambda one: parents[one]), probabilities)

    def _on_doubt(self, side: Role, parent: str, probabilities: Mapping[str, float]) -> str:
        own = self._parameters.sides[side]
        weighted = {
            c: p * own.weights[self._codebook.parent_of(c)] * own.code_weights[c] for c, p in probabilities.items()
        }
        inside = [code for code in weighted if self._codebook.parent_of(code) == parent]
        rule = self._codebook.behaviour(max(inside, key=lambda one: weighted[one]))
        while rule.falls_to is not None and weighted[rule.id] < rule.doubt_cost * weighted.get(rule.falls_to, 0.0):
            if self._codebook.parent_of(rule.falls_to) != parent and rule.doubt_cost == 1:
                # Between parents without a cost the parents' own order has decided already.
                break
            rule = self._codebook.behaviour(rule.falls_to)
        return rule.id

    def _others(
        self, side: Role, parent: str, probabilities: Mapping[str, float], also: NDArray[np.float32]
    ) -> tuple[str, ...]:
        """Codes of the parents that occur besides the main one, the most probable first."""
        occurs = dict(zip(self._also, (1 / (1 + np.exp(-also.astype(np.float64)))).tolist(), strict=True))
        present = [
            one
            for one in self._codebook.parent_codes(side)
            if one != parent and occurs.get(one, 0.0) >= self._parameters.also
        ]
        ordered = [self._on_doubt(side, one, probabilities) for one in sorted(present, key=lambda one: -occurs[one])]
        # On doubt a code may fall back to the main code's parent: that one is given already.
        return tuple(code for code in dict.fromkeys(ordered) if self._codebook.parent_of(code) != parent)

    def _by_parent(self, probabilities: Mapping[str, float]) -> dict[str, float]:
        parents: dict[str, float] = {}
        for code, probability in probabilities.items():
            parent = self._codebook.parent_of(code)
            parents[parent] = parents.get(parent, 0.0) + probability
        return parents
