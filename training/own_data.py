"""Reads an organisation's own visits: what `msw score` made of them, and what its coders said.

    SCORED/<session>/session.json   as `msw score FILES -o SCORED` writes it
    RATINGS                         coding sheets, exports or tables, as `msw agree` reads them
    visits.csv                      the worker (else the family) of each session

Without RATINGS, SCORED/ratings.csv is read: session, coder, group, one column an element.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evaluation.codings import Batch, RatingGiven, Visit, gather
from evaluation.intervals import Cluster
from evaluation.reading import files, scored, visits
from evaluation.reading.tables import read_tables
from msw_ml.codebook import Codebook
from msw_ml.errors import InputError, UnreadableInput
from msw_ml.rating.features import Floats, Ints
from msw_ml.session import ScoredSession, Value

RATINGS = "ratings.csv"


class OwnFiles(Value):
    """What an organisation hands in."""

    scored: Path
    """Folder that `msw score` wrote."""
    ratings: tuple[Path, ...] = ()
    """Coders' files, or folders of them."""
    visits: Path | None = None
    """Table of sessions with their workers."""


@dataclass(frozen=True)
class OwnVisits:
    """Rated sessions in order of name, and who rated them how."""

    names: tuple[str, ...]
    sessions: tuple[ScoredSession, ...]
    elements: tuple[str, ...]
    """Of the codebook, in its order."""
    coders: tuple[str, ...]
    given: Floats
    """(sessions, elements, coders), NaN where a coder gave no rating."""
    groups: Ints
    """Number of each session's worker, family, or of the session itself."""
    grouped_by: Cluster
    unrated: int
    """Scored sessions that nobody rated: they are not learned from."""

    @property
    def y(self) -> Floats:
        """(sessions, elements): the mean of a session's coders, NaN where there is none."""
        count = np.isfinite(self.given).sum(axis=2)
        means: Floats = np.where(count > 0, np.nansum(self.given, axis=2) / np.maximum(count, 1), np.nan)
        return means

    def of_elements(self, elements: Sequence[str]) -> Floats:
        """(sessions, `elements`): the same means, of some elements in an order of their own."""
        return self.y[:, [self.elements.index(element) for element in elements]]

    def at(self, positions: Sequence[int]) -> OwnVisits:
        """The sessions at these positions."""
        rows = list(positions)
        return replace(
            self,
            names=tuple(self.names[row] for row in rows),
            sessions=tuple(self.sessions[row] for row in rows),
            given=self.given[rows],
            groups=self.groups[rows],
        )


def read_own(own: OwnFiles, codebook: Codebook) -> OwnVisits:
    """Own visits with their ratings. Raises `InputError` with what is wrong and what to do."""
    old = own.scored / RATINGS
    if not own.ratings and not old.is_file():
        raise UnreadableInput("no ratings were given: name your coders' sheets, exports or CSV files after the folder")
    paths = scored.sessions_in(own.scored)
    if not paths:
        raise UnreadableInput(f"{own.scored} holds no session.json; score your visits into it with `msw score`")
    machine = [scored.read(path, codebook) for path in paths]
    people = files.batches(own.ratings or (old,), codebook)
    _check_people(people)
    sessions = _named(paths, machine, people)
    together = gather([*machine, *people])
    human = set(together.humans)
    given = [rating for rating in together.ratings if rating.coder in human]
    _check_scored(given, sessions)
    known = dict(together.visits)
    if own.visits is not None:
        known |= visits.read(own.visits)
    elif not own.ratings:
        known |= _groups_of(old)
    return _arranged(given, sessions, known, codebook, own.visits)


def _check_people(batches: Iterable[Batch]) -> None:
    for batch in batches:
        machine = next((coder.name for coder in batch.coders if coder.is_machine), None)
        row = next((rating for rating in batch.ratings if rating.status is not None), None)
        if machine is not None or row is not None:
            where = str(row.place) if row is not None else f"'{machine}'"
            raise InputError(f"{where}: these are the machine's ratings; a rater learns from people's: leave them out")


def _named(paths: Sequence[Path], machine: Sequence[Batch], people: Sequence[Batch]) -> dict[str, ScoredSession]:
    """Scored sessions under the names that coders know them by (as `msw agree` finds them)."""
    known = {coding.session for batch in people for coding in batch.codings}
    known |= {rating.session for batch in people for rating in batch.ratings}
    found: dict[str, ScoredSession] = {}
    for path, batch in zip(paths, machine, strict=True):
        session = scored.read_session(path)
        name = session.recording.name
        alias = batch.aliases.get(name, name)
        name = alias if name not in known and alias in known else name
        if name in found:
            raise InputError(f"{path}: the session '{name}' was scored twice; keep one folder of it")
        found[name] = session
    return found


def _check_scored(given: Sequence[RatingGiven], sessions: Mapping[str, ScoredSession]) -> None:
    if not given:
        raise InputError("no ratings were found in your coders' files, only codes; have the elements rated as well")
    missing = {rating.session: rating.place for rating in given if rating.session not in sessions}
    if missing:
        name, place = next(iter(missing.items()))
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise InputError(
            f"{place}: the session '{name}'{more} is rated, but no session of that name was scored: score it with "
            f"`msw score`, or name it as its folder is named"
        )


def _groups_of(path: Path) -> dict[str, Visit]:
    """Worker or family of each session, in a column `group` or `worker`."""
    table = read_tables(path)[0]
    session, group = visits.session_column(table), table.column("worker", ("group",))
    found: dict[str, Visit] = {}
    for number, cells in table.rows:
        visit = Visit(worker=table.text(number, cells, group))
        if found.setdefault(table.text(number, cells, session), visit) != visit:
            raise table.wrong(number, group, "gives the session another group than a row above; keep one")
    return found


def _arranged(
    given: Sequence[RatingGiven],
    sessions: Mapping[str, ScoredSession],
    known: Mapping[str, Visit],
    codebook: Codebook,
    table: Path | None,
) -> OwnVisits:
    names = sorted({rating.session for rating in given})
    coders = sorted({rating.coder for rating in given})
    elements = [element.id for element in codebook.elements]
    values = np.full((len(names), len(elements), len(coders)), np.nan)
    for rating in given:
        place = names.index(rating.session), elements.index(rating.element), coders.index(rating.coder)
        values[place] = rating.value
    cluster, groups = _groups(names, known, table)
    return OwnVisits(
        names=tuple(names),
        sessions=tuple(sessions[name] for name in names),
        elements=tuple(elements),
        coders=tuple(coders),
        given=values,
        groups=groups,
        grouped_by=cluster,
        unrated=len(sessions) - len(names),
    )


def _groups(names: Sequence[str], known: Mapping[str, Visit], table: Path | None) -> tuple[Cluster, Ints]:
    """What sessions are grouped by, and each one's group: the worker where any is known, else the family."""
    workers = [known.get(name, Visit()).worker for name in names]
    families = [known.get(name, Visit()).family for name in names]
    kind: Cluster = "worker" if any(workers) else "family" if any(families) else "session"
    if kind == "session" and table is not None:
        raise InputError(f"{table} names no worker of these sessions; give it the columns session and worker")
    of = {"worker": workers, "family": families, "session": list(names)}[kind]
    if not all(of):
        raise InputError(
            f"the {kind} of the session '{names[of.index('')]}' is not known, of others it is; give every session's "
            f"{kind} in --visits (columns session, {kind})"
        )
    numbers: dict[str, int] = {}
    return kind, np.array([numbers.setdefault(name.casefold(), len(numbers)) for name in of], dtype=np.intp)
