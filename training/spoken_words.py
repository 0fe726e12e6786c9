"""Recognised words given back to the units that were spoken, as the pipeline gives words to turns.

The turns are those of the sound, so what is lost here is lost by the recogniser: its words, its full stops and its
times. Words that the audit doubts are left out, since coders do not read them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evaluation.hearing import ErrorRate
from evaluation.speech_scores import word_errors
from evaluation.speech_set import MeasuredFile, Said
from msw_ml.session import Role, Turn, Utterance, Word
from msw_ml.speech.activity import find_speech
from msw_ml.speech.audio import decode
from msw_ml.speech.audit import audit_words
from msw_ml.speech.listen import Transcriber
from msw_ml.speech.utterances import join_words
from training.corpora import CodedTranscript


def recognise(path: Path, transcriber: Transcriber) -> list[Word]:
    """The words of a sound file, doubtful ones flagged, as the pipeline hears them."""
    with decode(path) as audio:
        speech = find_speech(audio)
        return audit_words(transcriber.transcribe(audio, speech), speech)


def words_of_units(said: Sequence[Utterance], words: Sequence[Word]) -> dict[int, str]:
    """What was recognised of each spoken unit, by its id; empty where nothing was.

    Every unit is a speaker of its own, so that `join_words` gives each word to exactly one.
    """
    turns = [Turn(start=one.start or 0.0, end=one.end or 0.0, speaker=str(one.id)) for one in said]
    texts: dict[int, list[str]] = {one.id: [] for one in said}
    for heard in join_words(words, turns) if turns else ():
        texts[int(heard.speaker)].append(heard.trusted_text)
    return {id_: " ".join(" ".join(pieces).split()) for id_, pieces in texts.items()}


def as_heard(transcript: CodedTranscript, texts: dict[int, str]) -> CodedTranscript:
    """The transcript with recognised text, without the units of which nothing was recognised."""
    units = [
        unit.model_copy(update={"text": texts[place]})
        for place, unit in enumerate(transcript.units)
        if texts.get(place)
    ]
    return transcript.model_copy(update={"units": tuple(units)})


def errors_by_role(said: Sequence[Utterance], words: Sequence[Word]) -> dict[Role, ErrorRate]:
    """Word errors of each side; doubtful words count as unrecognised."""
    trusted = [word for word in words if word.doubt is None]
    reference = tuple(
        Said(speaker=one.speaker, text=one.text, start=one.start or 0.0, end=one.end or 0.0) for one in said
    )
    file = MeasuredFile(path=Path("spoken"), group="spoken", speakers=2, is_real=False, said=reference)
    found: dict[Role, ErrorRate] = {}
    for one, errors in zip(said, word_errors(file, trusted), strict=True):
        found[one.role] = found.get(one.role, ErrorRate()) + errors
    return found
