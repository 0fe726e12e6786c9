"""Styles and scripts at addresses that change with their content, so that browsers may keep them for good.

All of them share one version, a hash over the whole folder, and it stands in the path:
`/static/<version>/app.js`. Scripts import each other by relative address, so `./page.js` carries the
version of the script that asks, and a browser never joins new scripts with old ones.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from fastapi.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent.parent / "static"
_VERSION = re.compile(r"[0-9a-f]{12}")
_FOR_GOOD = "public, max-age=31536000, immutable"
_ASK_FIRST = "no-cache"


class VersionedFiles(StaticFiles):
    """Serves a folder. What is asked for by its present version is kept for good; all else is asked for again.

    An address of another version gets the present content: pages that were open over an update go on working.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        super().__init__(directory=folder)
        self._folder = folder

    async def get_response(self, path: str, scope: Scope) -> Response:
        first, _, rest = path.partition(os.sep)
        is_versioned = _VERSION.fullmatch(first) is not None
        response = await super().get_response(rest if is_versioned else path, scope)
        response.headers["cache-control"] = _FOR_GOOD if first == version(self._folder) else _ASK_FIRST
        return response


def addresses(folder: Path = FOLDER) -> Callable[[str], str]:
    """From a file's name to where it is to be had; the version is looked up once, for a whole page."""
    start = f"/static/{version(folder)}/"
    return lambda name: start + name


def version(folder: Path = FOLDER) -> str:
    """Twelve hexadecimal digits of a hash over names and content of all files."""
    return _hashed(tuple(sorted(_files(folder))))


_File = tuple[str, str, int, int]


def _files(folder: Path, inside: str = "") -> list[_File]:
    """Path, name, size and time of every file: cheap enough to be looked at with every page."""
    found: list[_File] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                found += _files(Path(entry.path), f"{inside}{entry.name}/")
                continue
            about = entry.stat()
            found.append((entry.path, f"{inside}{entry.name}", about.st_size, about.st_mtime_ns))
    return found


@lru_cache(maxsize=4)
def _hashed(files: tuple[_File, ...]) -> str:
    digest = hashlib.sha256()
    for path, name, size, _ in files:
        digest.update(f"{name}\0{size}\0".encode())
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()[:12]
