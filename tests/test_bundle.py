"""A bundle is read only when every file is what it says it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from msw_ml import bundle
from msw_ml.bundle import BundleInfo
from msw_ml.errors import CodebookMismatch, ModelNotFound, WrongHash

INFO = BundleInfo(name="toy", version="1", kind="session_rater", codebook="msw 1.0", licence="Apache-2.0")


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    return bundle.write(tmp_path / "toy", INFO, {"weights.json": b"{}", "card.md": b"# toy"}).path


def test_what_is_written_is_read_back(toy: Path) -> None:
    """Info and hashes survive the way to disk; the fingerprint is stable."""
    read = bundle.load(toy, "session_rater", "msw 1.0")
    assert set(read.info.files) == {"weights.json", "card.md"}
    assert read.fingerprint == bundle.read(toy).fingerprint


def test_a_changed_file_is_refused(toy: Path) -> None:
    """Weights that were tampered with are never loaded."""
    (toy / "weights.json").write_bytes(b"{ }")
    with pytest.raises(WrongHash, match=r"weights\.json"):
        bundle.read(toy)


def test_another_codebook_is_refused(toy: Path) -> None:
    """A model of another scheme would give codes that mean something else."""
    with pytest.raises(CodebookMismatch, match=r"msw 2\.0.*retrain"):
        bundle.load(toy, "session_rater", "msw 2.0")


def test_another_kind_or_a_missing_file_is_named(toy: Path, tmp_path: Path) -> None:
    """The message says what the folder is and what it lacks."""
    with pytest.raises(ModelNotFound, match="not a behaviour_coder"):
        bundle.load(toy, "behaviour_coder")
    (toy / "weights.json").unlink()
    with pytest.raises(ModelNotFound, match=r"lacks its file weights\.json"):
        bundle.read(toy)
    with pytest.raises(ModelNotFound, match=r"no bundle\.json"):
        bundle.read(tmp_path / "nowhere")


def test_a_file_name_cannot_leave_the_folder(toy: Path) -> None:
    """A bundle from elsewhere must not make us read files outside it."""
    described = toy / "bundle.json"
    described.write_text(described.read_text().replace("weights.json", "../secret"), encoding="utf-8")
    with pytest.raises(ModelNotFound):
        bundle.read(toy)


@pytest.mark.parametrize("name", bundle.shipped_names())
def test_shipped_bundles_are_whole_and_carry_a_card(name: str) -> None:
    """What ships is what its hashes say, and says where it comes from."""
    shipped = bundle.read(bundle.shipped(name))
    assert "card.md" in shipped.info.files
    assert shipped.info.licence
