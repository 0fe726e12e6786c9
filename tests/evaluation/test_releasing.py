"""A release is a promise: people's own agreement was looked at, on sessions that the rater had never seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from evaluation import page, releasing
from evaluation.cli import agree
from evaluation.findings import Report
from evaluation.reading.files import ReadOptions, read
from evaluation.reliability import CompareOptions, compare
from evaluation.unseen import LEFT_OUT, known_to, unseen
from msw_ml import bundle, codebook
from msw_ml.errors import BadSetting
from msw_ml.rating.learned import LEARNED, learned_from, mark
from msw_ml.rating.release import MINIMUM_SESSIONS, ReleaseFile
from msw_ml.session import (
    Provenance,
    Quality,
    Rating,
    RatingStatus,
    Recording,
    RoleChoice,
    ScoredSession,
)

BOOK = codebook.load("msw")
FIRST, SECOND = BOOK.elements[0], BOOK.elements[1]
TERMS = releasing.Terms(threshold=0.3, minimum_sessions=MINIMUM_SESSIONS)
FAST = CompareOptions(draws=100)
SESSIONS = 40

app = typer.Typer()
app.command()(agree)


def levels(seed: int = 3) -> list[float]:
    """How good each session is: all of the scale comes up, so agreement can be seen."""
    return list(1 + np.random.default_rng(seed).permutation(SESSIONS) % 5.0)


def rows(coders: dict[str, Sequence[int]], element: str = FIRST.id) -> list[str]:
    """Ratings of these sessions by each coder, now and then a point apart."""
    return [
        f"v{session},{coder},{element},{min(5, levels()[session] + ((session + place) % 4 == 0)):g}"
        for place, (coder, sessions) in enumerate(coders.items())
        for session in sessions
    ]


def write(folder: Path, given: list[str]) -> Path:
    path = folder / "ratings.csv"
    path.write_text("\n".join(["session,coder,element,rating", *given]) + "\n")
    return path


def rated(folder: Path, coders: dict[str, Sequence[int]]) -> Path:
    return write(folder, rows(coders))


def report_of(path: Path) -> Report:
    return compare(read([path], BOOK, ReadOptions(machines=("robot",))), BOOK, FAST)


def release_of(path: Path) -> ReleaseFile:
    return releasing.release(report_of(path), BOOK, ("rater 1", None), TERMS)


def test_two_people_on_enough_sessions_release_and_their_own_agreement_is_shown(tmp_path: Path) -> None:
    everyone = range(SESSIONS)
    path = rated(tmp_path, {"Anna": everyone, "Ben": everyone, "robot": everyone})
    grant = release_of(path).elements[FIRST.id]
    people = report_of(path).find(FIRST.id, "humans_same", "icc_a1")
    assert (grant.is_released, grant.sessions) == (True, SESSIONS)
    assert "40 sessions that two people or more scored" in grant.reason
    assert f"of two people {people.estimate.value:.2f} [" in grant.reason


def test_one_coder_and_the_machine_release_nothing(tmp_path: Path) -> None:
    """However well the machine agrees with one person, nobody knows whether a second person would."""
    everyone = range(SESSIONS)
    found = report_of(rated(tmp_path, {"Anna": everyone, "robot": everyone}))
    grant = releasing.release(found, BOOK, ("rater 1", None), TERMS).elements[FIRST.id]
    assert found.find(FIRST.id, "machine", "icc_a1").estimate.low > TERMS.threshold
    assert (grant.is_released, grant.sessions) == (False, 0)
    assert "0 sessions were scored by two people or more beside the machine, 30 are needed" in grant.reason
    assert "40 more by one person" in grant.reason
    assert "No session was coded by two people" in found.warnings[0]
    assert "with one person a visit" in found.summary[2]


def test_the_machine_is_no_second_person_anywhere_in_the_report(tmp_path: Path) -> None:
    """Forty sessions of one coder and the machine, twelve of which a second coder saw, are twelve."""
    found = report_of(rated(tmp_path, {"Anna": range(SESSIONS), "Ben": range(12), "robot": range(SESSIONS)}))
    assert (found.sessions, found.double_coded) == (SESSIONS, 12)
    assert found.warnings[0].startswith("Only 12 sessions were coded by two people or more")
    assert "40 visits, 12 of them by two people or more" in found.summary[0]
    assert "40 sessions coded by two people and by a machine" in found.methods
    assert "of which 12 were coded by two people or more" in found.methods
    assert f"{FIRST.name} (12 sessions by two people, 40 sessions by machine and person)" in page.render(found)


def test_each_element_needs_its_own_sessions(tmp_path: Path) -> None:
    everyone = range(SESSIONS)
    given = rows({"Anna": everyone, "Ben": everyone, "robot": everyone})
    given += rows({"Anna": everyone, "Ben": range(29), "robot": everyone}, SECOND.id)
    file = release_of(write(tmp_path, given))
    assert file.elements[FIRST.id].is_released
    assert not file.elements[SECOND.id].is_released
    assert f"{SECOND.name}: 29 sessions were scored by two people" in file.elements[SECOND.id].reason


def test_sessions_that_the_machine_did_not_rate_do_not_count(tmp_path: Path) -> None:
    """Thirty-five sessions of two people, the machine on twenty-five of them and on five others."""
    machine = [*range(25), *range(35, SESSIONS)]
    path = rated(tmp_path, {"Anna": range(SESSIONS), "Ben": range(35), "robot": machine})
    assert release_of(path).elements[FIRST.id].sessions == 25


def test_without_a_human_figure_nothing_is_released(tmp_path: Path) -> None:
    """Two people who give every session the same: how far they agree cannot be said, so nor can what a machine adds."""
    constant = [f"v{session},{coder},{FIRST.id},3" for session in range(SESSIONS) for coder in ("Anna", "Ben")]
    grant = release_of(write(tmp_path, [*rows({"robot": range(SESSIONS)}), *constant])).elements[FIRST.id]
    assert not grant.is_released
    assert "of two people cannot be relied on" in grant.reason


def test_fewer_than_thirty_cannot_be_asked_for(tmp_path: Path) -> None:
    """An organisation sets its own threshold, never a smaller number of sessions."""
    words = [str(tmp_path), "-o", str(tmp_path / "o"), "--release", str(tmp_path / "r"), "--minimum-sessions", "29"]
    assert CliRunner().invoke(app, words).exit_code == 2


def fine_tuned(folder: Path, learned: Sequence[str]) -> bundle.Bundle:
    """What a fine-tuned rater's bundle says of the recordings that it learned from; its weights play no part here."""
    info = bundle.BundleInfo(
        name="session_rater", version="9.0+own", kind="session_rater", codebook=BOOK.key, licence="Apache-2.0",
        parameters={LEARNED: sorted(map(mark, learned))},
    )  # fmt: skip
    return bundle.write(folder / "session_rater", info, {})


def sha(session: int) -> str:
    return f"{session:064x}"[::-1]


def scores(folder: Path, rater: str) -> Path:
    """The machine's output: one folder a session, rated like people do."""
    for number, level in enumerate(levels()):
        rating = Rating(element=FIRST.id, status=RatingStatus.INDICATIVE, value=level, low=1, high=5, reason="")
        session = ScoredSession(
            recording=Recording(name=f"v{number}", source=f"v{number}.wav", sha256=sha(number), kind="sound"),
            roles=RoleChoice(roles={}, margin=1, method="given"),
            quality=Quality(),
            utterances=(),
            measures=(),
            ratings=(rating,),
            provenance=Provenance(
                msw_ml="0", codebook=BOOK.id, codebook_version=BOOK.version, engines={"rater": rater}, settings={}
            ),
        )
        path = folder / "scores" / f"v{number}" / "session.json"
        path.parent.mkdir(parents=True)
        path.write_text(session.model_dump_json())
    return folder / "scores"


def released(folder: Path, rater: str) -> tuple[ReleaseFile, str]:
    """What `msw agree --release` writes and prints."""
    people = rated(folder, {"Anna": range(SESSIONS), "Ben": range(SESSIONS)})
    words = [people, scores(folder, rater), "-o", folder / "o", "--draws", 100, "--release", folder / "r.json"]
    result = CliRunner().invoke(app, [*map(str, words), "--threshold", "0.3"])
    if result.exception is not None:
        raise result.exception
    return ReleaseFile.model_validate_json((folder / "r.json").read_text()), result.stdout


@pytest.mark.parametrize(("learned", "is_released"), [(0, True), (10, True), (11, False)])
def test_sessions_that_the_rater_learned_from_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, learned: int, is_released: bool
) -> None:
    """Of forty, eleven learned from leave twenty-nine: a fine-tuned rater is not released on its own training."""
    rater = fine_tuned(tmp_path, [sha(number) for number in range(learned)])
    monkeypatch.setenv("MSW_SESSION_RATER", str(rater.path))
    file, printed = released(tmp_path, rater.label)
    grant = file.elements[FIRST.id]
    assert (grant.is_released, grant.sessions) == (is_released, SESSIONS - learned)
    assert ("learned from do not count" in grant.reason) == (learned > 0)
    assert (f"{LEFT_OUT}: {learned}" in printed) == (learned > 0)
    assert (f"Released: {FIRST.name}" in printed) == is_released


def test_a_rater_that_is_not_at_hand_cannot_be_released(tmp_path: Path) -> None:
    """Its bundle alone says what it learned from."""
    with pytest.raises(BadSetting, match="which sessions it learned from is not known: set MSW_SESSION_RATER"):
        released(tmp_path, "session_rater 9.0+own 0a1b2c3d")


def test_people_s_ratings_of_learned_sessions_stay(tmp_path: Path) -> None:
    """Only the machine's ratings are no evidence there; how people agree is."""
    rater = fine_tuned(tmp_path, [sha(0)])
    people = rated(tmp_path, {"Anna": range(SESSIONS), "Ben": range(SESSIONS)})
    codings = read([people, scores(tmp_path, rater.label)], BOOK)
    known = known_to(rater.label, rater.path)
    assert known == learned_from(rater.info) == {mark(sha(0))}
    gone = set(codings.ratings) - set(unseen(codings, known).ratings)
    assert {(one.coder, one.session) for one in gone} == {("machine", "v0")}


def test_the_shipped_rater_learned_from_nobody_s_own_visits() -> None:
    label = bundle.load(bundle.shipped("session_rater"), "session_rater").label
    assert known_to(label, None) == frozenset()
    assert known_to(None, None) == frozenset()
