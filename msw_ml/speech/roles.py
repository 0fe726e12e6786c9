"""Who is the worker: from what each speaker says, who began, and who spoke how much.

Language: a weight for each common word and word pair, positive where workers say it more often, averaged
over what a speaker said. A linear rule then weighs language, first turn and share of the words; the
softmax over speakers is the probability of being the worker. Weights, and how often they were right, stand in
the bundle (trained by `training/roles.py`).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from pydantic import Field

from msw_ml import bundle
from msw_ml.errors import BadSetting
from msw_ml.session import Role, RoleChoice, Utterance, Value

WEIGHTS_FILE = "weights.json"


class RoleWeights(Value):
    """Content of `weights.json`."""

    terms: dict[str, float]
    """Word or pair of words → how much more it is a worker's than a parent's."""
    doubt_words: float = Field(gt=0)
    """Neutral words added to what a speaker said: who said little stays near the middle."""
    language: float
    first: float
    share: float

    def language_of(self, texts: Sequence[str]) -> float:
        """Mean weight a word: positive where somebody speaks as workers do."""
        words = sum(len(tokens(text)) for text in texts)
        total = sum(self.terms.get(term, 0.0) for text in texts for term in terms(text))
        return total / (words + self.doubt_words)

    def evidence(self, said: Mapping[str, Sequence[str]]) -> dict[str, float]:
        """Speaker → how much speaks for being the worker (log scale); `said` in order of first speech."""
        words = {speaker: sum(len(tokens(text)) for text in texts) for speaker, texts in said.items()}
        everything = max(1, sum(words.values()))
        return {
            speaker: self.language * self.language_of(texts)
            + self.first * (place == 0)
            + self.share * words[speaker] / everything
            for place, (speaker, texts) in enumerate(said.items())
        }


def tokens(text: str) -> list[str]:
    """Lower-case words; a question mark counts as one."""
    return re.findall(r"[a-z]+(?:'[a-z]+)*|\?", text.lower().replace("’", "'"))


def terms(text: str) -> Iterator[str]:
    """Words and pairs of neighbouring words of one utterance."""
    found = tokens(text)
    yield from found
    yield from (f"{one} {other}" for one, other in pairwise(found))


class TrainedRoleFinder:
    """Implements `RoleFinder`.

    The likeliest worker is the worker and the most talkative of the others the parent; everybody else
    is `other`: a child is only called one when somebody says so, since words alone do not tell.
    """

    def __init__(self, bundle_path: Path) -> None:
        loaded = bundle.load(bundle_path, "role_finder")
        self.label = loaded.label
        self._weights = RoleWeights.model_validate(json.loads(loaded.file(WEIGHTS_FILE).read_bytes()))

    def find(self, utterances: Sequence[Utterance], given: Mapping[str, Role] | None = None) -> RoleChoice:
        """Roles of all speakers; those in `given` are kept. Raises `BadSetting` where it names nobody here."""
        said: dict[str, list[str]] = {}
        for utterance in utterances:
            said.setdefault(utterance.speaker, []).append(utterance.trusted_text)
        if not said:
            return RoleChoice(roles={}, margin=0, method="found")
        roles = dict(given or {})
        if unknown := sorted(roles.keys() - said.keys()):
            raise BadSetting(f"no speaker is called '{unknown[0]}' here; there are: {', '.join(said)}")
        open_to = [speaker for speaker in said if speaker not in roles]
        margin = 1.0
        is_given = Role.WORKER in roles.values() or not open_to
        if not is_given:
            worker, margin = self._worker({speaker: said[speaker] for speaker in open_to})
            if worker is not None:
                roles[worker] = Role.WORKER
        self._name_the_rest(roles, said)
        return RoleChoice(
            roles={speaker: roles[speaker] for speaker in said},
            margin=round(margin, 4),
            method="given" if is_given else "found",
        )

    def _worker(self, said: Mapping[str, Sequence[str]]) -> tuple[str | None, float]:
        """The likeliest worker, and by how much likelier than the next; 0 to 1."""
        evidence = self._weights.evidence(said)
        if len(said) == 1:
            (speaker,) = said
            alone = math.tanh(self._weights.language * self._weights.language_of(said[speaker]) / 2)
            return (speaker if alone > 0 else None), abs(alone)
        highest = max(evidence.values())
        shares = {speaker: math.exp(value - highest) for speaker, value in evidence.items()}
        first, second = sorted(shares.values(), reverse=True)[:2]
        return max(shares, key=lambda speaker: shares[speaker]), (first - second) / sum(shares.values())

    @staticmethod
    def _name_the_rest(roles: dict[str, Role], said: Mapping[str, Sequence[str]]) -> None:
        rest = [speaker for speaker in said if speaker not in roles]
        if rest and Role.PARENT not in roles.values():
            roles[max(rest, key=lambda speaker: sum(len(text.split()) for text in said[speaker]))] = Role.PARENT
        for speaker in rest:
            roles.setdefault(speaker, Role.OTHER)
