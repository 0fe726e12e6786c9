"""Visits scored as they are and changed, by the whole pipeline from the transcript on; a recording by all of it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evaluation import hearing, references
from msw_ml.errors import BadSetting, MalformedTranscript
from msw_ml.pipeline import Pipeline
from msw_ml.session import (
    Progress,
    Quality,
    Rating,
    RatingStatus,
    Recording,
    Role,
    ScoredSession,
    Utterance,
    Value,
    silent,
)
from msw_ml.speech.audio import decode
from training import movements
from training.disturbances import CastVisit, Disturbance
from training.joined_visits import Joined
from training.movements import Change, Move
from training.swapped_names import Person
from training.visits_corpus import TEST
from training.visits_design import read_design
from training.visits_ingredients import load
from training.visits_read import read_visits


class SpokenVisit(Value):
    """A recording with its reference beside it, and what `make demo` says of it."""

    sound: Path
    speakers: int = 3
    child: str = "S3"
    target: str = "keeping smoke out of the flat"


def read_cast(folder: Path) -> list[CastVisit]:
    """The test part's visits with everybody in them. Raises `MalformedTranscript`, `BadSetting`."""
    visits, breaches = read_visits(folder)
    if breaches:
        first = breaches[0]
        raise MalformedTranscript(f"{folder / 'visits'}: {first.where}: {first.what}")
    families = {family.id: family for family in load(folder).families}
    found = []
    for row in read_design(folder):
        plan = row.plan
        if plan.part != TEST or plan.session not in visits:
            continue
        family = families[plan.family]
        known = [*family.parents, *family.children, *(other[:2] for other in family.others)]
        people = tuple(Person(name, who) for name, who in known)
        found.append(CastVisit(plan.session, plan.target, tuple(visits[plan.session]), people, plan.worker))
    if not found:
        raise BadSetting(f"{folder} has no visits of its part '{TEST}'")
    return found


@dataclass
class Trial:
    """Scores visits as they are, once, and then changed."""

    pipeline: Pipeline
    progress: Progress = silent
    scored: dict[str, ScoredSession] = field(default_factory=dict)

    def score(self, session: str, target: str, utterances: Sequence[Utterance]) -> ScoredSession:
        """What `msw score` makes of a transcript with these rows."""
        recording = Recording(name=session, source=f"{session}.csv", sha256="", kind="transcript", target=target)
        return self.pipeline.score(recording, self.pipeline.read(utterances), {})

    def as_they_are(self, visits: Sequence[CastVisit]) -> str:
        """Scores every visit; the table says how far ratings lie apart without any change."""
        for number, visit in enumerate(visits):
            self.progress("as they are", number / len(visits))
            self.scored[visit.session] = self.score(visit.session, visit.target, visit.utterances)
        return movements.spread(
            [rating for one in self.scored.values() for rating in one.ratings],
            sum(bool(one.quality.warnings) for one in self.scored.values()),
            self.pipeline.codebook,
        )

    def disturb(self, visits: Sequence[CastVisit], disturbance: Disturbance) -> Change:
        """Every variant of every visit beside the visit as it is."""
        moves: list[Move] = []
        variants = declined = warned = 0
        for number, visit in enumerate(visits):
            self.progress(disturbance.name, number / len(visits))
            before = self.scored[visit.session]
            for _, utterances in disturbance.change(visit):
                after = self.score(visit.session, visit.target, utterances)
                found = _moves(visit.session, before.ratings, after.ratings)
                moves += found
                variants += 1
                declined += any(_is_rated(move.before) and not _is_rated(move.after) for move in found)
                warned += len(after.quality.warnings) > len(before.quality.warnings)
        return Change(
            name=disturbance.name,
            what=disturbance.what,
            variants=variants,
            declined=declined,
            warned=warned,
            movements=movements.movements(moves),
        )

    def joined(self, joined: Sequence[Joined]) -> str:
        """Visits joined to long ones, beside the mean of their ratings."""
        moves: list[Move] = []
        declined = 0
        for one in joined:
            after = self.rate(one)
            moves += [Move(one.name, before, a) for before, a in zip(one.mean_ratings, after, strict=True)]
            declined += not any(map(_is_rated, after))
        change = Change(
            name="Five visits joined",
            what="coded one by one, then rated end to end as one visit, against the mean of their five ratings "
            "and the mean of their intervals; no visit stands in two",
            variants=len(joined),
            declined=declined,
            warned=0,
            movements=movements.movements(moves),
        )
        return movements.as_markdown(change, self.pipeline.codebook)

    def rate(self, one: Joined) -> list[Rating]:
        """The rater alone, on what was coded already."""
        words = sum(len(coded.utterance.trusted_text.split()) for coded in one.coded)
        quality = Quality(words=words, speakers=len(one.roles.roles))
        return self.pipeline.rater.rate(one.coded, (), quality, one.roles)

    def timed(self, one: Joined) -> str:
        """Seconds that rating takes after coding: weights loaded, the best of three."""
        self.rate(one)
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            self.rate(one)
            seconds.append(time.perf_counter() - start)
        words = sum(len(coded.utterance.trusted_text.split()) for coded in one.coded)
        return (
            f"## An hour rated\n{len(one.coded)} utterances, {words} words, {os.cpu_count()} cores, load "
            f"{os.getloadavg()[0]:.1f}: {min(seconds):.2f} s after coding, evidence included "
            f"(three runs: {', '.join(f'{one:.2f}' for one in seconds)}).\n"
        )


def spoken_visit(pipeline: Pipeline, visit: SpokenVisit, progress: Progress = silent) -> str:
    """A recording through the whole pipeline beside its reference transcript."""
    said = references.reference(visit.sound)
    if said is None:
        raise BadSetting(f"{visit.sound} has no reference with times beside it; give a recording that has one")
    references.check(visit.sound, said)
    recording = Recording(name=visit.sound.stem, source=visit.sound.name, sha256="", kind="sound", target=visit.target)
    before = pipeline.score(recording, pipeline.read(said), {})
    given = {visit.child: Role.CHILD}
    with decode(visit.sound) as audio:
        heard = pipeline.listen(audio, visit.speakers, given, progress)
    after = pipeline.score(recording, heard, {})
    errors = hearing.word_errors(said, heard.utterances)
    roles = hearing.role_errors(said, heard.utterances)
    what = (
        f"{recording.source} by `{pipeline.listener.transcriber.label}` and `{pipeline.listener.diariser.label}` with "
        f"`--speakers {visit.speakers}` and the child named: word error rate {errors.value:.3f} of {errors.length:.0f} "
        f"words, {roles.value:.3f} of the time under a wrong role. One visit, synthetic voices."
    )
    moves = _moves(recording.name, before.ratings, after.ratings)
    return movements.one_session("The spoken demo visit", what, moves, pipeline.codebook)


def _moves(session: str, before: Sequence[Rating], after: Sequence[Rating]) -> list[Move]:
    return [Move(session, one, other) for one, other in zip(before, after, strict=True)]


def _is_rated(rating: Rating) -> bool:
    return rating.status is not RatingStatus.WITHHELD
