"""What every child process of ours does: it ends with its parent, and names an error without repeating speech."""

from __future__ import annotations

import multiprocessing
import os
import threading
import traceback
from pathlib import Path


def end_with_parent() -> None:
    """Ends this process as soon as its parent is gone, even by `kill -9`; returns at once."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def place_of(error: Exception) -> str:
    """File and line where an error arose, the last of ours if any is: its text is left out, it may hold speech."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename] or list(frames)
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "an unknown place"


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
