"""The behaviour coder's network: each utterance read once, then the session as a sequence.

    rows ──encoder──▶ one vector an utterance ──two-way GRU over the session──▶ logits of codes

One softmax over a side's codes; a parent code has the sum of its codes, so that sets that know only the
parent train the same head. A second head says which parents occur at all in a worker's turn.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn

from msw_ml.session import Value
from msw_ml.text.packing import ROLES
from training.encoder import Encoder


class NetworkOptions(Value):
    """Sizes of what stands on the encoder."""

    memory: int = Field(default=128, gt=0)
    """Width of the session layer, each way."""
    dropout: float = Field(default=0.2, ge=0, lt=1)


class UtteranceEncoder(nn.Module):  # type: ignore[misc]  # torch is read without types
    """Rows → one vector each: the mean over its own words."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.role = nn.Embedding(len(ROLES) + 1, encoder.shape.hidden_size)
        nn.init.zeros_(self.role.weight)

    def forward(self, ids: Tensor, kinds: Tensor, roles: Tensor) -> Tensor:
        """Three of (rows, length) → (rows, width)."""
        states = self.encoder(ids, kinds, self.role(roles)).float()
        own = (kinds == 0).to(states.dtype)[..., None]
        return (states * own).sum(1) / own.sum(1)


class SessionLayer(nn.Module):  # type: ignore[misc]  # torch is read without types
    """Vectors of a session in time order → logits of codes, and of parents that occur."""

    def __init__(self, width: int, codes: int, also: int, options: NetworkOptions) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.role = nn.Embedding(len(ROLES), 4)
        self.memory = nn.GRU(width + 4, options.memory, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(options.dropout)
        self.codes = nn.Linear(width + 2 * options.memory, codes)
        self.also = nn.Linear(width + 2 * options.memory, also)

    def forward(self, vectors: Tensor, roles: Tensor) -> tuple[Tensor, Tensor]:
        """`vectors` (n, width), `roles` (n): one session, or a window of one."""
        x = self.dropout(self.norm(vectors))
        memory, _ = self.memory(torch.cat([x, self.role(roles)], -1)[None])
        x = torch.cat([x, self.dropout(memory[0])], -1)
        return self.codes(x), self.also(x)


class CoderNetwork(nn.Module):  # type: ignore[misc]  # torch is read without types
    """Both parts, as they are trained together."""

    def __init__(self, encoder: Encoder, codes: int, also: int, options: NetworkOptions) -> None:
        super().__init__()
        self.utterances = UtteranceEncoder(encoder)
        self.session = SessionLayer(encoder.shape.hidden_size, codes, also, options)
