"""Groups transcripts that record the same conversation, and deals groups out to folds."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from msw_ml.errors import BadSetting
from training.corpora import CodedTranscript

SHARED_5_GRAMS = 0.1
"""Two transcripts of which one holds this share of the other's 5-grams record the same video."""


def group(transcripts: Sequence[CodedTranscript], same: Sequence[tuple[str, str]] = ()) -> dict[str, int]:
    """Transcript key → number of its group.

    One group: the same `group`, a pair of `same` (keys), or text in common (containment of 5-grams).
    """
    leader = {transcript.key: transcript.key for transcript in transcripts}

    def find(key: str) -> str:
        while leader[key] != key:
            key = leader[key]
        return key

    first_of: dict[str, str] = {}
    for transcript in transcripts:
        leader[find(transcript.key)] = find(first_of.setdefault(transcript.group, transcript.key))
    for one, other in [*same, *_overlapping(transcripts)]:
        if one in leader and other in leader:
            leader[find(one)] = find(other)
    numbers: dict[str, int] = {}
    return {t.key: numbers.setdefault(find(t.key), len(numbers)) for t in transcripts}


def folds(transcripts: Sequence[CodedTranscript], groups: dict[str, int], count: int) -> dict[str, int]:
    """Transcript key → fold: groups from the largest on, each to the fold that holds least of its sets.

    What people labelled is dealt first, so that learning from more of what nobody labelled moves no figure's folds.
    Raises `BadSetting` when there are fewer groups than folds.
    """
    members: dict[int, list[CodedTranscript]] = defaultdict(list)
    for transcript in transcripts:
        members[groups[transcript.key]].append(transcript)
    if len(members) < count:
        raise BadSetting(f"{len(members)} independent sessions cannot make {count} folds; lower `folds` or add data")
    load: dict[tuple[int, str], int] = defaultdict(int)
    chosen: dict[int, int] = {}
    for is_human in (True, False):
        size = {n: sum(len(t.units) for t in found if t.is_human is is_human) for n, found in members.items()}
        for number in sorted((n for n in members if size[n]), key=lambda n: (-size[n], n)):
            own = [t for t in members[number] if t.is_human is is_human]
            corpora = {t.corpus for t in own}
            totals = {fold: sum(load[fold, corpus] for corpus in corpora) for fold in range(count)}
            fold = chosen.setdefault(number, min(totals, key=lambda f: (totals[f], f)))
            for transcript in own:
                load[fold, transcript.corpus] += len(transcript.units)
    return {t.key: chosen[number] for number, found in members.items() for t in found}


def _overlapping(transcripts: Sequence[CodedTranscript]) -> list[tuple[str, str]]:
    grams = {t.key: _grams(t) for t in transcripts}
    holders: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for key, found in grams.items():
        for gram in found:
            holders[gram].append(key)
    shared: dict[tuple[str, str], int] = defaultdict(int)
    for keys in holders.values():
        for position, one in enumerate(keys):
            for other in keys[position + 1 :]:
                shared[one, other] += 1
    return [
        (one, other)
        for (one, other), count in shared.items()
        if count >= SHARED_5_GRAMS * min(len(grams[one]), len(grams[other]))
    ]


def _grams(transcript: CodedTranscript) -> set[tuple[str, ...]]:
    words = [word for unit in transcript.units for word in re.findall(r"[a-z']+", unit.text.lower())]
    return {tuple(words[start : start + 5]) for start in range(len(words) - 4)}
