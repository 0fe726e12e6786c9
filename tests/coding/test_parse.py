"""Turns become utterances by rule; not sure means no cut."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msw_ml.coding.parse import cuts, parse
from msw_ml.session import Role, Utterance, Word


def texts(turn: str) -> list[str]:
    return [u.text for u in parse([Utterance(id=0, speaker="A", text=turn, role=Role.WORKER)])]


@pytest.mark.parametrize(
    ("turn", "parts"),
    [
        ("That was hard. What did you do?", ["That was hard.", "What did you do?"]),
        ("Dr. Shah rang you.", ["Dr. Shah rang you."]),
        ("I thought... maybe later.", ["I thought... maybe later."]),
        ("It costs 4.50 a week.", ["It costs 4.50 a week."]),
        ('She said "no way!" Then she left.', ['She said "no way!"', "Then she left."]),
        ("okay", ["okay"]),
        ("", [""]),
        (
            "we talked about the nursery place on monday so how is it going with that now",
            ["we talked about the nursery place on monday", "so how is it going with that now"],
        ),
        ("he likes jam and he likes bread", ["he likes jam and he likes bread"]),
    ],
)
def test_a_turn_is_cut_where_a_thought_ends(turn: str, parts: list[str]) -> None:
    """Protects the coding unit: sentences apart, abbreviations and trailing off together, doubt not cut."""
    assert texts(turn) == parts


@given(st.lists(st.sampled_from(["so", "and", "i", "you", "Well.", "bread", "What?", "Mr."]), min_size=1, max_size=40))
def test_no_word_is_lost_and_none_is_moved(words: list[str]) -> None:
    """Protects the transcript: the parts put together are the turn."""
    assert " ".join(texts(" ".join(words))).split() == words


def test_times_follow_the_words_or_the_share_of_the_text() -> None:
    """Protects evidence that is played back: parts lie inside the turn, in order."""
    words = tuple(
        Word(start=n, end=n + 0.5, text=text) for n, text in enumerate(["That", "helped.", "Did", "he", "sleep?"])
    )
    heard = Utterance(id=7, speaker="A", text="That helped. Did he sleep?", start=0, end=4.5, words=words)
    first, second = parse([heard])
    assert (first.id, first.end, second.id, second.start) == (0, 1.5, 1, 2)
    assert second.words == words[2:]
    one, two = parse([Utterance(id=0, speaker="A", text="Aaaa. Bbbb.", start=10, end=22)])
    assert one.start == 10
    assert one.end == two.start == pytest.approx(16)
    assert two.end == pytest.approx(22)


@pytest.mark.shared
@pytest.mark.parametrize(("name", "least"), [("hlqc_manual", 0.45), ("miv_manual", 0.93)])
def test_cuts_agree_with_those_made_by_hand(shared: Path, name: str, least: float) -> None:
    """Protects the measured agreement with human cuts (F1 of boundaries between words)."""
    volleys: dict[tuple[str, str], list[list[str]]] = defaultdict(list)
    with (shared / "data" / "automisc" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            volleys[row["conv_id"], row["conv_vol_idx"]].append(row["utt_text"].split())
    both = ours = theirs = 0
    for parts in volleys.values():
        words = [word for part in parts for word in part]
        by_hand = {sum(map(len, parts[:number])) for number in range(1, len(parts))}
        found = set(cuts(words))
        both, ours, theirs = both + len(found & by_hand), ours + len(found), theirs + len(by_hand)
    assert 2 * both / (ours + theirs) >= least, (both / ours, both / theirs)
