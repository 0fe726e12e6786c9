"""Decoding: whatever people record comes out as levelled 16 kHz sound, and what cannot be used says why."""

from __future__ import annotations

import os
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from msw_ml.errors import OutputError, UnreadableInput
from msw_ml.speech import levels
from msw_ml.speech.audio import Segment, choose_segment, decode

RATE = 16_000


def voice(seconds: float, seed: int = 0, level: float = 0.1) -> NDArray[np.float32]:
    """Noise in syllables, three a second: as lively as speech, and different for each seed."""
    random = np.random.default_rng(seed)
    count = round(seconds * RATE)
    beat = np.clip(np.sin(2 * np.pi * 3 * np.arange(count) / RATE + seed), 0, 1)
    return (random.normal(0, level, count) * beat).astype(np.float32)


def write_wav(path: Path, *channels: NDArray[np.float32], rate: int = RATE) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(np.stack(channels, axis=1), -1, 1) * 32767).astype("<i2").tobytes())
    return path


def write(path: Path, sound: NDArray[np.float32], codec: str, rate: int, layout: str, video: bool = False) -> Path:
    """Any container and codec, from 16 kHz mono."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        if video:
            picture = container.add_stream("mpeg4", rate=5)
            picture.width = picture.height = 64
            picture.pix_fmt = "yuv420p"
            for index in range(5):
                frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))
                frame.pts, frame.time_base = index, Fraction(1, 5)
                container.mux(picture.encode(frame))
            container.mux(picture.encode(None))
        frame = av.AudioFrame.from_ndarray((sound[None] * 32767).astype(np.int16), format="s16p", layout="mono")
        frame.sample_rate = RATE
        resampler = av.AudioResampler(format=stream.codec_context.format or "s16", layout=layout, rate=rate)
        fifo = av.AudioFifo()
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            piece.pts = None
            fifo.write(piece)
        size = stream.codec_context.frame_size or 1024
        position = 0
        while (piece := fifo.read(size, partial=True)) is not None:
            piece.pts, piece.time_base = position, Fraction(1, rate)
            position += piece.samples
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "codec", "rate", "layout"),
    [
        ("a.wav", "pcm_s16le", 16_000, "mono"),
        ("a.wav", "pcm_mulaw", 8_000, "mono"),
        ("a.wav", "pcm_s24le", 48_000, "stereo"),
        ("a.flac", "flac", 44_100, "stereo"),
        ("a.mp3", "libmp3lame", 44_100, "mono"),
        ("a.m4a", "aac", 48_000, "stereo"),
        ("a.ogg", "libopus", 48_000, "stereo"),
        ("a.opus", "libopus", 48_000, "mono"),
        ("a.mp4", "aac", 44_100, "stereo"),
        ("a.mov", "pcm_s16le", 48_000, "stereo"),
        ("a.mkv", "libopus", 48_000, "stereo"),
        ("ein Besuch – Łódź.mp3", "libmp3lame", 22_050, "mono"),
    ],
)
def test_every_usual_recording_decodes(tmp_path: Path, name: str, codec: str, rate: int, layout: str) -> None:
    """Phones, recorders, video calls and old telephone systems: 16 kHz mono with the voice where it was."""
    sound = np.concatenate([np.zeros(RATE, np.float32), voice(2), np.zeros(RATE, np.float32)])
    path = write(tmp_path / name, sound, codec, rate, layout, video=name.endswith((".mp4", ".mov")))
    with decode(path) as audio:
        assert audio.source == name
        assert audio.channels == 1
        assert audio.duration == pytest.approx(4, abs=0.15)
        assert np.abs(audio.read(0.2, 0.8)).max() < 0.02
        assert np.abs(audio.read(1.2, 2.8)).max() > 0.1


def test_ten_channels_become_their_mean(tmp_path: Path) -> None:
    """An array microphone's file is one voice, not an error."""
    path = write_wav(tmp_path / "array.wav", *[voice(2)] * 10)
    with decode(path) as audio:
        assert audio.channels == 1
        assert audio.duration == 2
        assert np.abs(audio.read(0, 2)).max() > 0.1


@pytest.mark.parametrize("level", [0.001, 0.02, 0.3])
def test_quiet_and_loud_recordings_reach_the_same_level(tmp_path: Path, level: float) -> None:
    """A phone at the far end of a room must not lose its speech to the voice activity detector."""
    with decode(write_wav(tmp_path / "v.wav", voice(4, level=level))) as audio:
        sound = audio.read(0, 4)
        frames = np.sqrt(np.mean(np.square(sound.reshape(-1, 320)), axis=1))
        assert levels.active_level(frames) == pytest.approx(levels.TARGET_DBFS, abs=1)


def test_a_bang_neither_lowers_the_voice_nor_leaves_the_scale(tmp_path: Path) -> None:
    """One slammed door does not decide the level of an hour of speech."""
    sound = voice(10, level=0.01)
    sound[RATE : RATE + 200] = 1.0
    with decode(write_wav(tmp_path / "bang.wav", sound)) as audio:
        heard = audio.read(0, 10)
        assert np.abs(heard).max() <= 1
        assert np.sqrt(np.mean(np.square(heard[5 * RATE :]))) > 0.01


def test_digital_silence_stays_silent(tmp_path: Path) -> None:
    with decode(write_wav(tmp_path / "zero.wav", np.zeros(RATE, np.float32))) as audio:
        assert not audio.read(0, 1).any()


def alternating() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Two voices that take turns of two seconds."""
    turns = np.repeat([1, 0, 1, 0, 1, 0], 2 * RATE).astype(np.float32)
    return voice(12, seed=1) * turns, voice(12, seed=2) * (1 - turns)


def test_a_speaker_a_channel_is_recognised(tmp_path: Path) -> None:
    """Telephone recorders: each side is read and levelled by itself."""
    left, right = alternating()
    with decode(write_wav(tmp_path / "call.wav", left, 0.05 * right)) as audio:
        assert audio.channels == 2
        for channel, start in ((0, 0.0), (1, 2.0)):
            heard = audio.read(start, start + 2, channel)
            assert 20 * np.log10(np.sqrt(np.mean(np.square(heard)))) > -40
            assert np.abs(audio.read(start, start + 2, 1 - channel)).max() < 0.01


def test_leaking_lapel_microphones_are_a_speaker_a_channel(tmp_path: Path) -> None:
    left, right = alternating()
    with decode(write_wav(tmp_path / "lapel.wav", left + 0.1 * right, right + 0.1 * left)) as audio:
        assert audio.channels == 2


@pytest.mark.parametrize("case", ["dual mono", "ordinary stereo", "one silent", "one humming", "turned over"])
def test_other_stereo_is_mixed_down(tmp_path: Path, case: str) -> None:
    """Dual mono, a stereo recorder, a dead or humming channel, a miswired plug: one mix with the voices in it."""
    left, right = alternating()
    both = left + right
    hum = (0.02 * np.sin(2 * np.pi * 50 * np.arange(len(both)) / RATE)).astype(np.float32)
    pair = {
        "dual mono": (both, both),
        "ordinary stereo": (left + 0.6 * right, np.roll(0.6 * left + right, 8)),
        "one silent": (np.zeros_like(both), both),
        "one humming": (both, hum),
        "turned over": (both, -both),
    }[case]
    with decode(write_wav(tmp_path / "stereo.wav", *pair)) as audio:
        assert audio.channels == 1
        heard = audio.read(0, 12)
        assert levels.active_level(np.sqrt(np.mean(np.square(heard.reshape(-1, 320)), axis=1))) == pytest.approx(
            levels.TARGET_DBFS, abs=2
        )


@pytest.mark.shared
def test_real_stereo_files_are_told_apart(shared: Path) -> None:
    folder = shared / "audio" / "faster_whisper_tests"
    for name, channels in (("jfk.flac", 1), ("hotwords.mp3", 1), ("stereo_diarization.wav", 2)):
        with decode(folder / name) as audio:
            assert audio.channels == channels, name


def test_the_same_stretch_comes_out_however_it_is_read(tmp_path: Path) -> None:
    """Engines that read in pieces hear what engines that read at once hear."""
    with decode(write_wav(tmp_path / "v.wav", voice(5))) as audio:
        whole = audio.read(0, 5)
        pieces = np.concatenate([block for _, block in audio.blocks(0.7)])
        assert np.array_equal(whole, pieces)
        assert np.array_equal(audio.read(1, 2), whole[RATE : 2 * RATE])
        assert len(audio.read(4.5, 99)) == RATE // 2
        assert len(audio.read(7, 9)) == 0


def test_a_segment_keeps_the_times_of_the_whole_recording(tmp_path: Path) -> None:
    """Coders compare with the recording they have: minute 12 stays minute 12. Outside the segment is silence."""
    with decode(write_wav(tmp_path / "v.wav", voice(10)), Segment(minutes=0.05, seed=4)) as audio:
        assert audio.duration == 10
        assert audio.held.duration == pytest.approx(3)
        assert np.abs(audio.read(audio.held.start, audio.held.end)).max() > 0.1
        assert len(audio.read(0, 10)) == 10 * RATE
        assert not audio.read(0, audio.held.start).any()
        assert not audio.read(audio.held.end, 10).any()


def test_segments_are_chosen_by_seed() -> None:
    """Two people who give the same seed score the same minutes; another seed gives others."""
    first = choose_segment(3600, 20, 1)
    assert first == choose_segment(3600, 20, 1)
    assert first != choose_segment(3600, 20, 2)
    assert first.duration == 1200
    assert 0 <= first.start <= 2400
    short = choose_segment(300, 20, 1)
    assert (short.start, short.end) == (0, 300)


def test_decoded_sound_is_private_and_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No speech is left in the temporary folder, whatever ends the program."""
    source = write_wav(tmp_path / "v.wav", voice(2))
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with decode(source) as audio:
        assert os.fstat(audio._pcm.fileno()).st_mode & 0o077 == 0
        assert list(folder.iterdir()) == []
    with pytest.raises(ValueError, match="closed"):
        audio.read(0, 1)


def unusable(tmp_path: Path, case: str) -> Path:
    path = tmp_path / "visit.wav"
    whole = write_wav(tmp_path / "whole.wav", voice(60))
    match case:
        case "empty":
            path.write_bytes(b"")
        case "zero length":
            write_wav(path, np.zeros(0, np.float32))
        case "truncated":
            path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 3])
        case "text":
            path.write_text("Notes of the visit, which somebody saved under the wrong name.\n" * 50)
        case "playlist":
            path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:60\n#EXTINF:60,\n{whole}\n#EXT-X-ENDLIST\n")
        case "folder":
            path.mkdir()
        case "noise":
            path.write_bytes(np.random.default_rng(1).bytes(50_000))
        case "no sound":
            path = path.with_suffix(".png")
            with av.open(str(path), "w", format="image2") as container:
                stream = container.add_stream("png", rate=1)
                stream.width = stream.height = 16
                stream.pix_fmt = "rgb24"
                container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8))))
                container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("empty", "is empty"),
        ("zero length", "holds no sound"),
        ("truncated", r"cut off: its header promises 0:01:00, only 0:00:20"),
        ("text", "not a sound or video file"),
        ("playlist", "visit"),
        ("folder", "is a folder"),
        ("noise", "visit"),
        ("no sound", "has no sound in it"),
        ("absent", "is not there"),
    ],
)
def test_what_cannot_be_used_says_why(tmp_path: Path, case: str, said: str) -> None:
    """The message names the file and what to do, and never its folder."""
    path = unusable(tmp_path, case)
    with pytest.raises(UnreadableInput, match=said) as raised:
        decode(path)
    assert str(raised.value).startswith(path.name)
    assert str(tmp_path) not in str(raised.value)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="this user may read everything")
def test_a_file_without_permission_says_so(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "v.wav", voice(1))
    path.chmod(0)
    with pytest.raises(UnreadableInput, match="may not be read"):
        decode(path)


def test_a_short_loss_at_the_end_is_a_warning(tmp_path: Path) -> None:
    """95 % of a visit is scored, and the report says that its end is missing."""
    whole = write_wav(tmp_path / "whole.wav", voice(60))
    path = tmp_path / "visit.wav"
    path.write_bytes(whole.read_bytes()[: round(whole.stat().st_size * 0.95)])
    with decode(path) as audio:
        assert audio.duration == pytest.approx(57, abs=0.1)
        assert audio.warnings == ("The file ends early: 0:00:57 of 0:01:00 could be decoded.",)


def test_a_cut_off_mp3_is_a_warning(tmp_path: Path) -> None:
    """Its stated length may be a guess: not sure enough to refuse it, too grave to keep quiet."""
    whole = write(tmp_path / "whole.mp3", voice(60), "libmp3lame", 44_100, "mono").read_bytes()
    path = tmp_path / "visit.mp3"
    path.write_bytes(whole[: len(whole) // 2])
    with decode(path) as audio:
        assert audio.warnings == ("The file ends early: 0:00:30 of 0:01:00 could be decoded.",)


def test_a_wrong_extension_does_not_matter(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp3", voice(2), "libmp3lame", 44_100, "mono").rename(tmp_path / "a.wav")
    with decode(path) as audio:
        assert audio.duration == pytest.approx(2, abs=0.1)


def test_a_full_temporary_folder_says_what_to_do(tmp_path: Path) -> None:
    """An hour decodes to 115 MB: the disk can be full there though the output folder is not."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    from msw_ml.speech import audio as module

    path = write_wav(tmp_path / "v.wav", voice(3))
    with (
        path.open("rb") as file,
        Path("/dev/full").open("r+b", buffering=0) as full,
        pytest.raises(OutputError, match="TMPDIR"),
    ):
        module._decode(path.name, file, full, None)
