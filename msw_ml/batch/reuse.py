"""Finished speech and codes of an earlier try, read from its session.json: they are not made twice.

Another rater or release file needs no stage again but the rating, another coder none but coding and rating, roles
named by hand no hearing. What comes out is, byte for byte, what scoring anew gives: a stage is taken over only
where all that it depends on is the same (`StageKeys`) and the file is as the earlier try wrote it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import Field, TypeAdapter

from msw_ml.batch.manifest import Entry
from msw_ml.batch.options import Stage, StageKeys
from msw_ml.checkpoint import Checkpoint
from msw_ml.errors import MalformedTranscript
from msw_ml.formats import session_json
from msw_ml.session import HeardSession, Role, ScoredSession, Value
from msw_ml.speech.listen import RoleFinder

T = TypeVar("T")


class Earlier(Value):
    """Sessions that an earlier try of the same input left, and which of their stages still hold."""

    sessions: dict[str, ScoredSession] = Field(default_factory=dict)
    """Output folder → what stands in it."""
    stages: tuple[Stage, ...] = ()
    """None, speech alone, or speech and codes."""


def find_earlier(out: Path, last: Entry | None, now: StageKeys | None) -> Earlier:
    """What still holds of `last`; nothing where a file was changed since (corrected by hand, cut off, damaged)."""
    if last is None or last.stages is None or now is None or last.stages.speech != now.speech:
        return Earlier()
    sessions = {}
    for name, digest in last.made.items():
        session = _unchanged(out / name / "session.json", digest)
        if session is None:
            return Earlier()
        sessions[name] = session
    has_codes = now.codes is not None and now.codes == last.stages.codes
    return Earlier(sessions=sessions, stages=("speech", "codes") if has_codes else ("speech",))


def heard_again(session: ScoredSession, roles: RoleFinder, given: Mapping[str, Role] | None) -> HeardSession:
    """What the speech room made of a recording, its speakers named afresh: `given` may name others now."""
    spoken = [unit.utterance.model_copy(update={"role": Role.UNKNOWN}) for unit in session.utterances]
    choice = roles.find(spoken, given)
    return HeardSession(
        utterances=tuple(said.model_copy(update={"role": choice.roles[said.speaker]}) for said in spoken),
        roles=choice,
        quality=session.quality,
    )


def kept_codes(session: ScoredSession) -> Checkpoint:
    """The checkpoint that knows the codes of a session; the volley rules, applied again, change nothing."""

    def recall(stage: str, kind: type[T], work: Callable[[], T]) -> T:
        return TypeAdapter(kind).validate_python(session.utterances) if stage == "codes" else work()

    return recall


def _unchanged(path: Path, digest: str) -> ScoredSession | None:
    try:
        data = path.read_bytes()
        is_ours = hashlib.sha256(data).hexdigest() == digest
        return session_json.load(data.decode("utf-8"), path.parent.name) if is_ours else None
    except (OSError, MalformedTranscript):
        return None
