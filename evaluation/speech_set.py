"""A folder of recordings with references: manifest.csv, and beside each sound .stm, .rttm, .uem or refs.tsv.

    manifest.csv   path,seconds,speakers,kind,has_turns,has_words,...   kind: real or constructed
    <name>.stm     words: file channel speaker start end text
    <name>.rttm    turns, overlaps included
    <name>.uem     the part to score, where not all of it is annotated
    refs.tsv       file, speaker, text: words without times, several files in one table

A copy of a file in another format without references of its own is left out.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from msw_ml.errors import MalformedTranscript, UnreadableInput
from msw_ml.session import Span, Turn, Value

WORKERS = frozenset({"sw", "worker", "social_worker"})
"""What references call the worker, in lower case."""


class Said(Value):
    """One reference utterance; without times where the reference has none."""

    speaker: str
    text: str
    start: float = 0.0
    end: float = 0.0


class MeasuredFile(Value):
    """A recording and what is known of it."""

    path: Path
    group: str
    """The folder it lies in: one source, one way of recording."""
    speakers: int
    is_real: bool
    said: tuple[Said, ...] = ()
    turns: tuple[Turn, ...] = ()
    scored: Span | None = None
    """The part to score; `None` is all of it."""

    @property
    def worker(self) -> str | None:
        """The reference's name of the worker, where it names one."""
        return next((turn.speaker for turn in self.turns if turn.speaker.lower() in WORKERS), None)


def read_set(folder: Path) -> list[MeasuredFile]:
    """All recordings of the manifest that have references. Raises `UnreadableInput`, `MalformedTranscript`."""
    manifest = folder / "manifest.csv"
    if not manifest.is_file():
        raise UnreadableInput(f"{folder} has no manifest.csv; give a folder of recordings with references")
    with manifest.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"path", "speakers", "kind"} <= rows[0].keys():
        raise MalformedTranscript(f"{manifest} needs a header line with at least path, speakers and kind")
    read = [_file(folder, row, number) for number, row in enumerate(rows, start=2)]
    return [file for file in read if file.said or file.turns]


def _file(folder: Path, row: dict[str, str], number: int) -> MeasuredFile:
    path = folder / row["path"]
    if not path.is_file():
        raise UnreadableInput(f"manifest.csv row {number}: {row['path']} is not there")
    if not row["speakers"].isdigit():
        raise MalformedTranscript(f"manifest.csv row {number}, column speakers: '{row['speakers']}' is no number")
    return MeasuredFile(
        path=path,
        group=path.parent.name,
        speakers=int(row["speakers"]),
        is_real=row["kind"] == "real",
        said=tuple(_said(path)),
        turns=tuple(_turns(path)),
        scored=_scored(path),
    )


def _said(path: Path) -> Iterator[Said]:
    stm = path.with_suffix(".stm")
    if stm.is_file() and _is_first(path):
        rows = [parts for _, parts in _rows(stm, 5)]
        for parts in sorted(rows, key=lambda parts: float(parts[3])):
            yield Said(speaker=parts[2], start=float(parts[3]), end=float(parts[4]), text=" ".join(parts[5:]))
        return
    table = path.with_name("refs.tsv")
    if table.is_file():
        with table.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                if row["file"] == path.name:
                    yield Said(speaker=row["speaker"], text=row["text"])


def _turns(path: Path) -> Iterator[Turn]:
    rttm = path.with_suffix(".rttm")
    if rttm.is_file() and _is_first(path):
        for _, parts in _rows(rttm, 8):
            start = float(parts[3])
            yield Turn(start=start, end=start + float(parts[4]), speaker=parts[7])


def _scored(path: Path) -> Span | None:
    uem = path.with_suffix(".uem")
    if not uem.is_file():
        return None
    _, parts = next(_rows(uem, 4))
    return Span(start=float(parts[2]), end=float(parts[3]))


def _is_first(path: Path) -> bool:
    """Whether the references beside a sound are its own, not those of a file that it is a copy of."""
    copies = [
        other for other in path.parent.glob(f"{path.stem}.*") if other.suffix in {".wav", ".flac", ".mp3", ".m4a"}
    ]
    return path == max(copies, key=lambda copy: copy.suffix)


def _rows(path: Path, least: int) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        parts = line.split()
        if not parts or line.startswith(";;"):
            continue
        if len(parts) < least:
            raise MalformedTranscript(f"{path.name} row {number} has {len(parts)} columns, {least} are needed")
        yield number, parts
