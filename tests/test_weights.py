"""Weights: found without a network, checked before use, and pulled whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from msw_ml import weights
from msw_ml.disk import sha256
from msw_ml.errors import ModelNotFound, UnknownName, WrongHash


def fake_download(monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]) -> None:
    """The hub's part of a pull: the files of a repository appear in a folder."""

    def download(wanted: weights.Weights, folder: Path, token: str | None) -> None:
        folder.mkdir(parents=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)

    monkeypatch.setattr(weights, "_download", download)


def test_the_embedded_weights_are_here_and_unharmed() -> None:
    """A fresh machine without network transcribes."""
    found = weights.find("embedded")
    assert (found.weights.name, found.place, found.weights.is_draft) == ("tiny.en", "installed", True)
    assert weights.verify(found)["model.bin"].startswith("1a5afae0")


def test_every_known_name_is_complete() -> None:
    """Each has a licence and either a package with hashes or a repository."""
    names = [known.name for known in weights.known()]
    assert len(names) == len(set(names))
    for known in weights.known():
        assert known.licence
        assert known.about
        assert (known.module is None) != (known.hub is None)
        assert known.hub or "model.bin" in known.files


def test_pulled_weights_are_found_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was pulled is recorded, so that a file that changes later is noticed."""
    fake_download(monkeypatch, {"model.bin": b"weights", "config.json": b"{}"})
    found = weights.pull("small.en")
    assert found.place == "pulled"
    assert weights.find("small.en").path == found.path
    assert weights.verify(found)["model.bin"] == sha256(found.path / "model.bin")
    (found.path / "model.bin").write_bytes(b"others")
    with pytest.raises(WrongHash, match=r"msw models pull small\.en"):
        weights.verify(found)
    (found.path / "model.bin").unlink()
    with pytest.raises(ModelNotFound, match=r"lack model\.bin"):
        weights.verify(found)


def test_a_pull_replaces_the_old_weights_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_download(monkeypatch, {"model.bin": b"old", "vocabulary.txt": b"old"})
    weights.pull("owner/whisper-ct2")
    fake_download(monkeypatch, {"model.bin": b"new"})
    found = weights.pull("owner/whisper-ct2")
    assert sorted(file.name for file in found.path.iterdir()) == ["model.bin", weights.RECORD]
    assert json.loads((found.path / weights.RECORD).read_text()).keys() == {"model.bin"}


def test_a_failed_pull_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository in another form, or a cable pulled out: no half model that looks like one."""
    fake_download(monkeypatch, {"pytorch_model.bin": b"torch"})
    with pytest.raises(ModelNotFound, match=r"no model\.bin"):
        weights.pull("owner/torch-whisper")
    assert not any((weights.cache_dir() / "weights").iterdir())


def test_without_a_network_a_pull_says_what_to_do() -> None:
    """The tests' network is cut: this is the real hub client's failure."""
    with pytest.raises(ModelNotFound, match="the hub could not be reached"):
        weights.pull("base.en")
    assert not any((weights.cache_dir() / "weights").iterdir())


def test_pulling_what_is_installed_needs_no_network() -> None:
    assert weights.pull("tiny.en").place == "installed"


@pytest.mark.parametrize("name", ["gigantic", "a/b/c", ""])
def test_an_unknown_name_lists_the_known_ones(name: str) -> None:
    with pytest.raises(UnknownName, match=r"large-v3-turbo"):
        weights.find(name)


def test_a_repository_may_be_named_in_full() -> None:
    assert weights.named("Systran/faster-whisper-small.en").name == "small.en"
    assert weights.named("owner/other").hub == "owner/other"


def test_a_folder_of_ones_own_is_hashed_but_not_judged(tmp_path: Path) -> None:
    """The fingerprint of any model stands in the provenance."""
    (tmp_path / "model.bin").write_bytes(b"mine")
    found = weights.find(str(tmp_path))
    assert found.place == "folder"
    assert weights.verify(found) == {"model.bin": sha256(tmp_path / "model.bin")}
    (tmp_path / "model.bin").unlink()
    with pytest.raises(ModelNotFound, match=r"lack model\.bin"):
        weights.verify(found)
