"""Tables of another scheme by their `mapping.toml`, such as AnnoMI's full file with its ten annotators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from evaluation.codings import Batch, Coder, Coding, Visit
from evaluation.reading.labels import LabelMapping, Labels, meaning, read_mapping
from evaluation.reading.tables import Table
from msw_ml.codebook import Codebook
from msw_ml.errors import BadSetting
from msw_ml.formats.rows import safe_name
from msw_ml.session import Role


def shipped_mappings(book: Codebook) -> list[LabelMapping]:
    """The mappings that stand beside a checkout of this project, in `datasets/`; none in a plain install."""
    root = Path(__file__).resolve().parents[2] / "datasets"
    found = []
    for path in sorted(root.glob("*/mapping.toml")):
        try:
            found.append(read_mapping(path, book))
        except BadSetting:  # for another codebook, or a set without labels of its own
            continue
    return found


def fits(table: Table, mapping: LabelMapping) -> bool:
    """Whether a table has all columns that a mapping reads."""
    asked = {*mapping.columns.values(), *(column for rule in mapping.labels for column in rule.when)}
    return asked <= set(table.header)


def read(table: Table, mapping: LabelMapping, labels: Labels) -> Batch:
    """One coding a row; a row that no rule knows, or whose label fits several categories, is counted."""
    batch = Batch()
    column = {kind: table.header.index(name) for kind, name in mapping.columns.items() if name in table.header}
    for number, cells in table.rows:
        by_name = {
            title: "n/a" if cell is None else str(cell).strip() for title, cell in zip(table.header, cells, strict=True)
        }

        def cell(kind: str, row: int = number, of: Sequence[object] = cells) -> str:
            return table.text(row, of, column.get(kind))  # type: ignore[arg-type]

        coder = cell("annotator") or Path(table.file).stem
        session = safe_name(cell("session") or Path(table.file).stem)
        found = _meaning(by_name, mapping, labels)
        if found is None:
            batch.left_out["row without a label of the mapping"] += 1
            continue
        if found[1] is None:
            batch.left_out["label that fits several main categories"] += 1
            continue
        role = mapping.speakers.get(cell("speaker"), Role.UNKNOWN)
        batch.codings.append(
            Coding(_named(coder), session, cell("unit"), *found, table.place(number), role, text=cell("text"))
        )
        if group := cell("group"):
            batch.visits.setdefault(session, Visit(family=group))
    batch.coders.extend(Coder(name=name) for name in dict.fromkeys(coding.coder for coding in batch.codings))
    return batch


def _meaning(row: Mapping[str, str], mapping: LabelMapping, labels: Labels) -> tuple[str | None, str | None] | None:
    for rule in mapping.labels:
        if rule.fits(row):
            return meaning(rule.codes, labels.book)
    return None


def _named(coder: str) -> str:
    """A bare number is hard to tell from other numbers in a table."""
    return f"annotator {coder}" if coder.isdigit() else coder
