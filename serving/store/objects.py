"""Recordings and results as objects: a local folder, or a bucket on S3.

An object is there whole or not at all: local files are renamed into place, S3 shows an upload when it is
complete. Keys look like `sessions/<id>/upload/recording`. A storage that cannot be reached raises `StorageAway`
from every method.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import fsspec  # type: ignore[import-untyped]
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from msw_ml.disk import write_bytes
from msw_ml.errors import BadSetting, OutputError, UnreadableInput
from msw_ml.session import Value
from serving.store import s3
from serving.store.base import new_id

BLOCK = 1 << 20


class StorageAway(OutputError):
    """The storage cannot be reached, or refuses: nothing is lost, and it may pass."""


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
        self._path = objects.incoming / new_id("in")
        self._file: IO[bytes] | None = None

    def write(self, data: bytes) -> None:
        """The first block makes the file. Raises `OutputError` where the disk is full."""
        if len(self.head) < 4096:
            self.head += data[: 4096 - len(self.head)]
        try:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("wb")
            self._file.write(data)
        except OSError as error:
            raise _not_kept(error) from error
        self._digest.update(data)
        self.size += len(data)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def keep(self) -> Kept:
        """Once something was written. Raises `OutputError`."""
        try:
            if self._file is not None:
                self._file.close()
        except OSError as error:
            raise _not_kept(error) from error
        self._objects.take_file(self._key, self._path)
        return Kept(key=self._key, sha256=self.sha256, size=self.size)

    def drop(self) -> None:
        """Forgets it; after `keep` this does nothing."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
        self._path.unlink(missing_ok=True)


class Objects:
    """All objects of the service below one address."""

    def __init__(self, url: str, options: dict[str, str] | None = None, scratch: Path | None = None) -> None:
        """Opens no connection yet. Raises `BadSetting` for an address of no known kind and `MissingExtra`."""
        self._is_s3 = s3.is_s3(url)
        try:
            self._fs, root = fsspec.core.url_to_fs(url, **(s3.options(options or {}) if self._is_s3 else options or {}))
        except (ValueError, ImportError) as error:
            raise BadSetting("MSW_SERVICE_OBJECTS is neither a folder nor s3://bucket/folder") from error
        if self._is_s3:
            self._fs.retries = 2
        self._errors = s3.errors() if self._is_s3 else (OSError,)
        self._root = str(root).rstrip("/")
        self._is_local = isinstance(self._fs, LocalFileSystem)
        self.incoming = (
            Path(self._root) / ".incoming" if self._is_local else (scratch or Path(tempfile.gettempdir()) / "msw-in")
        )

    def check(self) -> None:
        """Asks the storage whether it is there. Raises `StorageAway`."""
        with self._asking("", is_writing=True):
            if self._is_s3:
                s3.look(self._fs, self._root)
            elif self._is_local:
                Path(self._root).mkdir(parents=True, exist_ok=True)

    def put(self, key: str, data: bytes) -> Kept:
        """Writes an object whole. Raises `OutputError`."""
        if self._is_local:
            write_bytes(Path(self._at(key)), data)
        else:
            with self._asking(key, is_writing=True):
                self._fs.pipe_file(self._at(key), data)
        return Kept(key=key, sha256=hashlib.sha256(data).hexdigest(), size=len(data))

    def take_file(self, key: str, path: Path) -> None:
        """Makes a local file an object that outlasts a power cut; the file is gone afterwards. Raises `OutputError`."""
        with self._asking(key, is_writing=True):
            if self._is_local:
                target = Path(self._at(key))
                target.parent.mkdir(parents=True, exist_ok=True)
                _sync(path)
                path.replace(target)
                for folder in target.parents[: key.count("/") + 1]:
                    _sync(folder)
            else:
                self._fs.put_file(str(path), self._at(key))
                path.unlink()

    def get(self, key: str) -> bytes:
        """Raises `UnreadableInput` where the object is gone."""
        with self._asking(key):
            return cast("bytes", self._fs.cat_file(self._at(key)))

    def read_range(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """Bytes `start` to `end` (exclusive) in blocks, for playing and downloading.

        Raises `UnreadableInput` where the object is gone.
        """
        for first in range(start, end, BLOCK):  # asked for one by one: a file of s3fs would read 50 MB ahead
            with self._asking(key):
                block = cast("bytes", self._fs.cat_file(self._at(key), start=first, end=min(first + BLOCK, end)))
            yield block

    def is_there(self, key: str) -> bool:
        with self._asking(key):
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
                with self._asking(key):
                    self._fs.get_file(self._at(key), str(path))
            yield path

    def keys(self, prefix: str) -> list[str]:
        """Keys below a prefix, in order."""
        with self._asking(prefix), contextlib.suppress(FileNotFoundError):
            found = self._fs.find(self._at(prefix))
            return sorted(str(path).removeprefix(self._root + "/") for path in found)
        return []

    def erase(self, prefix: str) -> list[str]:
        """Removes everything below a prefix, older versions too; the keys that were there come back."""
        found = self.keys(prefix)
        with self._asking(prefix):
            if self._is_s3:
                s3.erase(self._fs, self._at(prefix), is_folder=True)
            else:
                for key in found:
                    self._fs.rm_file(self._at(key))
        if self._is_local:
            shutil.rmtree(self._at(prefix), ignore_errors=True)
        return found

    def erase_one(self, key: str) -> None:
        """Removes one object, if it is there."""
        with self._asking(key):
            if self._is_s3:
                s3.erase(self._fs, self._at(key), is_folder=False)
            elif self._fs.exists(self._at(key)):
                self._fs.rm_file(self._at(key))

    def free_bytes(self) -> int | None:
        """Room left, where the objects lie on a disk."""
        if not self._is_local:
            return None
        Path(self._root).mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self._root).free

    @contextlib.contextmanager
    def _asking(self, key: str, *, is_writing: bool = False) -> Iterator[None]:
        """Says in our words what the storage answered."""
        try:
            yield
        except FileNotFoundError as error:
            if is_writing:
                raise StorageAway("the storage has no such bucket; see MSW_SERVICE_OBJECTS") from error
            raise UnreadableInput(f"the object {key} is not there any more") from error
        except self._errors as error:
            raise _not_kept(error) from error

    def _at(self, key: str) -> str:
        if key.startswith("/") or ".." in key.split("/"):
            raise ValueError("a key stays below the root")
        return f"{self._root}/{key}"


def _sync(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _not_kept(error: Exception) -> OutputError:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutputError("the disk is full; free some space, then try again")
    if isinstance(error, PermissionError):
        return StorageAway("the storage refuses this service; its credentials or rights have to be mended")
    return StorageAway(f"the storage cannot be reached at the moment ({type(error).__name__}); try again")
