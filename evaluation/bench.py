"""`msw bench`: how long and how much memory scoring takes, beside faster-whisper alone in the same run.

Recordings are joined to one long file. Every figure comes from a process of its own that starts cold, imports and
loads its weights; ratios compare processes of the same run on the same file. Other work on the machine spoils
them: the load is printed first.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer

from msw_ml.errors import EngineError, UnknownName
from msw_ml.session import Value

MEASURES = ("chain", "jobs", "memory")
LONG_MINUTES = 240.0

ALONE = """
import sys
from faster_whisper import BatchedInferencePipeline, WhisperModel
path, folder, threads, way = sys.argv[1:]
model = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=int(threads), local_files_only=True)
options = {"language": "en", "beam_size": 5, "temperature": 0.0, "word_timestamps": True}
if way == "batched":
    batched = BatchedInferencePipeline(model)
    segments, _ = batched.transcribe(path, batch_size=8, without_timestamps=False, **options)
else:
    segments, _ = model.transcribe(path, vad_filter=True, condition_on_previous_text=False, **options)
print(sum(len(segment.words or ()) for segment in segments))
"""
"""faster-whisper by itself, with the options that our transcriber uses."""


LISTEN = """
import sys
from pathlib import Path
from msw_ml import engines
from msw_ml.settings import Settings
from msw_ml.speech.audio import decode
from msw_ml.speech.listen import Listener
settings = Settings(threads=int(sys.argv[1]))
listener = Listener(engines.transcriber(settings), engines.diariser(settings), engines.role_finder(settings))
for path in sys.argv[2:]:
    with decode(Path(path)) as audio:
        listener.listen(audio)
"""
"""The speech room by itself: what `msw score` does before coding."""


MEASURED = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
with open(sys.argv[1], "w") as file:
    print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, file=file)
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""A small process starts the measured one, since the system counts the peak of whoever starts a process as its own."""


class Spent(Value):
    """What one process took."""

    what: str
    seconds: float
    cpu_seconds: float
    """Of all its threads: says less of how long one waits, but is the same on a busy machine."""
    peak_mib: float


class Ratio(Value):
    """One figure beside another of the same run."""

    what: str
    value: float
    aim: str


def bench(
    paths: Annotated[list[Path], typer.Argument(help="Recordings to join to one long file.", show_default=False)],
    what: Annotated[str, typer.Option(help=f"What to measure, of {','.join(MEASURES)}.")] = ",".join(MEASURES),
    minutes: Annotated[float, typer.Option(help="Length of the joined file.", min=0.1)] = 30.0,
    threads: Annotated[int, typer.Option(help="Processor threads of either side.", min=1)] = 2,
    command: Annotated[str, typer.Option(help="`score`, `transcribe`, or `listen`: the speech room only.")] = "score",
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Measures speed and memory: the chain against faster-whisper alone, two jobs against one, a four-hour file."""
    wanted = [part.strip() for part in what.split(",") if part.strip()]
    for part in wanted:
        if part not in MEASURES:
            raise UnknownName("measure", part, MEASURES)
    typer.echo(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the run", err=True)
    spent: list[Spent] = []
    ratios: list[Ratio] = []
    with tempfile.TemporaryDirectory(prefix="msw-bench-") as name:
        run = _Run(Path(name), paths, minutes, threads, command)
        steps: dict[str, Callable[[_Run], tuple[list[Spent], list[Ratio]]]]
        steps = {"chain": _chain, "jobs": _jobs, "memory": _memory}
        for part in wanted:
            measured, compared = steps[part](run)
            spent += measured
            ratios += compared
    if as_json:
        both = {"spent": [one.model_dump() for one in spent], "ratios": [one.model_dump() for one in ratios]}
        typer.echo(json.dumps(both, indent=1))
        return
    for one in spent:
        typer.echo(f"{one.what:58}{one.seconds:9.1f} s{one.cpu_seconds:9.1f} s of CPU{one.peak_mib:7.0f} MiB at most")
    for ratio in ratios:
        typer.echo(f"{ratio.what:58}{ratio.value:9.2f}   (aim {ratio.aim})")


class _Run:
    """One run of the bench: its folder, the recordings to join, and how to start processes."""

    def __init__(self, folder: Path, paths: Sequence[Path], minutes: float, threads: int, command: str) -> None:
        self.folder = folder
        self.paths = paths
        self.minutes = minutes
        self.threads = threads
        self.command = command

    def joined(self, name: str, minutes: float) -> Path:
        """The recordings one after the other, over and over, as one 16 kHz wav of so many minutes."""
        from msw_ml.speech.audio import decode

        path = self.folder / name
        left = round(minutes * 60 * 16_000)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16_000)
            while left > 0:
                for source in self.paths:
                    with decode(source) as audio:
                        for _, block in audio.blocks(60):
                            part = block[:left]
                            left -= len(part)
                            file.writeframes((part * 32767).astype("<i2").tobytes())
        return path

    def alone(self, path: Path, way: Literal["batched", "sequential"]) -> Spent:
        from msw_ml import weights

        folder = str(weights.find("embedded").path)
        code = [sys.executable, "-c", ALONE, str(path), folder, str(self.threads), way]
        return self._spent(f"faster-whisper alone, {way}", code)

    def ours(self, paths: Sequence[Path], what: str, jobs: int = 1) -> Spent:
        if self.command == "listen":
            return self._spent(what, [sys.executable, "-c", LISTEN, str(self.threads), *map(str, paths)])
        output = self.folder / f"out-{time.monotonic_ns()}"
        msw = str(Path(sys.executable).with_name("msw"))
        code = [msw, self.command, *map(str, paths), "-o", str(output), "--jobs", str(jobs)]
        return self._spent(what, code)

    def _spent(self, what: str, code: Sequence[str]) -> Spent:
        """Runs a process to its end; its peak memory is the largest of it and of the processes it waited for."""
        environment = {**os.environ, "OMP_NUM_THREADS": str(self.threads)}
        spent = self.folder / f"spent-{time.monotonic_ns()}"
        began = time.monotonic()
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", MEASURED, str(spent), *code], check=False, capture_output=True, env=environment
        )
        seconds = time.monotonic() - began
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace")[-500:]
            raise EngineError(f"{what} failed with exit {done.returncode}: {said}")
        cpu_seconds, peak_mib = map(float, spent.read_text().split())
        return Spent(what=what, seconds=seconds, cpu_seconds=cpu_seconds, peak_mib=peak_mib)


def _chain(run: _Run) -> tuple[list[Spent], list[Ratio]]:
    path = run.joined("long.wav", run.minutes)
    ours = run.ours([path], f"msw {run.command}, {run.minutes:g} min")
    batched, sequential = run.alone(path, "batched"), run.alone(path, "sequential")
    again = run.ours([path], f"msw {run.command}, {run.minutes:g} min, again")
    return [ours, batched, sequential, again], [
        _beside("chain against faster-whisper alone, batched", [ours, again], batched),
        _beside("chain against faster-whisper alone, sequential", [ours, again], sequential),
        _beside("the same, CPU time, batched", [ours, again], batched, is_cpu=True),
        _beside("the same, CPU time, sequential", [ours, again], sequential, is_cpu=True),
    ]


def _beside(what: str, ours: Sequence[Spent], alone: Spent, *, is_cpu: bool = False) -> Ratio:
    """Mean of our runs, before and after the other's, over the other's one."""
    mine = [one.cpu_seconds if is_cpu else one.seconds for one in ours]
    return Ratio(what=what, value=sum(mine) / len(mine) / (alone.cpu_seconds if is_cpu else alone.seconds), aim="1.35")


def _jobs(run: _Run) -> tuple[list[Spent], list[Ratio]]:
    paths = [run.joined(f"{name}.wav", run.minutes / 3) for name in ("first", "second")]
    paths[1].write_bytes(_louder(paths[1].read_bytes()))  # not the same input twice
    one = run.ours(paths, f"two files of {run.minutes / 3:g} min, --jobs 1")
    two = run.ours(paths, f"two files of {run.minutes / 3:g} min, --jobs 2", jobs=2)
    return [one, two], [Ratio(what="two jobs against one after the other", value=one.seconds / two.seconds, aim="1.6")]


def _memory(run: _Run) -> tuple[list[Spent], list[Ratio]]:
    spent = run.ours([run.joined("four-hours.wav", LONG_MINUTES)], f"msw {run.command}, {LONG_MINUTES / 60:g} h")
    return [spent], [Ratio(what="peak memory of four hours, GiB", value=spent.peak_mib / 1024, aim="1.5")]


def _louder(data: bytes) -> bytes:
    samples = np.frombuffer(data[44:], dtype="<i2")
    return data[:44] + (samples * 0.9).astype("<i2").tobytes()
