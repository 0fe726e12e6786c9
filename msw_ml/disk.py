"""Writing to disk so that a reader never meets half a file."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from pathlib import Path

from msw_ml.errors import OutputError


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a file whole or not at all, and creates its folder. Raises `OutputError`."""
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise OutputError(f"{path} could not be written: {reason(error)}") from error


def write_text(path: Path, text: str) -> None:
    """As `write_bytes`, UTF-8, line ends as given."""
    write_bytes(path, text.encode("utf-8"))


def sha256(path: Path) -> str:
    """Hex digest of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def reason(error: OSError) -> str:
    """Why a write failed and what to do, for a message."""
    if error.errno == errno.ENOSPC:
        return "the disk is full; free some space and run the same command again"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "no permission to write there; choose another folder with -o"
    return os.strerror(error.errno) if error.errno else type(error).__name__
