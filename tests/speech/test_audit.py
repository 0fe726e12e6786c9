"""The audit: invented text is flagged, true text is left alone, and nothing is deleted."""

from __future__ import annotations

import pytest

from msw_ml.session import Doubt, Span, Word
from msw_ml.speech.audit import audit_words, unheard_seconds

SPEECH = [Span(start=0, end=600)]


def spoken(text: str, start: float = 0.0, rate: float = 3.0, probability: float = 0.9) -> list[Word]:
    """Words of a text at so many a second."""
    return [
        Word(start=start + i / rate, end=start + (i + 0.9) / rate, text=f" {word}", probability=probability)
        for i, word in enumerate(text.split())
    ]


def doubts(words: list[Word], speech: list[Span] = SPEECH) -> list[Doubt | None]:
    return [word.doubt for word in audit_words(words, speech)]


def test_ordinary_talk_is_trusted() -> None:
    """Repetition, hesitation and quick answers are how people talk."""
    text = "No, no, no, no. I know, I know, I know. It's it's really really hard, you know, you know? Yeah. Yeah. Yeah."
    assert set(doubts(spoken(text, rate=5.5))) == {None}


def test_text_over_silence_is_doubted() -> None:
    """ "Thank you for watching" in a pause was said by nobody."""
    speech = [Span(start=0, end=3), Span(start=30, end=35)]
    words = [*spoken("she was asleep by eight", 0.2), *spoken("thank you for watching", 10), *spoken("good", 30.5)]
    assert doubts(words, speech) == [None] * 5 + [Doubt.NON_SPEECH] * 4 + [None]


def test_a_word_beside_speech_is_trusted() -> None:
    """Word times err by a fifth of a second; that must not cost words."""
    assert doubts([Word(start=3.1, end=3.2, text=" Right.")], [Span(start=0, end=3)]) == [None]


@pytest.mark.parametrize("phrase", ["uh,", "you know", "going to do", "a little bit of", "I don't know how to do it,"])
def test_a_loop_is_doubted_but_for_its_first_round(phrase: str) -> None:
    """A recogniser caught in a loop writes the same phrase until its window ends."""
    length = len(phrase.split())
    found = doubts(spoken(f"I said {' '.join([phrase] * 8)} and left"))
    assert found[: 2 + length] == [None] * (2 + length)
    assert set(found[2 + length : 2 + 8 * length]) == {Doubt.REPEATED}
    assert found[-2:] == [None, None]


def test_words_faster_than_anybody_speaks_are_doubted() -> None:
    words = [
        *spoken("so what happened on Saturday then", 0),
        *spoken("one two three four five six seven eight", 10, 20),
    ]
    assert doubts(words) == [None] * 6 + [Doubt.IMPOSSIBLE_RATE] * 8


def test_runs_of_small_probability_are_doubted_and_single_words_are_not() -> None:
    sure, unsure = spoken("we went to the", 0), spoken("blue garden ladder", 3, probability=0.2)
    assert doubts([*sure, *unsure]) == [None] * 4 + [Doubt.LOW_CONFIDENCE] * 3
    single = spoken("Ellie", 3, probability=0.25)
    assert doubts([*sure, *single, *spoken("came along too", 4)]) == [None] * 8


def test_speakers_of_two_channels_are_judged_apart() -> None:
    """Two people who say "yeah" in turn are not a loop."""
    words = [Word(start=i, end=i + 0.3, text=" Yeah.", speaker=f"S{1 + i % 2}") for i in range(8)]
    assert doubts(words) == [None] * 8


def test_nothing_is_deleted_or_reordered() -> None:
    words = spoken("uh " * 20 + "and then we left")
    assert [(w.start, w.text) for w in audit_words(words, SPEECH)] == [(w.start, w.text) for w in words]
    assert audit_words([], SPEECH) == []


def test_speech_without_words_is_counted() -> None:
    """Speech that the recogniser passed over is a limit of the result, in seconds."""
    words = spoken("a b c d e f", 0, rate=2)  # words until 2.95 s
    assert unheard_seconds(words, [Span(start=0, end=10)]) == pytest.approx(10 - 2.95 - 0.3)
    assert unheard_seconds(words, [Span(start=0, end=3.2)]) == 0
    assert unheard_seconds([], [Span(start=5, end=7), Span(start=9, end=9.2)]) == pytest.approx(2)
