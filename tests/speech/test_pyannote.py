"""The pyannote adapter, on real pipelines built here from small models with random weights."""

from __future__ import annotations

import importlib.machinery
import os
import sys
from pathlib import Path

import pytest

from msw_ml.errors import BadSetting, MissingExtra, ModelNotFound, WrongHash
from msw_ml.session import Span
from msw_ml.speech.audio import Audio, Segment, decode
from msw_ml.speech.pyannote import PyannoteDiariser, folder_hash

DEMO = Path(__file__).resolve().parents[2] / "datasets" / "demo"
CONFIG = """
pipeline:
  name: pyannote.audio.pipelines.SpeakerDiarization
  params: {segmentation: $model/segmentation, embedding: $model/embedding, plda: $model/plda}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files as a pipeline has them; the weights are never reached."""
    for name in ("segmentation", "embedding", "plda"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pytorch_model.bin").write_bytes(name.encode())
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def test_an_untrusted_folder_is_refused_with_its_hash_and_how_to_trust_it(folder: Path) -> None:
    found = folder_hash(folder)
    with pytest.raises(WrongHash, match=f"{found}.*MSW_PYANNOTE_TRUSTED"):
        PyannoteDiariser(str(folder), trusted=["0" * 64])


def test_a_trusted_folder_is_named_by_its_hash(folder: Path) -> None:
    found = folder_hash(folder)
    assert PyannoteDiariser(str(folder), trusted=[found]).label == f"pyannote {folder.name} {found[:8]}"


@pytest.mark.parametrize("file", ["config.yaml", "segmentation/pytorch_model.bin", "plda/new.npz"])
def test_any_change_in_the_folder_changes_its_hash(folder: Path, file: str) -> None:
    """One byte of a checkpoint can be a program."""
    before = folder_hash(folder)
    with (folder / file).open("ab") as handle:
        handle.write(b" ")
    assert folder_hash(folder) != before


def test_a_moved_file_changes_the_hash(folder: Path) -> None:
    before = folder_hash(folder)
    (folder / "plda" / "pytorch_model.bin").rename(folder / "plda" / "other.bin")
    assert folder_hash(folder) != before


def test_a_folder_without_a_pipeline_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"config\.yaml"):
        PyannoteDiariser(str(tmp_path))


@pytest.mark.parametrize(
    "part", ["embedding: some/hub-model", "embedding: /elsewhere/model", "embedding: {checkpoint: some/hub-model}"]
)
def test_a_pipeline_that_reaches_outside_its_folder_is_refused(folder: Path, part: str) -> None:
    """What its hash does not cover would be fetched or run."""
    (folder / "config.yaml").write_text(CONFIG.replace("embedding: $model/embedding", part), encoding="utf-8")
    with pytest.raises(BadSetting, match="takes its embedding from elsewhere"):
        PyannoteDiariser(str(folder), trusted=[folder_hash(folder)])


def test_a_config_that_is_no_pipeline_is_refused(folder: Path) -> None:
    (folder / "config.yaml").write_text("just: text", encoding="utf-8")
    with pytest.raises(BadSetting, match="not the description of a pyannote pipeline"):
        PyannoteDiariser(str(folder), trusted=[folder_hash(folder)])


def test_a_hub_name_without_a_token_reaches_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(ModelNotFound, match="MSW_PYANNOTE_TOKEN"):
        PyannoteDiariser("nobody/no-such-pipeline")


def test_a_missing_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.machinery.PathFinder.find_spec

    class WithoutTorch:
        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> object:
            return None if name == "torch" else find(name, path, target)  # type: ignore[arg-type]

    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(sys, "meta_path", [WithoutTorch()])
    with pytest.raises(MissingExtra, match=r"pip install '\.\[pyannote\]'"):
        PyannoteDiariser(str(folder))


@pytest.mark.slow
def test_telemetry_is_off(pyannote_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is on by default, and would tell a server of every recording."""
    monkeypatch.setenv("PYANNOTE_METRICS_ENABLED", "1")
    diariser = PyannoteDiariser(str(pyannote_folder), trusted=[folder_hash(pyannote_folder)])
    with decode(DEMO / "visit.ogg", Segment(minutes=0.1, seed=3)) as audio:
        diariser.diarise(audio, [audio.held], 2)
    from pyannote.audio.telemetry.metrics import is_metrics_enabled

    assert os.environ["PYANNOTE_METRICS_ENABLED"] == "0"
    assert not is_metrics_enabled()


@pytest.mark.slow
def test_no_speech_gives_no_turns_and_loads_nothing(pyannote_folder: Path, visit: Audio) -> None:
    diariser = PyannoteDiariser(str(pyannote_folder), trusted=[folder_hash(pyannote_folder)])
    assert diariser.diarise(visit, list[Span]()) == []
    assert "_pipeline" not in vars(diariser)
