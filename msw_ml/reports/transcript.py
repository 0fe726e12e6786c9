"""The coded transcript as the report shows it: who said what when, and what was made of it."""

from __future__ import annotations

from collections.abc import Mapping

from msw_ml.codebook import Codebook
from msw_ml.reports.charts import tones
from msw_ml.reports.wording import DOUBTS, ROLES, percent, set_aside
from msw_ml.session import CodedUtterance, Role, ScoredSession, Utterance, Value


class Piece(Value):
    """Words in a row that are trusted, or that are doubted for one reason."""

    text: str
    doubt: str | None = None


class Tag(Value):
    """A code beside an utterance."""

    name: str
    tone: int
    note: str
    """What a reader should know besides the name; empty where there is nothing."""
    is_counted: bool
    is_settled: bool


class Line(Value):
    """One utterance."""

    id: int
    start: float | None
    who: str
    role: Role
    pieces: tuple[Piece, ...]
    tags: tuple[Tag, ...]


def lines(session: ScoredSession, codebook: Codebook) -> tuple[Line, ...]:
    """All utterances in order of time."""
    names = _names(session)
    return tuple(
        Line(
            id=unit.utterance.id,
            start=unit.utterance.start,
            who=names[unit.utterance.speaker, unit.utterance.role],
            role=unit.utterance.role,
            pieces=_pieces(unit.utterance),
            tags=_tags(unit, codebook),
        )
        for unit in session.utterances
    )


def _names(session: ScoredSession) -> Mapping[tuple[str, Role], str]:
    """A role's name; with the speaker's own label, where several people have that role."""
    present = dict.fromkeys((unit.utterance.speaker, unit.utterance.role) for unit in session.utterances)
    roles = [role for _, role in present]
    return {
        (speaker, role): ROLES[role] if roles.count(role) == 1 else f"{ROLES[role]} ({speaker})"
        for speaker, role in present
    }


def _pieces(said: Utterance) -> tuple[Piece, ...]:
    if not said.doubtful_words:
        return (Piece(text=said.text),)
    pieces: list[Piece] = []
    for word in said.words:
        doubt = DOUBTS[word.doubt] if word.doubt is not None else None
        if pieces and pieces[-1].doubt == doubt:
            pieces[-1] = Piece(text=f"{pieces[-1].text} {word.text.strip()}", doubt=doubt)
        else:
            pieces.append(Piece(text=word.text.strip(), doubt=doubt))
    return tuple(pieces)


def _tags(unit: CodedUtterance, codebook: Codebook) -> tuple[Tag, ...]:
    if unit.code is None:
        return ()
    tone_of = tones(codebook)
    notes = []
    if unit.withheld:
        sure = f" ({percent(unit.confidence)} sure)" if unit.confidence is not None else ""
        notes.append(f"not settled{sure}")
    if unit.set_aside is not None:
        notes.append(set_aside(unit.set_aside))
    main = Tag(
        name=codebook.behaviour(unit.code).name,
        tone=tone_of[codebook.parent_of(unit.code)],
        note="; ".join(notes),
        is_counted=unit.set_aside is None,
        is_settled=not unit.withheld,
    )
    others = (
        Tag(
            name=codebook.behaviour(code).name,
            tone=tone_of[codebook.parent_of(code)],
            note="also",
            is_counted=code in unit.counted,
            is_settled=True,
        )
        for code in unit.other_codes
    )
    return (main, *others)
