"""`reliability.docx`: methods paragraph and main tables for a manuscript, ready to edit."""

from __future__ import annotations

import io
from collections.abc import Sequence

from docx import Document
from docx.document import Document as Docx
from docx.shared import Pt
from docx.table import _Row

from evaluation.findings import Comparison, Figure, Report
from evaluation.numerals import interval, number, share
from evaluation.office import without_clock

_IN_TABLE = {
    "rating": ("icc_a1", "kappa_quadratic", "within_one", "mae"),
    "utterance": ("agreement", "kappa", "ac1", "macro_f1"),
    "measure": ("icc_a1",),
}


def render(report: Report) -> bytes:
    """The document; the same report gives the same bytes."""
    document = Document()
    style = document.styles["Normal"]
    style.font.name, style.font.size = "Calibri", Pt(11)
    document.core_properties.author = ""
    document.core_properties.title = "Agreement between coders"
    document.add_heading("Agreement between coders", level=1)
    for sentence in report.summary:
        document.add_paragraph(sentence)
    document.add_heading("Methods", level=2)
    document.add_paragraph(report.methods)
    document.add_heading("Limits", level=2)
    for warning in report.warnings:
        document.add_paragraph(warning, style="List Bullet")
    document.add_heading("Results", level=2)
    for level, statistics in _IN_TABLE.items():
        figures = [f for f in report.figures if f.level == level and f.statistic in statistics and f.code is None]
        if figures:
            _table(document, report, figures, f"Table: {level}s")
    codes = [f for f in report.figures if f.level == "utterance" and f.statistic == "kappa" and f.code is not None]
    if codes:
        _table(document, report, codes, "Table: each code against the rest")
    _coders(document, report)
    packed = io.BytesIO()
    document.save(packed)
    return without_clock(packed.getvalue())


def _table(document: Docx, report: Report, figures: list[Figure], title: str) -> None:
    has_machine = any(coder.is_machine for coder in report.coders)
    heads = ["What", "Statistic", "n", "Person with person"]
    heads += ["n", "Machine with person", "% of the human figure"] if has_machine else []
    heads += ["Baseline"]
    document.add_paragraph(title, style="Caption")
    table = document.add_table(rows=1, cols=len(heads), style="Light Shading")
    _fill(table.rows[0], heads)
    keys = dict.fromkeys((f.variable, f.code, f.statistic) for f in figures)
    for variable, code, statistic in keys:
        of: dict[Comparison, Figure] = {
            f.comparison: f for f in figures if (f.variable, f.code, f.statistic) == (variable, code, statistic)
        }
        human, machine = of.get("humans_same") or of.get("humans"), of.get("machine")
        first = next(iter(of.values()))
        base = of.get("median") or of.get("majority")
        cells = [
            first.code_name or first.variable_name,
            first.statistic_name,
            str(human.units if human else 0),
            interval(human.estimate) if human else "–",
        ]
        if has_machine:
            cells += [str(machine.units), interval(machine.estimate)] if machine else ["0", "–"]
            cells += [share(machine.share_of_human) if machine else "–"]
        cells.append(number(base.estimate.value) if base else "–")
        _fill(table.add_row(), cells)


def _coders(document: Docx, report: Report) -> None:
    described = [d for d in report.described if d.level == "rating" and d.n]
    if not described:
        return
    document.add_paragraph("Table: n, mean and SD of every coder", style="Caption")
    table = document.add_table(rows=1, cols=5, style="Light Shading")
    _fill(table.rows[0], ("Element", "Coder", "n", "Mean", "SD"))
    for d in described:
        _fill(table.add_row(), (d.variable_name, d.coder, str(d.n), number(d.mean), number(d.sd)))


def _fill(row: _Row, texts: Sequence[str]) -> None:
    for cell, text in zip(row.cells, texts, strict=True):
        cell.text = text
        cell.paragraphs[0].runs[0].font.size = Pt(8.5)
