"""What a reliability report says, as values: the content of `reliability.json`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from evaluation.agreement.components import Components
from evaluation.agreement.difference import Differences
from evaluation.agreement.icc import Icc
from evaluation.intervals import Estimate, Resampling
from evaluation.pairing import Cutting
from msw_ml.session import RatingStatus, Value

REPORT_SCHEMA = "1.0"

Level = Literal["utterance", "tally", "measure", "rating"]

Comparison = Literal["humans", "humans_same", "machine", "majority", "constant", "median"]
"""`humans`: people with each other, wherever two coded. `humans_same`: the same, only where the machine
coded as well. `machine`: the machine with each person. The others are baselines with each person: the
commonest code, always the middle of the scale, the median of the other sessions."""

COMPARISONS: dict[Comparison, str] = {
    "humans": "person with person",
    "humans_same": "person with person, the machine's sessions",
    "machine": "machine with person",
    "majority": "always the commonest code, with person",
    "constant": "always 3, with person",
    "median": "median of the other sessions, with person",
}


class Figure(Value):
    """One statistic of one variable (or one code of it) in one comparison."""

    level: Level
    variable: str
    variable_name: str
    code: str | None = None
    code_name: str | None = None
    comparison: Comparison
    statistic: str
    statistic_name: str
    estimate: Estimate
    interval: str | None = None
    """How the interval was made."""
    pairs: int
    units: int
    sessions: int
    koo_li: str | None = None
    cicchetti: str | None = None
    krippendorff: str | None = None
    share_of_human: Estimate | None = None
    """The machine's figure as a share of the human one on the same sessions."""


class Described(Value):
    """What one coder gave: for a code n and share of units, for numbers n, mean and standard deviation."""

    level: Level
    variable: str
    variable_name: str
    code: str | None = None
    code_name: str | None = None
    coder: str
    is_machine: bool = False
    n: int
    mean: float | None
    sd: float | None


class TenForms(Value):
    """All ten ICC forms on the sessions that every coder rated, and variance components on all."""

    level: Level
    variable: str
    variable_name: str
    coders: tuple[str, ...]
    sessions: int
    forms: tuple[Icc, ...]
    components: Components


class Confused(Value):
    """Which code one gave where another gave which, summed over pairs; between people both ways."""

    variable: str
    variable_name: str
    comparison: Comparison
    categories: tuple[str, ...]
    table: tuple[tuple[float, ...], ...]


class BlandAltman(Value):
    """Differences of a second coder from a first, session by session."""

    level: Level
    variable: str
    variable_name: str
    first: str
    second: str
    points: tuple[tuple[float, float], ...]
    """Mean and difference (second less first)."""
    differences: Differences


class Halo(Value):
    """How far ratings of two elements go together (Spearman), over sessions: people's means, and the machine."""

    first: str
    second: str
    humans: float | None
    machine: float | None
    sessions: int


class CoderSummary(Value):
    """Who coded how much of what is compared."""

    name: str
    is_machine: bool
    sessions: int
    units: int
    ratings: int
    statuses: dict[RatingStatus, int] = Field(default_factory=dict)
    """How many of the ratings are released, how many indicative; empty for people, whose ratings have no status."""
    label: str | None = None


class Report(Value):
    """Everything that `msw agree` found."""

    schema_version: str = REPORT_SCHEMA
    summary: tuple[str, ...] = ()
    """Three sentences for a reader who knows no statistics."""
    warnings: tuple[str, ...] = ()
    methods: str = ""
    """A methods paragraph to edit."""
    codebook: str
    versions: dict[str, str]
    resampling: Resampling
    clusters: int
    sessions: int
    """Seen by two coders or more, one of whom may be the machine."""
    single_coded: int
    left_out: dict[str, int]
    coders: tuple[CoderSummary, ...]
    lined_up: dict[str, int]
    """Way of lining up units → sessions."""
    cutting: dict[str, Cutting]
    """`first, second` → how alike two coders cut the talk."""
    figures: tuple[Figure, ...]
    described: tuple[Described, ...]
    ten_forms: tuple[TenForms, ...]
    confusions: tuple[Confused, ...]
    bland_altman: tuple[BlandAltman, ...]
    halo: tuple[Halo, ...] = ()

    @property
    def double_coded(self) -> int:
        """The most sessions that any figure between two people rests on; the machine is no person."""
        return max((figure.sessions for figure in self.figures if figure.comparison == "humans"), default=0)

    def find(self, variable: str, comparison: Comparison, statistic: str, code: str | None = None) -> Figure | None:
        """One figure, where there is one."""
        return next(
            (
                f
                for f in self.figures
                if (f.variable, f.comparison, f.statistic, f.code) == (variable, comparison, statistic, code)
            ),
            None,
        )
