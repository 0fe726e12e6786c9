"""Converts the published speaker encoder to the ONNX bundle that ships as `speaker_encoder`.

    pip download resemblyzer==0.1.4 --no-deps
    python training/speaker_encoder.py Resemblyzer-0.1.4-py3-none-any.whl msw_ml/bundles/speaker_encoder

The wheel holds `pretrained.pt` (17 MB, of which the network is 5.7 MB): the weights of a speaker
verification network by Corentin Jemine (Resemble AI), Apache-2.0. Wheel and weights are checked by
hash and loaded without running pickled code; the package itself is not installed.
"""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from torch import Tensor, nn

from msw_ml import bundle
from msw_ml.bundle import BundleInfo
from msw_ml.errors import ModelNotFound, WrongHash

WEIGHTS_IN_WHEEL = "resemblyzer/pretrained.pt"
WEIGHTS_SHA256 = "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"
MELS, HIDDEN, LAYERS, FRAMES = 40, 256, 3, 160
"""Shape of the network and its window: 160 mel frames of 10 ms, as it was trained."""
SHORT_FRAMES = 80
"""The state after half a window is read as well: a voice from .8 s, at no further cost."""
TOLERANCE = 1e-5

CARD = """# speaker_encoder
Turns 1.6 s of speech into a 256-dimensional voice vector; two vectors of one voice point the same way.
Used by the `voices` diariser to tell speakers apart within one file. Vectors are never kept.

- Network: LSTM of 3 layers with 256 units on 40 mel bands (25 ms windows every 10 ms, power, not logarithmic),
  linear layer, rectified, length 1. Trained by its authors with the generalised end-to-end loss (Wan et al. 2018).
- Source: PyPI `resemblyzer` 0.1.4, `resemblyzer/pretrained.pt`, sha256 `{weights}`.
- Licence: Apache-2.0 (Corentin Jemine, Resemble AI). Unchanged weights, converted by `training/speaker_encoder.py`.
- Input `mel` (n, 160, 40) float32. Outputs: `voice` (n, 256) of the whole window, `onset` (n, 256) of its first .8 s.
- Largest difference to the original network on {n} random windows: {difference:.1e}.

Trained on English read and broadcast speech of adults. Children, overlapping voices and very short answers are
harder for it. How well speakers are told apart on whole recordings is measured apart, with the whole diariser.
"""


class SpeakerEncoder(nn.Module):  # type: ignore[misc]  # torch is not followed by mypy
    """The network as published, with a second reading after `SHORT_FRAMES`."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(MELS, HIDDEN, LAYERS, batch_first=True)
        self.linear = nn.Linear(HIDDEN, HIDDEN)

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        states, _ = self.lstm(mel)
        return self._vector(states[:, FRAMES - 1]), self._vector(states[:, SHORT_FRAMES - 1])

    def _vector(self, state: Tensor) -> Tensor:
        raw = torch.relu(self.linear(state))
        return raw / (torch.norm(raw, dim=1, keepdim=True) + 1e-9)


def convert(wheel: Path, out: Path) -> float:
    """Writes the bundle; returns the largest difference between the two networks' outputs.

    Raises `ModelNotFound` where the wheel is not the right one, `WrongHash` where its weights are not.
    """
    network = SpeakerEncoder()
    network.load_state_dict(_published_weights(wheel), strict=False)
    network.eval()
    windows = torch.from_numpy(np.random.default_rng(0).gamma(0.3, 1.0, (32, FRAMES, MELS)).astype(np.float32))
    model = _to_onnx(network, windows)
    difference = _largest_difference(network, model, windows)
    if difference > TOLERANCE:
        raise ModelNotFound(f"the converted network differs by {difference:.1e}; do not ship it")
    card = CARD.format(weights=WEIGHTS_SHA256, n=len(windows), difference=difference)
    info = BundleInfo(
        name="speaker_encoder",
        version="1.0",
        kind="speaker_encoder",
        parameters={"frames": FRAMES, "short_frames": SHORT_FRAMES, "mels": MELS, "sample_rate": 16000},
        licence="Apache-2.0",
    )
    bundle.write(out, info, {"model.onnx": model, "card.md": card.encode()})
    return difference


def _published_weights(wheel: Path) -> dict[str, Tensor]:
    with zipfile.ZipFile(wheel) as archive:
        if WEIGHTS_IN_WHEEL not in archive.namelist():
            raise ModelNotFound(f"{wheel} has no {WEIGHTS_IN_WHEEL}; download resemblyzer 0.1.4")
        data = archive.read(WEIGHTS_IN_WHEEL)
    if hashlib.sha256(data).hexdigest() != WEIGHTS_SHA256:
        raise WrongHash(f"the weights in {wheel} are not those of resemblyzer 0.1.4 (sha256 differs)")
    state: dict[str, Tensor] = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)["model_state"]
    return state


def _to_onnx(network: SpeakerEncoder, windows: Tensor) -> bytes:
    made = io.BytesIO()
    torch.onnx.export(
        network,
        (windows,),
        made,
        dynamo=False,
        opset_version=17,
        input_names=["mel"],
        output_names=["voice", "onset"],
        dynamic_axes={name: {0: "n"} for name in ("mel", "voice", "onset")},
    )
    return made.getvalue()


def _largest_difference(network: SpeakerEncoder, model: bytes, windows: Tensor) -> float:
    with torch.no_grad():
        wanted = [output.numpy() for output in network(windows)]
    got = ort.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"mel": windows.numpy()})
    return max(float(np.abs(a - b).max()) for a, b in zip(wanted, got, strict=True))


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
