"""A second reading of a set's units: what a language model took each for, blind to the people's labels.

    datasets/<set>/readings.csv    session, unit, code, second

`code` is the likelier one, `second` another that is quite possible, or empty. A set whose people gave no labels
has these alone (its source.toml says `is_human = false`); elsewhere they stand beside the label. They are learned
from and never measured with: see training/targets.py.
"""

from __future__ import annotations

import csv
from pathlib import Path

from msw_ml.codebook.book import Codebook
from msw_ml.disk import sha256
from msw_ml.errors import BadSetting, MalformedTranscript, UnknownName
from training.corpora import CodedTranscript, Corpus, Unit

FILE = "readings.csv"
COLUMNS = ["session", "unit", "code", "second"]


def attach(corpus: Corpus, folder: Path, codebook: Codebook) -> Corpus:
    """The set with its second reading, where `folder` holds one.

    Raises `MalformedTranscript` for a row that fits no unit, `BadSetting` for a set that has no labels at all.
    """
    path = folder / FILE
    if not path.is_file():
        if not any(unit.codes for t in corpus.transcripts for unit in t.units):
            raise BadSetting(f"{folder / 'mapping.toml'} maps no labels and there is no {path}: nothing can be learned")
        return corpus
    found = _read(path, codebook)
    transcripts, kept_out = (
        tuple(_with(transcript, found, path, codebook) for transcript in part)
        for part in (corpus.transcripts, corpus.kept_out)
    )
    known = {(t.id, unit.id) for t in (*transcripts, *kept_out) for unit in t.units}
    if strange := sorted(set(found) - known):
        raise MalformedTranscript(f"{path}: session {strange[0][0]} has no unit {strange[0][1]}; take the row out")
    return corpus.model_copy(update={"transcripts": transcripts, "kept_out": kept_out, "readings_sha256": sha256(path)})


def _read(path: Path, codebook: Codebook) -> dict[tuple[str, str], tuple[str, ...]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if list(reader.fieldnames or ()) != COLUMNS:
            raise MalformedTranscript(f"{path} line 1: the columns are to be {', '.join(COLUMNS)}")
        known = [behaviour.id for behaviour in codebook.behaviours]
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        for line, row in enumerate(reader, start=2):
            codes = tuple(code for code in (row["code"], row["second"]) if code)
            for code in codes:
                if code not in known:
                    raise UnknownName(f"code in {path} line {line}", code, known)
            found[row["session"], row["unit"]] = codes
    return found


def _with(
    transcript: CodedTranscript, found: dict[tuple[str, str], tuple[str, ...]], path: Path, codebook: Codebook
) -> CodedTranscript:
    units = tuple(_read_unit(transcript, unit, found, path, codebook) for unit in transcript.units)
    return transcript.model_copy(update={"units": units})


def _read_unit(
    transcript: CodedTranscript,
    unit: Unit,
    found: dict[tuple[str, str], tuple[str, ...]],
    path: Path,
    codebook: Codebook,
) -> Unit:
    codes = found.get((transcript.id, unit.id), ())
    for code in codes:
        if codebook.behaviour(code).speaker is not unit.role:
            raise MalformedTranscript(
                f"{path}: session {transcript.id} unit {unit.id} is the {unit.role.value}'s, {code} is not"
            )
    return unit.model_copy(update={"reading": codes, "codes": unit.codes or codes[:1]})
