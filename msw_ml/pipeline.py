"""The corridor itself: speech → coding → rating → a scored session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msw_ml import __version__
from msw_ml.checkpoint import Checkpoint, work_anew
from msw_ml.codebook import Codebook
from msw_ml.coding.coder import BehaviourCoder
from msw_ml.coding.measures import measure
from msw_ml.coding.volleys import apply_volley_rules
from msw_ml.rating.cues import find_cues
from msw_ml.rating.rater import Rater
from msw_ml.rating.release import ReleaseGate
from msw_ml.session import (
    CodedUtterance,
    HeardSession,
    Progress,
    Provenance,
    Quality,
    Recording,
    Role,
    ScoredSession,
    Utterance,
    silent,
)
from msw_ml.speech.audio import Audio
from msw_ml.speech.listen import Listener
from msw_ml.speech.role_check import checked


class Pipeline:
    """One recording in, one scored session out; knows no engine by name, reads and writes nothing."""

    def __init__(
        self, listener: Listener, codebook: Codebook, coder: BehaviourCoder, rater: Rater, gate: ReleaseGate
    ) -> None:
        self.listener = listener
        self.codebook = codebook
        self.coder = coder
        self.rater = rater
        self.gate = gate

    def listen(
        self,
        audio: Audio,
        speakers: int | None = None,
        given: Mapping[str, Role] | None = None,
        progress: Progress = silent,
        checkpoint: Checkpoint = work_anew,
    ) -> HeardSession:
        """Sound → utterances with roles."""
        return self.listener.listen(audio, speakers, given, progress, checkpoint)

    def read(
        self, utterances: Sequence[Utterance], given: Mapping[str, Role] | None = None, notes: tuple[str, ...] = ()
    ) -> HeardSession:
        """Rows of a transcript → utterances with roles; roles that the transcript states are kept.

        Where its words speak against them, that is the first warning, and where they do so clearly, the margin is 0;
        a worker named in `given` was named by hand and is not doubted. `notes` are the reader's sentences about what
        was not read or had to be assumed.
        """
        stated = {u.speaker: u.role for u in utterances if u.role is not Role.UNKNOWN} | dict(given or {})
        choice = self.listener.roles.find(utterances, stated or None)
        words = sum(len(u.text.split()) for u in utterances)
        quality = Quality(words=words, speakers=len(choice.roles), warnings=notes)
        if choice.method == "given" and Role.WORKER not in (given or {}).values():
            choice, quality = checked(utterances, choice, quality, self.listener.roles)
        return HeardSession(
            utterances=tuple(u.model_copy(update={"role": choice.roles[u.speaker]}) for u in utterances),
            roles=choice,
            quality=quality,
        )

    def score(
        self,
        recording: Recording,
        heard: HeardSession,
        settings: Mapping[str, str],
        progress: Progress = silent,
        checkpoint: Checkpoint = work_anew,
    ) -> ScoredSession:
        """Utterances with roles → codes → measures → ratings."""
        raw = checkpoint(
            "codes",
            list[CodedUtterance],
            lambda: self.coder.code(heard.utterances, recording.target, progress),
        )
        coded = apply_volley_rules(raw, self.codebook)
        measures = measure(coded, self.codebook, self.coder.errors)
        ratings = self.rater.rate(coded, measures, heard.quality, heard.roles)
        progress("ratings", 1.0)
        return ScoredSession(
            recording=recording,
            roles=heard.roles,
            quality=heard.quality,
            utterances=coded,
            measures=measures,
            ratings=tuple(self.gate.apply(rating, self.rater.label) for rating in ratings),
            cues=tuple(find_cues(coded, self.codebook)),
            provenance=self.provenance(recording, settings),
        )

    def transcript_only(self, recording: Recording, heard: HeardSession, settings: Mapping[str, str]) -> ScoredSession:
        """What `msw transcribe` gives: the same schema without codes, measures and ratings."""
        return ScoredSession(
            recording=recording,
            roles=heard.roles,
            quality=heard.quality,
            utterances=tuple(CodedUtterance(utterance=utterance) for utterance in heard.utterances),
            measures=(),
            ratings=(),
            provenance=self.provenance(recording, settings),
        )

    def provenance(self, recording: Recording, settings: Mapping[str, str]) -> Provenance:
        """What made a result of this recording."""
        speech = {
            "transcriber": self.listener.transcriber.label,
            "diariser": self.listener.diariser.label,
        }
        engines = {
            **(speech if recording.kind == "sound" else {}),
            "roles": self.listener.roles.label,
            "coder": self.coder.label,
            "rater": self.rater.label,
        }
        return Provenance(
            msw_ml=__version__,
            codebook=self.codebook.id,
            codebook_version=self.codebook.version,
            engines=engines,
            settings=dict(sorted(settings.items())),
        )
