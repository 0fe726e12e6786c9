"""How a run shows itself: bars with time left on a terminal, plain lines elsewhere. All on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from msw_ml import __version__
from msw_ml.batch.run import Plan, Summary, Watch
from msw_ml.batch.work import stage_shares
from msw_ml.batch.workers import Event

_STAGES = stage_shares()


@contextmanager
def display(planned: Plan) -> Iterator[Watch]:
    """A watcher of events that draws them for as long as the context is open."""
    console = Console(stderr=True)
    if console.is_terminal:
        with _Bars(planned, console) as bars:
            yield bars.watch
    else:
        yield _Lines(planned).watch


def share_done(event: Event) -> float:
    """How far one recording is on its way, 0 to 1."""
    if event.kind != "progress":
        return 1.0
    begins, ends = _STAGES.get(event.stage, (0.0, 0.0))
    return begins + (ends - begins) * min(max(event.share, 0.0), 1.0)


class _Bars:
    """One bar for all and one for each recording in hand."""

    def __init__(self, planned: Plan, console: Console) -> None:
        self._sizes = {work.name: max(planned.sizes.get(work.name, 1), 1) for work in planned.works}
        self._shares: dict[str, float] = {}
        self._tasks: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}", table_column=None),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            speed_estimate_period=600,
        )
        self._all = self._progress.add_task("all", total=sum(self._sizes.values()) or 1)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def watch(self, event: Event) -> None:
        share = share_done(event)
        if event.name not in self._tasks:
            self._tasks[event.name] = self._progress.add_task(event.name, total=1.0)
        task = self._tasks[event.name]
        stage = f" · {event.stage}" if event.kind == "progress" else ""
        self._progress.update(task, completed=share, description=f"{event.name}{stage}")
        self._shares[event.name] = max(share, self._shares.get(event.name, 0.0))
        self._progress.update(self._all, completed=sum(self._sizes[n] * s for n, s in self._shares.items()))
        if event.kind != "progress":
            self._progress.update(task, visible=False)
        if event.kind == "failed":
            self._progress.console.print(f"failed: {event.error}", markup=False, highlight=False)


class _Lines:
    """One line for each recording that ends, with an estimate of the time left."""

    def __init__(self, planned: Plan) -> None:
        self._sizes = {work.name: max(planned.sizes.get(work.name, 1), 1) for work in planned.works}
        self._began = time.monotonic()
        self._ended: list[str] = []

    def watch(self, event: Event) -> None:
        if event.kind == "progress":
            return
        self._ended.append(event.name)
        word = "failed" if event.kind == "failed" else "done"
        rest = f": {event.error}" if event.error else ""
        left = self._left()
        tail = f" (about {left} left)" if left else ""
        _say(f"[{len(self._ended)}/{len(self._sizes)}] {event.name} {word}{rest}{tail}")

    def _left(self) -> str:
        done = sum(self._sizes[name] for name in self._ended)
        rest = sum(self._sizes.values()) - done
        if not rest:
            return ""
        seconds = (time.monotonic() - self._began) * rest / done
        return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def report(planned: Plan, summary: Summary, *, is_json: bool) -> None:
    """Says on stderr how the run ended; with `is_json` a summary goes to stdout."""
    for entry in planned.failed:
        _say(f"failed: {entry.error}")
    if planned.left_out:
        _say(f"{planned.left_out} files in the folders are neither sound nor a transcript and were left out")
    words = [f"{summary.done} scored", f"{summary.skipped} already done", f"{len(summary.failed)} failed"]
    _say(f"{', '.join(words)}; results in {planned.out}")
    if others := planned.of_another_version:
        versions = ", ".join(sorted({entry.msw_ml for entry in others}))
        _say(
            f"{len(others)} of those already done were scored by msw_ml {versions} and stay as they are, this is "
            f"{__version__}: --force scores them again"
        )
    if summary.is_interrupted:
        _say("interrupted: the same command goes on where it stopped")
    if is_json:
        content = summary.model_dump(mode="json") | {
            "output": str(planned.out),
            "left_out": planned.left_out,
            "of_another_version": [entry.name for entry in planned.of_another_version],
        }
        print(json.dumps(content, ensure_ascii=False))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
