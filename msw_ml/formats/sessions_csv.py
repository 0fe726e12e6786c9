"""sessions.csv: one row a session, for statistics programs.

Counts are what counts after the volley rules. A measure that is not defined, a rating that is withheld and a
figure that a transcript does not have are empty cells. Measures stand as the codebook defines them: a
percentage is a share from 0 to 1. `<id>_low` and `<id>_high` of a count or measure, at the end of the row, are
the interval that includes the coder's own error, `<id>_expected` of a count is what people would count on average;
empty where that error is not known. `<element>_reason`, last of all, says why a rating has its status and what
would change it.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from msw_ml.codebook.book import Codebook
from msw_ml.disk import write_text
from msw_ml.formats.times import fixed, number
from msw_ml.session import ScoredSession

SCORED = "scored"
_ENDS = ("_low", "_high")


def sessions_header(codebook: Codebook) -> tuple[str, ...]:
    """The columns, which depend on the codebook and on nothing else."""
    measures = [rule.id for rule in codebook.measures if rule.kind != "talk_share"]
    elements = [f"{e.id}{part}" for e in codebook.elements for part in ("", "_low", "_high", "_status")]
    shares = [rule.id for rule in codebook.measures if rule.kind == "talk_share"]
    counted = [*(behaviour.id for behaviour in codebook.behaviours), *measures]
    return (
        *("session", "source", "duration", "status"),
        *(behaviour.id for behaviour in codebook.behaviours),
        *measures,
        *elements,
        *shares,
        *("speech_seconds", "unheard_seconds", "doubtful_words", "role_margin"),
        *("msw_ml", "codebook", "codebook_version", "engines"),
        *(f"{id_}{part}" for id_ in counted for part in _ENDS),
        *(f"{behaviour.id}_expected" for behaviour in codebook.behaviours),
        *(f"{element.id}_reason" for element in codebook.elements),
    )


def sessions_row(session: ScoredSession, codebook: Codebook) -> dict[str, str]:
    """One row; the keys are those of `sessions_header`, in its order."""
    counts = Counter(code for coded in session.utterances for code in coded.counted)
    measures = {measure.id: measure for measure in session.measures}
    provenance = session.provenance
    cells = {
        "session": session.recording.name,
        "source": session.recording.source,
        "duration": fixed(session.recording.duration),
        "status": SCORED,
        **{behaviour.id: str(counts[behaviour.id]) for behaviour in codebook.behaviours},
        **{rule.id: number(measures[rule.id].value) for rule in codebook.measures if rule.id in measures},
        **{f"{id_}_low": number(measure.low) for id_, measure in measures.items()},
        **{f"{id_}_high": number(measure.high) for id_, measure in measures.items()},
        **{f"{id_}_expected": number(measure.expected) for id_, measure in measures.items()},
        **_ratings(session, codebook),
        "speech_seconds": fixed(session.quality.speech_seconds),
        "unheard_seconds": fixed(session.quality.unheard_seconds),
        "doubtful_words": str(session.quality.doubtful_words),
        "role_margin": number(session.roles.margin),
        "msw_ml": provenance.msw_ml,
        "codebook": provenance.codebook,
        "codebook_version": provenance.codebook_version,
        "engines": "; ".join(f"{stage}: {engine}" for stage, engine in sorted(provenance.engines.items())),
    }
    return {column: cells.get(column, "") for column in sessions_header(codebook)}


def _ratings(session: ScoredSession, codebook: Codebook) -> dict[str, str]:
    given = {rating.element: rating for rating in session.ratings}
    cells: dict[str, str] = {}
    for element in codebook.elements:
        rating = given.get(element.id)
        cells[element.id] = number(rating.value if rating else None)
        cells[f"{element.id}_low"] = number(rating.low if rating else None)
        cells[f"{element.id}_high"] = number(rating.high if rating else None)
        cells[f"{element.id}_status"] = rating.status.value if rating else ""
        cells[f"{element.id}_reason"] = rating.reason if rating else ""
    return cells


def write_sessions(path: Path, sessions: Iterable[ScoredSession | Mapping[str, str]], codebook: Codebook) -> Path:
    """Writes sessions.csv from sessions or rows; a row may lack columns (a failed session), never have others."""
    text = io.StringIO()
    writer = csv.DictWriter(text, sessions_header(codebook), restval="", lineterminator="\n")
    writer.writeheader()
    for session in sessions:
        writer.writerow(sessions_row(session, codebook) if isinstance(session, ScoredSession) else dict(session))
    write_text(path, text.getvalue())
    return path
