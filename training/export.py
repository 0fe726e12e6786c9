"""A trained network → the two ONNX graphs of a bundle, the encoder in eight-bit integers.

Weights are rounded per output channel (per tensor loses four times as much: cosine to single precision .954
against .990) and to seven of the eight bits: with eight, processors without VNNI overflow in silence and give
other results than those with it; the cosine falls from .993 to .991.
"""

from __future__ import annotations

import io
import tempfile
import warnings
from pathlib import Path

import onnx
import onnxruntime as ort
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.preprocess import quant_pre_process
from torch import Tensor, nn

from training.network import CoderNetwork, UtteranceEncoder

OPSET = 17


def encoder_onnx(network: UtteranceEncoder) -> bytes:
    """`ids`, `kinds`, `roles` of (1, length) → `vectors` (1, width)."""
    ids = torch.ones(1, 8, dtype=torch.long)
    kinds = torch.tensor([[0, 0, 0, 0, 1, 1, 1, 1]])
    names = ["ids", "kinds", "roles"]
    exact = _export(network, (ids, kinds, torch.zeros_like(ids)), names, ["vectors"], axis=1)
    with tempfile.TemporaryDirectory() as folder:
        source, prepared, small = (Path(folder) / name for name in ("exact.onnx", "prepared.onnx", "small.onnx"))
        source.write_bytes(exact)
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        quantize_dynamic(str(prepared), str(small), weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
        return small.read_bytes()


def session_onnx(network: CoderNetwork) -> bytes:
    """`vectors` (n, width), `roles` (n) → `codes` (n, codes), `also` (n, parents); in single precision."""
    width = network.utterances.encoder.shape.hidden_size
    inputs = (torch.zeros(3, width), torch.zeros(3, dtype=torch.long))
    return _export(network.session, inputs, ["vectors", "roles"], ["codes", "also"], axis=0)


def open_graph(model: Path | bytes) -> ort.InferenceSession:
    """A graph, from its file or its bytes, on one thread: what is measured does not hang on their number."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    source = model if isinstance(model, bytes) else str(model)
    return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def _export(module: nn.Module, inputs: tuple[Tensor, ...], names: list[str], outputs: list[str], axis: int) -> bytes:
    """`axis` is the one whose length varies in every input."""
    buffer = io.BytesIO()
    dynamic = {name: {axis: "length"} for name in names}
    if axis == 0:
        dynamic |= {name: {0: "length"} for name in outputs}
    module.eval()
    with warnings.catch_warnings():
        # The exporter warns of what does not happen here: batches of sessions, and inputs of other widths.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            inputs,
            buffer,
            input_names=names,
            output_names=outputs,
            dynamic_axes=dynamic,
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data
