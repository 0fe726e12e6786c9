"""A set, an encoder and a recipe small enough to train within seconds; every sentence is made up here."""

from __future__ import annotations

import csv
import hashlib
import json
import random
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

WORKER = {
    "question_open": ["What is the evening like?", "How do you see the school run?", "What would help you most?"],
    "question_closed": ["Did he sleep?", "Is she at nursery today?", "Have you eaten?"],
    "reflection_simple": ["You are tired.", "You were up early.", "It was a long week."],
    "reflection_complex": ["It is the waiting that hurts you.", "You want him to feel safe with you."],
    "giving_information": ["The meeting is on Monday.", "The nursery opens at eight."],
    "other": ["Right, my pen.", "Thank you for the tea."],
}
PARENT = {
    "change": ["I want him in bed by eight.", "I could ring the school."],
    "sustain": ["There is no point in it.", "I am not going to stop."],
    "neutral": ["She is at my sister's.", "It was on Tuesday."],
}


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a made-up set with eight sessions of which one was coded by three people."""
    folder = tmp_path_factory.mktemp("data")
    chance = random.Random(4)
    with (folder / "tiny.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["session", "row", "who", "text", "label", "coder", "about"])
        for session in range(8):
            for row in range(24):
                side = WORKER if row % 2 == 0 else PARENT
                label = chance.choice(sorted(side))
                words = chance.choice(side[label]).split()
                # A word of its own in the middle: sessions that share sentences would count as one.
                text = " ".join([*words[:2], "z" + chr(97 + session) + chr(97 + row), *words[2:]])
                for coder in range(3 if session == 7 else 1):
                    given = label if coder < 2 else chance.choice(sorted(side))
                    writer.writerow([session, row, "w" if row % 2 == 0 else "p", text, given, coder, "bedtime"])
    return folder


@pytest.fixture(scope="session")
def tiny_sets(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The description of that set, as `datasets/` has them."""
    sets = tmp_path_factory.mktemp("sets")
    (sets / "tiny").mkdir()
    digest = hashlib.sha256((tiny_data / "tiny.csv").read_bytes()).hexdigest()
    (sets / "tiny" / "source.toml").write_text(
        f'name = "Tiny"\nfile = "tiny.csv"\nsha256 = "{digest}"\norigin = "made up"\ncommit = "0"\n'
        'licence = "none needed"\nlabels = "made up"\nkeep_out = ["7"]\n'
    )
    rules = "".join(f'\n[[label]]\nwhen = {{ label = "{code}" }}\ncodes = ["{code}"]\n' for code in [*WORKER, *PARENT])
    (sets / "tiny" / "mapping.toml").write_text(
        'codebook = "msw 1.0"\n[columns]\nsession = "session"\nunit = "row"\nspeaker = "who"\ntext = "text"\n'
        'target = "about"\nannotator = "coder"\n[speakers]\nw = "worker"\np = "parent"\n' + rules
    )
    return sets


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers with random weights, in the layout of pretrained ones."""
    folder = tmp_path_factory.mktemp("encoder")
    sentences = " ".join(text for side in (WORKER, PARENT) for texts in side.values() for text in texts)
    words = sorted({*sentences.lower().replace("?", " ? ").replace(".", " . ").replace(",", " , ").split(), "bedtime"})
    vocabulary = {token: number for number, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    tokenizer.save(str(folder / "tokenizer.json"))
    shape = {
        "vocab_size": len(vocabulary),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": 256,
    }
    (folder / "config.json").write_text(json.dumps(shape))
    torch.manual_seed(2)
    save_file(_random_bert(shape), str(folder / "model.safetensors"))
    return folder


@pytest.fixture
def tiny_recipe(tiny_encoder: Path, tmp_path: Path) -> Path:
    """A recipe that trains on the tiny set for two epochs, three folds."""
    path = tmp_path / "tiny.toml"
    path.write_text(
        'name = "tiny_coder"\nversion = "0.1"\nlicence = "Apache-2.0"\nsets = ["tiny"]\nturns = "tiny"\n'
        f'encoder = "{tiny_encoder}"\nfolds = 3\n[network]\nmemory = 8\n[fit]\nepochs = 2\nrate = 1e-3\nstretch = 8\n'
    )
    return path


def _random_bert(shape: dict[str, int]) -> dict[str, torch.Tensor]:
    width, inner = shape["hidden_size"], shape["intermediate_size"]
    weights = {
        "embeddings.word_embeddings.weight": torch.randn(shape["vocab_size"], width) * 0.1,
        "embeddings.position_embeddings.weight": torch.randn(shape["max_position_embeddings"], width) * 0.02,
        "embeddings.token_type_embeddings.weight": torch.randn(2, width) * 0.02,
        "embeddings.LayerNorm.weight": torch.ones(width),
        "embeddings.LayerNorm.bias": torch.zeros(width),
    }
    for layer in range(shape["num_hidden_layers"]):
        at = f"encoder.layer.{layer}."
        for name, (rows, columns) in {
            "attention.self.query": (width, width),
            "attention.self.key": (width, width),
            "attention.self.value": (width, width),
            "attention.output.dense": (width, width),
            "intermediate.dense": (inner, width),
            "output.dense": (width, inner),
        }.items():
            weights[f"{at}{name}.weight"] = torch.randn(rows, columns) * 0.1
            weights[f"{at}{name}.bias"] = torch.zeros(rows)
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            weights[f"{at}{name}.weight"] = torch.ones(width)
            weights[f"{at}{name}.bias"] = torch.zeros(width)
    return weights
