"""Checks of the simulated visits: their form, their variety, and whether their words give the levels away."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path
from statistics import mean
from typing import Annotated

import numpy as np
import typer

from msw_ml.codebook.book import Codebook
from msw_ml.codebook.book import load as load_codebook
from training.visits_design import FOLDER, Visit, read_design
from training.visits_ingredients import load
from training.visits_read import Breach, Visits, check_codes, consensus, read_ratings, read_visits
from training.visits_words import (
    HOT,
    SHORT,
    check_cast,
    check_repeats,
    check_talk,
    give_away,
    reading_grade,
    repeats,
    tokens,
    unknown_names,
    worker_words,
)

MAX_CORRELATION = 0.5
MIN_AT_LEVEL = 30
MAX_GRADE = 8.0
"""Reading grade of a visit; plain talk lies at 1 to 5."""
SHOWN = 40

Levels = dict[str, dict[str, float]]
"""Element → session → level or rating."""


def visits_check(
    folder: Annotated[Path, typer.Argument(help="Folder of the simulated visits.")] = FOLDER,
    batch: Annotated[int | None, typer.Option(help="Show breaches of this batch only.")] = None,
) -> None:
    """Checks the simulated visits and prints a table; exits 1 on a breach."""
    book, parts, planned = load_codebook(), load(folder), read_design(folder)
    visits, breaches = read_visits(folder)
    ratings, faults = read_ratings(folder, book)
    families = {visit.plan.session: visit.plan.family for visit in planned}
    names = {family.id: set(family.names) for family in parts.families}
    cast = {visit.plan.session: (visit.plan.worker, names[visit.plan.family]) for visit in planned}
    breaches += check_cast(visits, cast) + check_talk(visits, parts, families) + check_repeats(visits)
    breaches += faults + check_codes(folder, visits, book) + _grades(visits) + _missing(visits, planned)
    agreed: Levels = {element.id: {} for element in book.elements}
    for (session, element), value in consensus(ratings).items():
        agreed[element][session] = value
    aimed: Levels = {e.id: {v.plan.session: v.levels[e.id] for v in planned} for e in book.elements}
    breaches += _balance(aimed)
    _show_size(visits, planned, batch)
    _show_hot(visits)
    typer.echo(f"\ncapitals to look at: {' '.join(unknown_names(visits, parts))}")
    _show_levels(aimed, "design", visits, planned)
    if any(agreed.values()):
        _show_levels(agreed, "ratings", visits, planned)
        _show_agreed(aimed, agreed, book)
    _finish(breaches, planned, batch)


def _grades(visits: Visits) -> list[Breach]:
    grades = {session: reading_grade(visit) for session, visit in visits.items()}
    return [Breach("reading age", s, f"grade {g:.1f}, over {MAX_GRADE}") for s, g in grades.items() if g > MAX_GRADE]


def _missing(visits: Visits, planned: list[Visit]) -> list[Breach]:
    lists: dict[int, list[str]] = {}
    for visit in planned:
        if visit.plan.session not in visits:
            lists.setdefault(visit.plan.batch, []).append(visit.plan.session)
    return [Breach("missing", " ".join(absent), f"(batch {batch})") for batch, absent in sorted(lists.items())]


def _balance(levels: Levels) -> list[Breach]:
    """The promise of the design: no halo, and enough visits at every level."""
    breaches = [
        Breach("balance", f"{one} and {other}", f"correlation {found:.2f}")
        for one, other in combinations(levels, 2)
        if abs(found := _correlation(levels[one], levels[other])) >= MAX_CORRELATION
    ]
    for element, values in levels.items():
        counts = Counter(values.values())
        breaches += [
            Breach("balance", element, f"level {level} in {counts[level]} visits, fewer than {MIN_AT_LEVEL}")
            for level in range(1, 6)
            if counts[level] < MIN_AT_LEVEL
        ]
    return breaches


def _correlation(one: dict[str, float], other: dict[str, float]) -> float:
    both = sorted(one.keys() & other.keys())
    pair = np.array([[one[session] for session in both], [other[session] for session in both]])
    return float(np.corrcoef(pair)[0, 1]) if len(both) > 2 and np.ptp(pair, axis=1).all() else 0.0


def _show_size(visits: Visits, planned: list[Visit], batch: int | None) -> None:
    chosen = {v.plan.session: v.plan.rows for v in planned if batch in (None, v.plan.batch)}
    found = [visit for session, visit in visits.items() if session in chosen and visit]
    if not found:
        typer.echo("no visits yet")
        return
    rows = [utterance for visit in found for utterance in visit]
    words = [len(tokens(utterance.text)) for utterance in rows]
    typer.echo(f"visits {len(found)} of {len(chosen)}; rows {len(rows)}, {mean(map(len, found)):.0f} a visit")
    typer.echo(f"words {sum(words)}, {mean(words):.1f} a row; rows under 8 words {mean(w < 8 for w in words):.0%}")
    typer.echo(f"reading grade (Flesch-Kincaid) {mean(map(reading_grade, found)):.1f}")


def _show_hot(visits: Visits) -> None:
    """Runs of words that writers should now leave alone."""
    hot = sorted(((len(s), " ".join(g)) for g, s in repeats(visits, SHORT).items() if len(s) >= HOT), reverse=True)
    typer.echo(f"\n{len(hot)} runs of {SHORT} words stand in {HOT} or more visits; avoid the first of them:")
    for count, gram in hot[:SHOWN]:
        typer.echo(f"  {count:3d}  {gram}")


def _show_levels(levels: Levels, of: str, visits: Visits, planned: list[Visit]) -> None:
    typer.echo(f"\n{of}: visits at each level, highest correlation with another element, and how far a bag of the")
    typer.echo("worker's words foretells it (Pearson, folds by theme | by family), with its weightiest words")
    plans = {visit.plan.session: visit.plan for visit in planned}
    for element, values in levels.items():
        counts = Counter(round(value) for value in values.values())
        spread = " ".join(f"{counts[level]:3d}" for level in range(1, 6))
        halo = max(abs(_correlation(values, levels[other])) for other in levels if other != element)
        done = [session for session in values if visits.get(session) and session in plans]
        texts = [worker_words(visits[session]) for session in done]
        aims = np.array([values[session] for session in done], dtype=float)
        by_theme, heavy = give_away(texts, aims, [plans[s].theme for s in done])
        by_family, _ = give_away(texts, aims, [plans[s].family for s in done])
        guessed = "too few" if by_theme is None or by_family is None else f"{by_theme:5.2f} | {by_family:5.2f}"
        typer.echo(f"  {element:24s}{spread}   r {halo:.2f}   {guessed}   {' '.join(heavy)}")


def _show_agreed(aimed: Levels, agreed: Levels, book: Codebook) -> None:
    typer.echo("\nratings beside the design (Pearson; ratings by a language model, never a human ceiling)")
    for element in book.elements:
        found = _correlation(aimed[element.id], agreed[element.id])
        typer.echo(f"  {element.id:24s}{found:5.2f}   n {len(agreed[element.id])}")


def _finish(breaches: list[Breach], planned: list[Visit], batch: int | None) -> None:
    """Prints the breaches and leaves with 1 if there are any."""
    if batch is not None:
        own = {visit.plan.session for visit in planned if visit.plan.batch == batch}
        breaches = [breach for breach in breaches if any(session in breach.where for session in own)]
    typer.echo("")
    for rule, count in sorted(Counter(breach.rule for breach in breaches).items()):
        typer.echo(f"{rule}: {count}")
        for breach in [b for b in breaches if b.rule == rule][:SHOWN]:
            typer.echo(f"    {breach.where}  {breach.what}")
    if breaches:
        raise typer.Exit(1)
    typer.echo("no breaches")
