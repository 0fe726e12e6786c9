"""Words from faster-whisper: batched windows with time stamps, and a second look at speech it passed over.

Windows are cut at pauses, decoded several at a time with fixed settings (beam search, temperature 0, no text
carried over), so the same sound gives the same words. Whisper may stop before the end of a window; speech
that no word covers is therefore decoded once more by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from msw_ml import weights
from msw_ml.errors import EngineError, TranscriptionFailed
from msw_ml.session import Progress, Span, Word, silent
from msw_ml.speech.audio import Audio
from msw_ml.speech.channels import channel_turns
from msw_ml.speech.timing import fit_to_speech, merge_words
from msw_ml.speech.windows import batches, plan_windows, uncovered

if TYPE_CHECKING:
    from faster_whisper import BatchedInferencePipeline

BEAM_SIZE = 5
"""Whisper's own default."""
PASSED_OVER = 1.0
"""Seconds of speech without a word for which a second look is worth its time."""
SECOND_LOOK_SHARE = 0.1
"""Part of the progress that the second look is given."""


class WhisperTranscriber:
    """Implements `Transcriber` with a Whisper model converted for CTranslate2.

    `model` is `embedded`, a name that `msw models pull` brought, or a folder. Weights are checked against their
    hashes when the transcriber is made and load on first use. Nothing is ever downloaded here.
    """

    def __init__(self, model: str = "embedded", device: str = "cpu", language: str = "en", threads: int = 0) -> None:
        """Raises `ModelNotFound`, `WrongHash` or `UnknownName`."""
        self._found = weights.find(model)
        fingerprint = weights.verify(self._found)["model.bin"][:8]
        self.label = f"whisper {self._found.weights.name} {fingerprint}"
        self.is_draft = self._found.weights.is_draft
        self._device = device
        self._language = language
        self._threads = threads

    def transcribe(self, audio: Audio, speech: Sequence[Span], progress: Progress = silent) -> list[Word]:
        """Implements `Transcriber`. With a speaker a channel, each is heard by itself: S1 is channel 0."""
        if audio.channels == 1:
            return self._hear(audio, speech, None, lambda done: progress("words", done))
        turns = channel_turns(audio)
        words: list[Word] = []
        for channel, speaker in enumerate(("S1", "S2")):
            own = [Span(start=turn.start, end=turn.end) for turn in turns if turn.speaker == speaker]
            heard = self._hear(audio, own, channel, _half(progress, channel))
            words += [word.model_copy(update={"speaker": speaker}) for word in heard]
        return sorted(words, key=lambda word: (word.start, word.end, word.speaker or ""))

    def _hear(
        self, audio: Audio, speech: Sequence[Span], channel: int | None, progress: Callable[[float], None]
    ) -> list[Word]:
        first = 1 - SECOND_LOOK_SHARE
        words = self._decode(audio, speech, channel, lambda done: progress(done * first))
        again = uncovered(speech, words, PASSED_OVER)
        more = self._decode(audio, again, channel, lambda done: progress(first + done * SECOND_LOOK_SHARE))
        progress(1.0)
        return fit_to_speech(merge_words(words, more), speech)

    def _decode(
        self, audio: Audio, speech: Sequence[Span], channel: int | None, progress: Callable[[float], None]
    ) -> list[Word]:
        windows = plan_windows(speech, audio.held)
        words: list[Word] = []
        done = 0
        for batch in batches(windows):
            try:
                words += self._decode_batch(audio, batch, channel)
            except EngineError:
                raise
            except Exception as error:
                raise TranscriptionFailed(
                    f"{audio.source}: Whisper failed at {batch[0].start:.0f} s ({type(error).__name__}); "
                    f"try another model with --whisper-model, or --device cpu"
                ) from error
            done += len(batch)
            progress(done / len(windows))
        return words

    def _decode_batch(self, audio: Audio, batch: Sequence[Span], channel: int | None) -> list[Word]:
        origin = batch[0].start
        sound = audio.read(origin, batch[-1].end, channel)
        length = len(sound) / audio.rate_hz
        segments, _ = self._pipeline.transcribe(
            sound,
            language=self._language,
            beam_size=BEAM_SIZE,
            temperature=0.0,
            without_timestamps=False,
            word_timestamps=True,
            batch_size=len(batch),
            # the engine compares durations after rounding them: stay a hair inside
            clip_timestamps=[
                {"start": window.start - origin, "end": min(window.end - origin, length) - 1e-4} for window in batch
            ],
        )
        return [
            _placed(word.start + origin, word.end + origin, word.word, word.probability, batch[-1].end)
            for segment in segments
            for word in segment.words or ()
            if word.word.strip()
        ]

    @cached_property
    def _pipeline(self) -> BatchedInferencePipeline:
        from faster_whisper import BatchedInferencePipeline, WhisperModel

        try:
            model = WhisperModel(
                str(self._found.path),
                device=self._device,
                compute_type="int8" if self._device == "cpu" else "default",
                cpu_threads=self._threads,
                local_files_only=True,
            )
        except Exception as error:
            raise TranscriptionFailed(
                f"the weights in {self._found.path} do not load as a Whisper model on {self._device} "
                f"({type(error).__name__}); try --device cpu or other weights"
            ) from error
        if self._language != "en" and not model.model.is_multilingual:
            raise TranscriptionFailed(
                f"{self._found.weights.name} knows English only, not '{self._language}'; choose a model of many "
                f"languages with --whisper-model, such as small (`msw models pull small`)"
            )
        return BatchedInferencePipeline(model)


def _half(progress: Progress, part: int) -> Callable[[float], None]:
    return lambda done: progress("words", (part + done) / 2)


def _placed(start: float, end: float, text: str, probability: float, last: float) -> Word:
    """A word whose times lie inside the sound: the alignment may run into the padding behind it."""
    start = round(min(max(start, 0.0), last), 2)
    end = round(min(max(end, start), last), 2)
    return Word(start=start, end=max(end, start), text=text, probability=round(float(min(max(probability, 0), 1)), 4))
