"""Reading the simulated visits and what blind raters and coders wrote of them."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

from msw_ml.codebook.book import Codebook
from msw_ml.session import Role, Utterance

HEADER = ["session", "utterance", "role", "speaker", "text"]
RATING_HEADER = ["session", "coder", "element", "value"]
CODE_HEADER = ["session", "utterance", "coder", "code"]
MIN_ROWS, MAX_ROWS = 30, 60

Visits = dict[str, list[Utterance]]
Ratings = dict[tuple[str, str], dict[str, int]]
"""(session, element) → coder → value."""


class Breach(NamedTuple):
    """Something that breaks a rule, and where."""

    rule: str
    where: str
    what: str


def read_visits(folder: Path) -> tuple[Visits, list[Breach]]:
    """All visits that can be read; what cannot is named as a breach with its row."""
    visits: Visits = {}
    breaches: list[Breach] = []
    for path in sorted((folder / "visits").glob("*.csv")):
        rows, header = _rows(path)
        if header != HEADER:
            breaches.append(Breach("schema", path.name, f"the header is not {','.join(HEADER)}"))
            continue
        visit: list[Utterance] = []
        for number, row in enumerate(rows, start=1):
            fault = _fault(row, number, path.stem)
            if fault:
                breaches.append(Breach("schema", f"{path.name} row {number}", fault))
                continue
            _, utterance, role, speaker, text = row
            visit.append(Utterance(id=int(utterance), speaker=speaker, text=text, role=Role(role)))
        if not MIN_ROWS <= len(rows) <= MAX_ROWS:
            breaches.append(Breach("length", path.name, f"{len(rows)} rows, not {MIN_ROWS} to {MAX_ROWS}"))
        visits[path.stem] = visit
    return visits, breaches


def read_ratings(folder: Path, book: Codebook) -> tuple[Ratings, list[Breach]]:
    """Every rating by (session, element) and coder; faulty rows are named."""
    ratings: Ratings = defaultdict(dict)
    breaches: list[Breach] = []
    elements = {element.id for element in book.elements}
    for path in sorted((folder / "ratings").glob("*.csv")):
        rows, header = _rows(path)
        if header != RATING_HEADER:
            breaches.append(Breach("ratings", path.name, f"the header is not {','.join(RATING_HEADER)}"))
            continue
        for number, row in enumerate(rows, start=1):
            if len(row) != len(RATING_HEADER) or row[2] not in elements or row[3] not in {"1", "2", "3", "4", "5"}:
                breaches.append(
                    Breach("ratings", f"{path.name} row {number}", "no element of the codebook, or not 1-5")
                )
                continue
            session, coder, element, value = row
            if coder in ratings[session, element]:
                breaches.append(Breach("ratings", f"{path.name} row {number}", "rated twice by one coder"))
            ratings[session, element][coder] = int(value)
    return dict(ratings), breaches


def consensus(ratings: Ratings) -> dict[tuple[str, str], float]:
    """The mean of two ratings, the median of three; one alone stands."""
    return {
        key: float(median(found.values()) if len(found) > 2 else mean(found.values())) for key, found in ratings.items()
    }


def check_codes(folder: Path, visits: Visits, book: Codebook) -> list[Breach]:
    """Codes that no codebook has, that belong to the other side, or rows that were left out."""
    breaches: list[Breach] = []
    for path in sorted((folder / "codes").glob("*.csv")):
        rows, header = _rows(path)
        if header != CODE_HEADER:
            breaches.append(Breach("codes", path.name, f"the header is not {','.join(CODE_HEADER)}"))
            continue
        coded: dict[str, set[int]] = defaultdict(set)
        for number, row in enumerate(rows, start=1):
            fault = _code_fault(row, visits, book)
            if fault:
                breaches.append(Breach("codes", f"{path.name} row {number}", fault))
            else:
                coded[row[0]].add(int(row[1]))
        for session, done in coded.items():
            due = {utterance.id for utterance in visits[session] if book.is_coded(utterance.role)}
            if due - done:
                breaches.append(Breach("codes", path.name, f"{session} lacks rows {sorted(due - done)}"))
    return breaches


def _code_fault(row: list[str], visits: Visits, book: Codebook) -> str | None:
    if len(row) != len(CODE_HEADER) or not row[1].isdigit():
        return f"not {','.join(CODE_HEADER)}"
    found = [utterance for utterance in visits.get(row[0], []) if utterance.id == int(row[1])]
    if not found:
        return f"{row[0]} has no row {row[1]}"
    if row[3] not in book.codes(found[0].role):
        return f"'{row[3]}' is no code of a {found[0].role}"
    return None


def _fault(row: list[str], number: int, session: str) -> str | None:
    if len(row) != len(HEADER):
        return f"{len(row)} columns, not {len(HEADER)}; a text with a comma needs quotes"
    if row[0] != session:
        return f"session {row[0]} in the file of {session}"
    if row[1] != str(number):
        return f"utterance {row[1]} where {number} was due"
    if row[2] not in {Role.WORKER, Role.PARENT, Role.CHILD, Role.OTHER}:
        return f"role '{row[2]}' is not worker, parent, child or other"
    if not row[3].strip() or not row[4].strip():
        return "no speaker or no text"
    return None


def _rows(path: Path) -> tuple[list[list[str]], list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    return rows[1:], rows[0] if rows else []
