"""What is in a session: transcript, utterances, ratings, report, sound, and its corrections."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.responses import StreamingResponse

from msw_ml.session import ScoredSession
from serving import corrections, permissions, reads, representations, results
from serving.audio_ranges import answer_range
from serving.dependencies import At, Transaction, Who
from serving.forms import CorrectionRequest
from serving.headers import REPORT_POLICY
from serving.problems import not_found
from serving.representations import Scores
from serving.views import CorrectionResult, CorrectionView, Peaks, SessionView

router = APIRouter(prefix="/sessions", tags=["content"])
Accept = Annotated[str, Header(include_in_schema=False)]


@router.get("/{session_id}/audio", response_class=StreamingResponse)
def audio(
    at: At, db: Transaction, who: Who, session_id: str, range_: Annotated[str, Header(alias="range")] = ""
) -> Response:
    """The recording, whole or in the range that a player asks for."""
    row = permissions.session_of(db, who, session_id)
    permissions.must_read(who, row)
    answer = answer_range(at.objects, results.recording(db, row), range_)
    reads.note(db, who, row.id, reads.SOUND)
    return answer


@router.get("/{session_id}/peaks", responses={200: {"model": Peaks}})
def peaks(at: At, db: Transaction, who: Who, session_id: str) -> Response:
    """The waveform to draw, without the sound."""
    row = permissions.session_of(db, who, session_id)
    permissions.must_read(who, row)
    drawn = results.peaks(at, db, row)
    reads.note(db, who, row.id, reads.SOUND)
    return Response(drawn, media_type="application/json")


@router.get("/{session_id}/corrections")
def list_corrections(db: Transaction, who: Who, session_id: str) -> tuple[CorrectionView, ...]:
    """Every correction with who, when and why, oldest first; those of codes where you may see the scores."""
    row = permissions.session_of(db, who, session_id)
    permissions.must_read(who, row)
    reads.note(db, who, row.id, reads.CORRECTIONS)
    with_codes = permissions.scores_obstacle(db, who, row) is None
    return tuple(CorrectionView.of(*one) for one in corrections.history(db, row, with_codes=with_codes))


@router.patch("/{session_id}")
def correct(at: At, db: Transaction, who: Who, session_id: str, asked: CorrectionRequest) -> CorrectionResult:
    """Corrects roles, speakers, text or codes; measures and ratings are counted anew at once.

    After a change of role, speaker or text `job` names the job that codes the session again.
    """
    row = permissions.session_of(db, who, session_id)
    job = corrections.correct(at, db, who, row, asked)
    return CorrectionResult(session=SessionView.of(row), job=job.id if job else None)


@router.get("/{session_id}/{part}", responses={200: {"model": Scores | ScoredSession}})
def part_of_session(at: At, db: Transaction, who: Who, session_id: str, part: str, accept: Accept = "") -> Response:
    """`transcript`, `utterances`, `ratings` or `report`, in the format of the suffix or of `Accept`.

    E.g. `transcript.vtt`, `utterances.csv`, `ratings.json`, `report.html`. A transcript holds no scores.
    """
    name, _, suffix = part.partition(".")
    if name not in representations.PARTS:
        raise not_found("part of a session")
    row = permissions.session_of(db, who, session_id)
    if name == "transcript":
        permissions.must_read(who, row)
    else:
        permissions.must_see_scores(db, who, row)
    results.must_have(row, words=name != "ratings", scores=name != "transcript")
    session = results.current(at, db, row)
    if name == "transcript":
        session = results.without_scores(session)
    chosen = representations.choose(name, suffix.lower(), accept)
    made = representations.render(name, chosen, session, at.codebook)
    reads.note(db, who, row.id, made.file_name)
    headers = {
        "ETag": f'"{row.id}-{row.version}-{made.file_name}"',
        "Content-Disposition": f'inline; filename="{made.file_name}"',
        "Vary": "Accept",
    }
    if chosen == "html":
        headers["Content-Security-Policy"] = REPORT_POLICY
        headers["X-Frame-Options"] = "SAMEORIGIN"
    return Response(made.content, media_type=made.media_type, headers=headers)
