"""Recordings and results as objects: a local folder or any file system that fsspec knows, such as S3.

An object is there whole or not at all: local files are renamed into place, S3 shows an upload when it is
complete. Keys look like `sessions/<id>/upload/recording`.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import fsspec  # type: ignore[import-untyped]
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from msw_ml.disk import write_bytes
from msw_ml.errors import OutputError, UnreadableInput
from msw_ml.session import Value
from serving.store.base import new_id

BLOCK = 1 << 20


class Kept(Value):
    """What was put: enough to find it and to prove what it was."""

    key: str
    sha256: str
    size: int


class Incoming:
    """An object on its way in. It comes to be with `keep`; whatever else happens leaves nothing."""

    def __init__(self, objects: Objects, key: str) -> None:
        self._objects = objects
        self._key = key
        self._digest = hashlib.sha256()
        self.size = 0
        self.head = b""
        """The first bytes, by which its kind is told."""
        folder = objects.incoming
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / new_id("in")
        self._file: IO[bytes] = self._path.open("wb")

    def write(self, data: bytes) -> None:
        """Raises `OutputError` where the disk is full."""
        if len(self.head) < 4096:
            self.head += data[: 4096 - len(self.head)]
        try:
            self._file.write(data)
        except OSError as error:
            raise _not_kept(error) from error
        self._digest.update(data)
        self.size += len(data)

    @property
    def path(self) -> Path:
        """Where it lies until it is kept, flushed."""
        self._file.flush()
        return self._path

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def keep(self) -> Kept:
        """Raises `OutputError`."""
        try:
            self._file.flush()
            self._file.close()
            self._objects.take_file(self._key, self._path)
        except OSError as error:
            raise _not_kept(error) from error
        return Kept(key=self._key, sha256=self.sha256, size=self.size)

    def drop(self) -> None:
        """Forgets it; after `keep` this does nothing."""
        with contextlib.suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)


class Objects:
    """All objects of the service below one address."""

    def __init__(self, url: str, options: dict[str, str] | None = None, scratch: Path | None = None) -> None:
        chained = {"endpoint_url": options["endpoint_url"]} if options and "endpoint_url" in options else {}
        plain = {name: value for name, value in (options or {}).items() if name != "endpoint_url"}
        self._fs, root = fsspec.core.url_to_fs(url, **plain, **chained)
        self._root = str(root).rstrip("/")
        self._is_local = isinstance(self._fs, LocalFileSystem)
        self.incoming = (
            Path(self._root) / ".incoming" if self._is_local else (scratch or Path(tempfile.gettempdir()) / "msw-in")
        )

    def put(self, key: str, data: bytes) -> Kept:
        """Writes an object whole. Raises `OutputError`."""
        if self._is_local:
            write_bytes(Path(self._at(key)), data)
        else:
            try:
                self._fs.pipe_file(self._at(key), data)
            except OSError as error:
                raise _not_kept(error) from error
        return Kept(key=key, sha256=hashlib.sha256(data).hexdigest(), size=len(data))

    def take_file(self, key: str, path: Path) -> None:
        """Makes a local file an object; the file is gone afterwards."""
        if self._is_local:
            target = Path(self._at(key))
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        else:
            self._fs.put_file(str(path), self._at(key))
            path.unlink()

    def get(self, key: str) -> bytes:
        """Raises `UnreadableInput` where the object is gone."""
        try:
            return cast("bytes", self._fs.cat_file(self._at(key)))
        except FileNotFoundError as error:
            raise UnreadableInput(f"the object {key} is not there any more") from error

    def read_range(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """Bytes `start` to `end` (exclusive) in blocks, for playing and downloading."""
        with self._fs.open(self._at(key), "rb") as file:
            file.seek(start)
            left = end - start
            while left > 0 and (block := cast("bytes", file.read(min(BLOCK, left)))):
                left -= len(block)
                yield block

    def is_there(self, key: str) -> bool:
        return bool(self._fs.exists(self._at(key)))

    @contextlib.contextmanager
    def local_copy(self, key: str, name: str) -> Iterator[Path]:
        """The object as a file called `name`, for readers that go by names; gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="msw-") as folder:
            path = Path(folder) / name
            if self._is_local:
                source = Path(self._at(key))
                if not source.is_file():
                    raise UnreadableInput(f"the object {key} is not there any more")
                path.symlink_to(source)
            else:
                try:
                    self._fs.get_file(self._at(key), str(path))
                except FileNotFoundError as error:
                    raise UnreadableInput(f"the object {key} is not there any more") from error
            yield path

    def keys(self, prefix: str) -> list[str]:
        """Keys below a prefix, in order."""
        try:
            found = self._fs.find(self._at(prefix))
        except FileNotFoundError:
            return []
        return sorted(str(path).removeprefix(self._root + "/") for path in found)

    def erase(self, prefix: str) -> list[str]:
        """Removes everything below a prefix; the keys that were there come back."""
        found = self.keys(prefix)
        for key in found:
            self._fs.rm_file(self._at(key))
        if self._is_local:
            shutil.rmtree(self._at(prefix), ignore_errors=True)
        return found

    def erase_one(self, key: str) -> None:
        """Removes one object, if it is there."""
        if self.is_there(key):
            self._fs.rm_file(self._at(key))

    def free_bytes(self) -> int | None:
        """Room left, where the objects lie on a disk."""
        if not self._is_local:
            return None
        Path(self._root).mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self._root).free

    def _at(self, key: str) -> str:
        if key.startswith("/") or ".." in key.split("/"):
            raise ValueError("a key stays below the root")
        return f"{self._root}/{key}"


def _not_kept(error: OSError) -> OutputError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutputError("the disk is full; free some space, then try again")
    return OutputError(f"the storage did not take it ({type(error).__name__}); try again")
