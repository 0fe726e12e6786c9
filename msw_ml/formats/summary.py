"""The result of a session as small tables of text, for the formats that people read (Word, Excel)."""

from __future__ import annotations

from collections import Counter

from msw_ml.codebook.book import Codebook
from msw_ml.formats.times import clock, number
from msw_ml.session import ScoredSession

NOT_DEFINED = "not defined"

Table = list[tuple[str, ...]]


def about(session: ScoredSession) -> list[str]:
    """Sentences on what was scored and how far it can be relied on, the most important first."""
    recording, quality, made = session.recording, session.quality, session.provenance
    lines = ["Draft transcription: the words come from a small model."] if quality.is_draft else []
    lines += quality.warnings
    length = f", {clock(recording.duration)}" if recording.duration is not None else ""
    lines.append(f"Source: {recording.source}{length}.")
    if recording.target:
        lines.append(f"Change talk is about: {recording.target}.")
    if session.cues:
        lines.append(
            "Signs are phrases that often go with an element: places to look at, never part of its rating. A sign "
            "that was not found says little."
        )
    if any(measure.low is not None for measure in session.measures):
        lines.append(
            "Low and high of a count or measure: the true figure is within them in nine of ten sessions like those "
            "the coder was measured on. Expected: what people would count on average where the coder says this. Where "
            "they are empty, its error is not known."
        )
    if quality.doubtful_words:
        lines.append(f"{quality.doubtful_words} of {quality.words} words are doubtful and count for nothing.")
    lines.append(f"msw-ml {made.msw_ml}, codebook {made.codebook} {made.codebook_version}.")
    return lines


def ratings(session: ScoredSession, codebook: Codebook) -> Table:
    """Every rating with its status beside it."""
    table: Table = [("Element", "Status", "Rating", "Low", "High", "Why")]
    for rating in session.ratings:
        name = codebook.element(rating.element).name
        figures = (number(rating.value), number(rating.low), number(rating.high))
        table.append((name, rating.status.value, *figures, rating.reason))
    return table


def signs(session: ScoredSession, codebook: Codebook) -> Table:
    """Every sign of an element that was looked for: how often, how early, how spread, and in which utterances."""
    table: Table = [("Element", "Sign", "Found", "First at", "Into the visit", "Spread", "In utterances")]
    starts = {unit.utterance.id: unit.utterance.start for unit in session.utterances}
    for cue in session.cues:
        start = starts.get(cue.utterances[0]) if cue.utterances else None
        table.append(
            (
                codebook.element(cue.element).name,
                cue.name,
                str(cue.found),
                clock(start) if start is not None else "",
                _for_people(cue.first, is_percent=True),
                _for_people(cue.spread, is_percent=True),
                "; ".join(str(number) for number in cue.utterances),
            )
        )
    return table


def measures(session: ScoredSession, codebook: Codebook) -> Table:
    """Every measure of the codebook by its name; a percentage as such. The counts of codes stand in `counts`."""
    table: Table = [("Measure", "Value", "Low", "High", "Meaning")]
    made = {measure.id: measure for measure in session.measures}
    for rule in codebook.measures:
        if rule.id not in made:
            continue
        measure = made[rule.id]
        value, low, high = (
            _for_people(figure, rule.is_percent) for figure in (measure.value, measure.low, measure.high)
        )
        table.append((rule.name, value or NOT_DEFINED, low, high, rule.meaning))
    return table


def _for_people(figure: float | None, is_percent: bool) -> str:
    """One decimal of a percentage, two of a ratio: more would claim what no count of a session holds."""
    if figure is None:
        return ""
    return f"{number(round(figure * 100, 1))} %" if is_percent else number(round(figure, 2))


def counts(session: ScoredSession, codebook: Codebook) -> Table:
    """How often each code counts for the session, with the interval where there is one."""
    counted = Counter(code for unit in session.utterances for code in unit.counted)
    made = {measure.id: measure for measure in session.measures}
    table: Table = [("Code", "Speaker", "Count", "Low", "High", "Expected")]
    for behaviour in codebook.behaviours:
        measure = made.get(behaviour.id)
        known = (measure.low, measure.high, measure.expected) if measure is not None else (None, None, None)
        figures = (str(counted[behaviour.id]), *map(number, known))
        table.append((behaviour.name, behaviour.speaker.value, *figures))
    return table
