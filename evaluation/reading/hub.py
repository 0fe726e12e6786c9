"""Any transcript format of `msw_ml/formats` that carries labels, such as CACTI's export: one file a coder."""

from __future__ import annotations

from pathlib import Path

from evaluation.codings import Batch, Coder, Coding, Place
from evaluation.reading import names
from evaluation.reading.labels import Labels
from msw_ml.errors import MalformedTranscript
from msw_ml.formats import registry
from msw_ml.formats.transcript import RowCode, Transcript
from msw_ml.session import Role


def read(path: Path, labels: Labels) -> Batch:
    """The first label of every unit counts. Raises `MalformedTranscript` on a label that is no code."""
    batch = Batch()
    for transcript in registry.read(path):
        _add(batch, transcript, path, labels)
    if not batch.codings:
        raise MalformedTranscript(f"{names.shown(path)} is a transcript without codes; hand in the coded file")
    batch.coders.extend(Coder(name=name) for name in dict.fromkeys(coding.coder for coding in batch.codings))
    return batch


def _add(batch: Batch, transcript: Transcript, path: Path, labels: Labels) -> None:
    name = names.of(path)
    session = name.session if transcript.session == path.stem else transcript.session
    done: set[tuple[str, int]] = set()
    for given in transcript.coded:
        coder = given.coder or name.coder
        if (coder, given.utterance) in done:
            batch.left_out["further code of the same unit"] += 1
            continue
        done.add((coder, given.utterance))
        _one(batch, transcript, given, (coder, session, Place(names.shown(path), given.utterance + 1)), labels)


def _one(batch: Batch, transcript: Transcript, given: RowCode, of: tuple[str, str, Place], labels: Labels) -> None:
    coder, session, place = of
    found = labels.code(given.label)
    if found is None:
        raise MalformedTranscript(f"{place}: '{given.label[:40]}' is no code; {labels.nearest(given.label)}")
    if found.parent is None:
        batch.left_out["label that fits several main categories"] += 1
        return
    unit = transcript.utterances[given.utterance]
    ids = transcript.given_ids
    role = None if unit.role is Role.UNKNOWN else unit.role
    batch.codings.append(
        Coding(
            coder,
            session,
            ids[given.utterance] if ids and ids[given.utterance] else str(given.utterance),
            found.code,
            found.parent,
            place,
            role,
            unit.start,
            unit.end,
            unit.text,
        )
    )
