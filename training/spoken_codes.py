"""The same units coded from both texts, each by the network of the fold in which its session is held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from msw_ml.coding.decisions import CoderParameters
from msw_ml.errors import BadSetting
from msw_ml.session import Word
from training import run
from training.calibrate import Decided, calibrate, decide
from training.corpora import CodedTranscript
from training.heldout import HeldOut
from training.plan import Plan
from training.run import Job
from training.spoken_figures import BothReadings, pair
from training.spoken_sound import SpokenSession
from training.spoken_words import as_heard, words_of_units

NEEDED = (*run.PARTS, "held.csv")
"""What a fold's folder must hold: its network, and predictions to calibrate the others with."""


@dataclass(frozen=True)
class Heard:
    """One session, spoken and recognised."""

    spoken: SpokenSession
    words: list[Word]


def trained(todo: Sequence[Job], wanted: Sequence[int]) -> list[Job]:
    """The folds that are there; of `wanted`, where any are named. Raises `BadSetting` with what is missing."""
    there = [job for job in todo if job.fold is not None and all(job.has(name) for name in NEEDED)]
    folds = [job.fold for job in there]
    if missing := [fold for fold in wanted if fold not in folds]:
        raise BadSetting(f"fold {missing[0]} is not trained in {todo[0].folder.parent}; run `msw train` to its end")
    if len(there) < 2:
        raise BadSetting(
            f"{todo[0].folder.parent} holds {len(there)} trained folds of this recipe and these sets, and two are "
            f"needed: one is calibrated on another; run `msw train` with the same recipe, or give the folder it wrote"
        )
    return there


def both_readings(made: Plan, there: Sequence[Job], sessions: Sequence[Heard]) -> list[BothReadings]:
    """Codes of all sessions, fold by fold; parameters are measured on the other folds' units that people labelled."""
    readings = []
    for job in there:
        own = [one for one in sessions if made.folds[one.spoken.transcript.key] == job.fold]
        if own:
            readings.append(_read(made, job, _parameters(made, [one for one in there if one is not job]), own))
    return readings


def _read(made: Plan, job: Job, parameters: CoderParameters, sessions: Sequence[Heard]) -> BothReadings:
    def coded(transcripts: Sequence[CodedTranscript]) -> tuple[HeldOut, Decided]:
        held = run.predicted(made, transcripts, job.folder, is_plain=False)
        held = held.where(np.isin(_names(held), list(spoken)))
        return held, decide(held, made.scheme, parameters)

    spoken = {
        f"{one.spoken.transcript.key}/{one.spoken.transcript.units[said.id].id}"
        for one in sessions
        for said in one.spoken.utterances
    }
    heard = [as_heard(one.spoken.transcript, words_of_units(one.spoken.utterances, one.words)) for one in sessions]
    understood = [transcript for transcript in heard if transcript.units]
    again = coded(understood) if understood else None
    return pair(coded([one.spoken.transcript for one in sessions]), again, made.scheme)


def _parameters(made: Plan, others: Sequence[Job]) -> CoderParameters:
    held = run.gathered(made, others, "held.csv")
    return calibrate(held.where(made.by_people(held)), made.scheme, made.recipe.calibration, made.given)


def _names(held: HeldOut) -> list[str]:
    return [f"{c}/{s}/{u}" for c, s, u in zip(held.corpora, held.sessions, held.units, strict=True)]
