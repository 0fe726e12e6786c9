"""RTTM: who spoke when, for scoring diarisation. Written only; it has no words. Needs times."""

from __future__ import annotations

import re
from pathlib import Path

from msw_ml.codebook.book import Codebook
from msw_ml.disk import write_text
from msw_ml.formats.timeline import cues
from msw_ml.session import ScoredSession


def write(session: ScoredSession, folder: Path, codebook: Codebook) -> Path:  # noqa: ARG001  one signature for all formats
    """Writes transcript.rttm, a line an utterance; white space in names becomes an underscore, as the format asks."""
    file = _name(session.recording.name)
    lines = [
        f"SPEAKER {file} 1 {cue.start_ms / 1000:.3f} {(cue.end_ms - cue.start_ms) / 1000:.3f} <NA> <NA> "
        f"{_name(cue.utterance.speaker)} <NA> <NA>\n"
        for cue in cues(session, "RTTM")
    ]
    path = folder / "transcript.rttm"
    write_text(path, "".join(lines))
    return path


def _name(text: str) -> str:
    return re.sub(r"\s+", "_", text.strip()) or "unknown"
