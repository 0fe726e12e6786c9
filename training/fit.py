"""Trains the coder's network on some examples and lets it predict others.

A run goes on after a kill where its last epoch ended, and ends as an undisturbed one does: every epoch
draws its random numbers from its own seed, and one thread adds numbers up in one order.
"""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from msw_ml.disk import write_bytes
from msw_ml.session import Progress, Value, silent
from msw_ml.text.packing import Packer, Row, pad
from training.examples import Example, Stretch, deal, rows
from training.network import CoderNetwork

ROWS_AT_ONCE = 16
"""Rows padded to one length; sorted by length first, so that little is padding."""


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
    also_weight: float = Field(default=0.3, ge=0)
    balance: float = Field(default=0.0, ge=0, le=1)
    """Weight of a unit: (mean count of a side's parents over that of its own) to this power."""
    average: float = Field(default=0.0, ge=0, lt=1)
    """Decay of the running mean of the weights that is kept at the end; 0: the last weights."""


def fit(
    network: CoderNetwork,
    examples: Sequence[Example],
    packer: Packer,
    options: FitOptions,
    *,
    seed: int,
    state: Path,
    progress: Progress = silent,
) -> None:
    """Trains `network` in place; `state` is the file that keeps what an interrupted run had learned."""
    optimiser = _optimiser(network, options)
    trained = [p for p in network.parameters() if p.requires_grad]
    mean = [p.detach().clone() for p in trained]
    first = _resume(state, network, optimiser, mean)
    steps = math.ceil(sum(math.ceil(len(e) / options.stretch) + 1 for e in examples) / options.stretches)
    weights = _weights(examples, options.balance)
    for epoch in range(first, options.epochs):
        torch.manual_seed(seed * 1000 + epoch)
        chance = random.Random(f"{seed} {epoch}")  # noqa: S311  (the order of examples is no secret)
        network.train()
        shares = (options.plain_share, options.target_share)
        dealt = list(deal(examples, options.stretch, shares, chance))
        for number, start in enumerate(range(0, len(dealt), options.stretches)):
            done = (epoch * steps + number) / (options.epochs * steps)
            _set_rate(optimiser, min(done, 1.0), options.warm_up)
            loss = _loss(network, dealt[start : start + options.stretches], packer, options, weights)
            loss.backward()
            nn.utils.clip_grad_norm_(trained, 1.0)
            optimiser.step()
            optimiser.zero_grad()
            for kept, parameter in zip(mean, trained, strict=True):
                kept.lerp_(parameter.detach(), 1 - options.average)
            progress("fit", min(done, 1.0))
        _keep(state, network, optimiser, mean, epoch + 1)
    with torch.no_grad():
        for kept, parameter in zip(mean, trained, strict=True):
            parameter.copy_(kept)


def predict(
    network: CoderNetwork, example: Example, packer: Packer, *, is_plain: bool = False, has_target: bool = True
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logits of a whole session: (n, codes), minus infinity for the other side's, and (n, also)."""
    network.eval()
    stretch = Stretch(example, 0, len(example), is_plain, has_target)
    with torch.no_grad():
        vectors = _vectors(network, rows(packer, stretch))
        codes, also = network.session(vectors, torch.from_numpy(example.numbers))
    logits = codes.float().masked_fill(~torch.from_numpy(example.sides), -math.inf)
    return logits.numpy(), also.float().numpy()


def _vectors(network: CoderNetwork, packed: list[Row]) -> Tensor:
    order = sorted(range(len(packed)), key=lambda number: len(packed[number].ids))
    parts = []
    for start in range(0, len(order), ROWS_AT_ONCE):
        batch = pad([packed[number] for number in order[start : start + ROWS_AT_ONCE]])
        with torch.autocast("cpu", torch.bfloat16):
            parts.append(network.utterances(*(torch.from_numpy(part) for part in batch)))
    return torch.cat(parts)[torch.from_numpy(np.argsort(order))]


def _loss(
    network: CoderNetwork,
    stretches: Sequence[Stretch],
    packer: Packer,
    options: FitOptions,
    weights: Callable[[Example], NDArray[np.float32]],
) -> Tensor:
    packed = [row for stretch in stretches for row in rows(packer, stretch)]
    vectors = _vectors(network, packed).split([s.stop - s.start for s in stretches])
    outputs = [
        network.session(part, torch.from_numpy(s.example.numbers[s.start : s.stop]))
        for part, s in zip(vectors, stretches, strict=True)
    ]
    codes, also = torch.cat([out[0] for out in outputs]).float(), torch.cat([out[1] for out in outputs]).float()

    def gather(values: Callable[[Example], NDArray[np.generic]]) -> Tensor:
        return torch.from_numpy(np.concatenate([values(s.example)[s.start : s.stop] for s in stretches]))

    allowed, sides, weight = gather(lambda e: e.allowed), gather(lambda e: e.sides), gather(weights)
    log_p = torch.log_softmax(codes.masked_fill(~sides, -1e4), -1)
    coded = allowed.any(-1)
    weight = weight * coded
    # A label that allows several codes asks for their sum: what the set does not know is not taught.
    missed = -torch.logsumexp(log_p.masked_fill(~allowed, -1e4), -1)
    loss = (missed.masked_fill(~coded, 0.0) * weight).sum() / weight.sum().clamp(min=1.0)
    occurs = gather(lambda e: e.also)
    known = ~occurs.isnan()
    if options.also_weight and bool(known.any()):
        loss = loss + options.also_weight * functional.binary_cross_entropy_with_logits(also[known], occurs[known])
    return loss


def _weights(examples: Sequence[Example], power: float) -> Callable[[Example], NDArray[np.float32]]:
    """Weight of each unit by how common its label is on its side."""
    if not power:
        return lambda example: np.ones(len(example), dtype=np.float32)
    counts: dict[bytes, int] = {}
    keys = {id(e): [a.tobytes() for a in e.allowed] for e in examples}
    for found in keys.values():
        for key in found:
            counts[key] = counts.get(key, 0) + 1
    mean = sum(counts.values()) / len(counts)
    return lambda example: np.array(
        [min(4.0, (mean / counts[k]) ** power) for k in keys[id(example)]], dtype=np.float32
    )


def _optimiser(network: CoderNetwork, options: FitOptions) -> torch.optim.Optimizer:
    """Word and position embeddings stay as they are: the sets are small, and half the weights sit there."""
    encoder = network.utterances.encoder
    encoder.word.weight.requires_grad_(requires_grad=False)
    encoder.position.weight.requires_grad_(requires_grad=False)
    depth = len(encoder.layers)
    groups = [
        {"params": list(layer.parameters()), "lr": options.rate * options.layer_decay ** (depth - 1 - number)}
        for number, layer in enumerate(encoder.layers)
    ]
    lowest = options.rate * options.layer_decay**depth
    groups.append({"params": [encoder.kind.weight, *encoder.norm.parameters()], "lr": lowest})
    groups.append({"params": list(network.utterances.role.parameters()), "lr": options.rate * 5})
    groups.append({"params": list(network.session.parameters()), "lr": options.head_rate})
    for group in groups:
        group["highest"] = group["lr"]
    return torch.optim.AdamW(groups, weight_decay=options.weight_decay, fused=True)


def _set_rate(optimiser: torch.optim.Optimizer, done: float, warm_up: float) -> None:
    """Rises linearly, then falls along half a cosine to nothing."""
    if done < warm_up:
        share = (done + 1e-3) / warm_up
    else:
        share = 0.5 * (1 + math.cos(math.pi * (done - warm_up) / (1 - warm_up)))
    for group in optimiser.param_groups:
        group["lr"] = group["highest"] * share


def _keep(
    state: Path, network: CoderNetwork, optimiser: torch.optim.Optimizer, mean: list[Tensor], epochs: int
) -> None:
    buffer = io.BytesIO()
    kept = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "mean": mean, "epochs": epochs}
    torch.save(kept, buffer)
    write_bytes(state, buffer.getvalue())


def _resume(state: Path, network: CoderNetwork, optimiser: torch.optim.Optimizer, mean: list[Tensor]) -> int:
    if not state.is_file():
        return 0
    kept = torch.load(state, weights_only=True)
    network.load_state_dict(kept["network"])
    optimiser.load_state_dict(kept["optimiser"])
    for own, theirs in zip(mean, kept["mean"], strict=True):
        own.copy_(theirs)
    return int(kept["epochs"])
