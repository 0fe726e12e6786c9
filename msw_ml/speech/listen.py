"""Sound → words and turns → utterances → roles → audit: the speech room in one screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msw_ml.checkpoint import Checkpoint, work_anew
from msw_ml.errors import NoSpeech
from msw_ml.session import HeardSession, Progress, Quality, Role, RoleChoice, Span, Turn, Utterance, Word, silent
from msw_ml.speech.activity import find_speech
from msw_ml.speech.audio import Audio
from msw_ml.speech.audit import audit_words, unheard_seconds
from msw_ml.speech.channels import channel_turns
from msw_ml.speech.utterances import join_words


class Transcriber(Protocol):
    """Turns sound into words in time order; raises `TranscriptionFailed`, nothing else.

    Words carry times in seconds and a probability; where the sound has a channel a speaker, each
    channel is heard by itself and its words carry that speaker. The same sound gives the same words.
    """

    label: str
    """Engine, model and fingerprint, for provenance."""
    is_draft: bool
    """The weights are the small embedded ones."""

    def transcribe(self, audio: Audio, speech: Sequence[Span], progress: Progress = silent) -> list[Word]: ...


class Diariser(Protocol):
    """Turns sound into turns in time order; raises `DiarisationFailed`, nothing else.

    Speakers are called S1, S2, … in order of first speech. `speech` is where the voice activity
    detector heard somebody; turns may be narrower or wider. The same sound gives the same turns.
    """

    label: str

    def diarise(
        self, audio: Audio, speech: Sequence[Span], speakers: int | None = None, progress: Progress = silent
    ) -> list[Turn]: ...


class RoleFinder(Protocol):
    """Says who is the worker and who the parent, from what was said, who began and who spoke how much."""

    label: str

    def find(self, utterances: Sequence[Utterance], given: Mapping[str, Role] | None = None) -> RoleChoice: ...


class Listener:
    """The speech room: one sound in, utterances with roles and their quality out."""

    def __init__(self, transcriber: Transcriber, diariser: Diariser, roles: RoleFinder) -> None:
        self.transcriber = transcriber
        self.diariser = diariser
        self.roles = roles

    def listen(
        self,
        audio: Audio,
        speakers: int | None = None,
        given: Mapping[str, Role] | None = None,
        progress: Progress = silent,
        checkpoint: Checkpoint = work_anew,
    ) -> HeardSession:
        """Raises `NoSpeech` where nobody speaks, and what the engines raise."""
        speech = checkpoint("speech", list[Span], lambda: find_speech(audio, progress=progress))
        if not speech:
            raise NoSpeech(f"{audio.source}: no speech was heard in it; check that it is the right recording")
        words = checkpoint("words", list[Word], lambda: self.transcriber.transcribe(audio, speech, progress))
        turns = checkpoint("turns", list[Turn], lambda: self._turns(audio, speech, speakers, progress))
        words = audit_words(words, speech)
        heard = join_words(words, turns)
        choice = self.roles.find(heard, given)
        return HeardSession(
            utterances=tuple(u.model_copy(update={"role": choice.roles[u.speaker]}) for u in heard),
            roles=choice,
            quality=_quality(words, speech, choice, self.transcriber.is_draft, audio.warnings),
        )

    def _turns(self, audio: Audio, speech: Sequence[Span], speakers: int | None, progress: Progress) -> list[Turn]:
        if audio.channels > 1:
            return channel_turns(audio)
        return self.diariser.diarise(audio, speech, speakers, progress)


def _quality(
    words: Sequence[Word], speech: Sequence[Span], choice: RoleChoice, is_draft: bool, warnings: tuple[str, ...]
) -> Quality:
    doubts = [word.doubt for word in words if word.doubt is not None]
    return Quality(
        speech_seconds=round(sum(span.duration for span in speech), 2),
        unheard_seconds=round(unheard_seconds(words, speech), 2),
        words=len(words),
        doubtful_words=len(doubts),
        doubts={doubt: doubts.count(doubt) for doubt in sorted(set(doubts))},
        speakers=len(choice.roles),
        is_draft=is_draft,
        warnings=warnings,
    )
