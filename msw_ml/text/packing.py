"""Turns utterances into what the encoder reads: own words, what was said before, the target behaviour.

One row an utterance:

    [CLS] own words [SEP] the words before, across speakers [SEP] … [SEP] target [SEP]

`kinds` is 0 for own words and 1 for the rest; `roles` says token by token who spoke. Training and
coding share this file, so that the coder reads what it was trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from tokenizers import Tokenizer

from msw_ml.errors import ModelNotFound
from msw_ml.session import Role, Value

ROLES = (Role.WORKER, Role.PARENT, Role.CHILD, Role.OTHER)
TARGET = len(ROLES)
"""The number that stands where `roles` would name a speaker: the words name the target behaviour."""


class Window(Value):
    """How many tokens of each part the encoder reads."""

    own: int = Field(default=96, gt=3)
    before: int = Field(default=40, ge=0)
    target: int = Field(default=12, ge=0)


class Row(NamedTuple):
    """Token ids of one utterance with what each token is, all of one length."""

    ids: list[int]
    kinds: list[int]
    roles: list[int]


class Packer:
    """Makes rows; the tokenizer adds and cuts nothing by itself."""

    def __init__(self, tokenizer: Tokenizer, window: Window) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self._window = window
        self._start = _special(tokenizer, "[CLS]")
        self._end = _special(tokenizer, "[SEP]")

    @classmethod
    def from_file(cls, path: Path, window: Window) -> Packer:
        return cls(Tokenizer.from_file(str(path)), window)

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, without special tokens."""
        return [encoded.ids for encoded in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def rows(
        self, tokens: Sequence[list[int]], roles: Sequence[Role], target: list[int], wanted: Sequence[int]
    ) -> list[Row]:
        """Rows of the utterances at the positions `wanted` of a session; `target` may be empty."""
        numbers = [role_number(role) for role in roles]
        return [self._row(tokens, numbers, target, position) for position in wanted]

    def _row(self, tokens: Sequence[list[int]], roles: Sequence[int], target: list[int], position: int) -> Row:
        own = [self._start, *self._shorten(tokens[position]), self._end]
        before, before_roles = self._before(tokens, roles, position)
        about = [*target[: self._window.target], self._end] if target and self._window.target else []
        rest = before + about
        return Row(
            ids=own + rest,
            kinds=[0] * len(own) + [1] * len(rest),
            roles=[roles[position]] * len(own) + before_roles + [TARGET] * len(about),
        )

    def _shorten(self, own: list[int]) -> list[int]:
        """A third from the start and two from the end: what a long turn asks, it mostly asks last."""
        if len(own) <= self._window.own:
            return own
        head = self._window.own // 3
        return own[:head] + own[head - self._window.own :]

    def _before(self, tokens: Sequence[list[int]], roles: Sequence[int], position: int) -> tuple[list[int], list[int]]:
        ids: list[int] = []
        who: list[int] = []
        while position > 0 and len(ids) < self._window.before:
            position -= 1
            tail = tokens[position][len(ids) - self._window.before :]
            ids = [*tail, self._end, *ids]
            who = [roles[position]] * (len(tail) + 1) + who
        return ids, who


def _special(tokenizer: Tokenizer, token: str) -> int:
    number = tokenizer.token_to_id(token)
    if number is None:
        raise ModelNotFound(f"the tokenizer has no token {token}; take one of a BERT encoder")
    return number


def role_number(role: Role) -> int:
    """The encoder's number for a role; an unknown speaker is read as somebody else."""
    return ROLES.index(role) if role in ROLES else ROLES.index(Role.OTHER)


def pad(rows: Sequence[Row]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rows as ids, kinds and roles of shape (rows, longest); padding has id 0 and kind 2."""
    longest = max(len(row.ids) for row in rows)
    ids = np.zeros((len(rows), longest), dtype=np.int64)
    kinds = np.full((len(rows), longest), 2, dtype=np.int64)
    roles = np.zeros((len(rows), longest), dtype=np.int64)
    for number, row in enumerate(rows):
        length = len(row.ids)
        ids[number, :length], kinds[number, :length], roles[number, :length] = row.ids, row.kinds, row.roles
    return ids, kinds, roles
