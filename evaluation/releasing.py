"""From a reliability report to the release file: what local agreement allows, element by element, code by code.

A release says that people's own agreement was looked at first: without two people on the same sessions nobody
knows what a machine's agreement with one of them is worth.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import Field

from evaluation.findings import Figure, Report
from evaluation.intervals import Estimate
from evaluation.numerals import interval
from evaluation.unseen import LEFT_OUT
from msw_ml.codebook import Codebook
from msw_ml.errors import InputError
from msw_ml.rating.release import MINIMUM_SESSIONS, Grant, ReleaseFile
from msw_ml.session import Value


class Terms(Value):
    """What an organisation asks for before it relies on a machine's figure."""

    threshold: float
    """For the lower bound of the 95% interval of machine and person."""
    minimum_sessions: int = Field(ge=MINIMUM_SESSIONS)
    """Sessions scored by two people or more and by the machine."""


class _Found(NamedTuple):
    """What the report has on one element or code, on the machine's sessions."""

    name: str
    statistic: Literal["ICC(A,1)", "kappa"]
    machine: Figure | None
    """The machine with one person."""
    people: Figure | None
    """Two people with each other."""
    aside: str = ""
    """What did not count, as a sentence."""

    @property
    def sessions(self) -> int:
        """Scored by two people or more and by the machine."""
        return self.people.sessions if self.people is not None else 0


def release(report: Report, book: Codebook, engines: tuple[str | None, str | None], terms: Terms) -> ReleaseFile:
    """Grants for every element and code; `engines` are the labels of rater and coder.

    The figures are ICC(A,1) for ratings, kappa against the rest for codes. Raises `InputError` without a machine.
    """
    if not any(coder.is_machine for coder in report.coders):
        raise InputError(
            "there is no machine among the coders, so nothing can be released: add the folder of its scores"
        )
    return ReleaseFile(
        codebook=book.key,
        rater=engines[0],
        coder=engines[1],
        threshold=terms.threshold,
        minimum_sessions=terms.minimum_sessions,
        humans=tuple(coder.name for coder in report.coders if not coder.is_machine),
        elements={found_id: _grant(found, terms) for found_id, found in _elements(report, book).items()},
        codes={code: _grant(found, terms) for code, found in _codes(report).items()},
    )


def lines(file: ReleaseFile, book: Codebook) -> tuple[str, ...]:
    """What a release file allows, a sentence for each element and one for all codes."""
    told = []
    for element in book.elements:
        grant = file.elements[element.id]
        told.append(
            f"Released: {element.name}. {grant.reason}" if grant.is_released else f"Not released: {grant.reason}"
        )
    if file.codes:
        enough = sum(grant.is_released for grant in file.codes.values())
        told.append(f"Codes that agree well enough: {enough} of {len(file.codes)}; the file says why of each.")
    return tuple(told)


def _elements(report: Report, book: Codebook) -> dict[str, _Found]:
    aside = "Sessions that the rater learned from do not count." if LEFT_OUT in report.left_out else ""
    return {
        element.id: _Found(
            element.name,
            "ICC(A,1)",
            report.find(element.id, "machine", "icc_a1"),
            report.find(element.id, "humans_same", "icc_a1"),
            aside,
        )
        for element in book.elements
    }


def _codes(report: Report) -> dict[str, _Found]:
    return {
        figure.code: _Found(
            figure.code_name or figure.code,
            "kappa",
            figure,
            report.find(figure.variable, "humans_same", "kappa", figure.code),
        )
        for figure in report.figures
        if figure.comparison == "machine" and figure.statistic == "kappa" and figure.code is not None
    }


def _grant(found: _Found, terms: Terms) -> Grant:
    obstacle = _too_few(found, terms) or _not_known(found) or _too_low(found, terms)
    machine, people = _estimate(found.machine), _estimate(found.people)
    checked = (
        f"Checked against this service's coders on {found.sessions} sessions that two people or more scored: "
        f"{found.statistic} of machine and person {interval(machine)}, of two people {interval(people)} "
        "(95% intervals)."
    )
    return Grant(
        is_released=obstacle is None,
        statistic=found.statistic,
        value=machine.value,
        low=machine.low,
        high=machine.high,
        sessions=found.sessions,
        reason=f"{obstacle or checked} {found.aside}".strip(),
    )


def _too_few(found: _Found, terms: Terms) -> str | None:
    if found.sessions >= terms.minimum_sessions:
        return None
    alone = (found.machine.sessions if found.machine is not None else 0) - found.sessions
    told = f" ({alone} more by one person, which says nothing of how far people agree)" if alone else ""
    return (
        f"{found.name}: {found.sessions} {'session was' if found.sessions == 1 else 'sessions were'} scored by two "
        f"people or more beside the machine, {terms.minimum_sessions} are needed{told}; have more scored by a second "
        "person."
    )


def _not_known(found: _Found) -> str | None:
    """Where there is no figure with an interval for people, or none for the machine."""
    for who, figure in (("two people", found.people), ("machine and person", found.machine)):
        estimate = _estimate(figure)
        if estimate.low is None:
            why = estimate.reason or "it has no interval"
            return f"{found.name}: {found.statistic} of {who} cannot be relied on: {why}."
    return None


def _too_low(found: _Found, terms: Terms) -> str | None:
    machine = _estimate(found.machine)
    if machine.low is not None and machine.low >= terms.threshold:
        return None
    return (
        f"{found.name}: {found.statistic} of machine and person is {interval(machine)} (95% interval), a lower bound "
        f"of {terms.threshold:.2f} is asked for; that of two people is {interval(_estimate(found.people))}."
    )


def _estimate(figure: Figure | None) -> Estimate:
    return figure.estimate if figure is not None else Estimate(value=None)
