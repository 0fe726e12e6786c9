"""What every test may rely on: no network but loopback, no user folders touched, `shared` skipped aloud."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import socket
import sys
import types
from collections.abc import Sequence
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


class _CpuTorchaudio(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives torchaudio an empty module for its C++ part.

    PyPI's torchaudio links CUDA and cannot be imported beside a CPU torch. Users take both from one
    index and never meet this; nothing here needs the C++ part.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(name, self) if name == "torchaudio._extension" else None

    def exec_module(self, module: types.ModuleType) -> None:
        vars(module).update(
            _IS_TORCHAUDIO_EXT_AVAILABLE=False,
            _IS_RIR_AVAILABLE=False,
            _IS_ALIGN_AVAILABLE=False,
            fail_if_no_align=lambda function: function,
        )


def _is_cpu_torch() -> bool:
    """Read from torch's files: importing it would cost every test run seconds."""
    torch = importlib.util.find_spec("torch")
    if torch is None or torch.origin is None:
        return False
    return "cuda: Optional[str] = None" in Path(torch.origin).with_name("version.py").read_text(encoding="utf-8")


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
def shared() -> Path:
    """The measuring data beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("the measuring data (../shared) is not here")
    return SHARED
