"""The published figures of the transcriber hold on the measuring set (a quick part of it)."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation import speech_scores as scores
from evaluation.hearing import ErrorRate
from evaluation.speech_set import read_set
from msw_ml.speech.activity import find_speech
from msw_ml.speech.audio import decode
from msw_ml.speech.audit import audit_words
from msw_ml.speech.whisper import WhisperTranscriber


@pytest.fixture(scope="module")
def transcriber() -> WhisperTranscriber:
    return WhisperTranscriber(threads=2)


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize(
    ("group", "most"), [("katiesteve", 0.009), ("vctk_uk4", 0.012), ("pyannote_sample", 0.149), ("vctk_accents", 0.02)]
)
def test_word_error_rate_is_no_worse_than_published(
    shared: Path, transcriber: WhisperTranscriber, group: str, most: float
) -> None:
    """A change of windows or options that costs words shows here; and hardly a true word is doubted."""
    rate, doubted, heard = ErrorRate(), 0, 0
    for file in read_set(shared / "audio"):
        if file.group == group and file.said:
            with decode(file.path) as audio:
                speech = find_speech(audio)
                words = audit_words(transcriber.transcribe(audio, speech), speech)
            rate = sum(scores.word_errors(file, words), rate)
            doubted += sum(word.doubt is not None for word in words)
            heard += len(words)
    assert rate.value is not None
    assert rate.value <= most + 0.0005
    assert doubted <= 0.02 * heard
