"""Plain text: a transcript in prose, `Name: what was said`. Read only."""

from __future__ import annotations

from pathlib import Path

from msw_ml.formats.rows import safe_name
from msw_ml.formats.speakers import dialogue
from msw_ml.formats.text_file import read_text
from msw_ml.formats.transcript import Transcript


def read(path: Path) -> list[Transcript]:
    """One transcript. Raises `UnreadableInput`, and `MalformedTranscript` where no line says who speaks."""
    lines = ((f"line {number}", line) for number, line in enumerate(read_text(path).split("\n"), start=1))
    utterances, notes = dialogue(path.name, lines)
    return [Transcript(session=safe_name(path.stem), utterances=utterances, units="running", notes=notes)]
