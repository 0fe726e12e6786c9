"""How often two coders agree exactly.

Plain agreement takes no account of chance and rises with the share of the commonest code: it stands
beside the corrected statistics, never in their place.
"""

from __future__ import annotations

from evaluation.agreement.confusion import Counts, divide, margins


def exact_agreement(table: Counts) -> Counts:
    """Share of units on the diagonal of confusion matrices (..., k, k)."""
    both, _, _, total = margins(table)
    return divide(both.sum(axis=-1), total[..., 0])
