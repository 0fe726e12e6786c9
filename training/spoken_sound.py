"""A coded transcript as sound: its units spoken one by one, laid out in time, recorded somewhere.

Two synthetic voices speak, one a side. What a transcriber noted in brackets is not spoken, and a unit of
which nothing is left has no place in the sound.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import butter, resample_poly, sosfilt

from msw_ml.errors import BadSetting
from msw_ml.session import Role, Utterance
from training.corpora import CodedTranscript
from training.demo_visit import LEVELS_DB, RATE_HZ, SEED, Sound, in_a_room, levelled, trimmed

PAUSES = (0.25, 0.6)
"""Seconds between units, as in the invented visit."""
EDGE = 0.8
"""Seconds of silence before and after."""
BABBLE_DB = -6.0
"""Other people's talk under the speech. Chosen so that tiny.en errs about as often (measured: .139 of 11,125
words) as on a real telephone conversation (.149); synthetic voices in a quiet room are easier than people."""
TALKERS = 6

_NOTES = re.compile(r"\[[^\]]*\]|\([^)]*\)|<[^>]*>")
_VOICES = Path(__file__).with_name("spoken_voices.py")


@dataclass(frozen=True)
class SpokenSession:
    """A transcript, what of it was spoken, and the sound."""

    transcript: CodedTranscript
    utterances: tuple[Utterance, ...]
    """One for each unit that was spoken; `id` is the unit's position in the transcript, `text` what was said."""
    sound: Sound
    """Dry, 16 kHz."""
    voices: str
    """Names and versions of the voices."""


def spoken_text(text: str) -> str:
    """What a voice says of a unit: brackets left out; empty where no word is left."""
    said = re.sub(r"\s+", " ", _NOTES.sub(" ", text)).strip()
    return said if re.search(r"\w", said) else ""


def speak(transcript: CodedTranscript, python: Path, work: Path) -> SpokenSession:
    """Speaks a transcript; `python` is the interpreter of the environment that has the voices.

    What was spoken already lies in `work` and is not spoken again. Raises `BadSetting` where the
    voices do not run.
    """
    said = {place: spoken_text(unit.text) for place, unit in enumerate(transcript.units)}
    lines = [(place, transcript.units[place].role, text) for place, text in said.items() if text]
    sounds, voices = _voiced([(role, text) for _, role, text in lines], python, work)
    utterances, whole = lay_out(lines, sounds)
    return SpokenSession(transcript, tuple(utterances), whole, voices)


def lay_out(lines: Sequence[tuple[int, Role, str]], sounds: Sequence[Sound]) -> tuple[list[Utterance], Sound]:
    """Places lines (id, role, text) one after the other; a line without sound is left out."""
    random = np.random.default_rng(SEED)
    pieces: list[Sound] = [np.zeros(round(EDGE * RATE_HZ), dtype=np.float32)]
    utterances: list[Utterance] = []
    samples = len(pieces[0])
    for (id_, role, text), sound in zip(lines, sounds, strict=True):
        pause = np.zeros(round(float(random.uniform(*PAUSES)) * RATE_HZ), dtype=np.float32)
        if len(sound) < RATE_HZ // 100 or not sound.any():
            continue
        said = levelled(trimmed(sound), LEVELS_DB[_voice(role)])
        start, end = (round(at / RATE_HZ, 3) for at in (samples, samples + len(said)))
        utterances.append(Utterance(id=id_, speaker=role.value, text=text, start=start, end=end, role=role))
        pieces += [said, pause]
        samples += len(said) + len(pause)
    return utterances, np.concatenate([*pieces, pieces[0]])


def over_the_telephone(dry: Sound) -> Sound:
    """300 to 3400 Hz at 8 kHz in eight bits (mu-law, ITU-T G.711's curve), with the noise of a line."""
    line = dry + np.random.default_rng(SEED).standard_normal(len(dry)) * 10 ** (-60 / 20)
    narrow = resample_poly(sosfilt(butter(4, (300, 3400), "bandpass", fs=RATE_HZ, output="sos"), line), 1, 2)
    curved = np.sign(narrow) * np.log1p(255 * np.abs(narrow).clip(max=1)) / np.log(256)
    coded = np.round(curved * 127) / 127
    heard = np.sign(coded) * np.expm1(np.abs(coded) * np.log(256)) / 255
    telephone: Sound = resample_poly(heard, 2, 1).astype(np.float32)
    return telephone


def in_babble(dry: Sound) -> Sound:
    """A room in which several others talk: the same voices, backwards, from other places of the session."""
    steps = [round(len(dry) * (number + 0.5) / TALKERS) for number in range(TALKERS)]
    others = np.sum([np.roll(dry[::-1], step) for step in steps], axis=0)
    others *= 10 ** (BABBLE_DB / 20) * np.sqrt((dry**2).mean() / (others**2).mean())
    return in_a_room((dry + others).astype(np.float32))


PLACES: dict[str, Callable[[Sound], Sound]] = {
    "room": in_a_room,
    "telephone": over_the_telephone,
    "babble": in_babble,
}
"""Where the recording is made."""


def _voice(role: Role) -> str:
    """Whoever is not the worker or a child speaks with the parent's voice."""
    return role.value if role.value in LEVELS_DB else Role.PARENT.value


def _voiced(lines: Sequence[tuple[Role, str]], python: Path, work: Path) -> tuple[list[Sound], str]:
    asked = json.dumps([{"role": _voice(role), "text": text} for role, text in lines])
    out = work / f"{hashlib.sha256(asked.encode() + _VOICES.read_bytes()).hexdigest()[:12]}.npz"
    if not out.is_file():
        _run_voices(python, asked, out)
    with np.load(out) as spoken:
        return [spoken[f"arr_{number}"] for number in range(1, len(lines) + 1)], str(spoken["arr_0"])


def _run_voices(python: Path, asked: str, out: Path) -> None:
    if not python.is_file():
        raise BadSetting(f"{python} is no interpreter; give the one of the environment that has the voices")
    unfinished = out.with_suffix(".new.npz")
    environment = os.environ | {"PYTHONPATH": str(_VOICES.parents[1]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(  # noqa: S603 – the interpreter is the user's own choice
        [str(python), "-m", "training.spoken_voices", str(unfinished)],
        input=asked,
        text=True,
        env=environment,
        capture_output=True,
        check=False,
    )
    if done.returncode or not unfinished.is_file():
        last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise BadSetting(f"the voices of {python} do not speak ({last[0][:200]}); install them as spoken.py says")
    unfinished.replace(out)
