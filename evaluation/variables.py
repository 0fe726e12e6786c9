"""What is compared, as arrays: codes by utterance, tallies and measures by session, ratings by session.

The three kinds are kept apart: coders who give the same number of questions need not have agreed on one of
them, so tallies flatter (Lord et al. 2015).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evaluation.agreement.confusion import MISSING, Codes, Counts
from evaluation.codings import Codings
from evaluation.pairing import Aligned
from msw_ml.codebook import Codebook
from msw_ml.session import Role

Kind = Literal["tally", "measure", "rating"]


@dataclass(frozen=True)
class CodeVariable:
    """One choice that coders make for every utterance of one side."""

    id: str
    name: str
    categories: tuple[tuple[str, str], ...]
    """Id and name of every code, in codebook order."""
    codes: Codes
    """(units, coders), `MISSING` where a coder gave none."""
    sessions: Codes
    """Session of every unit."""


@dataclass(frozen=True)
class NumberVariable:
    """One number that coders give to every session, or that follows from their codes."""

    id: str
    name: str
    kind: Kind
    values: Counts
    """(sessions, coders), NaN where there is none."""


@dataclass(frozen=True)
class Study:
    """Everything that is compared, on one list of sessions and one of coders."""

    sessions: list[str]
    """Those that two coders or more saw, one of whom may be the machine."""
    coders: list[str]
    by_utterance: list[CodeVariable]
    by_session: list[NumberVariable]
    single_coded: int
    """Sessions that only one coder saw: they say nothing of agreement and are left out."""
    alone: int
    """Units of the other sessions that only one coder has: cut differently, or not coded by the others."""


def study(codings: Codings, aligned: Aligned, book: Codebook) -> Study:
    """Arrays of all sessions that two coders or more, or one and the machine, coded or rated."""
    coders = [coder.name for coder in codings.coders]
    seen: defaultdict[str, set[str]] = defaultdict(set)
    for coding in codings.codings:
        seen[coding.session].add(coding.coder)
    rated: defaultdict[str, set[str]] = defaultdict(set)
    for rating in codings.ratings:
        rated[rating.session].add(rating.coder)
    everywhere = sorted({*seen, *rated})
    sessions = [s for s in everywhere if len(seen.get(s, ())) > 1 or len(rated.get(s, ())) > 1]
    codes = _code_variables(codings, aligned, book, sessions)
    met = [variable for variable in codes if _is_compared(variable.codes != MISSING)]
    numbers = [*(_tallies(codes, sessions, book) if met else []), *_ratings(codings, book, sessions, coders)]
    kept = [variable for variable in numbers if _is_compared(~np.isnan(variable.values))]
    return Study(sessions, coders, met, kept, len(everywhere) - len(sessions), _alone(aligned, sessions))


def _alone(aligned: Aligned, sessions: Sequence[str]) -> int:
    """Units of these sessions that only one coder has."""
    wanted = {number for number, session in enumerate(aligned.sessions) if session in set(sessions)}
    ours = np.isin(aligned.session_of, sorted(wanted))
    return int(((aligned.at >= 0).sum(axis=1)[ours] == 1).sum())


def _is_compared(given: NDArray[np.bool_]) -> bool:
    """Whether any unit was coded by two, one of whom may be the machine."""
    return bool((given.sum(axis=1) >= 2).any())


def _code_variables(codings: Codings, aligned: Aligned, book: Codebook, sessions: Sequence[str]) -> list[CodeVariable]:
    index = {session: number for number, session in enumerate(sessions)}
    session_of = np.array([index.get(session, -1) for session in aligned.sessions], dtype=np.int64)
    unit_session = session_of[aligned.session_of] if len(aligned.session_of) else aligned.session_of
    kept = unit_session >= 0
    at, unit_session = aligned.at[kept], unit_session[kept]
    variables = []
    for side in (role for role in Role if book.is_coded(role)):
        name = side.value.capitalize()
        parents = tuple((p.id, p.name) for p in book.parents if p.speaker is side)
        fine = tuple((code, book.behaviour(code).name) for code in book.codes(side))
        kinds = [("main", "main categories", parents, [coding.parent for coding in codings.codings])]
        if len(fine) > len(parents):
            kinds.append(("codes", "all codes", fine, [coding.code for coding in codings.codings]))
        for kind, called, categories, given in kinds:
            codes = _codes(given, categories, at)
            coded = (codes != MISSING).any(axis=1)
            variables.append(
                CodeVariable(f"{side.value}_{kind}", f"{name}: {called}", categories, codes[coded], unit_session[coded])
            )
    return variables


def _codes(given: Sequence[str | None], categories: Sequence[tuple[str, str]], at: Codes) -> Codes:
    """Numbers of categories in the order of units and coders."""
    number = {id_: place for place, (id_, _) in enumerate(categories)}
    found = np.array([*(MISSING if code is None else number.get(code, MISSING) for code in given), MISSING])
    codes: Codes = found[at].astype(np.int64)
    return codes


def _tallies(variables: Sequence[CodeVariable], sessions: Sequence[str], book: Codebook) -> list[NumberVariable]:
    """How often every coder gave every code in every session, and the measures made of these."""
    found: list[NumberVariable] = []
    counts: dict[str, Counts] = {}
    for variable in variables:
        coded = _count(variable, len(sessions), range(len(variable.categories)))
        is_detail = variable.id.endswith("_codes")
        doubled = {id_ for id_, _ in variable.categories} & counts.keys()
        for place, (id_, name) in enumerate(variable.categories):
            values = np.where(coded > 0, _count(variable, len(sessions), [place]), np.nan)
            counts[id_] = values
            kind = "code" if is_detail else "main category"
            suffix = f" ({kind})" if id_ in doubled else ""
            found.append(NumberVariable(f"{variable.id}.{id_}", name + suffix, "tally", values))
    for rule in book.measures:
        if rule.kind == "ratio" and all(code in counts for code in (*rule.numerator, *rule.denominator)):
            above, below = _sum(counts, rule.numerator), _sum(counts, rule.denominator)
            ratio = np.where(below > 0, above / np.where(below > 0, below, 1.0), np.nan)
            found.append(NumberVariable(rule.id, rule.name, "measure", ratio))
        elif rule.kind == "count" and all(code in counts for code in rule.numerator):
            found.append(NumberVariable(rule.id, rule.name, "measure", _sum(counts, rule.numerator)))
    return found


def _count(variable: CodeVariable, sessions: int, categories: Sequence[int]) -> Counts:
    """Units of each session with one of these codes, (sessions, coders)."""
    given = np.isin(variable.codes, categories)
    columns = [np.bincount(variable.sessions, weights=column, minlength=sessions) for column in given.T.astype(float)]
    return np.stack(columns, axis=1)


def _sum(counts: Mapping[str, Counts], codes: Sequence[str]) -> Counts:
    total = counts[codes[0]].copy()
    for code in codes[1:]:
        total += counts[code]
    return total


def _ratings(codings: Codings, book: Codebook, sessions: Sequence[str], coders: Sequence[str]) -> list[NumberVariable]:
    row, column = ({name: place for place, name in enumerate(names)} for names in (sessions, coders))
    values = {element.id: np.full((len(sessions), len(coders)), np.nan) for element in book.elements}
    for rating in codings.ratings:
        if rating.session in row:
            values[rating.element][row[rating.session], column[rating.coder]] = rating.value
    return [NumberVariable(e.id, e.name, "rating", values[e.id]) for e in book.elements]
