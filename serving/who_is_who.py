"""Who is who after a correction: what the words have to say of it, asked anew where worker or parent changed.

Only roles that the uploaded file stated are held against the words. Where the software found them itself, a
person's correction overrules it, and asking it again would only bring the overruled opinion back.
"""

from __future__ import annotations

from collections import Counter

from msw_ml.session import Role, ScoredSession
from msw_ml.speech.listen import RoleFinder
from msw_ml.speech.role_check import checked

_SIDES = (Role.WORKER, Role.PARENT)


def has_new_sides(before: ScoredSession, after: ScoredSession) -> bool:
    """Whether a correction made somebody else the worker or a parent, at once or utterance by utterance."""
    return _sides(before) != _sides(after)


def asked_again(session: ScoredSession, first: ScoredSession, finder: RoleFinder) -> ScoredSession:
    """The session with or without a doubt about its roles, as the words have it; `first` is its version 1."""
    if first.roles.method != "given":
        return session
    stated = session.roles.model_copy(update={"roles": _mostly(session)})
    choice, quality = checked([unit.utterance for unit in session.utterances], stated, session.quality, finder)
    roles = choice.model_copy(update={"roles": session.roles.roles})
    return session.model_copy(update={"roles": roles, "quality": quality})


def _sides(session: ScoredSession) -> dict[str, Role]:
    return {speaker: role for speaker, role in _mostly(session).items() if role in _SIDES}


def _mostly(session: ScoredSession) -> dict[str, Role]:
    """Speaker → the role of most of their utterances: people correct those one by one, too."""
    counts: dict[str, Counter[Role]] = {}
    for unit in session.utterances:
        counts.setdefault(unit.utterance.speaker, Counter())[unit.utterance.role] += 1
    return {speaker: roles.most_common(1)[0][0] for speaker, roles in counts.items()}
