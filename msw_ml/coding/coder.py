"""Codes utterances with a trained bundle: ONNX Runtime and a tokenizer, no training library.

utterances ──Reader (encoder.onnx, session.onnx)──▶ logits ──Decider──▶ codes
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

from msw_ml import bundle as bundles
from msw_ml.codebook.book import Codebook
from msw_ml.coding.decisions import CODES, CoderParameters, Decider
from msw_ml.coding.intervals import CountErrors
from msw_ml.coding.reader import Parts, Reader
from msw_ml.coding.words import Words
from msw_ml.errors import CodingFailed
from msw_ml.session import CodedUtterance, Progress, Utterance, silent
from msw_ml.text.packing import Packer


class BehaviourCoder(Protocol):
    """Gives every utterance of a coded role one main code with calibrated probabilities.

    Keeps order and number of utterances. Fills `code`, `parent_code`, `confidence`, `withheld`,
    `other_codes` and `probabilities`; volleys and counts are left to the volley rules. Utterances of roles
    that the codebook does not code, and those without trusted words, come back without a code. Raises
    `CodingFailed`, nothing else.
    """

    @property
    def label(self) -> str:
        """What coded, for provenance."""
        ...

    @property
    def errors(self) -> CountErrors | None:
        """How far its counts are off; `None` where nobody measured it, and counts have no interval."""
        ...

    def code(
        self, utterances: Sequence[Utterance], target: str | None = None, progress: Progress = silent
    ) -> list[CodedUtterance]: ...


class BundleCoder:
    """Codes with a bundle made by `msw train`; weights load on first use.

    `threads` 0 takes as many as there are processors. Raises what `bundle.load` raises.
    """

    def __init__(self, path: Path, codebook: Codebook, threads: int = 0) -> None:
        self._bundle = bundles.load(path, "behaviour_coder", codebook.key)
        self._parameters = CoderParameters.of(self._bundle.info)
        self._errors = CountErrors.of(self._bundle.info, codebook)
        self._decider = Decider(codebook, self._bundle.info.labels, self._parameters)
        self._codebook = codebook
        self._threads = threads or os.cpu_count() or 1

    @property
    def label(self) -> str:
        return self._bundle.label

    @property
    def errors(self) -> CountErrors | None:
        return self._errors

    def code(
        self, utterances: Sequence[Utterance], target: str | None = None, progress: Progress = silent
    ) -> list[CodedUtterance]:
        spoken = [position for position, said in enumerate(utterances) if said.trusted_text.strip()]
        texts = [utterances[position].trusted_text for position in spoken]
        roles = [utterances[position].role for position in spoken]
        wanted = [number for number, role in enumerate(roles) if self._codebook.is_coded(role)]
        codes, also = self._reader.read(texts, roles, wanted, target or "", progress)
        found = {spoken[number]: (codes[row], also[row]) for row, number in enumerate(wanted)}
        return [
            self._decider.decide(said, *found[position]) if position in found else CodedUtterance(utterance=said)
            for position, said in enumerate(utterances)
        ]

    @cached_property
    def _reader(self) -> Reader:
        try:
            parts = Parts(
                encoder=self._bundle.session("encoder.onnx", threads=1),
                session=self._bundle.session("session.onnx", threads=1),
                words=Words.from_file(self._bundle.file("words.npy"), self._codebook, self._bundle.info.labels[CODES]),
                words_weight=self._parameters.words_weight,
                packer=Packer.from_file(self._bundle.file("tokenizer.json"), self._parameters.window),
            )
        except Exception as error:
            raise CodingFailed(f"the weights of {self.label} could not be opened: {error}") from error
        return Reader(parts, self._threads)
