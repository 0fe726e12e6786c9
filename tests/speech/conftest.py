"""Sound for the speech room's tests: the demo visit, which is our own, and stretches of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from msw_ml.session import Span, Turn
from msw_ml.speech.activity import find_speech
from msw_ml.speech.audio import Audio, Segment, decode

DEMO = Path(__file__).resolve().parents[2] / "datasets" / "demo"


def turns_of(rttm: Path) -> list[Turn]:
    """Reference turns of an RTTM file."""
    rows = (line.split() for line in rttm.read_text(encoding="utf-8").splitlines() if line.startswith("SPEAKER"))
    return [Turn(start=float(row[3]), end=float(row[3]) + float(row[4]), speaker=row[7]) for row in rows]


@pytest.fixture(scope="session")
def visit() -> Iterator[Audio]:
    """One minute of the demo visit, 0:21 to 1:21: a worker and a mother."""
    with decode(DEMO / "visit.ogg", Segment(minutes=1, seed=2)) as audio:
        yield audio


@pytest.fixture(scope="session")
def visit_speech(visit: Audio) -> list[Span]:
    return find_speech(visit)


@pytest.fixture(scope="session")
def visit_turns(visit: Audio) -> list[Turn]:
    """Reference turns within the minute."""
    turns = turns_of(DEMO / "visit.rttm")
    return [turn for turn in turns if turn.start >= visit.held.start and turn.end <= visit.held.end]


@pytest.fixture(scope="session")
def read_turns() -> Callable[[Path], list[Turn]]:
    return turns_of


@pytest.fixture(scope="session")
def share_right() -> Callable[[list[Turn], list[Turn]], float]:
    return _share_right


def _share_right(found: list[Turn], wanted: list[Turn]) -> float:
    """Share of the speech that both have which went to the right one of two speakers, by the better naming."""
    length = round(max(turn.end for turn in [*found, *wanted]) * 100) + 1
    guess, truth = _owners(found, length), _owners(wanted, length)
    both = (truth > 0) & (guess > 0)
    return max(float(np.mean(guess[both] == truth[both])), float(np.mean(guess[both] == 3 - truth[both])))


def _owners(turns: list[Turn], length: int) -> NDArray[np.int64]:
    """Steps of 10 ms: 1 or 2 for the speaker, 0 where nobody speaks."""
    names = sorted({turn.speaker for turn in turns})
    cells = np.zeros(length, dtype=np.int64)
    for turn in turns:
        cells[round(turn.start * 100) : round(turn.end * 100)] = names.index(turn.speaker) + 1
    return cells


@pytest.fixture(scope="session")
def pyannote_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline folder as pyannote.audio loads it, of small models with random weights: it runs, it is not good."""
    import torch
    import yaml
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding import XVectorMFCC
    from pyannote.audio.models.segmentation.debug import SimpleSegmentationModel

    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    folder = tmp_path_factory.mktemp("pipeline")
    torch.manual_seed(0)
    three_voices = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=5.0,
        classes=["a", "b", "c"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )
    one_voice = Specifications(problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=5.0, classes=["a"])
    _save(SimpleSegmentationModel(), three_voices, folder / "segmentation")
    _save(XVectorMFCC(dimension=64), one_voice, folder / "embedding")
    (folder / "plda").mkdir()
    np.savez(folder / "plda" / "xvec_transform.npz", mean1=np.zeros(64), mean2=np.zeros(16), lda=np.eye(64, 16))
    np.savez(folder / "plda" / "plda.npz", mu=np.zeros(16), tr=np.eye(16), psi=np.linspace(2, 1, 16))
    parts = {name: f"$model/{name}" for name in ("segmentation", "embedding", "plda")}
    quick = {"clustering": "AgglomerativeClustering", "segmentation_step": 0.5, "embedding_batch_size": 8}
    config = {
        "pipeline": {"name": "pyannote.audio.pipelines.SpeakerDiarization", "params": {**parts, **quick}},
        "params": {
            "segmentation": {"min_duration_off": 0.3},
            "clustering": {"method": "centroid", "min_cluster_size": 2, "threshold": 0.1},
        },
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return folder


def _save(model: Any, specifications: object, folder: Path) -> None:
    """A checkpoint as Lightning writes it."""
    import torch

    model.specifications = specifications
    model.setup()
    checkpoint = {
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
        "pytorch-lightning_version": "2.6.0",
        "epoch": 0,
        "global_step": 0,
    }
    model.on_save_checkpoint(checkpoint)
    folder.mkdir()
    torch.save(checkpoint, folder / "pytorch_model.bin")
