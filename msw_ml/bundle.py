"""A trained model on disk: ONNX weights, labels, codebook version, card and hashes in one folder.

    bundle.json     `BundleInfo`
    model.onnx      (or whatever `files` lists: tokenizer.json, a second model)
    card.md         where it comes from, how well it does, where it fails

Nothing is read before its hash was checked. Those shipped stand in `msw_ml/bundles/`.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Literal

import onnxruntime as ort
from pydantic import Field, JsonValue, ValidationError

from msw_ml.disk import sha256, write_bytes
from msw_ml.errors import CodebookMismatch, ModelNotFound, WrongHash
from msw_ml.session import Value

Kind = Literal["behaviour_coder", "session_rater", "speaker_encoder", "role_finder"]


class BundleInfo(Value):
    """What a bundle says of itself."""

    name: str
    version: str
    kind: Kind
    codebook: str | None = None
    """`Codebook.key` it was trained on; `None` where no codes are involved."""
    labels: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Head → labels in the order of the head's outputs."""
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    """What the engine needs besides the weights: temperatures, window lengths, quantiles."""
    licence: str
    files: dict[str, str] = Field(default_factory=dict)
    """File name → sha256, all files but bundle.json."""


class Bundle:
    """A bundle whose files were checked against their hashes."""

    def __init__(self, path: Path, info: BundleInfo) -> None:
        self.path = path
        self.info = info

    @cached_property
    def fingerprint(self) -> str:
        """Eight hex digits that change with any file of the bundle."""
        return sha256(self.path / "bundle.json")[:8]

    @property
    def label(self) -> str:
        """Name, version and fingerprint, for provenance."""
        return f"{self.info.name} {self.info.version} {self.fingerprint}"

    def file(self, name: str) -> Path:
        if name not in self.info.files:
            raise ModelNotFound(f"the bundle {self.path} has no file {name}; it is not complete, get it again")
        return self.path / name

    def session(self, file: str = "model.onnx", threads: int = 0) -> ort.InferenceSession:
        """An ONNX Runtime session on the CPU; `threads` 0 lets the runtime choose."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        return ort.InferenceSession(str(self.file(file)), options, providers=["CPUExecutionProvider"])


def load(path: Path, kind: Kind, codebook: str | None = None) -> Bundle:
    """Reads and checks a bundle; `codebook` is the key in force, where codes are involved.

    Raises `ModelNotFound`, `WrongHash`, `CodebookMismatch`.
    """
    bundle = read(path)
    if bundle.info.kind != kind:
        raise ModelNotFound(f"{path} is a {bundle.info.kind}, not a {kind}; give the path of a {kind} bundle")
    if bundle.info.codebook is not None and codebook is not None and bundle.info.codebook != codebook:
        raise CodebookMismatch(
            f"{path} was trained on codebook {bundle.info.codebook}, this is {codebook}: retrain it with `msw train`, "
            f"or pin the codebook with --codebook"
        )
    return bundle


def read(path: Path) -> Bundle:
    """A bundle of any kind, every file checked against its hash."""
    described = path / "bundle.json"
    if not described.is_file():
        raise ModelNotFound(f"{path} is not a bundle: it has no bundle.json; `msw models list` shows what is here")
    try:
        info = BundleInfo.model_validate_json(described.read_bytes())
    except ValidationError as error:
        raise ModelNotFound(f"{described} cannot be read as a bundle: {error.errors()[0]['msg']}") from error
    for name, expected in info.files.items():
        file = path / name
        if Path(name).name != name or not file.is_file():
            raise ModelNotFound(f"{path} lacks its file {name}; copy the whole bundle again")
        if sha256(file) != expected:
            raise WrongHash(f"{file} is not the file that {described} names (sha256 differs); get the bundle again")
    return Bundle(path, info)


def write(path: Path, info: BundleInfo, files: Mapping[str, bytes]) -> Bundle:
    """Writes a bundle; what stood at `path` is replaced once everything is there."""
    fresh = path.with_name(f".{path.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    for name, data in files.items():
        write_bytes(fresh / name, data)
    hashes = {name: sha256(fresh / name) for name in sorted(files)}
    complete = info.model_copy(update={"files": hashes})
    write_bytes(fresh / "bundle.json", (complete.model_dump_json(indent=1) + "\n").encode())
    shutil.rmtree(path, ignore_errors=True)
    fresh.rename(path)
    return read(path)


def shipped(name: str) -> Path:
    """Folder of a bundle that ships with the package."""
    return Path(str(resources.files("msw_ml").joinpath("bundles", name)))


def shipped_names() -> list[str]:
    """Names of the bundles that ship with the package."""
    root = Path(str(resources.files("msw_ml").joinpath("bundles")))
    return sorted(entry.parent.name for entry in root.glob("*/bundle.json"))
