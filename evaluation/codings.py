"""What coders said: the values that every reader in `evaluation/reading` makes and all statistics start from."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from msw_ml.errors import InputError
from msw_ml.session import RatingStatus, Role, Value


class Place(NamedTuple):
    """Where something was read, for messages: `codes.xlsx, sheet 'Ratings', row 7`."""

    file: str
    row: int
    sheet: str = ""

    def __str__(self) -> str:
        sheet = f", sheet '{self.sheet}'" if self.sheet else ""
        return f"{self.file}{sheet}, row {self.row}"


class Coding(NamedTuple):
    """One coder's code for one unit of one session.

    There are hundreds of thousands of these: a tuple, where a model would take ten times the memory.
    `code` is an id of the codebook, `parent` that of its main category; a coder who only told main
    categories apart has a `parent` alone.
    """

    coder: str
    session: str
    unit: str
    code: str | None
    parent: str | None
    place: Place
    role: Role | None = None
    start: float | None = None
    end: float | None = None
    text: str = ""

    @property
    def said(self) -> Hashable:
        """What a second entry for the same unit must repeat to be a mere repetition."""
        return self.code, self.parent


class RatingGiven(NamedTuple):
    """One coder's rating of one element of one session, 1 to 5."""

    coder: str
    session: str
    element: str
    value: float
    place: Place
    status: RatingStatus | None = None
    """A machine's; a person's rating has none."""

    @property
    def said(self) -> Hashable:
        """What a second entry for the same element must repeat to be a mere repetition."""
        return self.value


class Coder(Value):
    """Who coded. The labels are those of the engines behind a machine's codes and ratings."""

    name: str
    is_machine: bool = False
    coder_label: str | None = None
    rater_label: str | None = None


class Visit(Value):
    """What is known of a session besides its codes; empty where nothing is."""

    worker: str = ""
    family: str = ""
    team: str = ""
    visit_type: str = ""


@dataclass(frozen=True)
class Batch:
    """What one file or folder gave. Nothing is dropped without being counted in `left_out`."""

    codings: list[Coding] = field(default_factory=list)
    ratings: list[RatingGiven] = field(default_factory=list)
    coders: list[Coder] = field(default_factory=list)
    visits: dict[str, Visit] = field(default_factory=dict)
    rounds: dict[tuple[str, str], str] = field(default_factory=dict)
    """(coder, session) → date or number of the round of coding, where the file says."""
    aliases: dict[str, str] = field(default_factory=dict)
    """Session → what coders may call it instead."""
    recordings: dict[str, str] = field(default_factory=dict)
    """Session → sha256 of the file that the machine scored."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Reason → number of rows."""


@dataclass(frozen=True)
class Codings:
    """All codings and ratings that are compared, checked against each other."""

    codings: list[Coding]
    ratings: list[RatingGiven]
    coders: list[Coder]
    visits: dict[str, Visit]
    left_out: Counter[str]
    recordings: dict[str, str] = field(default_factory=dict)
    """Session → sha256 of the file that the machine scored, where it did."""

    @property
    def humans(self) -> list[str]:
        return [coder.name for coder in self.coders if not coder.is_machine]

    @property
    def machine(self) -> Coder | None:
        return next((coder for coder in self.coders if coder.is_machine), None)


Entry = TypeVar("Entry", Coding, RatingGiven)


def gather(batches: Iterable[Batch]) -> Codings:
    """Puts files together.

    Raises `InputError` on contradicting entries, two files for one coder and session, a single coder, or
    coders without a session in common.
    """
    batches = _named_alike(list(batches))
    left_out: Counter[str] = Counter()
    coders: dict[str, Coder] = {}
    visits: dict[str, Visit] = {}
    recordings: dict[str, str] = {}
    for batch in batches:
        recordings |= batch.recordings
        left_out.update(batch.left_out)
        for coder in batch.coders:
            coders[coder.name] = _same(coders.get(coder.name, coder), coder)
        for session, visit in batch.visits.items():
            visits[session] = _merged(visits.get(session, Visit()), visit)
    codings = _unique((c for batch in batches for c in batch.codings), lambda c: c.unit, left_out)
    ratings = _unique((r for batch in batches for r in batch.ratings), lambda r: r.element, left_out)
    in_order = sorted(coders.values(), key=lambda coder: (coder.is_machine, coder.name))
    found = Codings(codings, ratings, in_order, visits, left_out, recordings)
    _check(found)
    return found


def sessions_of(codings: Codings) -> dict[str, set[str]]:
    """Coder → sessions that they coded or rated."""
    found: dict[str, set[str]] = {coder.name: set() for coder in codings.coders}
    for coding in codings.codings:
        found[coding.coder].add(coding.session)
    for rating in codings.ratings:
        found[rating.coder].add(rating.session)
    return found


def _named_alike(batches: list[Batch]) -> list[Batch]:
    """Sessions under the name that the other files know them by, where they know the alias and not the name."""
    plain = [batch for batch in batches if not batch.aliases]
    known = {entry.session for batch in plain for entry in batch.codings}
    known |= {entry.session for batch in plain for entry in batch.ratings}
    for batch in batches:
        for name, alias in batch.aliases.items():
            if name not in known and alias in known:
                batch.codings[:] = [c._replace(session=alias) if c.session == name else c for c in batch.codings]
                batch.ratings[:] = [r._replace(session=alias) if r.session == name else r for r in batch.ratings]
                if name in batch.recordings:
                    batch.recordings[alias] = batch.recordings.pop(name)
    return batches


def _unique(entries: Iterable[Entry], what: Callable[[Entry], str], left_out: Counter[str]) -> list[Entry]:
    """Entries without repetitions: those that contradict each other or come from two files are refused."""
    seen: dict[tuple[str, str, str], Entry] = {}
    files: dict[tuple[str, str], str] = {}
    for entry in entries:
        file = files.setdefault((entry.coder, entry.session), entry.place.file)
        if file != entry.place.file:
            raise InputError(
                f"the coder '{entry.coder}' stands with session '{entry.session}' in two files, {file} and "
                f"{entry.place.file}: keep one of them, or tell two coders apart by a column 'coder' or by file name"
            )
        key = (entry.coder, entry.session, what(entry))
        first = seen.setdefault(key, entry)
        if first is entry:
            continue
        if first.said != entry.said:
            raise InputError(
                f"{entry.place}: coder '{entry.coder}' has '{what(entry)}' of session '{entry.session}' a second time "
                f"and differently (first in row {first.place.row}); keep one of the two rows"
            )
        left_out["row repeated word for word"] += 1
    return list(seen.values())


def _check(found: Codings) -> None:
    if not found.codings and not found.ratings:
        raise InputError("no codes and no ratings were found in these files: every code is missing; check the columns")
    sessions = {name: of for name, of in sessions_of(found).items() if of}
    if len(sessions) < 2:
        raise InputError(
            f"only one coder was found, '{next(iter(sessions))}'; agreement needs two: add another coder's file, "
            "name the column that tells coders apart 'coder', or name files SESSION@CODER.csv"
        )
    met = Counter(session for of in sessions.values() for session in of)
    if max(met.values()) < 2:
        told = "; ".join(f"{name}: {_few(sorted(of))}" for name, of in sorted(sessions.items()))
        raise InputError(
            f"no session was coded by two coders, so there is nothing to compare ({told}); sessions must be named "
            "alike in all files (column 'session', or the output folder's name)"
        )


def _same(first: Coder, second: Coder) -> Coder:
    if first.is_machine != second.is_machine:
        raise InputError(f"'{first.name}' names both a person and the machine; call the person otherwise")
    labels = (first.coder_label, second.coder_label), (first.rater_label, second.rater_label)
    for one, other in labels:
        if one and other and one != other:
            raise InputError(
                f"the scores of '{first.name}' come from two different engines, '{one}' and '{other}': score all "
                "sessions with one of them (`msw score --force`)"
            )
    return first.model_copy(
        update={
            "coder_label": first.coder_label or second.coder_label,
            "rater_label": first.rater_label or second.rater_label,
        }
    )


def _merged(first: Visit, second: Visit) -> Visit:
    known: Mapping[str, str] = {name: text for name, text in second.model_dump().items() if text}
    return first.model_copy(update=dict(known))


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def by_session(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Entries by session, both in order of name and of reading."""
    grouped: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        grouped[entry.session].append(entry)
    return dict(sorted(grouped.items()))
