"""How figures are written: two decimals, a true minus, no minus before zero."""

from __future__ import annotations

from evaluation.intervals import Estimate


def number(value: float | None) -> str:
    """Two decimals, or a dash where there is no figure."""
    if value is None:
        return "–"
    written = f"{value:.2f}"
    return written.lstrip("-") if float(written) == 0 else written.replace("-", "−")


def interval(estimate: Estimate) -> str:
    """A figure with its interval."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return number(estimate.value)
    return f"{number(estimate.value)} [{number(estimate.low)}, {number(estimate.high)}]"


def share(estimate: Estimate | None) -> str:
    """A share of the human figure as a percentage with its interval."""
    if estimate is None or estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.0%}"
    return f"{estimate.value:.0%} [{estimate.low:.0%}, {estimate.high:.0%}]"
