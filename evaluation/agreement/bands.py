"""Words for the size of a figure, by published rules of thumb; none of them is a law.

Koo and Li 2016, Journal of Chiropractic Medicine 15:155-163: ICC below .50 poor, to .75 moderate, to .90
good, above excellent, judged on the 95% interval and not on the estimate. Cicchetti 1994, Psychological
Assessment 6:284-290: below .40 poor, to .59 fair, to .74 good, from .75 excellent, on the estimate.
Krippendorff 2019: alpha from .800 firm, from .667 tentative, below not to be relied on.
"""

from __future__ import annotations

from bisect import bisect_right

KOO_LI = ((0.50, 0.75, 0.90), ("poor", "moderate", "good", "excellent"))
CICCHETTI = ((0.40, 0.60, 0.75), ("poor", "fair", "good", "excellent"))
KRIPPENDORFF = ((0.667, 0.800), ("not to be relied on", "tentative", "firm"))


def koo_li(low: float, high: float) -> str:
    """The band of an interval, e.g. `moderate to good`."""
    first, last = band(low, *KOO_LI), band(high, *KOO_LI)
    return first if first == last else f"{first} to {last}"


def cicchetti(value: float) -> str:
    """The band of an estimate."""
    return band(value, *CICCHETTI)


def krippendorff(value: float) -> str:
    """What alpha allows."""
    return band(value, *KRIPPENDORFF)


def band(value: float, cuts: tuple[float, ...], names: tuple[str, ...]) -> str:
    """The name of the band that a value falls in; a cut belongs to the band above it."""
    return names[bisect_right(cuts, value)]
