"""Long transcripts are lined up as word-by-word comparison would, and in no time."""

from __future__ import annotations

import random
import time

from hypothesis import given
from hypothesis import strategies as st

from evaluation import anchors

words = st.lists(st.sampled_from("abcdefgh"), max_size=60)


@given(words, words)
def test_places_stand_in_order_and_hold_the_ends(base: list[str], other: list[str]) -> None:
    found = anchors.positions(base, other)
    assert found[0] == (0, 0)
    assert found[-1] == (len(other), len(base))
    assert found == sorted(found)
    assert [b for _, b in found] == sorted(b for _, b in found)


@given(words)
def test_the_same_transcript_is_the_same_everywhere(base: list[str]) -> None:
    assert all(a == b for a, b in anchors.positions(base, base))


def test_an_hour_of_talk_takes_seconds() -> None:
    rng = random.Random(1)
    said = [f"w{int(rng.paretovariate(0.8))}" for _ in range(12_000)]
    kept = [place for place in range(len(said)) if rng.random() > 0.05]
    heard = [said[place] if rng.random() > 0.12 else "misheard" for place in kept]
    began = time.process_time()
    found = dict(anchors.positions(said, heard))
    assert time.process_time() - began < 5
    right = [abs(place - kept[where]) <= 1 for where, place in found.items() if where < len(kept)]
    assert sum(right) > 0.98 * len(right)
