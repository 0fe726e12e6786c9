"""From codings to everything that a reliability report says."""

from __future__ import annotations

from collections import Counter
from importlib import metadata
from itertools import combinations

import numpy as np

from evaluation import descriptives, wording
from evaluation.agreement import components, difference, icc
from evaluation.agreement.confusion import Codes, Counts, confusion
from evaluation.codings import Coder, Codings, Visit, sessions_of
from evaluation.comparisons import Compared, Sides, code_figures, number_figures
from evaluation.findings import (
    BlandAltman,
    CoderSummary,
    Confused,
    Described,
    Figure,
    Report,
    TenForms,
)
from evaluation.intervals import Cluster, Resampling
from evaluation.pairing import Aligned, Method, align
from evaluation.variables import CodeVariable, NumberVariable, Study, study
from msw_ml import __version__
from msw_ml.codebook import Codebook
from msw_ml.errors import InputError
from msw_ml.session import RatingStatus, Value

_SOFTWARE = ("numpy", "scipy", "pydantic")


class CompareOptions(Value):
    """How to compare."""

    draws: int = Resampling().draws
    seed: int = 1
    cluster: Cluster | None = None
    """What is resampled as a whole; by default the widest that is known of every session."""
    method: Method | None = None
    """How units are lined up; by default what fits."""


def compare(codings: Codings, book: Codebook, options: CompareOptions | None = None) -> Report:
    """All statistics of all variables. Raises `InputError` where no two coders meet, the machine among them."""
    options = options or CompareOptions()
    aligned = align(codings, options.method)
    compared = study(codings, aligned, book)
    if not compared.by_utterance and not compared.by_session:
        raise InputError(
            "no unit and no element was coded by two coders: their sessions are called alike, but their units do not "
            "meet; check the column 'unit', or line units up with --pair time or --pair text"
        )
    cluster, clusters = _clusters(compared.sessions, codings.visits, options.cluster)
    resampling = Resampling(draws=options.draws, seed=options.seed, cluster=cluster)
    gathered = _Gathered(compared, _sides(codings, compared), clusters, resampling)
    report = Report(
        codebook=book.key,
        versions={"msw_ml": __version__, **{name: metadata.version(name) for name in _SOFTWARE}},
        resampling=resampling,
        clusters=len(np.unique(clusters)),
        sessions=len(compared.sessions),
        single_coded=compared.single_coded,
        left_out=_left_out(codings, compared),
        coders=_coders(codings),
        lined_up=_lined_up(aligned, set(compared.sessions)),
        cutting={", ".join(pair): cut for pair, cut in sorted(aligned.cutting.items())},
        figures=tuple(gathered.figures),
        described=tuple(gathered.described),
        ten_forms=tuple(gathered.ten_forms),
        confusions=tuple(gathered.confusions),
        bland_altman=tuple(gathered.bland_altman),
        halo=tuple(descriptives.halo(compared, gathered.sides)),
    )
    return report.model_copy(
        update={
            "summary": wording.summary(report),
            "warnings": wording.warnings(report),
            "methods": wording.methods(report, book),
        }
    )


class _Gathered:
    """All findings of all variables."""

    def __init__(self, compared: Study, sides: Sides, clusters: Codes, resampling: Resampling) -> None:
        self.coders = compared.coders
        self.sides = sides
        self.figures: list[Figure] = []
        self.described: list[Described] = []
        self.ten_forms: list[TenForms] = []
        self.confusions: list[Confused] = []
        self.bland_altman: list[BlandAltman] = []
        for coded in compared.by_utterance:
            figures, found = code_figures(coded, sides, clusters, resampling)
            self.figures += figures
            self.confusions += [
                _confused(coded, one) for one in found if one.comparison in {"humans", "humans_same", "machine"}
            ]
            self.described += self._marked(descriptives.of_codes(coded, self.coders))
        for numbers in compared.by_session:
            self.figures += number_figures(numbers, sides, clusters, resampling)[0]
            self.described += self._marked(descriptives.of_numbers(numbers, self.coders))
            self._forms(numbers)
            if numbers.kind in {"rating", "measure"}:
                self._differences(numbers)

    def _marked(self, described: list[Described]) -> list[Described]:
        machine = None if self.sides.machine is None else self.coders[self.sides.machine]
        return [d.model_copy(update={"is_machine": d.coder == machine}) for d in described]

    def _forms(self, numbers: NumberVariable) -> None:
        """All ten forms on the sessions that all people who rated this rated."""
        people = [c for c in self.sides.humans if (~np.isnan(numbers.values[:, c])).any()]
        if len(people) < 2:
            return
        values = numbers.values[:, people]
        complete = int((~np.isnan(values).any(axis=1)).sum())
        self.ten_forms.append(
            TenForms(
                level=numbers.kind,
                variable=numbers.id,
                variable_name=numbers.name,
                coders=tuple(self.coders[c] for c in people),
                sessions=complete,
                forms=icc.forms(values),
                components=components.components(values),
            )
        )

    def _differences(self, numbers: NumberVariable) -> None:
        """The machine against people's mean; without a machine every pair of people."""
        values, people = numbers.values, self.sides.humans
        if self.sides.machine is not None and (~np.isnan(values[:, self.sides.machine])).any():
            mean = descriptives.mean_of_people(values[:, people])
            self._bland_altman(numbers, ("mean of people", mean), self.sides.machine)
            return
        for first, second in list(combinations(people, 2))[:3]:
            self._bland_altman(numbers, (self.coders[first], values[:, first]), second)

    def _bland_altman(self, numbers: NumberVariable, first: tuple[str, Counts], second: int) -> None:
        name, ours = first
        theirs = numbers.values[:, second]
        both = ~np.isnan(ours + theirs)
        if not both.any():
            return
        middle, apart = (ours + theirs)[both] / 2.0, (theirs - ours)[both]
        self.bland_altman.append(
            BlandAltman(
                level=numbers.kind,
                variable=numbers.id,
                variable_name=numbers.name,
                first=name,
                second=self.coders[second],
                points=tuple(zip(middle.tolist(), apart.tolist(), strict=True)),
                differences=difference.differences(ours, theirs),
            )
        )


def _confused(variable: CodeVariable, compared: Compared) -> Confused:
    codes = compared.codes if compared.codes is not None else variable.codes
    size, one = len(variable.categories), np.zeros(len(codes), dtype=np.int64)
    table = np.zeros((size, size))
    for first, second in compared.pairs:
        table += confusion(codes[:, first], codes[:, second], size, one, 1)[0]
    if compared.comparison != "machine":
        table = table + table.T
    return Confused(
        variable=variable.id,
        variable_name=variable.name,
        comparison=compared.comparison,
        categories=tuple(name for _, name in variable.categories),
        table=tuple(tuple(row) for row in table.tolist()),
    )


def _sides(codings: Codings, compared: Study) -> Sides:
    machines = [number for number, coder in enumerate(codings.coders) if coder.is_machine]
    if len(machines) > 1:
        names = ", ".join(codings.coders[number].name for number in machines)
        raise InputError(f"several machines were given ({names}); compare one at a time with the same people")
    humans = [number for number in range(len(compared.coders)) if number not in machines]
    if not humans:
        raise InputError("only machines were given; add the file of at least one person")
    return Sides(humans, machines[0] if machines else None)


def _clusters(sessions: list[str], visits: dict[str, Visit], wanted: Cluster | None) -> tuple[Cluster, Codes]:
    """Cluster of every session, by what was asked for or the widest that is known of every session."""
    known: dict[Cluster, list[str]] = {
        "worker": [visits.get(session, Visit()).worker for session in sessions],
        "family": [visits.get(session, Visit()).family for session in sessions],
        "session": list(sessions),
    }
    if wanted is not None and not all(known[wanted]):
        without = next(s for s, name in zip(sessions, known[wanted], strict=True) if not name)
        raise InputError(
            f"the {wanted} of session '{without}' is not known: give a column '{wanted}' in one of the files, or "
            "--sessions FILE with columns session and " + wanted
        )
    cluster = wanted if wanted is not None else next(kind for kind, names in known.items() if all(names))
    numbers: dict[str, int] = {}
    return cluster, np.array([numbers.setdefault(name, len(numbers)) for name in known[cluster]], dtype=np.int64)


def _coders(codings: Codings) -> tuple[CoderSummary, ...]:
    sessions = sessions_of(codings)
    units = {coder.name: 0 for coder in codings.coders}
    ratings = dict(units)
    statuses = {coder.name: Counter[RatingStatus]() for coder in codings.coders}
    for coding in codings.codings:
        units[coding.coder] += 1
    for rating in codings.ratings:
        ratings[rating.coder] += 1
        if rating.status is not None:
            statuses[rating.coder][rating.status] += 1
    return tuple(
        CoderSummary(
            name=coder.name, is_machine=coder.is_machine, sessions=len(sessions[coder.name]), units=units[coder.name],
            ratings=ratings[coder.name], statuses=dict(sorted(statuses[coder.name].items())), label=_labels(coder),
        )
        for coder in codings.coders
    )  # fmt: skip


def _labels(coder: Coder) -> str | None:
    return "; ".join(label for label in (coder.coder_label, coder.rater_label) if label) or None


def _left_out(codings: Codings, compared: Study) -> dict[str, int]:
    alone = {"unit that only one coder has": compared.alone} if compared.alone else {}
    return dict(sorted({**codings.left_out, **alone}.items()))


def _lined_up(aligned: Aligned, sessions: set[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for session, method in aligned.methods.items():
        if session in sessions:
            found[method] = found.get(method, 0) + 1
    return dict(sorted(found.items()))
