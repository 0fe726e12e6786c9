"""The transcriber: right words at right times, the same every time, and clear words where it cannot work."""

from __future__ import annotations

import shutil
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from msw_ml import weights
from msw_ml.errors import ModelNotFound, TranscriptionFailed, UnknownName, WrongHash
from msw_ml.session import Span, Word
from msw_ml.speech.activity import find_speech
from msw_ml.speech.audio import Audio, decode
from msw_ml.speech.listen import Transcriber
from msw_ml.speech.whisper import WhisperTranscriber

RATE = 16_000
CLIP = Path(__file__).parents[1] / "data" / "short_visit.flac"


@pytest.fixture(scope="module")
def transcriber() -> WhisperTranscriber:
    return WhisperTranscriber(threads=2)


@pytest.fixture(scope="module")
def clip() -> Iterator[Audio]:
    with decode(CLIP) as audio:
        yield audio


@pytest.fixture(scope="module")
def heard(transcriber: WhisperTranscriber, clip: Audio) -> list[Word]:
    return transcriber.transcribe(clip, find_speech(clip))


def rows() -> list[tuple[str, float, float, str]]:
    """Speaker, start, end, text of the clip's utterances."""
    parts = [line.split(None, 5) for line in CLIP.with_suffix(".stm").read_text().splitlines()]
    return [(part[2], float(part[3]), float(part[4]), part[5]) for part in parts]


def plain(text: str) -> list[str]:
    return "".join(letter for letter in text.lower() if letter.isalnum() or letter in " '").split()


def test_words_are_those_that_were_said(heard: list[Word]) -> None:
    """At most 3 of the clip's 50 words may be missed: what the small model costs on clear speech."""
    spoken = plain(" ".join(row[3] for row in rows()))
    found = plain("".join(word.text for word in heard))
    assert len(set(spoken) - set(found)) <= 3
    assert abs(len(found) - len(spoken)) <= 3


def test_words_lie_where_they_were_said(heard: list[Word]) -> None:
    """A word in the wrong utterance would get the wrong speaker."""
    for _, start, end, text in rows():
        inside = plain("".join(w.text for w in heard if start - 0.2 <= (w.start + w.end) / 2 <= end + 0.2))
        missing = [word for word in plain(text) if word not in inside]
        assert len(missing) <= 1, start


def test_words_are_in_order_inside_the_sound(heard: list[Word], clip: Audio) -> None:
    assert [w.start for w in heard] == sorted(w.start for w in heard)
    assert all(0 <= w.start <= w.end <= clip.duration for w in heard)
    assert all(w.speaker is None and w.text.strip() for w in heard)


def test_the_same_sound_gives_the_same_words(heard: list[Word], clip: Audio) -> None:
    """However many threads a worker process gets."""
    assert WhisperTranscriber(threads=1).transcribe(clip, find_speech(clip)) == heard


def test_the_weights_say_what_they_are(transcriber: WhisperTranscriber) -> None:
    implemented: Transcriber = transcriber
    assert implemented.label == "whisper tiny.en 1a5afae0"
    assert implemented.is_draft


def test_no_speech_gives_no_words(transcriber: WhisperTranscriber, clip: Audio) -> None:
    assert transcriber.transcribe(clip, []) == []


def test_progress_runs_to_the_end(transcriber: WhisperTranscriber, clip: Audio) -> None:
    seen: list[tuple[str, float]] = []
    transcriber.transcribe(clip, find_speech(clip)[:2], progress=lambda stage, done: seen.append((stage, done)))
    assert {stage for stage, _ in seen} == {"words"}
    assert [done for _, done in seen] == sorted(done for _, done in seen)
    assert seen[-1][1] == 1.0


def test_each_channel_is_heard_by_itself(tmp_path: Path, transcriber: WhisperTranscriber, clip: Audio) -> None:
    """Telephone recorders: the channel says who speaks, without any diarisation, overlaps included."""
    sound = clip.read(0, clip.duration)
    channels = np.zeros((2, len(sound)), dtype=np.float32)
    for speaker, start, end, _ in rows():
        first, last = int((start - 0.05) * RATE), int((end + 0.05) * RATE)
        channels[0 if speaker == "WORKER" else 1, first:last] = sound[first:last]
    path = tmp_path / "call.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((channels.T * 32767).astype("<i2").tobytes())
    with decode(path) as audio:
        assert audio.channels == 2
        words = transcriber.transcribe(audio, find_speech(audio))
    assert [w.start for w in words] == sorted(w.start for w in words)
    for name, speaker in (("S1", "WORKER"), ("S2", "MUM")):
        spoken = plain(" ".join(row[3] for row in rows() if row[0] == speaker))
        found = plain("".join(w.text for w in words if w.speaker == name))
        assert len(set(spoken) - set(found)) <= 4
        assert abs(len(found) - len(spoken)) <= 3


def test_speech_that_was_passed_over_gets_a_second_look(
    transcriber: WhisperTranscriber, clip: Audio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whisper may stop before its window ends; what it left out must not be lost."""
    real = transcriber._decode_batch
    calls: list[Span] = []

    def stops_early(audio: Audio, batch: list[Span], channel: int | None) -> list[Word]:
        calls.extend(batch)
        words = real(audio, batch, channel)
        return [w for w in words if w.end < 9] if len(calls) == len(batch) else words

    monkeypatch.setattr(transcriber, "_decode_batch", stops_early)
    words = transcriber.transcribe(clip, find_speech(clip))
    assert len(calls) > 1
    assert calls[-1].start >= 8
    assert "moaned" in plain("".join(w.text for w in words if w.start > 12))


def test_nothing_is_invented_in_a_long_pause(tmp_path: Path, transcriber: WhisperTranscriber, clip: Audio) -> None:
    """Whisper writes "Thank you for watching" over hum and rustling; nobody said it."""
    sound = clip.read(0, 6.7)
    random, count = np.random.default_rng(5), 20 * RATE
    pause = 0.05 * np.sin(2 * np.pi * 100 * np.arange(count) / RATE) + random.normal(0, 0.01, count)
    path = tmp_path / "pause.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.concatenate([sound, pause, sound]) * 32767).astype("<i2").tobytes())
    with decode(path) as audio:
        words = transcriber.transcribe(audio, find_speech(audio))
    assert not [w for w in words if 7 < w.start < 26.5]
    assert len([w for w in words if w.start < 7]) > 10
    assert len([w for w in words if w.start > 26.5]) > 10


def test_harmed_weights_are_refused_before_loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is not the one we know is never handed to the engine."""
    folder = tmp_path / "model"
    shutil.copytree(weights.find("embedded").path, folder)
    (folder / "model.bin").write_bytes(b"not the weights")
    monkeypatch.setattr(weights, "_installed", lambda wanted: folder if wanted.module else None)
    with pytest.raises(WrongHash, match=r"model\.bin is not the file"):
        WhisperTranscriber()


def test_a_folder_that_is_no_model_fails_as_ours(tmp_path: Path, clip: Audio) -> None:
    (tmp_path / "model.bin").write_bytes(b"nonsense")
    with pytest.raises(TranscriptionFailed, match="do not load as a Whisper model"):
        WhisperTranscriber(str(tmp_path)).transcribe(clip, [Span(start=0, end=5)])


def test_a_folder_of_ones_own_works(tmp_path: Path, clip: Audio, heard: list[Word]) -> None:
    """Any model converted for CTranslate2; it is not called a draft, since we do not know it."""
    folder = tmp_path / "my-whisper"
    shutil.copytree(weights.find("embedded").path, folder)
    own = WhisperTranscriber(str(folder), threads=2)
    assert own.label == "whisper my-whisper 1a5afae0"
    assert own.transcribe(clip, find_speech(clip)) == heard


@pytest.mark.parametrize(
    ("model", "error", "said"),
    [
        ("small.en", ModelNotFound, r"msw models pull small\.en"),
        ("somebody/some-whisper", ModelNotFound, "msw models pull somebody/some-whisper"),
        ("/nowhere/model", ModelNotFound, "no folder /nowhere/model"),
        ("gigantic", UnknownName, "small.en"),
    ],
)
def test_absent_weights_say_how_to_get_them(model: str, error: type[Exception], said: str) -> None:
    """Nothing is downloaded behind anybody's back."""
    with pytest.raises(error, match=said):
        WhisperTranscriber(model)


def test_another_language_needs_another_model(clip: Audio) -> None:
    with pytest.raises(TranscriptionFailed, match="knows English only"):
        WhisperTranscriber(language="cy").transcribe(clip, [Span(start=0, end=5)])
