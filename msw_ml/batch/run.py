"""A whole run: plan, skip what is done, hand out the rest, keep the manifest and sessions.csv."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from msw_ml import __version__, codebook, engines
from msw_ml.batch import workers
from msw_ml.batch.claims import check_free, own_folders, place_of
from msw_ml.batch.inputs import Input, find
from msw_ml.batch.manifest import Entry, Manifest, State
from msw_ml.batch.options import ScoreOptions, run_key, stage_keys
from msw_ml.batch.table import write_table
from msw_ml.batch.work import Done, Work
from msw_ml.disk import sha256
from msw_ml.errors import OutputError
from msw_ml.formats import registry
from msw_ml.session import Value
from msw_ml.settings import Settings

Watch = Callable[[workers.Event], None]
"""Told of every event of the workers, for a progress display."""


class Plan(Value):
    """What a run will do."""

    out: Path
    works: tuple[Work, ...]
    skipped: tuple[Entry, ...]
    failed: tuple[Entry, ...]
    sizes: dict[str, int]
    """Output name → size of the input in bytes."""
    left_out: int

    @property
    def of_another_version(self) -> tuple[Entry, ...]:
        """What is skipped although this version might score it otherwise: nobody asked for hours of hearing anew."""
        return tuple(entry for entry in self.skipped if entry.msw_ml != __version__)


class Summary(Value):
    """How a run ended."""

    done: int
    skipped: int
    failed: tuple[Entry, ...]
    is_interrupted: bool = False


def plan(paths: Sequence[Path], out: Path, settings: Settings, options: ScoreOptions, is_forced: bool = False) -> Plan:
    """Looks at all inputs and engines before any long work.

    Raises `SetupError` or `ModelError`; what is wrong with a single input stands in `failed`.
    """
    registry.check_names(options.formats)
    labels = engines.labels(engines.pipeline(settings)) | {"language": settings.language}
    found = find(paths, out)
    planner = _Planner(out, options, labels, is_forced)
    planner.failed += [_failure(lost.path.name, lost.message, "UnreadableInput") for lost in found.unreadable]
    for item in found.inputs:
        planner.take(item)
    return Plan(
        out=out,
        works=tuple(planner.works),
        skipped=tuple(planner.skipped),
        failed=tuple(planner.failed),
        sizes={item.name: item.size for item in found.inputs},
        left_out=found.left_out,
    )


class _Planner:
    """Sorts inputs into those to score, those that are done, and those that cannot be scored."""

    def __init__(self, out: Path, options: ScoreOptions, labels: dict[str, str], is_forced: bool) -> None:
        self._out = out
        self._options = options
        self._labels = labels
        self._is_forced = is_forced
        self._done = Manifest(out / "manifest.jsonl").done()
        self.works: list[Work] = []
        self.skipped: list[Entry] = []
        self.failed: list[Entry] = []

    def take(self, item: Input) -> None:
        last = self._done.get(item.name)
        try:
            digest = sha256(item.path)
            if last is not None and not self._is_forced and self._is_done(last, digest):
                self.skipped.append(last)
            else:
                self.works.append(self._work(item, digest, last))
        except OSError as error:
            self.failed.append(_failure(item.path.name, _unreadable(item, error), "UnreadableInput", item.name))
        except OutputError as error:  # under a name of its own, so that sessions.csv keeps what stands there
            name = f"{item.name}{item.path.suffix}"
            self.failed.append(_failure(item.path.name, str(error), type(error).__name__, name))

    def _is_done(self, last: Entry, digest: str) -> bool:
        """Whether the result stands there and would be made of the same again, the version of msw_ml aside."""
        return last.key == run_key(digest, self._options, self._labels, last.msw_ml) and _is_there(self._out, last)

    def _work(self, item: Input, digest: str, last: Entry | None) -> Work:
        place = place_of(item.path, self._out)
        own = own_folders(last, digest, place)
        made = last.sessions if last is not None else ()
        check_free(item.path, [self._out / name for name in (*made, item.name)], digest, own)
        return Work(
            path=item.path,
            name=item.name,
            sha256=digest,
            key=run_key(digest, self._options, self._labels),
            out=self._out,
            place=place,
            own=own,
            stages=stage_keys(digest, self._options, self._labels),
            earlier=None if self._is_forced else last,
        )


def run(planned: Plan, jobs: int, settings: Settings, options: ScoreOptions, watch: Watch) -> Summary:
    """Does the works of a plan; one that fails never stops the rest.

    Ctrl-C ends the workers, notes what was in hand, and returns: the same command resumes.
    """
    manifest = Manifest(planned.out / "manifest.jsonl")
    for entry in planned.failed:
        manifest.add(entry)
    ledger = _Ledger(planned, manifest)
    is_interrupted = False
    try:
        for event in workers.run(list(planned.works), jobs, settings, options):
            ledger.note(event)
            watch(event)
    except KeyboardInterrupt:
        is_interrupted = True
        ledger.interrupt()
    last = manifest.last() | {entry.name: entry for entry in (*planned.skipped, *planned.failed)}
    write_table(planned.out, last.values(), codebook.load(settings.codebook))
    return Summary(
        done=len(ledger.done),
        skipped=len(planned.skipped),
        failed=(*planned.failed, *ledger.failed),
        is_interrupted=is_interrupted,
    )


class _Ledger:
    """Turns the workers' events into lines of the manifest."""

    def __init__(self, planned: Plan, manifest: Manifest) -> None:
        self._works = {work.name: work for work in planned.works}
        self._manifest = manifest
        self._started: dict[str, float] = {}
        self._clock: dict[str, str] = {}
        self.done: list[Entry] = []
        self.failed: list[Entry] = []

    def note(self, event: workers.Event) -> None:
        self._started.setdefault(event.name, time.monotonic())
        self._clock.setdefault(event.name, _now())
        if event.kind == "done":
            self.done.append(self._close(event.name, State.DONE, result=event.result))
        elif event.kind == "failed":
            self.failed.append(self._close(event.name, State.FAILED, error=event.error, kind=event.error_kind))

    def interrupt(self) -> None:
        ended = {entry.name for entry in (*self.done, *self.failed)}
        for name in [name for name in self._started if name not in ended]:
            self._close(name, State.INTERRUPTED)

    def _close(self, name: str, state: State, result: Done | None = None, error: str = "", kind: str = "") -> Entry:
        work = self._works[name]
        made = result.made if result else {}
        entry = Entry(
            name=name,
            source=work.path.name,
            input_sha256=work.sha256,
            key=work.key,
            msw_ml=__version__,
            place=work.place,
            state=state,
            stages=work.stages,
            sessions=tuple(made),
            made=made,
            reused=result.reused if result else (),
            started=self._clock[name],
            seconds=round(time.monotonic() - self._started[name], 2),
            error=error or None,
            error_kind=kind or None,
        )
        self._manifest.add(entry)
        return entry


def _is_there(out: Path, entry: Entry) -> bool:
    return bool(entry.sessions) and all((out / name / "session.json").is_file() for name in entry.sessions)


def _unreadable(item: Input, error: OSError) -> str:
    return f"{item.path}: it cannot be read ({error.strerror or type(error).__name__}); check its permissions"


def _failure(source: str, message: str, kind: str, name: str = "") -> Entry:
    return Entry(
        name=name or source,
        source=source,
        input_sha256="",
        key="",
        state=State.FAILED,
        started=_now(),
        error=message,
        error_kind=kind,
    )


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
