"""Windows: all speech is heard once, none is cut where it need not be, and memory stays bounded."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from msw_ml.session import Span, Word
from msw_ml.speech.timing import fit_to_speech, merge_words
from msw_ml.speech.windows import LONGEST_READ, LONGEST_WINDOW, WINDOWS_A_BATCH, batches, plan_windows, uncovered

GAPS = st.lists(st.tuples(st.floats(0.1, 900), st.floats(0.1, 80)), min_size=1, max_size=40)


def speech_of(gaps: list[tuple[float, float]]) -> list[Span]:
    spans, position = [], 0.0
    for gap, length in gaps:
        spans.append(Span(start=position + gap, end=position + gap + length))
        position = spans[-1].end
    return spans


@given(GAPS)
@settings(max_examples=100, deadline=None)
def test_windows_hold_all_speech_once(gaps: list[tuple[float, float]]) -> None:
    speech = speech_of(gaps)
    within = Span(start=0, end=speech[-1].end)
    windows = plan_windows(speech, within)
    assert all(window.duration <= LONGEST_WINDOW + 1e-6 for window in windows)
    assert all(a.end <= b.start + 1e-6 for a, b in itertools.pairwise(windows))
    assert all(window.start >= 0 and window.end <= within.end for window in windows)
    assert uncovered(speech, windows, least=0.01, reach=1e-6) == []


@given(GAPS)
@settings(max_examples=50, deadline=None)
def test_batches_are_small_and_complete(gaps: list[tuple[float, float]]) -> None:
    """A four-hour file never has more than ten minutes of itself in memory."""
    speech = speech_of(gaps)
    windows = plan_windows(speech, Span(start=0, end=speech[-1].end))
    made = list(batches(windows))
    assert [window for batch in made for window in batch] == windows
    assert all(len(batch) <= WINDOWS_A_BATCH for batch in made)
    assert all(batch[-1].end - batch[0].start <= LONGEST_READ for batch in made)


def test_no_speech_gives_no_windows() -> None:
    assert plan_windows([], Span(start=0, end=100)) == []
    assert list(batches([])) == []


def test_a_long_silence_is_in_no_window() -> None:
    """Recognisers invent text on silence."""
    speech = [Span(start=1, end=5), Span(start=6, end=9), Span(start=300, end=303)]
    windows = plan_windows(speech, Span(start=0, end=400))
    assert [(round(w.start, 1), round(w.end, 1)) for w in windows] == [(0.7, 9.3), (299.7, 303.3)]


def test_words_are_cut_to_the_speech_they_overlap_most() -> None:
    """Attention stretches words into pauses; their owner is found by where they were spoken."""
    speech = [Span(start=1, end=3), Span(start=5, end=8)]
    words = [
        Word(start=2.5, end=4.4, text=" late"),
        Word(start=3.4, end=5.9, text=" Early"),
        Word(start=8.2, end=8.25, text=" near"),
        Word(start=20, end=21, text=" nowhere"),
    ]
    fitted = fit_to_speech(words, speech)
    assert [(w.start, w.end) for w in fitted] == [(2.5, 3), (5, 5.9), (8, 8), (20, 21)]
    assert [w.text for w in fitted] == [w.text for w in words]


def test_the_order_of_words_survives_the_fitting() -> None:
    words = [Word(start=1.8, end=6, text=" one"), Word(start=5.0, end=5.0, text=" two")]
    fitted = fit_to_speech(words, [Span(start=0, end=2), Span(start=2.5, end=5.5)])
    assert [w.text for w in fitted] == [" one", " two"]
    assert fitted[0].start <= fitted[1].start


def test_a_second_look_adds_words_only_where_there_are_none() -> None:
    words = [Word(start=0, end=1, text=" a"), Word(start=5, end=6, text=" c")]
    more = [Word(start=0.2, end=0.7, text=" x"), Word(start=2, end=3, text=" b")]
    assert [w.text for w in merge_words(words, more)] == [" a", " b", " c"]
