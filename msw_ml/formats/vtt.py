"""WebVTT: subtitles with speakers as `<v Name>`, in and out.

Written: one cue an utterance, its id the utterance's. Roles stand in NOTE lines (`role Anna: worker`). WebVTT
cannot leave a time out: an utterance without one gets its place in the session as a second, and its cue's id
says `no time`, so that nobody, and not our own reader, takes it for one. Empty lines within a text go.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

from msw_ml.codebook.book import Codebook
from msw_ml.disk import write_text
from msw_ml.errors import MalformedTranscript
from msw_ml.formats.rows import safe_name
from msw_ml.formats.speakers import utterance
from msw_ml.formats.subtitles import NOBODY, Block, Shown, blocks, by_label, cue, payload
from msw_ml.formats.text_file import read_text
from msw_ml.formats.timeline import guessed_end, sorted_starts
from msw_ml.formats.times import clock
from msw_ml.formats.transcript import UNKNOWN_SPEAKER, Transcript
from msw_ml.session import Role, ScoredSession, Utterance

_VOICE = re.compile(r"<v(?:\.[^\s>]*)?[ \t]+([^>]*)>")
_TAG = re.compile(r"</?[a-z0-9][^>]*>|</>")
_ROLE = re.compile(r"role (.+): (\w+)")
_NO_TIME, _NO_END = "no time", "no end"


def read(path: Path) -> list[Transcript]:
    """One transcript. Raises `UnreadableInput`, and `MalformedTranscript` naming the line."""
    text = read_text(path)
    if not re.match(r"WEBVTT(?:[ \t].*)?(?:\n|$)", text):
        raise MalformedTranscript(f"{path.name}: line 1 must be WEBVTT; export it again, or call it .srt if it is one")
    roles: dict[str, Role] = {}
    shown: list[Shown] = []
    for block in blocks(text):
        found = cue(block, path.name)
        if found is not None:
            shown.append(found)
        else:
            roles.update(_aside(block, path.name))
    if not shown:
        raise MalformedTranscript(f"{path.name} has no cues; export it again")
    utterances = _utterances(shown, roles)
    notes = (NOBODY,) if {u.speaker for u in utterances} == {UNKNOWN_SPEAKER} else ()
    return [Transcript(session=safe_name(path.stem), utterances=utterances, units="running", notes=notes)]


def _aside(block: Block, name: str) -> dict[str, Role]:
    """Roles from a NOTE; styles, regions and the head say nothing. Anything else is not WebVTT."""
    first = block.lines[0]
    if not re.match(r"(WEBVTT|NOTE|STYLE|REGION)\b", first):
        raise MalformedTranscript(
            f"{name}: line {block.number}: a cue without a time line; add it, or take out the empty line before"
        )
    found = (_ROLE.fullmatch(line.removeprefix("NOTE").strip()) for line in block.lines if first.startswith("NOTE"))
    return {html.unescape(m[1]): Role(m[2]) for m in found if m and m[2] in set(Role)}


def _utterances(shown: list[Shown], roles: dict[str, Role]) -> tuple[Utterance, ...]:
    parts = [(one, speaker, words) for one in shown for speaker, words in _voices(one.text)]
    if all(speaker is None for _, speaker, _ in parts):
        said = by_label([words for _, _, words in parts])
        parts = [(one, who.speaker, who.text) for (one, _, _), who in zip(parts, said, strict=True)]
    made: list[Utterance] = []
    for one, speaker, words in parts:
        start = None if one.id.endswith(_NO_TIME) else one.start
        end = None if one.id.endswith((_NO_TIME, _NO_END)) else one.end
        new = utterance(len(made), speaker or UNKNOWN_SPEAKER, words, start, end)
        made.append(new.model_copy(update={"role": roles.get(new.speaker, new.role)}))
    return tuple(made)


def _voices(text: str) -> list[tuple[str | None, str]]:
    """The voices within one cue: what stands before the first voice tag has no speaker."""
    first, *rest = _VOICE.split(text)
    parts: list[tuple[str | None, str]] = [(None, first)] if first.strip() or not rest else []
    parts += [(html.unescape(name).strip(), words) for name, words in zip(rest[::2], rest[1::2], strict=True)]
    return [(speaker, html.unescape(_TAG.sub("", words)).strip()) for speaker, words in parts]


def transcript_vtt(session: ScoredSession) -> str:
    """The content of transcript.vtt."""
    roles = {unit.utterance.speaker: unit.utterance.role for unit in session.utterances}
    head = [f"role {_escape(speaker)}: {role.value}" for speaker, role in roles.items()]
    parts = ["WEBVTT", *(["NOTE\n" + "\n".join(head)] if head else [])]
    if any(unit.utterance.start is None for unit in session.utterances):
        parts.append(
            "NOTE Cues marked 'no time' stand at their place in the session, not at a time: the input had none."
        )
    starts = sorted_starts(session)
    for place, unit in enumerate(session.utterances):
        parts.append(_cue(place, unit.utterance, starts))
    return "\n\n".join(parts) + "\n"


def _cue(place: int, said: Utterance, starts: list[float]) -> str:
    mark, start, end = "", said.start, said.end
    if start is None:
        mark, start, end = f" {_NO_TIME}", float(place), float(place + 1)
    elif end is None:
        mark, end = f" {_NO_END}", guessed_end(start, starts)
    words = payload(html.escape(said.text, quote=False))
    return f"{said.id}{mark}\n{clock(start)} --> {clock(end or start)}\n<v {_escape(said.speaker)}>{words}</v>"


def _escape(speaker: str) -> str:
    return html.escape(re.sub(r"\s+", " ", speaker).strip() or UNKNOWN_SPEAKER, quote=False)


def write(session: ScoredSession, folder: Path, codebook: Codebook) -> Path:  # noqa: ARG001  one signature for all formats
    """Writes transcript.vtt."""
    path = folder / "transcript.vtt"
    write_text(path, transcript_vtt(session))
    return path
