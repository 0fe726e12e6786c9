"""Recordings with their reference transcripts: which sound belongs to which words.

`visit.wav` goes with `visit.csv`, `visit.codes.csv`, `visit.eaf`, `visit.TextGrid` or any other transcript of
that name that has times; failing that with `visit.stm` (speaker, start, end and words on a line).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from msw_ml.batch.inputs import SOUND_SUFFIXES
from msw_ml.errors import InputError, MalformedTranscript
from msw_ml.formats import registry
from msw_ml.formats.synonyms import role_of
from msw_ml.formats.text_file import read_text
from msw_ml.session import Role, Utterance


def find(folder: Path) -> Iterator[tuple[Path, list[Utterance]]]:
    """Sounds of a folder in order of name, each with what was said in it. Raises `InputError` where there is none."""
    pairs = 0
    for sound in sorted(path for path in folder.rglob("*") if path.suffix.lower() in SOUND_SUFFIXES):
        said = reference(sound)
        if said is not None:
            pairs += 1
            yield sound, said
    if not pairs:
        raise InputError(
            f"{folder} holds no recording with a reference beside it; lay visit.wav and visit.csv (role, start, end, "
            "text) or visit.stm side by side"
        )


def reference(sound: Path) -> list[Utterance] | None:
    """What was said in a recording by the transcript beside it, or `None`."""
    for path in sorted(sound.parent.glob(f"{sound.stem}.*")):
        if registry.is_transcript(path):
            said = [
                u for one in registry.read(path) for u in one.utterances if u.start is not None and u.end is not None
            ]
            if said:
                return said
    stm = sound.with_suffix(".stm")
    return read_stm(stm) if stm.is_file() else None


def check(sound: Path, said: Sequence[Utterance]) -> None:
    """Raises `InputError` where a reference cannot serve: it needs times, and a worker."""
    if any(utterance.start is None or utterance.end is None for utterance in said):
        raise InputError(f"the reference of {sound.name} has utterances without times; give start and end")
    if not any(utterance.role is Role.WORKER for utterance in said):
        raise InputError(f"the reference of {sound.name} does not say who the worker is; add a column 'role'")


def read_stm(path: Path) -> list[Utterance]:
    """NIST's STM: file, channel, speaker, start, end, words. Raises `MalformedTranscript` with the line."""
    found: list[Utterance] = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip() or line.startswith(";;"):
            continue
        fields = line.split(maxsplit=5)
        try:
            speaker, start, end = fields[2], float(fields[3]), float(fields[4])
        except (IndexError, ValueError) as error:
            raise MalformedTranscript(
                f"{path.name}, line {number} is not: file, channel, speaker, start, end, words; correct it"
            ) from error
        text = fields[5] if len(fields) > 5 else ""
        role = role_of(speaker) or Role.UNKNOWN
        found.append(Utterance(id=len(found), speaker=speaker, role=role, start=start, end=end, text=text))
    return found
