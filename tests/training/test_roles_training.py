"""Training of the role finder, on conversations made up here, and what its shipped bundle may hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from msw_ml import bundle
from msw_ml.session import Role, Utterance
from msw_ml.speech.roles import WEIGHTS_FILE, RoleWeights, TrainedRoleFinder, terms
from training.corpora import CodedTranscript, Unit
from training.roles import cut, fit_language, fit_session, measure, read_sessions
from training.roles_bundle import LEAST_SESSIONS, RoleFigures, wilson, write_bundle

ASKS = ["What would you like for your boy?", "You sound worn out today.", "How did you manage that on your own?"]
TELLS = ["I just want my boy home.", "I was up all night with him.", "My mum says I should ask for help."]


def conversation(number: int) -> CodedTranscript:
    """Worker and parent by turns; every other one is begun by the parent, in every third the parent says more."""
    units = []
    for place in range(12):
        is_worker = (place + number) % 2 == 0
        text = (ASKS if is_worker else TELLS)[(place + number) % 3]
        if not is_worker and number % 3 == 0:
            text = f"{text} {TELLS[place % 3]}"
        units.append(Unit(id=str(place), role=Role.WORKER if is_worker else Role.PARENT, text=text, codes=()))
    return CodedTranscript(
        corpus="made-up", id=str(number), group=f"made-up/{number}", target=None, quality=None, units=tuple(units)
    )


@pytest.fixture(scope="module")
def sessions() -> list[CodedTranscript]:
    return [conversation(number) for number in range(LEAST_SESSIONS + 10)]


@pytest.fixture(scope="module")
def weights(sessions: list[CodedTranscript]) -> RoleWeights:
    language = fit_language([stretch for session in sessions for stretch in cut(session)])
    return language.model_copy(update=fit_session([(session, language) for session in sessions]))


def test_learns_who_says_you_and_who_says_i(weights: RoleWeights) -> None:
    assert weights.terms["you"] > 0 > weights.terms["my"]
    assert weights.language > 0


def test_who_begins_weighs_what_it_is_worth(weights: RoleWeights) -> None:
    """Half of these conversations are begun by the worker: nothing."""
    assert weights.first == pytest.approx(0.0, abs=0.01)


def test_rare_words_stay_out_of_the_bundle(sessions: list[CodedTranscript]) -> None:
    """Whoever holds the bundle must not learn what was said in one conversation."""
    named = sessions[0].model_copy(
        update={"units": (Unit(id="x", role=Role.PARENT, text="Bartholomew came back", codes=()), *sessions[0].units)}
    )
    learnt = fit_language([stretch for session in [named, *sessions[1:]] for stretch in cut(session)])
    assert not any("bartholomew" in term for term in learnt.terms)


def test_stretches_hold_all_words_once(sessions: list[CodedTranscript]) -> None:
    for session in sessions[:3]:
        said = [term for unit in session.units for term in terms(unit.text)]
        assert sum(sum(stretch.counts.values()) for stretch in cut(session)) == len(said)


def test_counts_right_answers_and_baselines(sessions: list[CodedTranscript], weights: RoleWeights) -> None:
    figures = measure([(session, weights) for session in sessions], len(sessions))
    assert figures.right == figures.language_right == len(sessions)
    assert figures.first_right == len(sessions) / 2
    assert figures.sure_right <= figures.sure <= figures.sessions


def test_the_bundle_is_written_twice_alike_and_loads(tmp_path: Path, weights: RoleWeights) -> None:
    figures = RoleFigures(
        sessions=30,
        groups=30,
        right=29,
        short_right=28,
        language_right=28,
        talk_right=20,
        first_right=15,
        sure=20,
        sure_right=20,
    )
    for name in ("one", "two"):
        write_bundle(tmp_path / name, weights, figures, [])
    for file in ("bundle.json", "card.md", WEIGHTS_FILE):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert "| all of it | 29 | 30 (0.967) |" in (tmp_path / "one" / "card.md").read_text(encoding="utf-8")
    said = [
        Utterance(id=0, speaker="A", text=TELLS[0]),
        Utterance(id=1, speaker="B", text=ASKS[0]),
    ]
    assert TrainedRoleFinder(tmp_path / "one").find(said).roles == {"A": Role.PARENT, "B": Role.WORKER}


def test_wilson_against_a_worked_example() -> None:
    """Newcombe 1998, table I: 81 of 263, score method without correction: .2553 to .3662."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)


def test_the_shipped_bundle_holds_words_and_pairs_only() -> None:
    """No sentence of the training sets is in the repository."""
    held = json.loads((bundle.shipped("role_finder") / WEIGHTS_FILE).read_bytes())
    assert all(len(term.split()) <= 2 for term in held["terms"])
    assert sorted(path.name for path in bundle.shipped("role_finder").iterdir()) == [
        "bundle.json",
        "card.md",
        WEIGHTS_FILE,
    ]


@pytest.mark.shared
def test_reads_the_sets_without_the_ceiling(shared: Path) -> None:
    """Transcripts that ten people coded are for the last comparison only."""
    sessions = read_sessions(shared / "data")
    assert len(sessions) == 344
    assert not {"annomi/7", "annomi/109", "annomi/130"} & {session.key for session in sessions}
