"""A file with several sessions: every one gets a folder of its own."""

from __future__ import annotations

import pytest

from msw_ml.batch.work import session_names
from msw_ml.formats.transcript import Transcript


@pytest.mark.parametrize(
    ("sessions", "names"),
    [
        (["monday"], ["visits"]),
        (["monday", "friday"], ["visits-monday", "visits-friday"]),
        (["a/b", "a_b", "a:b"], ["visits-a_b", "visits-a_b-2", "visits-a_b-3"]),
        (["one-2", "one", "one"], ["visits-one-2", "visits-one", "visits-one-3"]),
        (["One", "one"], ["visits-One", "visits-one-2"]),
    ],
)
def test_no_two_sessions_of_a_file_share_a_name(sessions: list[str], names: list[str]) -> None:
    """One session never overwrites another, also where a file system tells no capitals apart."""
    found = session_names("visits", [Transcript(session=one, utterances=(), units="rows") for one in sessions])
    assert found == names
    assert len({name.casefold() for name in found}) == len(sessions)


def test_long_names_stay_apart() -> None:
    """What is cut off at the longest name may be all that told two sessions apart."""
    transcripts = [Transcript(session=f"{'x' * 200}{end}", utterances=(), units="rows") for end in "ab"]
    assert len(set(session_names("visits", transcripts))) == 2
