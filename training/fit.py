"""Trains the coder's network on some examples.

A run goes on after a kill where its last epoch ended, and ends as an undisturbed one does: every epoch
draws its random numbers from its own seed, and one thread adds numbers up in one order.
"""

from __future__ import annotations

import io
import math
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from msw_ml.disk import write_bytes
from msw_ml.session import Progress, silent
from msw_ml.text.packing import Packer, Row, pad
from training.examples import Shares, Stretch, deal, rows
from training.loss import FitOptions, Taught
from training.network import CoderNetwork

ROWS_AT_ONCE = 16
"""Rows padded to one length; sorted by length first, so that little is padding."""


def fit(
    network: CoderNetwork,
    taught: Taught,
    packer: Packer,
    *,
    seed: int,
    state: Path,
    progress: Progress = silent,
) -> None:
    """Trains `network` in place; `state` is the file that keeps what an interrupted run had learned."""
    examples, options = taught.examples, taught.options
    optimiser = _optimiser(network, options)
    trained = [p for p in network.parameters() if p.requires_grad]
    mean = [p.detach().clone() for p in trained]
    first = _resume(state, network, optimiser, mean)
    shares = Shares(options.plain_share, options.worn_share, options.target_share, options.machine_share)
    # The order of examples is no secret.
    chances = [random.Random(f"{seed} {epoch}") for epoch in range(options.epochs)]  # noqa: S311
    dealt = [deal(examples, options.stretch, shares, chance) for chance in chances]
    total, before = sum(len(one) for one in dealt), np.cumsum([0, *(len(one) for one in dealt)])
    for epoch in range(first, options.epochs):
        torch.manual_seed(seed * 1000 + epoch)
        network.train()
        for start in range(0, len(dealt[epoch]), options.stretches):
            done = float(before[epoch] + start) / total
            _set_rate(optimiser, done, options.warm_up)
            loss = _loss(network, dealt[epoch][start : start + options.stretches], packer, taught)
            loss.backward()
            nn.utils.clip_grad_norm_(trained, 1.0)
            optimiser.step()
            optimiser.zero_grad()
            for kept, parameter in zip(mean, trained, strict=True):
                kept.lerp_(parameter.detach(), 1 - options.average)
            progress("fit", done)
        _keep(state, network, optimiser, mean, epoch + 1)
    with torch.no_grad():
        for kept, parameter in zip(mean, trained, strict=True):
            parameter.copy_(kept)


def _vectors(network: CoderNetwork, packed: list[Row]) -> Tensor:
    order = sorted(range(len(packed)), key=lambda number: len(packed[number].ids))
    parts = []
    for start in range(0, len(order), ROWS_AT_ONCE):
        batch = pad([packed[number] for number in order[start : start + ROWS_AT_ONCE]])
        with torch.autocast("cpu", torch.bfloat16):
            parts.append(network.utterances(*(torch.from_numpy(part) for part in batch)))
    return torch.cat(parts)[torch.from_numpy(np.argsort(order))]


def _loss(network: CoderNetwork, stretches: Sequence[Stretch], packer: Packer, taught: Taught) -> Tensor:
    packed = [row for stretch in stretches for row in rows(packer, stretch)]
    vectors = _vectors(network, packed).split([s.stop - s.start for s in stretches])
    outputs = [
        network.session(part, torch.from_numpy(s.example.numbers[s.start : s.stop]))
        for part, s in zip(vectors, stretches, strict=True)
    ]
    codes, also = torch.cat([out[0] for out in outputs]).float(), torch.cat([out[1] for out in outputs]).float()
    return taught.loss(codes, also, stretches)


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
