"""The diariser `pyannote`: a pyannote.audio 4 pipeline, for those who have weights for one.

Weights load as pickles, which can run code: only a folder whose hash is trusted is ever opened. Telemetry is off,
sound is handed over in memory (four hours take .9 GB), and nothing is fetched but a hub pipeline for which a
token was set.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import warnings
from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

from msw_ml.disk import sha256
from msw_ml.errors import BadSetting, DiarisationFailed, MissingExtra, ModelNotFound, WrongHash
from msw_ml.session import Progress, Span, Turn, silent
from msw_ml.speech.audio import Audio
from msw_ml.speech.turns import Piece, bridged, named

CONFIG = "config.yaml"
PARTS = ("segmentation", "embedding", "plda")
"""Models of a pipeline; each must lie in the pipeline's own folder."""
SHARES = {"segmentation": (0.0, 0.4), "embeddings": (0.4, 0.95)}
"""The two long steps, as shares of the work on a processor."""


class _Pipeline(Protocol):
    """What is used of `pyannote.audio.Pipeline`: takes a sound, returns its exclusive diarisation."""

    def __call__(self, audio: Audio, speakers: int | None, progress: Progress) -> list[Piece]: ...


class PyannoteDiariser:
    """Implements `Diariser` with a pipeline folder, or a hub pipeline by name.

    `trusted` holds the hashes of folders that may be loaded (`folder_hash`). A hub pipeline is taken from the
    hub's cache on this machine; with a `token` it is fetched where it is not there.
    """

    def __init__(
        self, model: str, token: str | None = None, device: str = "cpu", trusted: Collection[str] = ()
    ) -> None:
        _require_packages()
        self._folder = Path(model) if Path(model).is_dir() else _from_hub(model, token)
        self._device = device
        found = folder_hash(self._folder)
        if found not in trusted:
            raise WrongHash(
                f"the pyannote folder {self._folder} has the hash {found}, which is not trusted. Its weights can run "
                f"code: if they come from where you think, set MSW_PYANNOTE_TRUSTED='[\"{found}\"]'"
            )
        _check_config(self._folder)
        self.label = f"pyannote {self._folder.name} {found[:8]}"

    def diarise(
        self, audio: Audio, speech: Sequence[Span], speakers: int | None = None, progress: Progress = silent
    ) -> list[Turn]:
        if not speech:
            return []
        try:
            pieces = self._pipeline(audio, speakers, progress)
        except (RuntimeError, ValueError, IndexError) as error:
            raise DiarisationFailed(f"{audio.source}: pyannote could not tell speakers apart ({error})") from error
        progress("turns", 1.0)
        return named(bridged(pieces))

    @cached_property
    def _pipeline(self) -> _Pipeline:
        return _load(self._folder, self._device)


def folder_hash(folder: Path) -> str:
    """sha256 over names and contents of all files in a pipeline folder; hidden ones are not read by pyannote."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not _is_hidden(path, folder)]
    if folder / CONFIG not in files:
        raise ModelNotFound(f"{folder} is not a pyannote pipeline: it has no {CONFIG}; give the folder that has it")
    listing = "".join(f"{sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)
    return hashlib.sha256(listing.encode()).hexdigest()


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _require_packages() -> None:
    if any(importlib.util.find_spec(name) is None for name in ("torch", "pyannote")) or (
        importlib.util.find_spec("pyannote.audio") is None
    ):
        raise MissingExtra("the diariser 'pyannote'", "pyannote")


def _from_hub(name: str, token: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, token=token, local_files_only=token is None))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise ModelNotFound(
            f"the pyannote pipeline '{name}' is neither a folder nor in the hub's cache on this machine; accept its "
            f"conditions on the hub, set MSW_PYANNOTE_TOKEN and try again while online, or copy its folder here"
        ) from error


def _check_config(folder: Path) -> None:
    """A pipeline must not fetch, or read from elsewhere, what its hash does not cover."""
    import yaml  # type: ignore[import-untyped]

    try:
        params = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))["pipeline"]["params"]
        outside = [part for part in PARTS if not str(params.get(part, "")).startswith("$model/")]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise BadSetting(f"{folder / CONFIG} is not the description of a pyannote pipeline; get it again") from error
    if outside:
        raise BadSetting(
            f"{folder / CONFIG} takes its {outside[0]} from elsewhere; copy that model into the folder and write "
            f"{outside[0]}: $model/{outside[0]}"
        )


def _load(folder: Path, device: str) -> _Pipeline:
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"  # before the import: it is on by default
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of missing decoders: sound is handed over decoded
            import torch
            from pyannote.audio import Pipeline
    except OSError as error:  # torchaudio of another build than torch
        raise MissingExtra("the diariser 'pyannote' (take torch and torchaudio from one index)", "pyannote") from error
    loaded = Pipeline.from_pretrained(folder)
    loaded.to(torch.device(device))

    def run(audio: Audio, speakers: int | None, progress: Progress) -> list[Piece]:
        held = audio.held
        sound = torch.from_numpy(audio.read(held.start, held.end))[None]
        result = loaded({"waveform": sound, "sample_rate": audio.rate_hz}, num_speakers=speakers, hook=_hook(progress))
        exclusive = result.exclusive_speaker_diarization.itertracks(yield_label=True)
        return [(held.start + part.start, min(held.start + part.end, held.end), who) for part, _, who in exclusive]

    return run


def _hook(progress: Progress) -> Callable[..., None]:
    """pyannote's two counters as one share of the work."""

    def hook(step: str, _artefact: object, **counts: object) -> None:
        total, completed = counts.get("total"), counts.get("completed")
        if step in SHARES and isinstance(total, int) and isinstance(completed, int) and total:
            begin, end = SHARES[step]
            progress("turns", begin + (end - begin) * completed / total)

    return hook
