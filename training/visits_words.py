"""What the words of the simulated visits give away: repeats, stock phrases, names, reading age, levels."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from msw_ml.session import Role, Utterance
from training.visits_ingredients import Ingredients
from training.visits_read import Breach, Visits

LONG, SHORT = 8, 5
MAX_SHARED = 5
"""An n-gram of `LONG` words may stand in so many visits."""
HOT = 4
"""Visits from which a `SHORT` n-gram is shown to the writers."""
NEAR_DUPLICATE = 0.03
"""Jaccard overlap of two visits' `SHORT` n-grams that counts as a near-duplicate."""

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_INSIDE_CAPITAL = re.compile(r"(?<=[a-zà-ÿ,;] )([A-ZÀ-Þ][^\W\d_]*(?:['’-][^\W\d_]+)*)")


def tokens(text: str) -> list[str]:
    """The words of a text, lower case, with straight apostrophes."""
    return [word.lower().replace("’", "'") for word in _WORD.findall(text)]


def repeats(visits: Visits, size: int) -> dict[tuple[str, ...], set[str]]:
    """N-gram inside one row → the sessions it stands in, where these are two or more."""
    found: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for session, visit in visits.items():
        for utterance in visit:
            words = tokens(utterance.text)
            for start in range(len(words) - size + 1):
                found[tuple(words[start : start + size])].add(session)
    return {gram: sessions for gram, sessions in found.items() if len(sessions) > 1}


def check_repeats(visits: Visits) -> list[Breach]:
    """Long n-grams in too many visits, the same long row twice, and pairs of visits that overlap."""
    breaches = [
        Breach("repeat", ", ".join(sorted(sessions)), " ".join(gram))
        for gram, sessions in repeats(visits, LONG).items()
        if len(sessions) > MAX_SHARED
    ]
    rows: dict[str, list[str]] = defaultdict(list)
    for session, visit in visits.items():
        for utterance in visit:
            if len(tokens(utterance.text)) >= LONG:
                rows[" ".join(tokens(utterance.text))].append(f"{session}:{utterance.id}")
    breaches += [Breach("same row", ", ".join(where), text[:60]) for text, where in rows.items() if len(where) > 1]
    return breaches + _near_duplicates(visits)


def _near_duplicates(visits: Visits) -> list[Breach]:
    shared: dict[tuple[str, str], int] = defaultdict(int)
    for sessions in repeats(visits, SHORT).values():
        ordered = sorted(sessions)
        for place, one in enumerate(ordered):
            for other in ordered[place + 1 :]:
                shared[one, other] += 1
    sizes = {s: sum(max(len(tokens(u.text)) - SHORT + 1, 0) for u in visit) for s, visit in visits.items()}
    return [
        Breach("near-duplicate", f"{one}, {other}", f"{count} runs of {SHORT} words in common")
        for (one, other), count in sorted(shared.items())
        if count / (sizes[one] + sizes[other] - count) > NEAR_DUPLICATE
    ]


def check_talk(visits: Visits, parts: Ingredients, families: dict[str, str]) -> list[Breach]:
    """The worker's stock phrases, American words, and names that belong to another family or to a worker.

    `families`: session → family id.
    """
    breaches: list[Breach] = []
    american = set(parts.talk.american)
    owners = {part: owner for name, owner in parts.names.items() for part in name.split()}
    allowed = set(parts.talk.capitals)
    for session, visit in visits.items():
        own = {part for speaker in {u.speaker for u in visit} for part in speaker.split()}
        own |= {part for part, owner in owners.items() if owner == families.get(session)}
        for utterance in visit:
            where = f"{session}:{utterance.id}"
            plain = " " + " ".join(tokens(utterance.text)) + " "
            if utterance.role is Role.WORKER:
                breaches += [
                    Breach("stock phrase", where, phrase) for phrase in parts.talk.stock if f" {phrase} " in plain
                ]
            breaches += [Breach("American", where, word) for word in sorted(american & set(plain.split()))]
            breaches += [
                Breach("name", where, name)
                for name in _capitals(utterance.text)
                if name in owners.keys() - own - allowed
            ]
    return breaches


def unknown_names(visits: Visits, parts: Ingredients) -> dict[str, int]:
    """Words with a capital inside a sentence that no list has, for a person to look at: pet names, or places."""
    known = {part for name in parts.names for part in name.split()} | set(parts.talk.capitals)
    found = Counter(name for visit in visits.values() for u in visit for name in _capitals(u.text))
    return {name: times for name, times in found.most_common() if not {name, *name.split("-")} & known}


def _capitals(text: str) -> list[str]:
    return [re.sub(r"['’]\w*$", "", name) for name in _INSIDE_CAPITAL.findall(text)]


def check_cast(visits: Visits, cast: dict[str, tuple[str, set[str]]]) -> list[Breach]:
    """Speakers that the design row does not have. `cast`: session → worker's name, household's names."""
    breaches: list[Breach] = []
    for session, visit in visits.items():
        if session not in cast:
            breaches.append(Breach("design", session, "is not in the design"))
            continue
        worker, household = cast[session]
        for speaker, role in sorted({(utterance.speaker, utterance.role) for utterance in visit}):
            if (role is Role.WORKER) != (speaker == worker) or (role is not Role.WORKER and speaker not in household):
                breaches.append(Breach("cast", session, f"{speaker} as {role}"))
        breaches += [
            Breach("cast", session, f"no {role} speaks")
            for role in (Role.WORKER, Role.PARENT)
            if role not in {u.role for u in visit}
        ]
    return breaches


def reading_grade(utterances: Iterable[Utterance]) -> float:
    """Flesch-Kincaid grade: 0.39 words a sentence + 11.8 syllables a word − 15.59 (Kincaid et al. 1975).

    Reading age in years is about the grade plus five. Syllables are counted as groups of vowels.
    """
    text = " ".join(utterance.text for utterance in utterances)
    words = tokens(text)
    if not words:
        return 0.0
    sentences = max(len(re.findall(r"[.!?…]+(?:\s|$)", text)), 1)
    return 0.39 * len(words) / sentences + 11.8 * sum(map(_syllables, words)) / len(words) - 15.59


def _syllables(word: str) -> int:
    groups = len(re.findall(r"[aeiouyà-ÿ]+", word))
    silent = word.endswith("e") and not word.endswith("le") and groups > 1
    return max(groups - silent, 1)


def worker_words(visit: Sequence[Utterance]) -> str:
    """All that the worker says, in one string."""
    return " ".join(utterance.text for utterance in visit if utterance.role is Role.WORKER)


def give_away(
    texts: Sequence[str], values: NDArray[np.float64], groups: Sequence[str]
) -> tuple[float | None, list[str]]:
    """How well a bag of the worker's words foretells `values` in unseen groups, and its weightiest words.

    Ridge regression on TF-IDF of words and pairs; the correlation (Pearson) over out-of-fold predictions.
    `None` below five groups or forty texts.
    """
    if len(set(groups)) < 5 or len(texts) < 40 or np.ptp(values) == 0:
        return None, []
    from sklearn.model_selection import GroupKFold

    bags, products, names = _bags(tuple(texts))
    guessed = np.zeros(len(texts))
    for train, test in GroupKFold(5).split(products, values, groups):
        centre = values[train].mean()
        shares = _ridge(products[np.ix_(train, train)], values[train] - centre)
        guessed[test] = products[np.ix_(test, train)] @ shares + centre
    weights = bags.T @ _ridge(products, values - values.mean())
    order = np.argsort(weights)
    heavy = [f"-{names[i]}" for i in order[:4]] + [f"+{names[i]}" for i in order[::-1][:6]]
    return (float(np.corrcoef(guessed, values)[0, 1]) if np.ptp(guessed) else 0.0), heavy


@lru_cache(maxsize=4)
def _bags(texts: tuple[str, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[str, ...]]:
    """TF-IDF of words and pairs that three texts or more have (texts × terms), their products, the terms."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True, tokenizer=tokens, token_pattern=None)
    bags = vectors.fit_transform(texts).toarray()
    return bags, bags @ bags.T, tuple(vectors.get_feature_names_out())


def _ridge(products: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each text's share in the ridge solution (penalty 1), in the dual form: terms outnumber texts by far."""
    return np.linalg.solve(products + np.eye(len(products)), values).astype(np.float64)
