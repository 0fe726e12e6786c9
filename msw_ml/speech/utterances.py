"""Words and turns → utterances: cut at changes of speaker, at ends of sentences and at long pauses.

Turn edges are good to a quarter of a second, words are shorter than that: so a change of speaker is drawn
to the end of a sentence nearby, and a lone word inside a sentence stays with its sentence, unless
it is something that people say while the other one talks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from msw_ml.session import Turn, Utterance, Word
from msw_ml.text.sentences import ends_sentence

LONG_PAUSE = 1.5
"""Seconds: who stops for longer begins anew."""
SHORT_PAUSE = 0.4
MANY_WORDS = 30
"""An utterance of so many words (a recogniser that sets no full stops) ends at the next `SHORT_PAUSE`."""
INTERJECTED = 0.5
"""Seconds: the other one's word in a shorter gap does not end the sentence around it."""
BORDER = 0.5
"""Seconds: a turn edge may be moved this far to the end of a sentence."""
MOVED_WORDS = 2
"""Words that may change their speaker for it."""

BACK_CHANNELS = frozenset(
    """ah aha aw hm hmm huh mhm mm mmhm mmm no nope oh ok okay right sure true uh uhhuh um well yeah yep yes
    """.split()  # noqa: SIM905 – a list of quoted words is harder to read
)
"""What people say while the other one has the floor: believed even as a lone word inside a sentence."""


def join_words(words: Sequence[Word], turns: Sequence[Turn]) -> list[Utterance]:
    """Utterances in order of their start, numbered from 0; every word stands in exactly one.

    Words that know their speaker keep it; others take the turn they lie in for the most part, or the
    nearest one. Without any turn there is one speaker, S1.
    """
    ordered = sorted(words, key=lambda word: (word.start, word.end))
    owned = _owned(_smoothed(ordered, _owners(ordered, turns), turns), ordered)
    groups = sorted(_groups(owned), key=lambda group: (group[0].start, group[0].end))
    return [
        Utterance(
            id=number,
            speaker=group[0].speaker or "S1",
            text=" ".join(word.text.strip() for word in group),
            start=group[0].start,
            end=max(word.end for word in group),
            words=tuple(group),
        )
        for number, group in enumerate(groups)
    ]


def _owners(words: Sequence[Word], turns: Sequence[Turn]) -> list[str]:
    """The speaker of each word by its own account, its overlap with turns, or the nearest turn."""
    ordered = sorted(turns, key=lambda turn: turn.start)
    starts = [turn.start for turn in ordered]
    reach = list(accumulate((turn.end for turn in ordered), max))
    owners = []
    for word in words:
        if word.speaker is not None:
            owners.append(word.speaker)
            continue
        first, last = bisect_left(reach, word.start), bisect_left(starts, word.end)
        near = ordered[max(0, first - 1) : last + 1]
        owners.append(max(near, key=lambda turn: _nearness(word, turn)).speaker if near else "S1")
    return owners


def _nearness(word: Word, turn: Turn) -> float:
    """Seconds of overlap; where there is none, minus the seconds between them."""
    return min(word.end, turn.end) - max(word.start, turn.start)


def _smoothed(words: Sequence[Word], owners: Sequence[str], turns: Sequence[Turn]) -> list[str]:
    """Changes of speaker drawn to ends of sentences nearby, and lone words given back to their sentence."""
    smooth = list(owners)
    edges = sorted({edge for turn in turns for edge in (turn.start, turn.end)})
    for first, last in _sentences(words):
        changes = [place for place in range(first + 1, last) if smooth[place] != smooth[place - 1]]
        if not changes or any(words[place].speaker is not None for place in range(first, last)):
            continue
        runs = list(pairwise([first, *changes, last]))
        main = max(runs, key=lambda run: run[1] - run[0])
        for begin, end in runs:
            if (begin, end) != main and _is_stray(words, smooth, (begin, end), (first, last), edges):
                smooth[begin:end] = [smooth[main[0]]] * (end - begin)
    return smooth


def _sentences(words: Sequence[Word]) -> Iterator[tuple[int, int]]:
    """Half-open runs of words up to the end of a sentence or a long pause."""
    first = 0
    for place, word in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else None
        pause = following.start - word.end if following else 0.0
        if following is None or pause > LONG_PAUSE or ends_sentence(word.text, following.text):
            yield first, place + 1
            first = place + 1


def _is_stray(
    words: Sequence[Word],
    owners: Sequence[str],
    run: tuple[int, int],
    sentence: tuple[int, int],
    edges: Sequence[float],
) -> bool:
    """Whether a short run of words inside a sentence belongs to the rest of it, for all the turns say."""
    begin, end = run
    if end - begin > MOVED_WORDS or all(_plain(words[place].text) in BACK_CHANNELS for place in range(begin, end)):
        return False
    is_inside = sentence[0] < begin and end < sentence[1] and owners[begin - 1] == owners[end]
    duration = words[end - 1].end - words[begin].start
    if is_inside:
        return duration < BORDER
    # at the start or end of a sentence: the words lie between its edge and a turn edge close by
    inner = words[end].start if begin == sentence[0] else words[begin].start
    place = bisect_left(edges, inner)
    near = min((abs(edge - inner) for edge in edges[max(0, place - 1) : place + 1]), default=float("inf"))
    return duration < BORDER and near < BORDER


def _plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalpha())


def _owned(owners: Sequence[str], words: Sequence[Word]) -> list[Word]:
    return [
        word if word.speaker == owner else word.model_copy(update={"speaker": owner})
        for word, owner in zip(words, owners, strict=True)
    ]


@dataclass
class _Open:
    """An utterance that may still grow."""

    words: list[Word] = field(default_factory=list)
    is_interrupted: bool = False


def _groups(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Words of one utterance each. Every speaker has one open, so that a word said meanwhile cuts nothing."""
    open_by: dict[str, _Open] = {}
    for word in words:
        speaker = word.speaker or "S1"
        mine = open_by.setdefault(speaker, _Open())
        if mine.words and _begins_anew(mine, word):
            yield mine.words
            mine = open_by[speaker] = _Open()
        mine.words.append(word)
        mine.is_interrupted = False
        for other, theirs in open_by.items():
            if other != speaker:
                theirs.is_interrupted = True
    for rest in open_by.values():
        yield rest.words


def _begins_anew(before: _Open, word: Word) -> bool:
    last = before.words[-1]
    pause = word.start - last.end
    if pause > LONG_PAUSE or (before.is_interrupted and pause >= INTERJECTED):
        return True
    if len(before.words) >= MANY_WORDS and pause >= SHORT_PAUSE:
        return True
    return ends_sentence(last.text, word.text)
