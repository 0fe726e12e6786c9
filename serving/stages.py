"""What each stage of a job does, on objects alone: a stage reads what the one before it wrote.

    receive   the upload → its sessions (a table may hold several)
    listen    sound → words, turns, utterances with roles; a transcript only gets roles
    code      utterances → codes
    rate      codes → measures and ratings
    write     → the files of the result
    whole     all of them in one go, for a short transcript

Every stage may run again at any time: it writes the same bytes under the same key, whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

import av
from pydantic import Field, TypeAdapter, ValidationError

from msw_ml.batch.options import ScoreOptions
from msw_ml.batch.work import coding_units, session_names, stage_shares
from msw_ml.disk import sha256
from msw_ml.errors import NoSpeech, UnreadableInput
from msw_ml.formats import registry
from msw_ml.formats.session_json import load
from msw_ml.formats.transcript import Transcript
from msw_ml.pipeline import Pipeline
from msw_ml.session import CodedUtterance, HeardSession, Progress, Recording, ScoredSession, Utterance, Value, silent
from msw_ml.speech.audio import Audio, Segment, decode
from serving.peaks import draw
from serving.stage_names import STAGES
from serving.store.objects import Objects
from serving.store.sessions import JobKind

T = TypeVar("T")


class Order(Value):
    """One stage of one job, with all that it needs to know: ids, keys and options."""

    job: str
    kind: JobKind
    stage: str
    folder: str
    """Where this job's intermediate results lie."""
    upload: str
    """Key of the upload; of the corrected session, where that is coded again."""
    source: str
    sha256: str
    name: str
    is_sound: bool
    peaks: str | None = None
    """Where the drawn waveform goes."""
    options: ScoreOptions = ScoreOptions()
    max_hours: float


class Part(Value):
    """One session of an upload, before anybody has listened to it."""

    recording: Recording
    utterances: tuple[Utterance, ...] = ()
    notes: tuple[str, ...] = ()


class Heard(Value):
    """A part after listening."""

    recording: Recording
    heard: HeardSession
    settings: dict[str, str] = Field(default_factory=dict)


class Between(Protocol):
    """Where a stage puts what the next one needs."""

    def put(self, key: str, data: bytes) -> object: ...

    def get(self, key: str) -> bytes: ...

    def is_there(self, key: str) -> bool: ...


class Memory:
    """Keeps results for as long as one job takes."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def put(self, key: str, data: bytes) -> None:
        self._kept[key] = data

    def get(self, key: str) -> bytes:
        return self._kept[key]

    def is_there(self, key: str) -> bool:
        return key in self._kept


class ObjectCheckpoint:
    """Keeps what a stage has made so far as objects, so that another worker goes on from there."""

    def __init__(self, objects: Between, folder: str) -> None:
        self._objects = objects
        self._folder = folder

    def __call__(self, stage: str, kind: type[T], work: Callable[[], T]) -> T:
        key = f"{self._folder}/{stage}.json"
        if self._objects.is_there(key):
            try:
                return TypeAdapter(kind).validate_json(self._objects.get(key))
            except ValidationError:
                pass  # of another version: made anew
        made = work()
        self._objects.put(key, TypeAdapter(kind).dump_json(made))
        return made


class Stages:
    """All stages over one pipeline; what one makes for the next is put into `between`."""

    def __init__(self, pipeline: Pipeline, objects: Objects, between: Between | None = None) -> None:
        self._pipeline = pipeline
        self._objects = objects
        self._between = between or objects

    def do(self, order: Order, progress: Progress) -> None:
        """Does one stage. Raises what the library raises."""
        work: Callable[[Order, Progress], None] = getattr(self, f"_{order.stage}")
        work(order, progress)

    def _whole(self, order: Order, progress: Progress) -> None:
        """All stages in one go: what lies between them stays in memory, the last one's result is kept."""
        memory = Memory()
        stages = Stages(self._pipeline, self._objects, memory)
        for stage in STAGES:
            stages.do(order.model_copy(update={"stage": stage}), silent)
            progress(stage, 1.0)
        key = _key(order, "scored")
        self._objects.put(key, memory.get(key))

    def _receive(self, order: Order, progress: Progress) -> None:
        if order.kind is JobKind.RECOMPUTE:
            self._put(order, "heard", [_heard_again(self._objects.get(order.upload).decode("utf-8"))], list[Heard])
            return
        with self._objects.local_copy(order.upload, order.source) as path:
            if sha256(path) != order.sha256:
                raise UnreadableInput(f"{order.source} was damaged on its way to storage; upload it again")
            progress("receive", 0.5)
            if not order.is_sound:
                self._put(order, "parts", list(_parts(order, registry.read(path))), list[Part])
                return
            seconds = _duration(path, order)
        recording = Recording(
            name=order.name,
            source=order.source,
            sha256=order.sha256,
            kind="sound",
            duration=seconds,
            target=order.options.target,
        )
        self._put(order, "parts", [Part(recording=recording)], list[Part])

    def _listen(self, order: Order, progress: Progress) -> None:
        if order.kind is JobKind.RECOMPUTE:
            return
        parts = self._get(order, "parts", list[Part])
        heard = [self._heard(order, part, progress) for part in parts]
        self._put(order, "heard", heard, list[Heard])

    def _code(self, order: Order, progress: Progress) -> None:
        if order.kind is JobKind.TRANSCRIBE:
            return
        heard = self._get(order, "heard", list[Heard])
        for place, one in enumerate(heard):
            checkpoint = ObjectCheckpoint(self._between, f"{order.folder}/{place}")
            target = one.recording.target

            def work(
                utterances: tuple[Utterance, ...] = one.heard.utterances, about: str | None = target
            ) -> list[CodedUtterance]:
                return self._pipeline.coder.code(utterances, about, progress)

            checkpoint("codes", list[CodedUtterance], work)
            progress("code", (place + 1) / len(heard))

    def _rate(self, order: Order, progress: Progress) -> None:
        scored = []
        for place, one in enumerate(self._get(order, "heard", list[Heard])):
            if order.kind is JobKind.TRANSCRIBE:
                scored.append(self._pipeline.transcript_only(one.recording, one.heard, one.settings))
                continue
            checkpoint = ObjectCheckpoint(self._between, f"{order.folder}/{place}")
            scored.append(self._pipeline.score(one.recording, one.heard, one.settings, progress, checkpoint))
        self._put(order, "scored", scored, list[ScoredSession])

    def _write(self, order: Order, progress: Progress) -> None:
        """The rows are the worker's business: here is nothing left to make."""

    def _heard(self, order: Order, part: Part, progress: Progress) -> Heard:
        options = order.options
        if part.recording.kind == "transcript":
            heard = self._pipeline.read(part.utterances, options.roles, part.notes)
            return Heard(recording=part.recording, heard=heard, settings=options.stated())
        minutes = options.segment_minutes
        segment = Segment(minutes=minutes, seed=options.seed) if minutes else None
        with self._objects.local_copy(order.upload, order.source) as path, decode(path, segment) as audio:
            progress("decode", 1.0)
            recording = part.recording.model_copy(
                update={"duration": round(audio.duration, 3), "segment": audio.held if minutes else None}
            )
            if order.peaks is not None:
                self._objects.put(order.peaks, draw(audio))
            return Heard(recording=recording, heard=self._listen_to(order, audio, progress), settings=options.stated())

    def _listen_to(self, order: Order, audio: Audio, progress: Progress) -> HeardSession:
        checkpoint = ObjectCheckpoint(self._between, order.folder)
        return self._pipeline.listen(audio, order.options.speakers, order.options.roles, progress, checkpoint)

    def _put(self, order: Order, name: str, value: T, kind: type[T]) -> None:
        self._between.put(_key(order, name), TypeAdapter(kind).dump_json(value))

    def _get(self, order: Order, name: str, kind: type[T]) -> T:
        return TypeAdapter(kind).validate_json(self._between.get(_key(order, name)))


def _key(order: Order, name: str) -> str:
    return f"{order.folder}/{name}.json"


def share_of_listening(stage: str, share: float) -> float:
    """The library's progress (`words`, .5) as the share of the stage `listen`."""
    spans = stage_shares()
    if stage not in spans:
        return share
    start, end = spans[stage]
    whole = spans["turns"][1]
    return min(1.0, (start + (end - start) * share) / whole)


def _parts(order: Order, transcripts: list[Transcript]) -> Iterator[Part]:
    if not any(transcript.has_words for transcript in transcripts):
        raise NoSpeech(f"{order.source}: there is no text in it; check that it is the right file")
    for name, transcript in zip(session_names(order.name, transcripts), transcripts, strict=True):
        recording = Recording(
            name=name,
            source=order.source,
            sha256=order.sha256,
            kind="transcript",
            duration=transcript.duration,
            target=order.options.target or transcript.target,
        )
        units = coding_units(transcript, order.options.units)
        yield Part(recording=recording, utterances=units, notes=transcript.notes)


def heard_part(session: ScoredSession) -> HeardSession:
    """What the coder and the rater were given of a session."""
    utterances = tuple(unit.utterance for unit in session.utterances)
    return HeardSession(utterances=utterances, roles=session.roles, quality=session.quality)


def _heard_again(text: str) -> Heard:
    session = load(text, "session.json")
    return Heard(recording=session.recording, heard=heard_part(session), settings=session.provenance.settings)


def _duration(path: Path, order: Order) -> float | None:
    """Seconds that the file's header promises. Raises `UnreadableInput` where they are too many."""
    try:
        with path.open("rb") as file, av.open(file) as container:
            seconds = None if container.duration is None else container.duration / av.time_base
    except (av.FFmpegError, OSError) as error:
        raise UnreadableInput(
            f"{order.source} could not be decoded; convert it to wav or m4a and upload it again"
        ) from error
    if seconds is not None and seconds > order.max_hours * 3600:
        raise UnreadableInput(
            f"{order.source} lasts {seconds / 3600:.1f} hours; up to {order.max_hours:g} are scored here: cut it"
        )
    return seconds
