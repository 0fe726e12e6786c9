"""A table of several sessions gives the service the names that `msw score` gives its folders."""

from __future__ import annotations

from msw_ml.batch.work import session_names
from msw_ml.formats.transcript import Transcript
from msw_ml.session import Utterance
from serving.stages import Order, _parts
from serving.store.sessions import JobKind


def test_sessions_of_an_upload_are_told_apart_as_in_a_batch() -> None:
    """Two sessions that people cannot tell apart by name would be compared or erased by mistake."""
    said = (Utterance(id=0, speaker="A", text="Hello there."),)
    transcripts = [Transcript(session=one, utterances=said, units="rows") for one in ("a/b", "a_b", "c")]
    order = Order(
        job="j", kind=JobKind.SCORE, stage="receive", folder="f", upload="u", source="visits.csv", sha256="ab",
        name="visits", is_sound=False, max_hours=1,
    )  # fmt: skip
    names = [part.recording.name for part in _parts(order, transcripts)]
    assert names == session_names("visits", transcripts)
    assert len(set(names)) == 3
