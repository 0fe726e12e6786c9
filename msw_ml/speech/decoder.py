"""The first sound stream of a file, resampled: everything that touches FFmpeg's libraries."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from msw_ml.errors import UnreadableInput

RATE_HZ = 16_000
LONGEST_CHUNK = 1 << 20
"""Bytes; recorders' notes before the sound are shorter."""
EXACT_CONTAINERS = frozenset({"wav", "w64", "flac", "mov", "aiff", "caf"})
"""Containers whose header states the length."""
GUESSING_CONTAINERS = frozenset({"mp3", "matroska"})
"""Containers whose stated length may be another thing: mp3's may be guessed from its bit rate, matroska's is that
of the picture. What is cut off others (ogg, aac) cannot be known: they state no length at all."""


class SoundStream:
    """The first sound stream of an open file, as int16 blocks of shape (1 or 2, n) at 16 kHz."""

    def __init__(self, name: str, file: IO[bytes]) -> None:
        self.damaged = 0
        wav_seconds = _wav_seconds(file)
        try:
            # the file is handed over open, and no protocol may open another
            self._container = av.open(file, metadata_errors="ignore", options={"protocol_whitelist": "none"})
        except (av.error.FFmpegError, ValueError) as error:
            raise UnreadableInput(
                f"{name} is not a sound or video file, or its beginning or end is missing; "
                f"play it to check, and copy it again from the recorder"
            ) from error
        if not self._container.streams.audio:
            self._container.close()
            raise UnreadableInput(f"{name} has no sound in it; check that it is the right recording")
        self._stream = self._container.streams.audio[0]
        self.promised = wav_seconds or self._promised()
        """Seconds that the header states; `None` for containers that state no length."""
        self.is_exact = self._is_one_of(EXACT_CONTAINERS)

    def blocks(self) -> Iterator[NDArray[np.int16]]:
        """Blocks of about a second; damaged pieces are left out and counted in `damaged`."""
        channels: int | None = None
        waiting: list[NDArray[np.int16]] = []
        for piece in self._pieces():
            channels = channels or (2 if piece.shape[0] == 2 else 1)
            waiting.append(_fit(piece, channels))
            if sum(part.shape[1] for part in waiting) >= RATE_HZ:
                yield np.concatenate(waiting, axis=1)
                waiting = []
        if waiting:
            yield np.concatenate(waiting, axis=1)

    def close(self) -> None:
        self._container.close()

    def _promised(self) -> float | None:
        if not self._is_one_of(EXACT_CONTAINERS | GUESSING_CONTAINERS):
            return None
        if self._stream.duration is not None and self._stream.time_base is not None:
            return float(self._stream.duration * self._stream.time_base)
        duration = self._container.duration
        return None if duration is None else duration / av.time_base

    def _is_one_of(self, containers: frozenset[str]) -> bool:
        return not containers.isdisjoint(self._container.format.name.split(","))

    def _pieces(self) -> Iterator[NDArray[np.int16]]:
        resampler: av.AudioResampler | None = None
        shape: tuple[object, ...] | None = None
        for frame in self._frames():
            frame.pts = None  # a gap in the time stamps is not silence
            if resampler is None or shape != (frame.format.name, frame.layout.name, frame.sample_rate):
                if resampler is not None:
                    yield from _flushed(resampler)
                shape = (frame.format.name, frame.layout.name, frame.sample_rate)
                resampler = av.AudioResampler(format="s16", rate=RATE_HZ)
            for resampled in resampler.resample(frame):
                yield _samples(resampled)
        if resampler is not None:
            yield from _flushed(resampler)

    def _frames(self) -> Iterator[av.AudioFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:  # the container itself breaks off here
                self.damaged += 1
                return
            try:
                yield from packet.decode()
            except av.error.FFmpegError:
                self.damaged += 1


def _wav_seconds(file: IO[bytes]) -> float | None:
    """Seconds that a wav file's header promises; FFmpeg's own figure is cut to the size of the file.

    `None` for other files, and where a recorder left the length open (0 or all ones).
    """
    file.seek(0)
    riff = file.read(12)
    rate = 0
    seconds = None
    while riff[:4] == b"RIFF" and riff[8:] == b"WAVE" and len(head := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", head)
        if name == b"data":
            seconds = size / rate if rate and 0 < size < 0xFFFFFFFF else None
            break
        body = file.read(min(size + size % 2, LONGEST_CHUNK))
        if name == b"fmt " and len(body) >= 12:
            rate = struct.unpack("<I", body[8:12])[0]  # bytes a second
    file.seek(0)
    return seconds


def _flushed(resampler: av.AudioResampler) -> Iterator[NDArray[np.int16]]:
    for frame in resampler.resample(None):
        yield _samples(frame)


def _samples(frame: av.AudioFrame) -> NDArray[np.int16]:
    """Shape (channels, n). Interleaved and parted here: PyAV 18 crashes on planes beyond the eighth channel."""
    interleaved: NDArray[np.int16] = frame.to_ndarray().reshape(-1, frame.layout.nb_channels)
    return interleaved.T


def _fit(piece: NDArray[np.int16], channels: int) -> NDArray[np.int16]:
    """Brings a piece to 1 or 2 channels: more than two become their mean."""
    if piece.shape[0] == channels:
        return piece
    mean = piece.astype(np.int32).mean(axis=0, keepdims=True).astype(np.int16)
    return np.repeat(mean, channels, axis=0)
