"""SRT subtitles with speakers as `Name: what was said`, in and out. Needs times; roles are not part of it."""

from __future__ import annotations

import re
from pathlib import Path

from msw_ml.codebook.book import Codebook
from msw_ml.disk import write_text
from msw_ml.errors import MalformedTranscript
from msw_ml.formats.rows import safe_name
from msw_ml.formats.speakers import utterance
from msw_ml.formats.subtitles import NOBODY, Shown, blocks, by_label, cue, payload
from msw_ml.formats.text_file import read_text
from msw_ml.formats.timeline import Cue, cues
from msw_ml.formats.times import clock
from msw_ml.formats.transcript import UNKNOWN_SPEAKER, Transcript
from msw_ml.session import ScoredSession

_TAG = re.compile(r"</?(?:[ibu]|font)(?:\s[^>]*)?>|\{\\[^}]*\}", re.IGNORECASE)


def read(path: Path) -> list[Transcript]:
    """One transcript. Raises `UnreadableInput`, and `MalformedTranscript` naming the line.

    A block without a time line goes on with the cue before it: many programs leave empty lines within a text.
    """
    shown: list[Shown] = []
    for block in blocks(read_text(path)):
        found = cue(block, path.name)
        if found is not None:
            shown.append(found)
        elif shown:
            rest = "\n".join(block.lines)
            shown[-1] = shown[-1].model_copy(update={"text": f"{shown[-1].text}\n{rest}"})
        else:
            raise MalformedTranscript(
                f"{path.name}: line {block.number}: a cue begins with its number and '00:00:01,000 --> 00:00:02,500'"
            )
    said = by_label([_TAG.sub("", one.text) for one in shown])
    utterances = tuple(
        utterance(number, who.speaker or UNKNOWN_SPEAKER, who.text.strip(), one.start, one.end)
        for number, (one, who) in enumerate(zip(shown, said, strict=True))
    )
    notes = (NOBODY,) if {u.speaker for u in utterances} == {UNKNOWN_SPEAKER} else ()
    return [Transcript(session=safe_name(path.stem), utterances=utterances, units="running", notes=notes)]


def write(session: ScoredSession, folder: Path, codebook: Codebook) -> Path:  # noqa: ARG001  one signature for all formats
    """Writes transcript.srt. Raises `OutputError` where an utterance has no time."""
    path = folder / "transcript.srt"
    shown = [_block(number, one) for number, one in enumerate(cues(session, "SRT"), start=1)]
    write_text(path, "\n".join(shown))
    return path


def _block(number: int, one: Cue) -> str:
    start, end = clock(one.start_ms / 1000, ","), clock(one.end_ms / 1000, ",")
    speaker = re.sub(r"\s+", " ", one.utterance.speaker)
    return f"{number}\n{start} --> {end}\n{speaker}: {payload(one.utterance.text)}\n"
