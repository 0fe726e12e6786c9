"""What errors of hearing do to codes, measures and ratings: the same recordings scored with parts exchanged.

Every recording is heard once. Then its words, turns and roles are taken from the reference or from the
engines, and coder and rater read the outcome: so each stage's error can be seen in what people look at, not
only in its own rate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from evaluation import references
from evaluation.hearing import ErrorRate, role_errors, speaker_word_errors, turn_errors, word_errors
from msw_ml.codebook import Codebook
from msw_ml.pipeline import Pipeline
from msw_ml.session import (
    HeardSession,
    Quality,
    RatingStatus,
    Recording,
    Role,
    ScoredSession,
    Span,
    Turn,
    Utterance,
    Value,
    Word,
)
from msw_ml.speech.activity import find_speech
from msw_ml.speech.audio import decode
from msw_ml.speech.audit import audit_words
from msw_ml.speech.utterances import join_words

TRUTH = "reference"


class Mix(Value):
    """Which parts come from the engines; the others come from the reference."""

    name: str
    words: bool = False
    turns: bool = False
    roles: bool = False


MIXES = (
    Mix(name=TRUTH),
    Mix(name="roles found", roles=True),
    Mix(name="speakers and roles found", turns=True, roles=True),
    Mix(name="words recognised", words=True),
    Mix(name="all automatic", words=True, turns=True, roles=True),
)
"""Roles can only be given to speakers that are given."""


class Effect(Value):
    """One recording in one mix against the same recording all from the reference."""

    recording: str
    """File name: the same talk may lie there in several formats."""
    mix: str
    words: ErrorRate
    speaker_words: ErrorRate
    turns: ErrorRate
    roles: ErrorRate
    counts: dict[str, tuple[float, float]]
    """Code → count in the reference and in the mix, after the volley rules."""
    measures: dict[str, tuple[float | None, float | None]]
    """Ratio or share → value in the reference and in the mix; `None` is "not defined"."""
    ratings: dict[str, tuple[float | None, float | None]]
    """Element → rating in the reference and in the mix; `None` is withheld."""
    statuses: dict[str, tuple[RatingStatus, RatingStatus]]
    """Element → status of these two ratings."""

    @property
    def miscounted(self) -> ErrorRate:
        """Codes too many or too few, of all counted in the reference."""
        errors = sum(abs(after - before) for before, after in self.counts.values())
        return ErrorRate(errors=errors, length=sum(before for before, _ in self.counts.values()))


class _Parts(Value):
    """What the engines heard and what is true, of one recording."""

    said: tuple[Utterance, ...]
    given_words: tuple[Word, ...]
    given_turns: tuple[Turn, ...]
    heard_words: tuple[Word, ...]
    found_turns: tuple[Turn, ...]
    speech: tuple[Span, ...]


def compare(sound: Path, said: Sequence[Utterance], pipeline: Pipeline) -> list[Effect]:
    """All mixes of one recording. Raises what `references.check` raises, and what the engines do."""
    references.check(sound, said)
    parts = _hear(sound, said, pipeline)
    recording = Recording(
        name=sound.stem,
        source=sound.name,
        sha256=hashlib.sha256(sound.read_bytes()).hexdigest(),
        kind="sound",
    )
    scored = {mix.name: pipeline.score(recording, _mixed(parts, mix, pipeline), {}) for mix in MIXES}
    return [_effect(parts, (scored[TRUTH], scored[mix.name]), mix, pipeline.codebook) for mix in MIXES]


def _hear(sound: Path, said: Sequence[Utterance], pipeline: Pipeline) -> _Parts:
    listener = pipeline.listener
    with decode(sound) as audio:
        speech = find_speech(audio)
        heard = audit_words(listener.transcriber.transcribe(audio, speech), speech)
        turns = listener.diariser.diarise(audio, speech, len({utterance.speaker for utterance in said}))
    return _Parts(
        said=tuple(said),
        given_words=tuple(word for utterance in said for word in spread(utterance)),
        given_turns=tuple(Turn(start=u.start or 0.0, end=u.end or 0.0, speaker=u.speaker) for u in said),
        heard_words=tuple(word.model_copy(update={"speaker": None}) for word in heard),
        found_turns=tuple(turns),
        speech=tuple(speech),
    )


def spread(utterance: Utterance) -> list[Word]:
    """An utterance's words over its time, each as long as its letters; a reference has no times of words."""
    texts = utterance.text.split()
    start, end = utterance.start or 0.0, utterance.end or 0.0
    letters = sum(len(text) + 1 for text in texts)
    found, at = [], start
    for text in texts:
        until = min(end, at + (end - start) * (len(text) + 1) / letters)
        found.append(Word(start=round(at, 3), end=round(until, 3), text=text))
        at = until
    return found


def _mixed(parts: _Parts, mix: Mix, pipeline: Pipeline) -> HeardSession:
    words = parts.heard_words if mix.words else parts.given_words
    turns = parts.found_turns if mix.turns else parts.given_turns
    utterances = join_words(words, turns)
    true_roles = {utterance.speaker: utterance.role for utterance in parts.said}
    given = None if mix.roles else {u.speaker: true_roles.get(u.speaker, Role.UNKNOWN) for u in utterances}
    choice = pipeline.listener.roles.find(utterances, given)
    return HeardSession(
        utterances=tuple(u.model_copy(update={"role": choice.roles[u.speaker]}) for u in utterances),
        roles=choice,
        quality=Quality(
            speech_seconds=round(sum(span.duration for span in parts.speech), 2),
            words=len(words),
            doubtful_words=sum(word.doubt is not None for word in words),
            speakers=len(choice.roles),
        ),
    )


def _effect(parts: _Parts, scored: tuple[ScoredSession, ScoredSession], mix: Mix, book: Codebook) -> Effect:
    before, after = scored
    heard = [coded.utterance for coded in after.utterances]
    codes = {behaviour.id for behaviour in book.behaviours}
    shares = {rule.id for rule in book.measures if rule.kind != "count"}
    ours, theirs = ({m.id: m for m in session.measures} for session in scored)
    rated = {rating.element: rating for rating in after.ratings}
    return Effect(
        recording=before.recording.source,
        mix=mix.name,
        words=word_errors(parts.said, heard),
        speaker_words=speaker_word_errors(parts.said, heard),
        turns=turn_errors(parts.said, parts.found_turns if mix.turns else parts.given_turns),
        roles=role_errors(parts.said, heard),
        counts={id_: (m.numerator, theirs[id_].numerator) for id_, m in ours.items() if id_ in codes},
        measures={id_: (m.value, theirs[id_].value) for id_, m in ours.items() if id_ in shares},
        ratings={one.element: (one.value, rated[one.element].value) for one in before.ratings},
        statuses={one.element: (one.status, rated[one.element].status) for one in before.ratings},
    )
