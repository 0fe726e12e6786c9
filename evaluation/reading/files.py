"""Which reader takes which file: `read` is the one door to this folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from evaluation import sheets
from evaluation.codings import Batch, Codings, gather
from evaluation.reading import elan, generic, hub, mapped, names, scored, tables
from evaluation.reading.labels import Labels
from msw_ml.codebook import Codebook
from msw_ml.errors import UnreadableInput
from msw_ml.session import Value

_TABLES = {".csv", ".tsv", ".xlsx", ".xlsm"}
_OURS = {"sessions.csv", "utterances.csv", "manifest.jsonl"}
"""Files of an output folder that say again what its session.json says."""


class ReadOptions(Value):
    """How files are understood."""

    mapping: Path | None = None
    """Another scheme's labels."""
    machines: tuple[str, ...] = ()
    """Coders in tables who are machines, besides our own outputs."""
    machine_name: str = "machine"
    """What our own outputs are called."""
    rounds_from_folders: bool = False
    """A file's folder names the round of coding, where the file does not."""


def read(paths: Sequence[Path], book: Codebook, options: ReadOptions | None = None) -> Codings:
    """All files and folders together; raises `InputError` with what is wrong and what to do."""
    return gather(batches(paths, book, options))


def batches(paths: Sequence[Path], book: Codebook, options: ReadOptions | None = None) -> list[Batch]:
    """One batch a file, in the order given; folders are searched to the bottom."""
    options = options or ReadOptions()
    labels = Labels(book, options.mapping)
    found = []
    for path in _files(paths):
        batch = _as_machines(read_file(path, labels, options), options)
        if options.rounds_from_folders:
            _name_rounds(batch, path)
        found.append(batch)
    if not found:
        raise UnreadableInput(
            f"there is nothing to read in {', '.join(map(str, paths))}; give coders' files or folders"
        )
    return found


def read_file(path: Path, labels: Labels, options: ReadOptions) -> Batch:
    """One file by the reader that knows it."""
    suffix = path.suffix.lower()
    if path.name == "session.json":
        return scored.read(path, labels.book, options.machine_name)
    if suffix == ".xlsx" and sheets.is_sheet(path):
        return sheets.read(path, labels.book)
    if suffix in _TABLES:
        return _joined(_table(table, labels, path) for table in tables.read_tables(path))
    if suffix == ".eaf":
        return elan.read(path, labels)
    return hub.read(path, labels)


def _table(table: tables.Table, labels: Labels, path: Path) -> Batch:
    named = table.model_copy(update={"file": names.shown(path)})
    if labels.mapping is not None and mapped.fits(table, labels.mapping):
        return mapped.read(named, labels.mapping, labels)
    for mapping in mapped.shipped_mappings(labels.book):
        if mapped.fits(table, mapping):
            return mapped.read(named, mapping, labels)
    return generic.TableReader(named, labels, path).read()


def _files(paths: Sequence[Path]) -> list[Path]:
    """Files to read; in one of our output folders only what is not said twice."""
    found: dict[Path, Path] = {}
    for path in paths:
        if path.is_file():
            found[path.resolve()] = path
        elif path.is_dir():
            found |= {file.resolve(): file for file in sorted(path.rglob("*")) if _counts(file)}
        else:
            raise UnreadableInput(f"{path}: there is no such file or folder; check the path")
    return list(found.values())


def _counts(file: Path) -> bool:
    if not file.is_file() or file.name.startswith((".", "~$")):
        return False
    ours = (file.parent / "session.json").is_file()
    if ours or file.name in _OURS:
        return file.name == "session.json"
    return file.suffix.lower() in {*_TABLES, ".eaf", ".casaa"}


def _joined(parts: Iterable[Batch]) -> Batch:
    """The sheets of one workbook as one batch."""
    whole = Batch()
    for part in parts:
        whole.codings.extend(part.codings)
        whole.ratings.extend(part.ratings)
        whole.coders.extend(part.coders)
        whole.visits.update(part.visits)
        whole.rounds.update(part.rounds)
        whole.left_out.update(part.left_out)
    return whole


def _name_rounds(batch: Batch, path: Path) -> None:
    """The round is the folder above the file, or above the session's own folder in an output of ours."""
    folder = path.resolve().parent.parent if path.name == "session.json" else path.resolve().parent
    for entry in (*batch.codings, *batch.ratings):
        batch.rounds.setdefault((str(entry[0]), str(entry[1])), folder.name)


def _as_machines(batch: Batch, options: ReadOptions) -> Batch:
    machines = [
        coder.model_copy(update={"is_machine": True}) if coder.name in options.machines else coder
        for coder in batch.coders
    ]
    batch.coders[:] = list({coder.name: coder for coder in machines}.values())
    return batch
