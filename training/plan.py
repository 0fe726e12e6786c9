"""Everything that a training run stands on, read and checked before any long work."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from msw_ml.codebook import book
from msw_ml.codebook.book import Codebook
from msw_ml.disk import sha256
from msw_ml.errors import BadSetting
from msw_ml.text.packing import Packer
from training import corpora, encoder, readings, splits, visits_corpus
from training.calibrate import Given, Scheme
from training.corpora import CodedTranscript, Corpus
from training.examples import Codes
from training.heldout import HeldOut
from training.recipe import Recipe


@dataclass(frozen=True)
class Plan:
    """A recipe with its sets, folds and encoder."""

    recipe: Recipe
    corpora: tuple[Corpus, ...]
    scheme: Scheme
    codes: Codes
    groups: dict[str, int]
    """Transcript key → number of the conversation."""
    folds: dict[str, int]
    """Transcript key → fold in which it is held out."""
    encoder: Path

    @property
    def transcripts(self) -> tuple[CodedTranscript, ...]:
        return tuple(transcript for corpus in self.corpora for transcript in corpus.transcripts)

    @property
    def kept_out(self) -> tuple[CodedTranscript, ...]:
        return tuple(transcript for corpus in self.corpora for transcript in corpus.kept_out)

    def by_people(self, held: HeldOut) -> NDArray[np.bool_]:
        """Which held-out units people labelled: what is measured and calibrated on."""
        return np.isin(held.corpora, [corpus.id for corpus in self.corpora if corpus.source.is_human])

    @property
    def packer(self) -> Packer:
        return Packer.from_file(self.encoder / "tokenizer.json", self.recipe.window)

    @property
    def given(self) -> Given:
        return Given(window=self.recipe.window, words_weight=self.recipe.words.weight)

    @property
    def key(self) -> str:
        """Changes with whatever changes the network: an interrupted run goes on under the same key."""
        learned = self.recipe.model_dump_json(exclude={"kind", "tried", "calibration", "words", "version", "licence"})
        parts = [learned, self.scheme.codebook.key, sha256(self.encoder / "model.safetensors")]
        parts += [corpus.source.sha256 + corpus.readings_sha256 for corpus in self.corpora]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def make(recipe: Recipe, data: Path, sets: Path = corpora.SETS) -> Plan:
    """Raises what is wrong with codebook, encoder, sets, labels or folds."""
    codebook = book.load(recipe.codebook)
    if recipe.turns not in recipe.sets:
        raise BadSetting(
            f"the recipe's `turns` is {recipe.turns}, which is not among its sets: {', '.join(recipe.sets)}"
        )
    folder = encoder.find(recipe.encoder)
    loaded, groups = _apart(tuple(_load(name, data, codebook, sets) for name in recipe.sets))
    transcripts = [transcript for corpus in loaded for transcript in corpus.transcripts]
    codes = Codes.of(codebook)
    return Plan(
        recipe=recipe,
        corpora=loaded,
        scheme=Scheme(codebook, codes.ids, codes.also),
        codes=codes,
        groups=groups,
        folds=splits.folds(transcripts, groups, recipe.folds),
        encoder=folder,
    )


def _apart(loaded: tuple[Corpus, ...]) -> tuple[tuple[Corpus, ...], dict[str, int]]:
    """The sets without other recordings of the sessions that are kept out, and the groups of what is left."""
    same = [(f"{corpus.id}/{one}", other) for corpus in loaded for one, other in corpus.source.same_as.items()]
    kept_out = [transcript for corpus in loaded for transcript in corpus.kept_out]
    transcripts = [transcript for corpus in loaded for transcript in corpus.transcripts]
    groups = splits.group([*transcripts, *kept_out], same)
    never = {groups[transcript.key] for transcript in kept_out}
    left = tuple(
        corpus.model_copy(update={"transcripts": tuple(t for t in corpus.transcripts if groups[t.key] not in never)})
        for corpus in loaded
    )
    numbers: dict[int, int] = {}
    return left, {t.key: numbers.setdefault(groups[t.key], len(numbers)) for c in left for t in c.transcripts}


def _load(name: str, data: Path, codebook: Codebook, sets: Path) -> Corpus:
    if visits_corpus.is_visits(sets / name):
        return visits_corpus.load(sets / name, codebook)
    return readings.attach(corpora.load(name, data, codebook, sets), sets / name, codebook)
