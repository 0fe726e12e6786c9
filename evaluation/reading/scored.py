"""Our own output: `session.json` in a folder of `msw score`, or a whole output folder."""

from __future__ import annotations

from pathlib import Path

from evaluation.codings import Batch, Coder, Coding, Place, RatingGiven
from msw_ml.codebook import Codebook
from msw_ml.errors import InputError
from msw_ml.formats.session_json import load
from msw_ml.formats.text_file import read_text
from msw_ml.session import CodedUtterance, Recording, ScoredSession


def sessions_in(path: Path) -> list[Path]:
    """All `session.json` at or below a path, in order of name."""
    return [path] if path.is_file() else sorted(path.rglob("session.json"))


def read(path: Path, book: Codebook, coder: str = "machine") -> Batch:
    """Codes and ratings of one `session.json`; raises `InputError` if it was made by another codebook."""
    scored = read_session(path)
    made_by = f"{scored.provenance.codebook} {scored.provenance.codebook_version}"
    if made_by != book.key:
        raise InputError(
            f"{path.parent.name}/{path.name} was scored by codebook {made_by}, this is {book.key}: score it again, or "
            "compare with --codebook"
        )
    batch, session = Batch(), scored.recording.name
    batch.recordings[session] = scored.recording.sha256
    if own := _own_name(scored.recording):
        batch.aliases[session] = own
    place = f"{path.parent.name}/{path.name}"
    for row, coded in enumerate(scored.utterances, start=1):
        if coded.parent_code is None:
            batch.left_out["unit without a code"] += 1
            continue
        batch.codings.append(_coding(coded, coder, session, Place(place, row)))
    for row, rating in enumerate(scored.ratings, start=1):
        if rating.value is None:
            batch.left_out["rating withheld by the machine"] += 1
            continue
        batch.ratings.append(
            RatingGiven(coder, session, rating.element, rating.value, Place(place, row), rating.status)
        )
    engines = scored.provenance.engines
    batch.coders.append(
        Coder(name=coder, is_machine=True, coder_label=engines.get("coder"), rater_label=engines.get("rater"))
    )
    return batch


def _own_name(recording: Recording) -> str:
    """The session's own name where the output is named after file and session, as for a file of several; else empty."""
    stem = f"{Path(recording.source).stem}-"
    is_part = recording.kind == "transcript" and recording.name.startswith(stem)
    return recording.name.removeprefix(stem) if is_part else ""


def read_session(path: Path) -> ScoredSession:
    """A `session.json`. Raises `UnreadableInput` or `MalformedTranscript`."""
    return load(read_text(path), f"{path.parent.name}/{path.name}")


def _coding(coded: CodedUtterance, coder: str, session: str, place: Place) -> Coding:
    utterance = coded.utterance
    return Coding(
        coder,
        session,
        str(utterance.id),
        coded.code,
        coded.parent_code,
        place,
        utterance.role,
        utterance.start,
        utterance.end,
        utterance.trusted_text,
    )
