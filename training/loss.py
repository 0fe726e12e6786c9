"""How far the network's outputs are from what it is taught: people's labels, and second readings beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from msw_ml.session import Value
from training.examples import Codes, Example, Stretch
from training.targets import Targets

NEVER = -1e4
"""Logit of what cannot be."""


class FitOptions(Value):
    """How the network is trained; the values are those that did best on the folds."""

    epochs: int = Field(default=3, gt=0)
    rate: float = Field(default=8e-5, gt=0)
    """Learning rate of the encoder's last layer."""
    layer_decay: float = Field(default=0.9, gt=0, le=1)
    """Each layer below learns so many times as fast."""
    head_rate: float = Field(default=1e-3, gt=0)
    warm_up: float = Field(default=0.1, ge=0, lt=1)
    weight_decay: float = Field(default=0.01, ge=0)
    stretch: int = Field(default=24, gt=0)
    """Units of one session read in a row."""
    stretches: int = Field(default=3, gt=0)
    """Stretches a step."""
    plain_share: float = Field(default=0.25, ge=0, le=1)
    """Share of sessions read without punctuation and case."""
    target_share: float = Field(default=0.7, ge=0, le=1)
    """Share of sessions read with their target behaviour."""
    worn_share: float = Field(default=0.0, ge=0, le=1)
    """Of the sessions read without punctuation and case, the share with words wrong and missing as well."""
    machine_share: float = Field(default=1.0, gt=0, le=1)
    """Share of what only a machine labelled that an epoch reads."""
    reading_weight: float = Field(default=0.0, ge=0, le=1)
    """Weight of a second reading beside a person's label (training/targets.py); 0: people's labels alone."""
    also_weight: float = Field(default=0.3, ge=0)
    balance: float = Field(default=0.0, ge=0, le=1)
    """Weight of a unit: (mean count of a side's parents over that of its own) to this power."""
    average: float = Field(default=0.0, ge=0, lt=1)
    """Decay of the running mean of the weights that is kept at the end; 0: the last weights."""


class Taught:
    """Examples with their targets, and the loss of what the network says of some stretches of them."""

    def __init__(
        self, examples: Sequence[Example], given: Sequence[Targets], scheme: Codes, options: FitOptions
    ) -> None:
        self.examples = examples
        self.options = options
        self._places = {id(example): number for number, example in enumerate(examples)}
        self._targets = given
        self._weights = _weights(examples, options.balance)
        self._columns = [
            [place for place, one in enumerate(scheme.parents) if one == parent] for parent in scheme.all_parents
        ]

    def loss(self, codes: Tensor, also: Tensor, stretches: Sequence[Stretch]) -> Tensor:
        """`codes` (n, codes) and `also` (n, parents that may occur): logits of the stretches' units, in order."""

        def gather(values: Callable[[int], NDArray[np.generic]]) -> Tensor:
            places = [self._places[id(s.example)] for s in stretches]
            parts = [values(place)[s.start : s.stop] for place, s in zip(places, stretches, strict=True)]
            return torch.from_numpy(np.concatenate(parts))

        def of_example(name: str) -> Tensor:
            return torch.from_numpy(np.concatenate([getattr(s.example, name)[s.start : s.stop] for s in stretches]))

        allowed, sides, occurs = of_example("allowed"), of_example("sides"), of_example("also")
        share, weight = gather(lambda place: self._targets[place].share), gather(lambda place: self._weights[place])
        log_p = torch.log_softmax(codes.masked_fill(~sides, NEVER), -1)
        coded = allowed.any(-1)
        # A label that allows several codes asks for their sum: what the set does not know is not taught.
        labelled = -torch.logsumexp(log_p.masked_fill(~allowed, NEVER), -1)
        missed = (1 - share) * labelled + share * self._read(log_p, gather)
        weight = weight * coded
        loss = (missed.masked_fill(~coded, 0.0) * weight).sum() / weight.sum().clamp(min=1.0)
        known = ~occurs.isnan()
        if self.options.also_weight and bool(known.any()):
            apart = functional.binary_cross_entropy_with_logits(also[known], occurs[known])
            loss = loss + self.options.also_weight * apart
        return loss

    def _read(self, log_p: Tensor, gather: Callable[[Callable[[int], NDArray[np.generic]]], Tensor]) -> Tensor:
        """Cross-entropy with what the reading foretells of the parent code, and with its codes inside the parent."""
        foretold, shares = (
            gather(lambda place: self._targets[place].parents),
            gather(lambda place: self._targets[place].codes),
        )
        within = gather(lambda place: self._targets[place].within)
        parents = torch.stack([torch.logsumexp(log_p[:, columns], -1) for columns in self._columns], -1)
        inside = log_p - torch.logsumexp(log_p.masked_fill(~within, NEVER), -1, keepdim=True)
        return -(foretold * parents).sum(-1) - (shares * inside).sum(-1)


def _weights(examples: Sequence[Example], power: float) -> list[NDArray[np.float32]]:
    """Weight of each unit by how common its label is on its side."""
    keys = [[a.tobytes() for a in example.allowed] for example in examples]
    counts: dict[bytes, int] = {}
    for key in (key for found in keys for key in found):
        counts[key] = counts.get(key, 0) + 1
    mean = sum(counts.values()) / max(len(counts), 1)
    return [np.array([min(4.0, (mean / counts[k]) ** power) for k in found], dtype=np.float32) for found in keys]
