"""From a reliability report to the release file: what local agreement allows, element by element, code by code."""

from __future__ import annotations

from evaluation.findings import Figure, Report
from msw_ml.codebook import Codebook
from msw_ml.errors import InputError
from msw_ml.rating.release import Grant, ReleaseFile
from msw_ml.session import Value


class Terms(Value):
    """What an organisation asks for before it relies on a machine's figure."""

    threshold: float
    """For the lower bound of the 95% interval."""
    minimum_sessions: int


def release(report: Report, book: Codebook, engines: tuple[str | None, str | None], terms: Terms) -> ReleaseFile:
    """Grants for every element and code; `engines` are the labels of rater and coder.

    The figure is that of the machine with one person: ICC(A,1) for ratings, kappa against the rest for codes.
    """
    if not any(coder.is_machine for coder in report.coders):
        raise InputError(
            "there is no machine among the coders, so nothing can be released: add the folder of its scores"
        )
    elements = {
        element.id: _grant(report.find(element.id, "machine", "icc_a1"), element.name, "ICC(A,1)", terms)
        for element in book.elements
    }
    codes = {
        figure.code: _grant(figure, figure.code_name or "", "kappa", terms)
        for figure in report.figures
        if figure.comparison == "machine" and figure.statistic == "kappa" and figure.code is not None
    }
    return ReleaseFile(
        codebook=book.key,
        rater=engines[0],
        coder=engines[1],
        threshold=terms.threshold,
        minimum_sessions=terms.minimum_sessions,
        humans=tuple(coder.name for coder in report.coders if not coder.is_machine),
        elements=elements,
        codes={code: grant for code, grant in codes.items() if code is not None},
    )


def _grant(figure: Figure | None, name: str, statistic: str, terms: Terms) -> Grant:
    estimate = figure.estimate if figure is not None else None
    sessions = figure.sessions if figure is not None else 0
    low = estimate.low if estimate is not None else None
    if sessions < terms.minimum_sessions:
        reason = (
            f"{name}: {sessions} sessions were scored by people and machine, {terms.minimum_sessions} are needed; "
            "double-code more."
        )
    elif low is None:
        why = estimate.reason if estimate is not None and estimate.reason else "it has no interval"
        reason = f"{name}: {statistic} of machine and person cannot be relied on: {why}."
    elif low < terms.threshold:
        reason = (
            f"{name}: {statistic} of machine and person is at least {low:.2f} with 95% confidence, "
            f"{terms.threshold:.2f} is asked for."
        )
    else:
        reason = (
            f"Checked against this service's coders on {sessions} sessions: {statistic} of machine and person at least "
            f"{low:.2f} with 95% confidence."
        )
    return Grant(
        is_released=sessions >= terms.minimum_sessions and low is not None and low >= terms.threshold,
        statistic="ICC(A,1)" if statistic == "ICC(A,1)" else "kappa",
        value=estimate.value if estimate is not None else None,
        low=low,
        high=estimate.high if estimate is not None else None,
        sessions=sessions,
        reason=reason,
    )
