"""Variance components where not every coder rated every session: the ICC of unbalanced, crossed designs.

y = mean + session + coder + error, all random. The three variances follow from reductions in sums of
squares by fitting constants (Henderson 1953, Biometrics 9:226-252, method 3; Searle, Casella and
McCulloch 1992, Variance Components, ch. 5). With at most one rating a session and coder:

    E[SSE]            = (N - r) e                      r = n + k - c, c separate parts of the design
    E[R(coder | session)]  = (N - n) v_coder + (r - n) e
    E[R(session | coder)]  = (N - k) v_session + (r - k) e

so with complete data the result is that of the two-way analysis of variance, ICC(A,1) included. Estimates
are unbiased and may be negative; a negative ICC means that the coders agree less than chance would have.
Raters a session is the harmonic mean of their number, by which an ICC steps up to that of a mean of raters (ten
Hove, Jorgensen and van der Ark 2022, Psychological Methods).
"""

from __future__ import annotations

import numpy as np

from evaluation.agreement.confusion import Counts, divide
from msw_ml.session import Value


class Components(Value):
    """Variances of session, coder and error, with the design they come from."""

    ratings: int
    sessions: int
    coders: int
    raters_a_session: float
    """Harmonic mean."""
    session: float | None
    coder: float | None
    error: float | None

    @property
    def value(self) -> float | None:
        """ICC(A,1)."""
        return self._share(0.0 if self.coder is None else self.coder)

    @property
    def consistency(self) -> float | None:
        """ICC(C,1)."""
        return self._share(0.0)

    def _share(self, coder: float) -> float | None:
        if self.session is None or self.error is None:
            return None
        total = self.session + coder + self.error
        return self.session / total if total > 1e-12 else None


def unit_sums(ratings: Counts) -> Counts:
    """What the three variances need of each session rated twice or more; may be summed.

    Columns of (sessions, 3 + 2k + k²), with m the session's number of raters: 1; Σ y²; (Σ y)²/m; the
    coders' ratings; their counts; the k² products of their presence, over m; the coders' shares of Σ y
    over m. A session with one rating says nothing of agreement and is zeros.
    """
    given = ~np.isnan(ratings)
    raters = given.sum(axis=1).astype(np.float64)
    usable = raters >= 2
    given = given & usable[:, None]
    filled = np.where(given, ratings, 0.0)
    m = np.where(usable, raters, 1.0)
    presence = given.astype(np.float64)
    together = (presence[:, :, None] * presence[:, None, :] / m[:, None, None]).reshape(len(ratings), -1)
    mean = filled.sum(axis=1) / m
    squares, rows = (filled**2).sum(axis=1), filled.sum(axis=1) * mean
    return np.column_stack([usable, squares, rows, filled, presence, together, presence * mean[:, None]])


def variances(sums: Counts, coders: int) -> tuple[Counts, Counts, Counts]:
    """Variances of session, coder and error from sums of `unit_sums`, leading axes kept; NaN where not estimable."""
    n, squares, rows = sums[..., 0], sums[..., 1], sums[..., 2]
    totals, counts, together, expected = np.split(sums[..., 3:], np.cumsum([coders, coders, coders * coders]), axis=-1)
    left = _diagonal(counts) - together.reshape(*together.shape[:-1], coders, coders)
    right = totals - expected
    singular = np.linalg.eigvalsh(left)
    rank = (singular > 1e-9 * np.maximum(counts.max(axis=-1), 1.0)[..., None]).sum(axis=-1)
    solved = (np.linalg.pinv(left, rcond=1e-9, hermitian=True) @ right[..., None])[..., 0]
    coder_reduction = (solved * right).sum(axis=-1)
    present = (counts > 0).sum(axis=-1)
    columns = divide(totals**2, counts)
    session_reduction = rows + coder_reduction - np.where(np.isnan(columns), 0.0, columns).sum(axis=-1)
    total = counts.sum(axis=-1)
    parameters = n + rank
    error = divide(squares - rows - coder_reduction, total - parameters)
    coder = divide(coder_reduction - rank * error, total - n)
    session = divide(session_reduction - (parameters - present) * error, total - present)
    return session, coder, error


def single_agreement(sums: Counts, coders: int) -> Counts:
    """ICC(A,1) from sums of `unit_sums`."""
    session, coder, error = variances(sums, coders)
    return divide(session, session + coder + error)


def components(ratings: Counts) -> Components:
    """The variances of ratings (sessions, coders), NaN where a coder did not rate a session."""
    given = ~np.isnan(ratings)
    several = given[given.sum(axis=1) >= 2]
    session, coder, error = (
        None if np.isnan(part) else float(part) for part in variances(unit_sums(ratings).sum(axis=0), ratings.shape[1])
    )
    return Components(
        ratings=int(several.sum()),
        sessions=len(several),
        coders=int(several.any(axis=0).sum()) if len(several) else 0,
        raters_a_session=len(several) / float((1.0 / several.sum(axis=1)).sum()) if len(several) else 0.0,
        session=session,
        coder=coder,
        error=error,
    )


def _diagonal(counts: Counts) -> Counts:
    return counts[..., :, None] * np.eye(counts.shape[-1])
