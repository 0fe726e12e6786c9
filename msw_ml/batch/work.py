"""One input scored and written: what a worker process does, again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from msw_ml.batch.claims import check_free
from msw_ml.batch.inputs import folder_name
from msw_ml.batch.manifest import Entry
from msw_ml.batch.options import ScoreOptions, Stage, StageKeys, Units
from msw_ml.batch.reuse import Earlier, find_earlier, heard_again, kept_codes
from msw_ml.checkpoint import FolderCheckpoint, work_anew
from msw_ml.codebook import Codebook
from msw_ml.coding.parse import cut_rows
from msw_ml.disk import sha256, write_text
from msw_ml.errors import NoSpeech
from msw_ml.formats import registry
from msw_ml.formats.transcript import Transcript
from msw_ml.pipeline import Pipeline
from msw_ml.reports.session import session_report
from msw_ml.session import HeardSession, Progress, Recording, ScoredSession, Utterance, Value, silent
from msw_ml.speech.audio import Segment, decode

ALWAYS = ("json", "csv", "vtt")
"""Formats that every scored session gets; `report.html` comes on top."""


class Work(Value):
    """One input with everything that a worker needs to know of it."""

    path: Path
    name: str
    sha256: str
    key: str
    out: Path
    place: str = ""
    """Mark of where the input lies (`claims.place_of`)."""
    own: frozenset[str] = frozenset()
    """Output folders that an earlier try made of the same file."""
    stages: StageKeys | None = None
    earlier: Entry | None = None
    """The last finished try, whose speech and codes may still hold."""


class Done(Value):
    """What was written, and what was not made anew for it."""

    made: dict[str, str]
    """Output folder → sha256 of its session.json."""
    reused: tuple[Stage, ...] = ()


def do(work: Work, options: ScoreOptions, pipeline: Pipeline, progress: Progress = silent) -> Done:
    """Scores one input and writes its folders.

    Raises `InputError`, `EngineError` or `OutputError`; nothing half-written is left, nothing of another
    recording written over.
    """
    earlier = find_earlier(work.out, work.earlier, work.stages)
    if registry.is_transcript(work.path):
        scored = _score_transcript(work, options, pipeline, earlier, progress)
        made = dict(_write(work, session, options, pipeline.codebook) for session in scored)
        return Done(made=made, reused=tuple(stage for stage in earlier.stages if stage != "speech"))
    check_free(work.path, [work.out / work.name], work.sha256, work.own)
    session = _score_sound(work, options, pipeline, earlier, progress)
    made = dict([_write(work, session, options, pipeline.codebook)])
    _checkpoint(work).clear()
    return Done(made=made, reused=earlier.stages)


def _checkpoint(work: Work) -> FolderCheckpoint:
    return FolderCheckpoint(work.out / work.name / ".work", work.key)


def _score_sound(
    work: Work, options: ScoreOptions, pipeline: Pipeline, earlier: Earlier, progress: Progress
) -> ScoredSession:
    held = earlier.sessions.get(work.name)
    if held is not None:
        recording = held.recording.model_copy(update={"source": work.path.name, "target": options.target})
        heard = heard_again(held, pipeline.listener.roles, options.roles)
        progress("turns", 1.0)
    else:
        recording, heard = _listen(work, options, pipeline, progress)
    if options.is_speech_only:
        return pipeline.transcript_only(recording, heard, options.stated())
    checkpoint = kept_codes(held) if held is not None and "codes" in earlier.stages else _checkpoint(work)
    return pipeline.score(recording, heard, options.stated(), progress, checkpoint)


def _listen(
    work: Work, options: ScoreOptions, pipeline: Pipeline, progress: Progress
) -> tuple[Recording, HeardSession]:
    minutes = options.segment_minutes
    with decode(work.path, Segment(minutes=minutes, seed=options.seed) if minutes else None) as audio:
        progress("decode", 1.0)
        recording = Recording(
            name=work.name,
            source=work.path.name,
            sha256=work.sha256,
            kind="sound",
            duration=round(audio.duration, 3),
            target=options.target,
            segment=audio.held if minutes else None,
        )
        return recording, pipeline.listen(audio, options.speakers, options.roles, progress, _checkpoint(work))


def _score_transcript(
    work: Work, options: ScoreOptions, pipeline: Pipeline, earlier: Earlier, progress: Progress
) -> list[ScoredSession]:
    transcripts = registry.read(work.path)
    if not any(transcript.has_words for transcript in transcripts):
        raise NoSpeech(f"{work.path.name}: there is no text in it; check that it is the right file")
    names = session_names(work.name, transcripts)
    check_free(work.path, [work.out / name for name in names], work.sha256, work.own)
    scored = []
    for number, (name, transcript) in enumerate(zip(names, transcripts, strict=True), start=1):
        recording = Recording(
            name=name,
            source=work.path.name,
            sha256=work.sha256,
            kind="transcript",
            duration=transcript.duration,
            target=options.target or transcript.target,
        )
        heard = pipeline.read(coding_units(transcript, options.units), options.roles, transcript.notes)
        held = earlier.sessions.get(name) if "codes" in earlier.stages else None
        checkpoint = work_anew if held is None else kept_codes(held)
        scored.append(
            pipeline.transcript_only(recording, heard, options.stated())
            if options.is_speech_only
            else pipeline.score(recording, heard, options.stated(), checkpoint=checkpoint)
        )
        progress("codes", number / len(names))
    return scored


def coding_units(transcript: Transcript, units: Units | None) -> tuple[Utterance, ...]:
    """The rows of a transcript as given, or cut into utterances; `None` cuts running text alone."""
    is_split = transcript.units == "running" if units is None else units == "split"
    return tuple(cut_rows(transcript.utterances)) if is_split else transcript.utterances


def session_names(name: str, transcripts: Sequence[Transcript]) -> list[str]:
    """The file's name; where it holds several sessions, with each session's own behind it, no two the same."""
    if len(transcripts) == 1:
        return [name]
    names: dict[str, str] = {}
    for transcript in transcripts:
        own = fresh = folder_name(f"{name}-{transcript.session}")
        number = 2
        while fresh.casefold() in names:  # some file systems tell no capitals apart
            fresh, number = f"{own}-{number}", number + 1
        names[fresh.casefold()] = fresh
    return list(names.values())


def _write(work: Work, session: ScoredSession, options: ScoreOptions, codebook: Codebook) -> tuple[str, str]:
    """Writes a session's folder; its name and the hash of its session.json come back."""
    folder = work.out / session.recording.name
    for name in dict.fromkeys((*ALWAYS, *options.formats)):
        registry.write(name, session, folder, codebook)
    if not options.is_speech_only:
        write_text(folder / "report.html", session_report(session, codebook))
    return folder.name, sha256(folder / "session.json")


def stage_shares() -> Mapping[str, tuple[float, float]]:
    """Stage → where it begins and ends on the way of one recording, 0 to 1, by measured cost."""
    return {
        "decode": (0.0, 0.03),
        "speech": (0.03, 0.08),
        "words": (0.08, 0.75),
        "turns": (0.75, 0.9),
        "codes": (0.9, 0.98),
        "ratings": (0.98, 1.0),
    }
