"""Words and turns → utterances; all text here is ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msw_ml.session import Doubt, Turn, Utterance, Word
from msw_ml.speech.utterances import join_words


def said(text: str, start: float = 0.0, length: float = 0.3, speaker: str | None = None) -> list[Word]:
    """Words of `length` seconds, one after the other."""
    return [
        Word(start=start + place * length, end=start + (place + 1) * length, text=f" {word}", speaker=speaker)
        for place, word in enumerate(text.split())
    ]


def turn(speaker: str, start: float, end: float) -> Turn:
    return Turn(speaker=speaker, start=start, end=end)


def lines(utterances: list[Utterance]) -> list[str]:
    return [f"{utterance.speaker}: {utterance.text}" for utterance in utterances]


def test_splits_at_sentence_ends_and_changes_of_speaker() -> None:
    words = [*said("How are you? Is Dan here?"), *said("He is out.", 1.9)]
    heard = join_words(words, [turn("S1", 0, 1.8), turn("S2", 1.9, 2.8)])
    assert lines(heard) == ["S1: How are you?", "S1: Is Dan here?", "S2: He is out."]
    assert [utterance.id for utterance in heard] == [0, 1, 2]
    assert (heard[1].start, heard[1].end) == (pytest.approx(0.9), pytest.approx(1.8))


def test_a_long_pause_ends_an_utterance_without_a_full_stop() -> None:
    assert lines(join_words([*said("I was thinking"), *said("never mind", 3.0)], [turn("S1", 0, 4)])) == [
        "S1: I was thinking",
        "S1: never mind",
    ]


def test_an_endless_sentence_ends_at_a_short_pause() -> None:
    """A recogniser that sets no full stops must not make one unit of ten minutes."""
    words = [*said("and then " * 20), *said("so that was that", 12.5)]
    assert len(join_words(words, [turn("S1", 0, 20)])) == 2


def test_a_back_channel_is_an_utterance_of_its_own() -> None:
    words = [*said("I told him"), *said("Mm.", 0.95, 0.2), *said("to stay away.", 1.2)]
    turns = [turn("S1", 0, 0.93), turn("S2", 0.94, 1.16), turn("S1", 1.17, 2.2)]
    assert lines(join_words(words, turns)) == ["S1: I told him to stay away.", "S2: Mm."]


def test_a_full_answer_in_between_does_end_the_sentence() -> None:
    words = [*said("I told him"), *said("You told him what?", 1.0), *said("to stay away.", 2.3)]
    turns = [turn("S1", 0, 0.95), turn("S2", 1.0, 2.2), turn("S1", 2.25, 3.2)]
    assert [line[:2] for line in lines(join_words(words, turns))] == ["S1", "S2", "S1"]


def test_a_word_across_a_border_stays_with_its_sentence() -> None:
    """The turn edge comes two tenths early: `here?` is mostly in the other one's turn, and yet the asker's."""
    words = [*said("Is your mum here?"), *said("She is upstairs.", 1.3)]
    heard = join_words(words, [turn("S1", 0, 0.95), turn("S2", 0.97, 2.3)])
    assert lines(heard) == ["S1: Is your mum here?", "S2: She is upstairs."]


def test_a_lone_word_inside_a_sentence_stays_in_it() -> None:
    words = said("We need to talk about school today.")
    turns = [turn("S1", 0, 0.95), turn("S2", 0.95, 1.2), turn("S1", 1.2, 2.2)]
    assert lines(join_words(words, turns)) == ["S1: We need to talk about school today."]


def test_words_outside_all_turns_go_to_the_nearest() -> None:
    words = [*said("Hello."), *said("Goodbye.", 9.0)]
    assert lines(join_words(words, [turn("S1", 1, 2), turn("S2", 6, 7)])) == ["S1: Hello.", "S2: Goodbye."]


def test_without_turns_there_is_one_speaker() -> None:
    assert lines(join_words(said("Nobody else spoke."), [])) == ["S1: Nobody else spoke."]


def test_words_that_know_their_speaker_keep_it() -> None:
    """A channel a speaker: words overlap in time, each side's sentence stays whole."""
    words = [*said("I would like to ask you something.", 0, 0.4, "S1"), *said("Yes, go on.", 1.0, 0.4, "S2")]
    assert lines(join_words(words, [turn("S1", 0, 5)])) == ["S1: I would like to ask you something.", "S2: Yes, go on."]


def test_doubtful_words_are_kept_and_kept_apart() -> None:
    words = [*said("That is"), *(w.model_copy(update={"doubt": Doubt.REPEATED}) for w in said("right right", 0.6))]
    (heard,) = join_words(words, [turn("S1", 0, 2)])
    assert (heard.text, heard.trusted_text) == ("That is right right", "That is")


def test_no_words_give_no_utterances() -> None:
    assert join_words([], [turn("S1", 0, 1)]) == []


@given(
    st.lists(
        st.tuples(st.sampled_from(["yes.", "and", "Why?", "the"]), st.floats(0, 50), st.floats(0, 2)), max_size=30
    ),
    st.lists(st.tuples(st.sampled_from(["S1", "S2", "S3"]), st.floats(0, 50), st.floats(0, 9)), max_size=9),
)
def test_every_word_stands_in_exactly_one_utterance(
    spoken: list[tuple[str, float, float]], held: list[tuple[str, float, float]]
) -> None:
    """Whatever words and turns there are: nothing is lost, nothing doubled, starts are in order."""
    words = [Word(text=text, start=start, end=start + length) for text, start, length in spoken]
    heard = join_words(words, [turn(speaker, start, start + length) for speaker, start, length in held])
    kept = sorted((word.start, word.end, word.text) for utterance in heard for word in utterance.words)
    assert kept == sorted((word.start, word.end, word.text) for word in words)
    assert [utterance.start for utterance in heard] == sorted(utterance.start or 0 for utterance in heard)
    assert [utterance.id for utterance in heard] == list(range(len(heard)))
