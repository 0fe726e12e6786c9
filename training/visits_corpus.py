"""Reads a set of visits in a folder of `datasets/`: transcripts, the target of each, and coders' codes.

    visits/<session>.csv           session, utterance, role, speaker, text
    targets.csv                    session, target: the change that the parent's talk is coded with regard to
    codes/<coder>_<batch>.csv      session, utterance, coder, code
    design.csv                     part and family: what must not be on two sides of a split

A row that nobody is to code (a child's, a relative's) is context. The first coder by name gives the
label, all coders are kept as annotations.
"""

from __future__ import annotations

import csv
import hashlib
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from msw_ml.codebook.book import Codebook
from msw_ml.errors import BadSetting, MalformedTranscript
from msw_ml.session import Role
from training.corpora import CodedTranscript, Corpus, Source, Unit

TEST = "test"
"""The part of the design that is held out as one group: its themes, families and workers are in no other visit."""

Codes = Mapping[tuple[str, str], Mapping[str, str]]
"""Session and utterance → coder → code."""


def is_visits(folder: Path) -> bool:
    """Whether a set lies in `datasets/` as visits, not as one file beside the checkout."""
    return (folder / "visits").is_dir()


def load(folder: Path, codebook: Codebook) -> Corpus:
    """All visits that somebody coded. Raises `BadSetting` and `MalformedTranscript` with file and line."""
    paths = [*sorted((folder / "visits").glob("*.csv")), *sorted((folder / "codes").glob("*.csv"))]
    codes = _codes(folder, codebook)
    targets = {row["session"]: row["target"] for row in rows(folder / "targets.csv")}
    groups = {row["session"]: _group(row) for row in rows(folder / "design.csv")}
    coded = {session for session, _ in codes}
    transcripts = [
        _transcript(path, codes, targets[path.stem], groups[path.stem])
        for path in sorted((folder / "visits").glob("*.csv"))
        if path.stem in coded
    ]
    source = _source(folder, hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest())
    return Corpus(id=folder.name, source=source, transcripts=tuple(transcripts))


def _group(row: Mapping[str, str]) -> str:
    return row["part"] if row["part"] == TEST else row["family"]


def _source(folder: Path, digest: str) -> Source:
    table = tomllib.loads((folder / "source.toml").read_text(encoding="utf-8"))
    return Source(
        name=table["title"],
        file="visits",
        sha256=digest,
        origin=table["origin"],
        commit=table["version"],
        licence=table["licence"],
        labels=table["labels"],
        is_human=False,
    )


def _transcript(path: Path, codes: Codes, target: str, group: str) -> CodedTranscript:
    units = []
    for line, row in enumerate(rows(path), start=2):
        role = Role(row["role"])
        given = codes.get((row["session"], row["utterance"]), {})
        if not given and role in (Role.WORKER, Role.PARENT):
            raise MalformedTranscript(f"{path} line {line}: nobody coded this {role.value}'s row; code the whole visit")
        found = tuple((given[coder],) for coder in sorted(given))
        units.append(
            Unit(
                id=row["utterance"],
                role=role,
                text=row["text"],
                codes=found[0] if found else (),
                annotations=found if len(found) > 1 else (),
            )
        )
    name = path.parent.parent.name
    return CodedTranscript(
        corpus=name,
        id=path.stem,
        group=f"{name}/{group}",
        target=target or None,
        is_human=False,
        units=tuple(units),
    )


def _codes(folder: Path, codebook: Codebook) -> Codes:
    known = {behaviour.id for behaviour in codebook.behaviours}
    found: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for path in sorted((folder / "codes").glob("*.csv")):
        for line, row in enumerate(rows(path), start=2):
            if row["code"] not in known:
                raise MalformedTranscript(f"{path} line {line}: '{row['code']}' is no code of {codebook.key}")
            found[row["session"], row["utterance"]][row["coder"]] = row["code"]
    if not found:
        raise BadSetting(f"{folder / 'codes'} holds no codes; a coder learns from coded visits only")
    return found


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of one of a set's tables."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
