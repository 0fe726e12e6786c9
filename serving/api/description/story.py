"""One visit that all examples tell of: its ids, and what machine and coder make of three utterances of it.

The words are the codebook's own examples, so they are right for whichever codebook is in force.
"""

from __future__ import annotations

import datetime as dt

from evaluation.findings import CoderSummary, Figure, Report
from evaluation.intervals import Estimate, Resampling
from evaluation.pairing import Cutting
from msw_ml.codebook import Codebook
from msw_ml.coding.measures import measure
from msw_ml.coding.volleys import apply_volley_rules
from msw_ml.session import (
    CodedUtterance,
    Evidence,
    Provenance,
    Quality,
    Rating,
    RatingStatus,
    Recording,
    Role,
    RoleChoice,
    ScoredSession,
    Utterance,
)

SESSION = "ses_019ab2f0c1d27f4c0a8e55d0b1c2d3e4"
JOB = "job_019ab2f0c1d97a10b3c4d5e6f7a8b9c0"
REVIEW = "rev_019ab31c44e07b21c4d5e6f7a8b9c0d1"
COACH = "person_019a93be02117c32d5e6f7a8b9c0d1e2"
CODER = "person_019a93be7f017d43e6f7a8b9c0d1e2f3"
WORKER = "person_019a93c01a5b7e54f7a8b9c0d1e2f3a4"
TEAM = "team_019a93bd9c007f65a8b9c0d1e2f3a4b5"
DONE_AT = dt.datetime(2026, 11, 24, 8, 9, 30, tzinfo=dt.UTC)
BEGUN_AT = dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC)
SHA256 = "2f1c6e0b9d8a47563c1e0f9a8b7d6c5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c"


class Story:
    """The visit, coded by one codebook."""

    def __init__(self, book: Codebook) -> None:
        self.book = book
        first, second, *_ = book.codes(Role.WORKER)
        self.coded, self.doubted = first, second
        """Two codes of the worker; machine and coder disagree over the second."""
        self.element = book.elements[0].id
        self.other_element = book.elements[1].id

    def session(self) -> ScoredSession:
        """The first three utterances, as the machine codes them."""
        answer = self.book.codes(Role.PARENT)[0]
        said = ((Role.WORKER, "S1", self.coded), (Role.PARENT, "S2", answer), (Role.WORKER, "S1", self.doubted))
        units = [
            CodedUtterance(
                utterance=Utterance(
                    id=number,
                    speaker=speaker,
                    role=role,
                    text=self.book.behaviour(code).example,
                    start=4.0 * number,
                    end=4.0 * number + 3.5,
                ),
                code=code,
                parent_code=self.book.parent_of(code),
                confidence=0.81,
            )
            for number, (role, speaker, code) in enumerate(said)
        ]
        coded = apply_volley_rules(units, self.book)
        return ScoredSession(
            recording=Recording(name="visit12", source="visit12.m4a", sha256=SHA256, kind="sound", duration=3120.4),
            roles=RoleChoice(roles={"S1": Role.WORKER, "S2": Role.PARENT}, margin=0.62, method="found"),
            quality=Quality(speech_seconds=2710.5, unheard_seconds=12.0, words=7240, doubtful_words=95, speakers=2),
            utterances=coded,
            measures=measure(coded, self.book)[:2],
            ratings=(self.rating(),),
            provenance=Provenance(
                msw_ml="0.1.0",
                codebook=self.book.id,
                codebook_version=self.book.version,
                engines={"transcriber": "whisper base d01c3014"},
                settings={"language": "en"},
            ),
        )

    def rating(self) -> Rating:
        return Rating(
            element=self.element,
            status=RatingStatus.INDICATIVE,
            value=3.4,
            low=2.2,
            high=4.5,
            coverage=0.9,
            reason="not compared with your own coders yet",
            evidence=(Evidence(utterance=2, effect=0.12),),
        )

    def report(self) -> Report:
        """Of `msw agree`, cut down to one figure; a real one has hundreds."""
        element = self.book.element(self.element)
        figure = Figure(
            level="rating",
            variable=element.id,
            variable_name=element.name,
            comparison="machine",
            statistic="icc_a1",
            statistic_name="ICC(A,1)",
            estimate=Estimate(value=0.58, low=0.31, high=0.77),
            interval="F",
            pairs=1,
            units=24,
            sessions=24,
        )
        people = (
            CoderSummary(name="Kim", is_machine=False, sessions=24, units=9120, ratings=168),
            CoderSummary(
                name="machine", is_machine=True, sessions=24, units=9120, ratings=168,
                statuses={RatingStatus.INDICATIVE: 168},
            ),
        )  # fmt: skip
        return Report(
            summary=("One coder and the software coded the same 24 sessions.",),
            codebook=self.book.key,
            versions={"msw_ml": "0.1.0"},
            resampling=Resampling(),
            clusters=24,
            sessions=24,
            single_coded=0,
            left_out={},
            coders=people,
            lined_up={"number": 24},
            cutting={"Kim, machine": Cutting(first=9120, second=9120, matched=9120)},
            figures=(figure,),
            described=(),
            ten_forms=(),
            confusions=(),
            bland_altman=(),
        )
