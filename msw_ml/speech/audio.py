"""Decoded sound on disk: any file that FFmpeg's libraries read, as 16 kHz 16-bit samples, never whole in memory.

Decoding goes once through the file into a private temporary file that has no name (mode 0600, gone
with its handle, even after `kill -9`). Four hours of one channel take 460 MB there. Nothing but the file that
was handed in is opened: a playlist that names other files or addresses is refused.
"""

from __future__ import annotations

import os
import random
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import av.error
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from msw_ml.errors import OutputError, UnreadableInput
from msw_ml.session import Span, Value
from msw_ml.speech import levels
from msw_ml.speech.decoder import RATE_HZ, SoundStream
from msw_ml.speech.levels import LevelMeter

SAMPLE_BYTES = 2

LEAST_DECODED = 0.9
"""A file of which less than this share of the promised length can be decoded is refused: counts and ratings
of the first half of a visit would look like those of a visit. Above it, the loss is a warning."""
NEGLIGIBLE_LOSS = 2.0
"""Seconds missing at the end that no one needs to hear about: containers round their length up."""


class Segment(Value):
    """A random stretch of so many minutes, as coders of long sessions take it (`--segment 20 --seed 1`)."""

    minutes: float = Field(gt=0)
    seed: int = 1


def choose_segment(duration: float, minutes: float, seed: int) -> Span:
    """A stretch of `minutes` anywhere in a recording of `duration` seconds; all of it where it is shorter.

    The same duration, minutes and seed give the same stretch; recordings of other lengths get another place.
    """
    length = minutes * 60
    if length >= duration:
        return Span(start=0, end=duration)
    start = random.Random(f"{seed} {duration:.1f}").uniform(0, duration - length)  # noqa: S311 – a sample, not a secret
    start = float(int(start))
    return Span(start=start, end=start + length)


class Audio:
    """One recording, decoded and levelled: `read` gives any stretch of it as float32.

    source      the input's file name, never its folder
    duration    seconds of the whole recording
    channels    2 only where a speaker a channel was recognised, else 1: the mixdown
    held        the part that is heard: all of it, or the chosen segment. All times, here and in what engines
                return, are those of the whole recording; outside `held` there is silence.
    warnings    sentences for the reader of the report about what could not be decoded
    """

    rate_hz = RATE_HZ

    def __init__(self, source: str, pcm: IO[bytes], measured: LevelMeter, segment: Segment | None = None) -> None:
        self.source = source
        self.warnings: tuple[str, ...] = ()
        self._pcm = pcm
        self._lock = threading.Lock()
        self._stored = measured.channels
        self._samples = measured.samples
        self.duration = self._samples / RATE_HZ
        self.held = (
            Span(start=0, end=self.duration)
            if segment is None
            else choose_segment(self.duration, segment.minutes, segment.seed)
        )
        first, last = (int(edge * levels.FRAMES_PER_SECOND) for edge in (self.held.start, self.held.end))
        channels, mixes = (rows[:, first : last + 1] for rows in measured.levels)
        self.channels = 2 if levels.has_speaker_a_channel(channels) else 1
        self._gains = tuple(levels.gain(channel) for channel in channels)
        self._weights, mix = levels.choose_mix(channels, mixes)
        self._mix_gain = levels.gain(mix)

    def read(self, start: float, end: float, channel: int | None = None) -> NDArray[np.float32]:
        """Samples from `start` to `end` seconds, shape (n,), active speech at about -27 dBFS, limited to ±1.

        `channel` None is the mono mix; 0 or 1 is one speaker's channel, levelled by itself. What lies
        outside the recording is left off; what lies outside `held` is silence.
        """
        first, last = (min(max(round(edge * RATE_HZ), 0), self._samples) for edge in (start, end))
        if last <= first:
            return np.zeros(0, dtype=np.float32)
        held_first, held_last = round(self.held.start * RATE_HZ), round(self.held.end * RATE_HZ)
        samples = np.zeros(last - first, dtype=np.float32)
        inner_first, inner_last = max(first, held_first), min(last, held_last)
        if inner_last > inner_first:
            samples[inner_first - first : inner_last - first] = self._levelled(inner_first, inner_last, channel)
        return samples

    def blocks(self, seconds: float, channel: int | None = None) -> Iterator[tuple[float, NDArray[np.float32]]]:
        """The held part as (start, samples) blocks of so many seconds, the last one shorter."""
        start = self.held.start
        while start < self.held.end:
            end = min(start + seconds, self.held.end)
            yield start, self.read(start, end, channel)
            start = end

    def close(self) -> None:
        """Deletes the decoded sound."""
        self._pcm.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _levelled(self, first: int, last: int, channel: int | None) -> NDArray[np.float32]:
        width = self._stored * SAMPLE_BYTES
        with self._lock:  # not a memory map: mapped pages would count as this process's memory
            self._pcm.seek(first * width)
            raw = self._pcm.read((last - first) * width)
        stored = np.frombuffer(raw, dtype="<i2").reshape(-1, self._stored)
        if channel is None:
            mixed = stored @ np.asarray(self._weights, dtype=np.float32)
            factor = self._mix_gain
        else:
            mixed = stored[:, channel].astype(np.float32)
            factor = self._gains[channel]
        # speech peaks stay below full scale at this level; what is cut off are bangs
        return np.asarray(np.clip(mixed * np.float32(factor / 32768), -1, 1), dtype=np.float32)


def decode(path: Path, segment: Segment | None = None) -> Audio:
    """Decodes a sound or video file, whatever its name ends in.

    More than two channels become their mean. Raises `UnreadableInput` where there is no sound to be
    had, or too little of what the header promises, and `OutputError` where the temporary folder is full.
    """
    pcm = _temporary(path.name)
    try:
        with _opened(path) as file:
            return _decode(path.name, file, pcm, segment)
    except BaseException:
        pcm.close()
        raise


def _temporary(name: str) -> IO[bytes]:
    try:
        return tempfile.TemporaryFile(prefix="msw-")
    except OSError as error:
        raise _no_room(name, error) from error


def _no_room(name: str, error: OSError) -> OutputError:
    return OutputError(
        f"{name}: its decoded sound could not be written to the temporary folder ({os.strerror(error.errno or 0)}); "
        f"free some space there or set TMPDIR to a folder with more"
    )


def _opened(path: Path) -> IO[bytes]:
    try:
        if path.is_dir():
            raise UnreadableInput(f"{path.name} is a folder, not a recording")
        file = path.open("rb")
    except FileNotFoundError as error:
        raise UnreadableInput(f"{path.name} is not there; check its path") from error
    except PermissionError as error:
        raise UnreadableInput(f"{path.name} may not be read by you; ask its owner for permission") from error
    except OSError as error:
        raise UnreadableInput(f"{path.name} cannot be read: {os.strerror(error.errno or 0)}") from error
    if os.fstat(file.fileno()).st_size == 0:
        file.close()
        raise UnreadableInput(f"{path.name} is empty (0 bytes); copy it again from the recorder")
    return file


def _decode(name: str, file: IO[bytes], pcm: IO[bytes], segment: Segment | None) -> Audio:
    measured: LevelMeter | None = None
    stream = SoundStream(name, file)
    try:
        for block in stream.blocks():
            if measured is None:
                measured = LevelMeter(block.shape[0], RATE_HZ)
            measured.add(block)
            pcm.write(np.ascontiguousarray(block.T).tobytes())
        pcm.flush()
    except av.error.FFmpegError as error:  # before OSError: some are both
        raise UnreadableInput(
            f"{name} could not be decoded ({error.strerror}); convert it to wav and try again"
        ) from error
    except OSError as error:
        raise _no_room(name, error) from error
    finally:
        stream.close()
    if measured is None or measured.samples == 0:
        raise UnreadableInput(f"{name} holds no sound (0 seconds could be decoded); copy it again from the recorder")
    audio = Audio(name, pcm, measured, segment)
    audio.warnings = _loss(name, audio.duration, stream)
    return audio


def _loss(name: str, decoded: float, stream: SoundStream) -> tuple[str, ...]:
    promised = stream.promised
    is_cut = promised is not None and decoded < LEAST_DECODED * promised
    if promised is not None and is_cut and stream.is_exact:
        raise UnreadableInput(
            f"{name} is cut off: its header promises {_clock(promised)}, only {_clock(decoded)} could be decoded; "
            f"copy it again from the recorder, or, if there is no more of it, save it anew from a sound editor"
        )
    if promised is not None and (is_cut or stream.is_exact) and decoded < promised - NEGLIGIBLE_LOSS:
        return (f"The file ends early: {_clock(decoded)} of {_clock(promised)} could be decoded.",)
    if stream.damaged:
        return (f"The file is damaged: {stream.damaged} pieces of it could not be decoded and were left out.",)
    return ()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
