"""The session report: one page about one visit, written to the worker who made it."""

from __future__ import annotations

from collections.abc import Sequence

from msw_ml.codebook import Codebook
from msw_ml.reports import charts, findings, sections, transcript
from msw_ml.reports.guidance import load_guidance
from msw_ml.reports.page import render
from msw_ml.reports.wording import DOUBTS, LIKELY, ROLES, clock, long_time, percent, plural
from msw_ml.session import Quality, Role, ScoredSession, Value

SMALL_MARGIN = 0.5
"""Below this margin (of two speakers, the worker is less than three in four likely) the page says so at its top."""
MUCH_UNHEARD = MUCH_DOUBTED = 0.1
"""Share of the speech, or of the words, from which on the page warns about it at the top."""


class Notice(Value):
    """Something to know before reading on."""

    title: str
    text: str
    command: str | None = None


class Fact(Value):
    """A name and its value in a list of facts."""

    name: str
    value: str


def session_report(session: ScoredSession, codebook: Codebook) -> str:
    """The page as HTML: self-contained, no scripts; equal sessions give equal pages."""
    guidance = load_guidance(codebook)
    units = session.utterances
    sides = _change_sides(codebook)
    return render(
        "session.html.j2",
        title=f"Session report: {session.recording.name}",
        session=session,
        codebook=codebook,
        has_guidance=bool(guidance.strengths or guidance.steps),
        notices=_notices(session),
        strengths=findings.strengths(units, guidance),
        step=findings.next_step(units, session.measures, codebook, guidance),
        talk=sections.talk(units),
        timeline=charts.timeline(units, codebook),
        counts=sections.counts(session, codebook, guidance),
        measures=sections.measures(session.measures, codebook, guidance),
        groups=sections.elements(session, codebook),
        parts=charts.parts(units, *sides, Role.PARENT) if sides else (),
        lines=transcript.lines(session, codebook),
        quality=_quality(session),
        versions=_versions(session, codebook),
        roles=ROLES,
        likely=LIKELY if any(measure.low is not None for measure in session.measures) else None,
    )


def _notices(session: ScoredSession) -> tuple[Notice, ...]:
    found = [*_about_roles(session), *_about_quality(session.quality)]
    if session.recording.segment is not None:
        span = session.recording.segment
        text = f"From {clock(span.start)} to {clock(span.end)} of the recording; everything below is about that part."
        found.append(Notice(title="Only a part was scored.", text=text))
    return tuple(found)


def _about_roles(session: ScoredSession) -> list[Notice]:
    roles = session.roles
    worker = [speaker for speaker, role in roles.roles.items() if role is Role.WORKER]
    others = [speaker for speaker, role in roles.roles.items() if role is not Role.WORKER]
    if not worker:
        text = "Nobody in this recording was taken for the worker, so nothing could be scored. Say who it is:"
        return [Notice(title="No worker was found.", text=text, command=f"--role {_first(others)}=worker")]
    if roles.method == "given" or roles.margin >= SMALL_MARGIN:
        return []
    text = (
        f"{' and '.join(worker)} was taken for the worker, with little certainty (margin {roles.margin:.2f} of 1). "
        "Everything on this page turns on that. Read the first lines of the transcript; if it is the wrong person, "
        "score again with:"
    )
    return [Notice(title="Check who is who first.", text=text, command=f"--role {_first(others)}=worker")]


def _first(speakers: Sequence[str]) -> str:
    return speakers[0] if speakers else "SPEAKER"


def _about_quality(quality: Quality) -> list[Notice]:
    found = []
    if quality.is_draft:
        text = (
            "The words come from the small model that ships with the software. It is good enough to look around, and "
            "will have misheard some of them, most often names, quiet voices and regional accents. For a better one:"
        )
        found.append(Notice(title="Draft transcription.", text=text, command="msw models pull"))
    if quality.speech_seconds and (quality.unheard_seconds or 0) / quality.speech_seconds >= MUCH_UNHEARD:
        lost = percent((quality.unheard_seconds or 0) / quality.speech_seconds)
        text = f"{lost} of the speech has no words to it, so some of what was said is missing below."
        found.append(Notice(title="Part of the talk was not understood.", text=text))
    if quality.words and quality.doubtful_words / quality.words >= MUCH_DOUBTED:
        doubted = percent(quality.doubtful_words / quality.words)
        text = f"{doubted} of the words are marked as doubtful and were left out of all counts."
        found.append(Notice(title="Many words are doubtful.", text=text))
    found += [Notice(title="Please note.", text=warning) for warning in quality.warnings]
    return found


def _quality(session: ScoredSession) -> tuple[Fact, ...]:
    quality, roles = session.quality, session.roles
    taken = "; ".join(f"{speaker}: {ROLES[role].lower()}" for speaker, role in roles.roles.items())
    how = "stated by a person" if roles.method == "given" else f"found by the software, margin {roles.margin:.2f} of 1"
    withheld = sum(unit.withheld for unit in session.utterances)
    coded = sum(unit.code is not None for unit in session.utterances)
    facts = [
        ("Speech heard", long_time(quality.speech_seconds) if quality.speech_seconds is not None else None),
        ("Speech without words", long_time(quality.unheard_seconds) if quality.unheard_seconds is not None else None),
        ("Words", f"{quality.words}, of which {quality.doubtful_words} doubtful and left out of the counts"),
        *((f"Doubtful: {DOUBTS[doubt]}", plural(count, "word")) for doubt, count in quality.doubts.items()),
        ("Speakers", f"{quality.speakers} ({taken})" if taken else str(quality.speakers)),
        ("Who is who", how),
        ("Codes not settled", f"{withheld} of {coded} coded utterances"),
    ]
    return tuple(Fact(name=name, value=value) for name, value in facts if value is not None)


def _versions(session: ScoredSession, codebook: Codebook) -> tuple[Fact, ...]:
    made = session.provenance
    facts = [
        ("Software", f"msw_ml {made.msw_ml}"),
        ("Codebook", f"{codebook.name} ({made.codebook} {made.codebook_version})"),
        *((stage.capitalize(), label) for stage, label in made.engines.items()),
        *((f"Setting: {name}", value) for name, value in made.settings.items()),
        ("Input", f"{session.recording.source}, sha256 {session.recording.sha256[:16]}…"),
        ("Form of session.json", session.schema_version),
    ]
    return tuple(Fact(name=name, value=value) for name, value in facts)


def _change_sides(codebook: Codebook) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Codes for and against change: those of the codebook's ratio within the parent's talk."""
    own = set(codebook.codes(Role.PARENT))
    for rule in codebook.measures:
        if rule.kind == "ratio" and set(rule.denominator) <= own:
            return rule.numerator, tuple(code for code in rule.denominator if code not in rule.numerator)
    return None
