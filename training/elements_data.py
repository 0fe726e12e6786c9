"""Everything that a session rater learns from, read and brought into one form.

Public ratings by people and a set of visits go into one table; an element that a set does not rate is
missing there. Codes and marks are those of models that did not learn from the session.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydantic import Field

from msw_ml.codebook import Codebook
from msw_ml.rating.features import Floats, Ints, Talk, read_talk
from msw_ml.rating.limits import Limits, length_obstacle
from msw_ml.rating.manner import Manner
from msw_ml.rating.marks import ENCODER, TOKENIZER, WEIGHTS, Mark
from msw_ml.session import Value
from training.corpora import SETS, Source
from training.elements_fit import MannerOptions, fit_manner
from training.marks import Frozen, MarkFigure, MarkOptions, cross_read, fit_marks, mark_figures
from training.rated_sessions import RatedSession, read_rated
from training.rated_visits import RatedVisits, read_visits


class DataOptions(Value):
    """What is read."""

    ratings: str
    """Folder of `datasets/` with an `elements.toml`."""
    sorted_sessions: str
    """Folder of `datasets/` with a `quality.toml`."""
    coder: Path
    """The behaviour coder's bundle, for what it says of sessions it was not trained on; a path from the
    folder that the command runs in."""
    visits: str | None = None
    """Folder of `datasets/` with visits, their ratings and marks."""
    has_test: bool = True
    """Whether the visits' test part is learned from too, as in what ships."""
    names: dict[str, str] = Field(default_factory=dict)
    """Set → what its sessions are, to follow "Learned from 90 …"."""


@dataclass(frozen=True)
class Gathered:
    """Sessions that are long enough to be rated, each with what is read in it."""

    sessions: tuple[RatedSession, ...]
    talks: tuple[Talk, ...]
    groups: Ints
    """Group of each session, over all sets."""
    manner: Manner
    sources: tuple[Source, ...]
    declined: int
    sorted_sessions: int
    marks: tuple[Mark, ...] = ()
    mark_figures: tuple[MarkFigure, ...] = ()
    mark_files: dict[str, bytes] = field(default_factory=dict)
    """File of the bundle → its content."""

    def of(self, corpus: str) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Which sessions are of a set."""
        return np.array([session.corpus == corpus for session in self.sessions])


def gather(
    chosen: DataOptions, data: Path, codebook: Codebook, options: tuple[MannerOptions, MarkOptions, Limits]
) -> Gathered:
    """Reads all sets; `data` is where the public sets' files lie. Raises what reading them raises."""
    manner_options, mark_options, limits = options
    rated = read_rated(chosen.ratings, chosen.sorted_sessions, chosen.coder, data, codebook)
    manner = fit_manner(rated.sorted_sessions, manner_options)
    sessions, sources = list(rated.sessions), rated.sources
    marks: tuple[Mark, ...] = ()
    marked = _Marked([np.zeros((len(one.coded), 0)) for one in sessions], [], {})
    if chosen.visits:
        visits = read_visits(SETS / chosen.visits, chosen.coder, codebook)
        visits = visits if chosen.has_test else visits.without_test()
        marks, marked = visits.marks, _mark(sessions, visits, mark_options)
        sessions, sources = [*sessions, *visits.sessions], (*sources, visits.source)
    talks = _long_enough(sessions, codebook, manner, limits)
    kept = tuple(sessions[place] for place, _ in talks)
    return Gathered(
        sessions=kept,
        talks=tuple(talk.with_marks([mark.id for mark in marks], marked.read[place]) for place, talk in talks),
        groups=_groups(kept),
        manner=manner,
        sources=sources,
        declined=len(sessions) - len(kept),
        sorted_sessions=len(rated.sorted_sessions),
        marks=marks,
        mark_figures=tuple(marked.figures),
        mark_files=marked.files,
    )


@dataclass(frozen=True)
class _Marked:
    """Marks of all sessions: of those that were marked by weights that did not learn from their group."""

    read: list[Floats]
    figures: list[MarkFigure]
    files: dict[str, bytes]


def _mark(others: Sequence[RatedSession], visits: RatedVisits, options: MarkOptions) -> _Marked:
    frozen = Frozen.load(options.encoder)
    rows = frozen.rows([session.coded for session in visits.sessions])
    groups = np.array([session.group for session in visits.sessions])
    apart = cross_read(rows, visits.carried, groups, options)
    weights = fit_marks(rows, visits.carried, options)
    read = []
    for session, own in zip(others, frozen.rows([session.coded for session in others]), strict=True):
        found = np.zeros((len(session.coded), len(visits.marks)))
        found[own.at] = weights.probabilities(own)
        read.append(found)
    files = {ENCODER: frozen.onnx, TOKENIZER: frozen.tokenizer, WEIGHTS: weights.to_bytes()}
    return _Marked([*read, *apart], mark_figures(visits.marks, rows, visits.carried, apart), files)


def _long_enough(
    sessions: Sequence[RatedSession], codebook: Codebook, manner: Manner, limits: Limits
) -> list[tuple[int, Talk]]:
    """Places and talks of the sessions that the rater would not decline for their length: those are learned from."""
    talks = [read_talk(session.coded, codebook, manner) for session in sessions]
    return [(place, talk) for place, talk in enumerate(talks) if length_obstacle(talk, limits) is None]


def _groups(sessions: Sequence[RatedSession]) -> Ints:
    numbers: dict[tuple[str, int], int] = {}
    return np.array([numbers.setdefault((s.corpus, s.group), len(numbers)) for s in sessions], dtype=np.intp)
