"""Weights by name: which are known, where they lie on this machine, whether they are what they claim to be.

`pull` is the only function of msw_ml that uses the network, and only a person's command calls it. Known
weights stand in `weights.toml`; any other name with a slash in it is a repository of the Hugging Face hub.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field, TypeAdapter, ValidationError

from msw_ml.disk import sha256, write_text
from msw_ml.errors import ModelNotFound, OutputError, UnknownName, WrongHash
from msw_ml.session import Value

EMBEDDED = "tiny.en"
"""What a recording is transcribed with unless something else is chosen."""
RECORD = "msw-weights.json"
"""File beside pulled weights with their hashes: file name → sha256."""
WHISPER_FILES = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*")
"""What faster-whisper reads of a repository."""


class Weights(Value):
    """Weights that can be named: from an installed package or from a hub."""

    name: str
    kind: Literal["whisper"] = "whisper"
    licence: str = "as its repository states"
    about: str = ""
    module: str | None = None
    """Python package that carries them, and the `folder` in it."""
    folder: str = ""
    hub: str | None = None
    """Repository on the hub."""
    is_draft: bool = False
    """So small that what it writes is called a draft transcription."""
    files: dict[str, str] = Field(default_factory=dict)
    """File name → sha256, where known beforehand."""


class FoundWeights(Value):
    """Weights on this machine."""

    weights: Weights
    path: Path
    place: Literal["installed", "pulled", "hub cache", "folder"]


def known() -> tuple[Weights, ...]:
    """All weights that have a name here, the embedded ones first."""
    return _known()


def find(name: str) -> FoundWeights:
    """Where weights lie: `embedded`, a known name, a hub repository, or a folder. Never downloads.

    Raises `ModelNotFound`, which says what to do.
    """
    if name and Path(name).is_dir() and name not in {known.name for known in _known()}:
        return FoundWeights(weights=Weights(name=Path(name).resolve().name), path=Path(name), place="folder")
    if name.startswith((".", "/", "~")) or "\\" in name:
        raise ModelNotFound(f"there is no folder {name}; check the path of the model")
    weights = named(name)
    for path, place in (
        (_installed(weights), "installed"),
        (_pulled(weights), "pulled"),
        (_in_hub_cache(weights), "hub cache"),
    ):
        if path is not None:
            return FoundWeights.model_validate({"weights": weights, "path": path, "place": place})
    advice = "install msw-ml again" if weights.module else f"bring them with `msw models pull {weights.name}`"
    raise ModelNotFound(f"the weights '{weights.name}' are not on this machine; {advice}")


def named(name: str) -> Weights:
    """Weights of a name, on this machine or not. Raises `UnknownName`."""
    wanted = EMBEDDED if name == "embedded" else name
    for weights in known():
        if wanted in (weights.name, weights.hub):
            return weights
    if wanted.count("/") == 1 and not wanted.startswith((".", "/", "~")):
        return Weights(name=wanted, hub=wanted)
    raise UnknownName("whisper model", name, ["embedded", *(weights.name for weights in known()), "OWNER/REPOSITORY"])


def verify(found: FoundWeights) -> dict[str, str]:
    """The sha256 of every weight file, checked against what is known or was recorded when they were pulled.

    A folder of the user's own has nothing to be checked against. Raises `WrongHash`, `ModelNotFound`.
    """
    expected = found.weights.files or _recorded(found.path)
    hashes = {}
    for name in sorted(expected) or ["model.bin"]:
        file = found.path / name
        if not file.is_file():
            raise ModelNotFound(f"the weights in {found.path} lack {name}; {_get_again(found)}")
        hashes[name] = sha256(file)
        if name in expected and hashes[name] != expected[name]:
            raise WrongHash(
                f"{file} is not the file that '{found.weights.name}' consists of "
                f"(sha256 {hashes[name][:8]}…, expected {expected[name][:8]}…); {_get_again(found)}"
            )
    return hashes


def pull(name: str, token: str | None = None) -> FoundWeights:
    """Downloads weights from the hub into the cache folder and records their hashes. Uses the network.

    Raises `ModelNotFound` where the hub cannot be reached or has no such repository, `OutputError` where the
    cache cannot be written.
    """
    weights = named(name)
    if weights.hub is None:
        return find(name)
    target = _cache_folder(weights)
    fresh = target.with_name(f".{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        _download(weights, fresh, token)
    except Exception:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    files = sorted(file for file in fresh.iterdir() if file.is_file())
    if not (fresh / "model.bin").is_file():
        shutil.rmtree(fresh, ignore_errors=True)
        raise ModelNotFound(f"{weights.hub} holds no CTranslate2 model (no model.bin); choose one converted for it")
    write_text(fresh / RECORD, json.dumps({file.name: sha256(file) for file in files}, indent=1) + "\n")
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    return find(name)


def cache_dir() -> Path:
    """Where pulled weights lie: MSW_CACHE_DIR, or the user's cache folder."""
    return Path(os.environ.get("MSW_CACHE_DIR") or platformdirs.user_cache_path("msw-ml"))


@cache
def _known() -> tuple[Weights, ...]:
    text = resources.files("msw_ml").joinpath("weights.toml").read_text(encoding="utf-8")
    return tuple(Weights.model_validate(entry) for entry in tomllib.loads(text)["weights"])


def _installed(weights: Weights) -> Path | None:
    spec = importlib.util.find_spec(weights.module) if weights.module else None
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / weights.folder
    return folder if folder.is_dir() else None


def _pulled(weights: Weights) -> Path | None:
    folder = _cache_folder(weights)
    return folder if (folder / RECORD).is_file() else None


def _in_hub_cache(weights: Weights) -> Path | None:
    """The hub client's own cache, where another program may have brought the weights already."""
    if weights.hub is None:
        return None
    from huggingface_hub import try_to_load_from_cache

    model = try_to_load_from_cache(weights.hub, "model.bin")
    return Path(model).parent if isinstance(model, str) else None


def _cache_folder(weights: Weights) -> Path:
    return cache_dir() / "weights" / weights.name.replace("/", "--")


def _recorded(path: Path) -> Mapping[str, str]:
    record = path / RECORD
    if not record.is_file():
        return {}
    try:
        return TypeAdapter(dict[str, str]).validate_json(record.read_bytes())
    except ValidationError as error:
        raise WrongHash(f"{record} cannot be read; bring the weights again with `msw models pull`") from error


def _get_again(found: FoundWeights) -> str:
    match found.place:
        case "installed":
            return "install msw-ml again"
        case "folder":
            return "copy the folder again"
        case _:
            return f"bring them again with `msw models pull {found.weights.name}`"


def _download(weights: Weights, folder: Path, token: str | None) -> None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    try:
        folder.mkdir(parents=True)
        snapshot_download(str(weights.hub), local_dir=folder, allow_patterns=list(WHISPER_FILES), token=token)
    except GatedRepoError as error:
        raise ModelNotFound(
            f"{weights.hub} asks for an account: accept its terms on the hub, then set HF_TOKEN to your token"
        ) from error
    except RepositoryNotFoundError as error:
        raise ModelNotFound(f"the hub has no repository {weights.hub}; check its name") from error
    except (HfHubHTTPError, ConnectionError, TimeoutError) as error:
        raise ModelNotFound(_unreachable(weights)) from error
    except OSError as error:
        if error.errno is None:  # the hub client's own errors are OSErrors without a number
            raise ModelNotFound(_unreachable(weights)) from error
        raise OutputError(f"{folder.parent} could not be written: {os.strerror(error.errno)}") from error
    shutil.rmtree(folder / ".cache", ignore_errors=True)


def _unreachable(weights: Weights) -> str:
    return (
        f"the hub could not be reached for {weights.hub}; go online and try again, or bring the folder from another "
        f"machine and name it with --whisper-model FOLDER"
    )
