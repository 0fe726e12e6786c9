"""What every test may rely on: no network but loopback, no user folders touched, `shared` skipped aloud."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import socket
import sys
import types
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


class _CpuTorchaudio(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """PyPI's torchaudio links CUDA; beside a CPU torch its C++ part is replaced by an empty module.

    Users take torch and torchaudio from one wheel index and never meet this.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "torchaudio._extension":
            return None
        return importlib.machinery.ModuleSpec(name, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        module = types.ModuleType(spec.name)
        module.__dict__.update(_IS_TORCHAUDIO_EXT_AVAILABLE=False, _IS_RIR_AVAILABLE=False, _IS_ALIGN_AVAILABLE=False)
        module.__dict__["fail_if_no_align"] = lambda function: function
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        return None


def _is_cpu_torch() -> bool:
    version = Path(next(iter(importlib.machinery.PathFinder.find_spec("torch").submodule_search_locations or [""]), "")) / "version.py" if importlib.machinery.PathFinder.find_spec("torch") else None
    return version is not None and version.is_file() and "cuda: Optional[str] = None" in version.read_text()


if _is_cpu_torch():
    sys.meta_path.insert(0, _CpuTorchaudio())


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anything but this machine is an error, whoever makes it."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        is_local = self.family == socket.AF_UNIX or (
            isinstance(address, tuple) and str(address[0]) in {"127.0.0.1", "::1", "localhost"}
        )
        if not is_local:
            raise PermissionError("a test tried to reach the network")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(autouse=True)
def _own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Caches and settings of the person who runs the tests are neither read nor written."""
    monkeypatch.setenv("MSW_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def shared() -> Iterator[Path]:
    """The measuring data beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("the measuring data (../shared) is not here")
    yield SHARED
