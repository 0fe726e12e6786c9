"""Reads an organisation's own visits: what `msw score` made of them, and its coders' ratings.

    FOLDER/ratings.csv              session, one column an element (1 to 5, empty where unrated), and where
                                    known coder, group (the worker or family: never on both sides of a split)
    FOLDER/<session>/session.json   as `msw score FILES -o FOLDER` writes it

Several coders of one session give several rows; their mean is taken.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from msw_ml.codebook import Codebook
from msw_ml.errors import MalformedTranscript, UnreadableInput
from msw_ml.session import ScoredSession
from training.rated_sessions import RatedSession

RATINGS = "ratings.csv"


def read_scored(folder: Path, codebook: Codebook) -> list[RatedSession]:
    """Rated sessions in the order of `ratings.csv`. Raises `UnreadableInput` and `MalformedTranscript`."""
    path = folder / RATINGS
    if not path.is_file():
        raise UnreadableInput(f"{path} is not there; it needs a column session and one for each rated element")
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        elements = [element.id for element in codebook.elements if element.id in (reader.fieldnames or ())]
        if "session" not in (reader.fieldnames or ()) or not elements:
            known = ", ".join(element.id for element in codebook.elements)
            raise MalformedTranscript(f"{path} needs a column session and at least one of: {known}")
        rows = list(enumerate(reader, start=2))
    by_session: dict[str, list[dict[str, float]]] = {}
    groups: dict[str, int] = {}
    group_of: dict[str, int] = {}
    for line, row in rows:
        session = row["session"].strip()
        by_session.setdefault(session, []).append(_ratings(path, line, row, elements))
        name = (row.get("group") or "").strip() or f"session {session}"
        group_of[session] = groups.setdefault(name, len(groups))
    return [
        RatedSession(
            id=id_, group=group_of[id_], coded=_scored(folder, id_, codebook).utterances, ratings=_means(given)
        )
        for id_, given in by_session.items()
    ]


def _scored(folder: Path, session: str, codebook: Codebook) -> ScoredSession:
    path = folder / session / "session.json"
    try:
        scored = ScoredSession.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UnreadableInput(
            f"{path} cannot be read ({error.strerror}); score the session with `msw score`"
        ) from error
    except ValidationError as error:
        raise UnreadableInput(f"{path} is no scored session: {error.errors()[0]['msg']}; score it again") from error
    if f"{scored.provenance.codebook} {scored.provenance.codebook_version}" != codebook.key:
        raise UnreadableInput(f"{path} was scored with another codebook than {codebook.key}; score it again")
    return scored


def _ratings(path: Path, line: int, row: Mapping[str, str], elements: Sequence[str]) -> dict[str, float]:
    given = {}
    for element in elements:
        cell = (row[element] or "").strip()
        if not cell:
            continue
        try:
            value = float(cell)
        except ValueError:
            value = float("nan")
        if not 1 <= value <= 5:
            raise MalformedTranscript(f"{path} line {line}, column {element}: '{cell}' is no rating from 1 to 5")
        given[element] = value
    return given


def _means(given: Sequence[Mapping[str, float]]) -> dict[str, float]:
    elements = dict.fromkeys(element for one in given for element in one)
    found = {element: [one[element] for one in given if element in one] for element in elements}
    return {element: sum(values) / len(values) for element, values in found.items()}
