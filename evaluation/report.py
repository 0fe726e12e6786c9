"""Writes a reliability report in four forms: for reading, for machines, for statistics programs, for a paper."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from evaluation import document, page
from evaluation.findings import Report
from msw_ml.disk import write_bytes, write_text

HEADER = (
    "level", "variable", "variable_name", "code", "code_name", "comparison", "statistic", "value", "low", "high",
    "not_estimable", "interval", "pairs", "units", "sessions", "koo_li", "cicchetti", "krippendorff",
    "percent_of_human", "percent_of_human_low", "percent_of_human_high",
)  # fmt: skip


def write(report: Report, folder: Path) -> list[Path]:
    """Writes `reliability.html`, `.json`, `.csv` and `.docx`. Raises `OutputError`."""
    paths = [folder / f"reliability.{suffix}" for suffix in ("html", "json", "csv", "docx")]
    write_text(paths[0], page.render(report))
    write_text(paths[1], report.model_dump_json(indent=1) + "\n")
    write_text(paths[2], table(report))
    write_bytes(paths[3], document.render(report))
    return paths


def table(report: Report) -> str:
    """All figures, one a line."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for f in report.figures:
        estimate, share = f.estimate, f.share_of_human
        writer.writerow(
            (
                f.level, f.variable, f.variable_name, f.code or "", f.code_name or "", f.comparison, f.statistic,
                _cell(estimate.value), _cell(estimate.low), _cell(estimate.high), estimate.reason or "",
                f.interval or "", f.pairs, f.units, f.sessions, f.koo_li or "", f.cicchetti or "", f.krippendorff or "",
                _percent(share.value if share else None), _percent(share.low if share else None),
                _percent(share.high if share else None),
            )
        )  # fmt: skip
    return text.getvalue()


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.4g}"
