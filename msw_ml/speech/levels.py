"""How loud a recording is, frame by frame: gain, mixdown, and whether each channel is one speaker's.

A frame is 20 ms. Levels are kept as root mean square of full scale (1.0), one row a channel; four hours
of two channels are 6 MB.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FRAMES_PER_SECOND = 50

TARGET_DBFS = -27.0
"""Level of active speech after levelling: speech peaks stay some 10 dB below full scale."""
MAX_GAIN_DB = 40.0
"""Beyond this the noise of 16-bit sound itself becomes audible (-98 + 40 dBFS)."""
ACTIVE_RANGE_DB = 20.0
"""A frame is active when it is at most this far below the loud frames of its channel (their 95th percentile)."""
LEAST_DYNAMICS_DB = 10.0
"""Speech comes and goes: a channel whose loud and quiet frames differ by less holds only noise or hum."""
QUIETEST_DBFS = -70.0
"""A channel whose loud frames are below this has nothing plugged in."""
DOMINANCE_DB = 10.0
"""A frame belongs to one channel when it is there this much louder, each channel taken at its own level.
Microphones of one stereo recorder differ by 3 to 6 dB on the same voice."""
LEAST_DOMINATED = 0.6
"""Share of active frames that must belong to one channel or the other, for a speaker a channel."""
LEAST_SHARE = 0.05
"""Share of active frames that each of the two channels must own."""

_FLOOR = 1e-5  # -100 dBFS: below what 16 bits can hold

MIXES = ((0.5, 0.5), (0.5, -0.5))
"""Sum and difference of two channels."""

Levels = NDArray[np.float32]
"""Shape (channels, frames), root mean square of full scale."""


def to_db(levels: Levels) -> NDArray[np.float32]:
    """Decibels relative to full scale, digital silence at -100."""
    return np.asarray(20 * np.log10(np.maximum(levels, _FLOOR)), dtype=np.float32)


def active_level(levels: Levels) -> float:
    """Level in dBFS of one channel's active frames (mean power); -100 for digital silence.

    Takes shape (frames,). The idea is ITU-T P.56's: pauses must not make a talker seem quiet.
    """
    sounding = levels[levels > _FLOOR]
    if sounding.size == 0:
        return -100.0
    loud = float(np.percentile(to_db(sounding), 95))
    active = sounding[to_db(sounding) >= loud - ACTIVE_RANGE_DB]
    tamed = np.minimum(active, 10 ** (loud / 20))  # one slammed door must not make an hour of speech seem loud
    return float(10 * np.log10(np.mean(np.square(tamed, dtype=np.float64))))


def gain(levels: Levels) -> float:
    """Factor that brings one channel's active speech to `TARGET_DBFS`; 1 for digital silence."""
    level = active_level(levels)
    if level <= -100.0:
        return 1.0
    return float(10 ** (min(TARGET_DBFS - level, MAX_GAIN_DB) / 20))


def is_live(levels: Levels) -> bool:
    """Whether one channel carries something that comes and goes as speech does."""
    if levels.size == 0:
        return False
    db = to_db(levels)
    quiet, loud = np.percentile(db, [10, 99])
    return bool(loud > QUIETEST_DBFS and loud - quiet >= LEAST_DYNAMICS_DB)


def has_speaker_a_channel(levels: Levels) -> bool:
    """Whether two channels carry one speaker each, as telephone recorders and lapel microphones make them.

    Ordinary stereo and dual mono carry the same voices on both sides, so the level difference stays near
    zero; a speaker a channel makes it swing from one side to the other. Two speakers who talk at the same
    time all along cannot be told from stereo by this, except by how much their levels differ from frame
    to frame.
    """
    if levels.shape[0] != 2 or not all(is_live(channel) for channel in levels):
        return False
    db = to_db(levels) - np.array([[active_level(channel)] for channel in levels], dtype=np.float32)
    active = db.max(axis=0) >= -ACTIVE_RANGE_DB / 2
    difference = (db[0] - db[1])[active]
    if difference.size == 0:
        return False
    first, second = float(np.mean(difference >= DOMINANCE_DB)), float(np.mean(difference <= -DOMINANCE_DB))
    return first + second >= LEAST_DOMINATED and min(first, second) >= LEAST_SHARE


def choose_mix(levels: Levels, mixes: Levels) -> tuple[tuple[float, ...], Levels]:
    """How the channels go into the mono mix, and how loud that mix is, frame by frame.

    A dead second channel is left out. The difference of two channels is taken where it is much louder than their
    sum: a miswired plug turns one of them over, and the sum would erase the voices.
    """
    if levels.shape[0] == 1:
        return (1.0,), levels[0]
    live = [is_live(channel) for channel in levels]
    if live[0] != live[1]:
        alive = int(live[1])
        return ((1.0, 0.0), (0.0, 1.0))[alive], levels[alive]
    is_turned_over = active_level(mixes[1]) > active_level(mixes[0]) + DOMINANCE_DB
    return MIXES[is_turned_over], mixes[int(is_turned_over)]


class LevelMeter:
    """What decoding learns on the way: how many samples there are, and the level of each frame."""

    def __init__(self, channels: int, rate_hz: int) -> None:
        self._frame = rate_hz // FRAMES_PER_SECOND
        self.channels = channels
        self._frames: list[NDArray[np.float32]] = []
        self._rest = np.zeros((channels, 0), dtype=np.float32)
        self.samples = 0

    def add(self, block: NDArray[np.int16]) -> None:
        """Takes shape (channels, n)."""
        self.samples += block.shape[1]
        sound = np.concatenate([self._rest, block.astype(np.float32) / 32768], axis=1)
        whole = sound.shape[1] // self._frame * self._frame
        self._rest = sound[:, whole:]
        heard = sound[:, :whole]
        if self.channels == 2:
            heard = np.concatenate([heard, np.asarray(MIXES, dtype=np.float32) @ heard])
        self._frames.append(np.sqrt(np.mean(np.square(heard.reshape(len(heard), -1, self._frame)), axis=2)))

    @property
    def levels(self) -> tuple[Levels, Levels]:
        """Levels of the channels, and of their `MIXES` where there are two; shape (rows, frames) each."""
        rows = np.concatenate(self._frames, axis=1)
        return rows[: self.channels], rows[self.channels :]
