"""`msw train elements`: a rater is fine-tuned on an organisation's own visits, or says why not."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from typer.testing import CliRunner

from evaluation import sheets
from evaluation.reading.scored import read_session, sessions_in
from evaluation.unseen import known_to
from msw_ml import bundle
from msw_ml.cli.main import app
from msw_ml.codebook import Codebook, load
from msw_ml.errors import BadSetting, CodebookMismatch, InputError
from msw_ml.rating.features import feature_names
from msw_ml.rating.learned import mark
from msw_ml.rating.limits import Limits
from msw_ml.rating.manner import Manner
from msw_ml.rating.rater import WEIGHTS, BundleRater, ElementModel, SessionModel, read_model
from msw_ml.session import (
    CodedUtterance,
    Provenance,
    Quality,
    Recording,
    Role,
    RoleChoice,
    ScoredSession,
    Utterance,
)
from training.elements import read_recipe
from training.own_data import OwnFiles, read_own
from training.own_fit import ElementTable, correct, cross_correct, splits
from training.own_trial import RECIPE, play
from training.own_visits import Trained, train_own

ROWS = 20
SESSIONS, WORKERS = 40, 12
ASKED = ("question_open", "how would you like things to be when he comes home from school")
TOLD = ("persuade", "you should get him up and you need to do it better than you did")


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    return load()


def scored(name: str, asked: int, codebook: Codebook, rows: int = ROWS) -> ScoredSession:
    """A visit in which the worker asks so many of `rows` times, and tells otherwise."""
    said = []
    for number in range(rows):
        code, text = ASKED if number < asked else TOLD
        said += [(Role.WORKER, code, text), (Role.PARENT, "neutral", "it depends on the day and on the baby really")]
    coded = [
        CodedUtterance(utterance=Utterance(id=n, speaker=role, text=text, role=role), code=code, parent_code=code)
        for n, (role, code, text) in enumerate(said)
    ]
    return session(name, coded, codebook)


def session(name: str, coded: Sequence[CodedUtterance], codebook: Codebook) -> ScoredSession:
    """As `msw score` writes a transcript whose roles were given."""
    return ScoredSession(
        recording=Recording(name=name, source=f"{name}.csv", sha256=f"{name:0>64}", kind="transcript"),
        roles=RoleChoice(roles={"worker": Role.WORKER, "parent": Role.PARENT}, margin=1.0, method="given"),
        quality=Quality(),
        utterances=tuple(coded),
        measures=(),
        ratings=(),
        provenance=Provenance(
            msw_ml="0", codebook=codebook.id, codebook_version=codebook.version, engines={}, settings={}
        ),
    )


@pytest.fixture(scope="module")
def rater(tmp_path_factory: pytest.TempPathFactory, codebook: Codebook) -> Path:
    """A rater made up here: 1 where the worker only tells, 5 where the worker only asks, for every element."""
    names = feature_names(codebook, ("words",), (Role.WORKER,), is_fine=True)
    model = SessionModel(
        features=tuple(names),
        means=tuple(0.5 if name == "words:question_open" else 0.0 for name in names),
        scales=(0.25,) * len(names),
        elements=tuple(
            ElementModel(
                element=element.id,
                intercept=3.0,
                weights=tuple(1.0 if name == "words:question_open" else 0.001 for name in names),
                half_width=1.5,
                sessions=90,
                learned_from="90 invented sessions",
            )
            for element in codebook.elements
        ),
        coverage=0.9,
        manner=Manner(words=(), weights=()),
        limits=Limits(),
    )
    info = bundle.BundleInfo(
        name="session_rater", version="9.0", kind="session_rater", codebook=codebook.key, licence="Apache-2.0"
    )
    files = {WEIGHTS: model.model_dump_json().encode(), "card.md": b"# before\n", "marks.npy": b"as it is"}
    return bundle.write(tmp_path_factory.mktemp("rater") / "start", info, files).path


class Organisation:
    """Scored visits and two coders who rate asking, one stricter than the other by as much as is asked for."""

    def __init__(self, folder: Path, codebook: Codebook) -> None:
        self.folder, self.codebook = folder, codebook
        self.scored, self.ratings, self.visits = folder / "scores", folder / "coders.csv", folder / "visits.csv"
        self.elements = [element.id for element in codebook.elements][:2]

    def write(self, sessions: int = SESSIONS, stricter: float = 0.0, workers: int = WORKERS) -> OwnFiles:
        chance = np.random.default_rng(5)
        rows, visits = [["session", "coder", "element", "value"]], [["session", "worker"]]
        for number in range(sessions):
            name, asked = f"visit{number:03}", int(chance.integers(4, ROWS + 1))
            self.put(scored(name, asked, self.codebook))
            visits.append([name, f"worker {number % workers}"])
            for coder in ("ann", "ben"):
                level = 1 + 4 * asked / ROWS - stricter
                rows += [
                    [name, coder, element, str(int(np.clip(round(level + chance.normal(0, 0.3)), 1, 5)))]
                    for element in self.elements
                ]
        save(self.ratings, rows)
        save(self.visits, visits)
        return OwnFiles(scored=self.scored, ratings=(self.ratings,), visits=self.visits)

    def put(self, session: ScoredSession) -> None:
        path = self.scored / session.recording.name / "session.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(session.model_dump_json())


def save(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture
def organisation(tmp_path: Path, codebook: Codebook) -> Organisation:
    return Organisation(tmp_path, codebook)


def rate(path: Path, session: ScoredSession, codebook: Codebook) -> list[float]:
    rater = BundleRater(path, codebook)
    return [one.value or 0.0 for one in rater.rate(session.utterances, (), session.quality, session.roles)]


def figure(made: Trained, name: str, element: str) -> float:
    row = next(r for r in made.found.part.figures if (r.model, r.element) == (name, element))
    return row.mae.value or 0.0


@pytest.fixture(scope="module")
def stricter(tmp_path_factory: pytest.TempPathFactory, rater: Path, codebook: Codebook) -> Trained:
    """What comes of coders who are a point stricter than the rater, on two of the elements."""
    folder = tmp_path_factory.mktemp("stricter")
    return train_own(Organisation(folder, codebook).write(stricter=1.0), folder / "out", codebook, rater)


def test_a_rater_follows_coders_who_are_a_point_stricter(stricter: Trained, rater: Path, codebook: Codebook) -> None:
    """The point of it all: on a visit that nobody learned from, ratings come down by the point."""
    made, new = stricter, scored("new", 14, codebook)
    before, after = rate(rater, new, codebook), rate(made.path, new, codebook)
    assert np.subtract(before, after)[:2] == pytest.approx(0.9, abs=0.3)
    for one in made.found.elements[:2]:
        assert one.sessions == SESSIONS
        assert one.gain.low is not None
        assert one.gain.low > 0.4
        assert figure(made, "fine-tuned", one.element) < figure(made, "before fine-tuning", one.element)


def test_a_rater_that_agrees_already_stays_as_it_is(
    organisation: Organisation, rater: Path, codebook: Codebook, tmp_path: Path
) -> None:
    """Fine-tuning must not make a rater worse that has nothing to learn."""
    made = train_own(organisation.write(), tmp_path / "out", codebook, rater)
    new = scored("new", 12, codebook)
    assert rate(made.path, new, codebook) == pytest.approx(rate(rater, new, codebook), abs=0.2)
    assert all(abs(one.gain.value or 0.0) < 0.05 for one in made.found.elements[:2])


def test_the_bundle_says_where_it_comes_from(stricter: Trained, codebook: Codebook) -> None:
    """Own sessions and what came before are named; files beside the weights are copied, not made anew."""
    made = bundle.load(stricter.path, "session_rater", codebook.key)
    first = read_model(made).elements[0]
    assert first.learned_from == "40 own sessions, rated by 2 coders, and before that from 90 invented sessions"
    assert first.sessions == 130
    assert first.half_width != 1.5
    assert made.info.version == "9.0+own"
    assert made.file("marks.npy").read_bytes() == b"as it is"
    assert made.file("card_before.md").read_bytes() == b"# before\n"
    card = made.file("card.md").read_text()
    for expected in (
        "Not validated",
        "40 own sessions of 12 workers",
        "constant 3",
        "training median",
        "One coder with",
    ):
        assert expected in card


def test_same_input_same_bytes(organisation: Organisation, rater: Path, codebook: Codebook, tmp_path: Path) -> None:
    own = organisation.write(stricter=0.5)
    one, two = (bundle.read(train_own(own, tmp_path / name, codebook, rater).path) for name in "ab")
    assert one.info.files == two.info.files
    assert one.label == two.label


def test_the_human_line_is_that_of_single_coders(stricter: Trained) -> None:
    """People are compared with each other, and the machine with one of them, on the same sessions."""
    for one in stricter.found.elements[:2]:
        assert one.twice == SESSIONS
        assert one.people.low is not None
        assert 0.5 < one.people.low < (one.people.value or 0) < 1
        assert (one.before.value or 0) < (one.tuned.value or 0)


def test_an_element_with_few_ratings_stays_as_it_was(
    organisation: Organisation, rater: Path, codebook: Codebook, tmp_path: Path
) -> None:
    """Its model, its interval and what it learned from are the rater's, and the card says why."""
    own = organisation.write(stricter=1.0)
    few = organisation.elements[1]
    rows = list(csv.reader(organisation.ratings.read_text().splitlines()))
    save(organisation.ratings, [row for row in rows if row[2] != few or row[0] < "visit010"])
    made = train_own(own, tmp_path / "out", codebook, rater)
    before, after = (read_model(bundle.read(path)).elements for path in (rater, made.path))
    assert after[1:] == before[1:]
    assert after[0] != before[0]
    assert f"| {few} | 10 | none: 30 rated sessions" in (made.path / "card.md").read_text()


def test_below_thirty_sessions_nothing_is_learned(
    organisation: Organisation, rater: Path, codebook: Codebook, tmp_path: Path
) -> None:
    """From fewer, a rater would learn chance: the message says how many there are and what to do."""
    with pytest.raises(InputError, match=r"29 rated sessions.*30 are needed.*msw sheet"):
        train_own(organisation.write(sessions=29), tmp_path / "out", codebook, rater)
    assert not (tmp_path / "out").exists()


def test_visits_that_are_too_short_do_not_count(
    organisation: Organisation, rater: Path, codebook: Codebook, tmp_path: Path
) -> None:
    own = organisation.write(sessions=31)
    for name in ("visit003", "visit004"):
        organisation.put(scored(name, 1, codebook, rows=2))
    with pytest.raises(InputError, match=r"29 rated sessions can be learned from \(2 more are too short"):
        train_own(own, tmp_path / "out", codebook, rater)


@pytest.mark.parametrize("workers", [1, 2])
def test_one_worker_alone_is_refused(
    workers: int, organisation: Organisation, rater: Path, codebook: Codebook, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=rf"40 sessions are of {workers} worker only, 3 are needed"):
        train_own(organisation.write(workers=workers), tmp_path / "out", codebook, rater)


def test_ratings_of_a_visit_that_was_not_scored_are_named(
    organisation: Organisation, rater: Path, codebook: Codebook, tmp_path: Path
) -> None:
    own = organisation.write()
    (organisation.scored / "visit007" / "session.json").unlink()
    with pytest.raises(InputError, match=r"row \d+: the session 'visit007' is rated, but no session"):
        train_own(own, tmp_path / "out", codebook, rater)


def test_scores_by_another_codebook_are_refused(
    organisation: Organisation, rater: Path, codebook: Codebook, tmp_path: Path
) -> None:
    own = organisation.write()
    organisation.put(scored("visit007", 5, codebook.model_copy(update={"version": "0.1"})))
    with pytest.raises(InputError, match=r"visit007/session.json was scored by codebook msw 0\.1"):
        train_own(own, tmp_path / "out", codebook, rater)


def test_a_rater_of_another_codebook_is_refused(
    organisation: Organisation, rater: Path, codebook: Codebook, tmp_path: Path
) -> None:
    other = codebook.model_copy(update={"version": "0.1"})
    with pytest.raises(CodebookMismatch):
        train_own(organisation.write(), tmp_path / "out", other, rater)


def test_the_machines_own_ratings_teach_nothing(
    organisation: Organisation, rater: Path, codebook: Codebook, tmp_path: Path
) -> None:
    own = organisation.write().model_copy(update={"ratings": (organisation.ratings, organisation.scored)})
    with pytest.raises(InputError, match="machine's ratings"):
        train_own(own, tmp_path / "out", codebook, rater)


def test_the_same_visits_are_not_learned_from_twice(
    organisation: Organisation, stricter: Trained, codebook: Codebook, tmp_path: Path
) -> None:
    """A rater that knows the visits would look good on folds that it has seen."""
    with pytest.raises(BadSetting, match="has learned from 40 of these sessions already"):
        train_own(organisation.write(), tmp_path / "again", codebook, stricter.path)


def test_a_comparison_finds_out_what_the_bundle_learned_from(stricter: Trained, organisation: Organisation) -> None:
    """Else `msw agree --release` would take a rater's word on its own training visits."""
    organisation.write()
    sessions = [read_session(path) for path in sessions_in(organisation.scored)]
    known = known_to(bundle.read(stricter.path).label, stricter.path)
    assert known == {mark(session.recording.sha256) for session in sessions}


def test_without_workers_every_session_is_a_group_and_the_card_says_so(
    organisation: Organisation, rater: Path, codebook: Codebook, tmp_path: Path
) -> None:
    made = train_own(organisation.write().model_copy(update={"visits": None}), tmp_path / "out", codebook, rater)
    assert "Whose visits these are was not said" in (made.path / "card.md").read_text()


def test_a_worker_who_is_not_known_is_named(organisation: Organisation, codebook: Codebook) -> None:
    own = organisation.write()
    save(organisation.visits, [["session", "worker"], ["visit000", "worker 1"]])
    with pytest.raises(InputError, match="the worker of the session 'visit001' is not known"):
        read_own(own, codebook)


def test_coding_sheets_are_read(organisation: Organisation, codebook: Codebook, tmp_path: Path) -> None:
    """What `msw sheet` writes and a coder fills in is what is learned from."""
    own = organisation.write(sessions=2)
    for name in ("visit000", "visit001"):
        path = tmp_path / "cat" / f"{name}.xlsx"
        said = [one.utterance for one in scored(name, 3, codebook).utterances]
        sheets.write(path, name, "cat", said, codebook)
        workbook = openpyxl.load_workbook(path)
        for row in range(2, 2 + len(codebook.elements)):
            workbook["Ratings"].cell(row, 6).value = 2
        workbook.save(path)
    found = read_own(own.model_copy(update={"ratings": (tmp_path / "cat",)}), codebook)
    assert found.coders == ("cat",)
    assert (found.y == 2).all()


def test_the_older_table_is_read(organisation: Organisation, codebook: Codebook) -> None:
    """SCORED/ratings.csv with its column of groups is enough where no other file is given."""
    organisation.write(sessions=4)
    header = ["session", "coder", "group", *organisation.elements]
    save(
        organisation.scored / "ratings.csv",
        [header, *([f"visit00{n}", c, f"w{n // 2}", "4", "4"] for n in range(4) for c in "ab")],
    )
    old = read_own(OwnFiles(scored=organisation.scored), codebook)
    assert old.names == ("visit000", "visit001", "visit002", "visit003")
    assert (old.coders, old.grouped_by, old.groups.tolist()) == (("a", "b"), "worker", [0, 0, 1, 1])
    assert (old.y[:, :2] == 4).all()


def data(groups: int = 12, noise: float = 0.4) -> ElementTable:
    chance = np.random.default_rng(2)
    z = chance.normal(size=(groups * 5, 6))
    before = 3 + 0.5 * z[:, 0]
    y = np.clip(before - 0.3 + 0.6 * z[:, 1] + noise * chance.normal(size=len(z)), 1, 5)
    return ElementTable(z, before, y, np.repeat(np.arange(groups), 5))


def test_no_group_is_on_both_sides() -> None:
    """Folds are by worker: a rater that knows the worker would seem to know the practice."""
    groups = data().groups
    for train, test in splits(groups):
        assert not set(groups[train]) & set(groups[test])
    assert sorted(np.concatenate([test for _, test in splits(groups)])) == list(range(len(groups)))


def test_a_correction_finds_what_the_rater_missed() -> None:
    found = correct(data())
    assert found.weights[1] == pytest.approx(0.5, abs=0.15)
    assert abs(found.weights[2:]).max() < 0.15
    assert found.level == pytest.approx(-0.3, abs=0.15)


def test_without_a_pattern_only_the_level_moves() -> None:
    table = data(noise=0.0)
    chance = np.random.default_rng(7)
    noise = ElementTable(table.z, table.before, table.before - 0.5 + 0.8 * chance.normal(size=60), table.groups)
    found = correct(noise)
    assert found.strength == np.inf
    assert found.level == pytest.approx(-0.5, abs=0.3)


def test_with_nothing_to_learn_nothing_changes() -> None:
    """Coders who rate as the rater does, give or take, leave it as it is: noise must not be learned."""
    table, chance = data(), np.random.default_rng(7)
    found = correct(ElementTable(table.z, table.before, table.before + 0.8 * chance.normal(size=60), table.groups))
    assert (found.strength, found.level, abs(found.weights).max()) == (None, 0.0, 0.0)


def test_intervals_hold_workers_who_were_not_learned_from() -> None:
    table = data(groups=60)
    crossed = cross_correct(table, 0.9)
    assert 0.85 <= (np.abs(crossed.predicted - table.y) <= crossed.half_widths).mean() <= 0.95


def test_the_command_prints_what_changed_and_how_to_use_it(
    organisation: Organisation, rater: Path, tmp_path: Path
) -> None:
    own = organisation.write(stricter=1.0)
    arguments = ["train", "elements", str(own.scored), str(organisation.ratings), "--visits", str(own.visits)]
    run = CliRunner().invoke(app, [*arguments, "-o", str(tmp_path / "out"), "--rater", str(rater)])
    assert run.exit_code == 0, run.output
    assert f"MSW_SESSION_RATER={tmp_path / 'out' / 'session_rater'}" in run.output.splitlines()[-1]
    assert run.output.count(": nearer") == len(organisation.elements)


def test_own_visits_are_not_given_with_a_recipe(organisation: Organisation, tmp_path: Path) -> None:
    run = CliRunner().invoke(app, ["train", "some.toml", str(tmp_path), "-o", str(tmp_path / "out")])
    assert isinstance(run.exception, BadSetting)


@pytest.mark.slow
def test_part_of_the_simulated_visits_played_as_own(codebook: Codebook, tmp_path: Path) -> None:
    """The shipped rater follows stricter readers on workers whom fine-tuning did not see.

    It has learned from these visits before, so that the figures say how fine-tuning works, not how well the rater does.
    """
    played = play(read_recipe(RECIPE), codebook, tmp_path / "own", stricter=1)
    made = train_own(played, tmp_path / "out", codebook)
    for one in made.found.elements:
        assert (one.sessions, one.groups, one.twice) == (50, 6, 50)
        assert one.gain.value is not None
        assert one.gain.value > 0.15
        assert (one.tuned.value or 0.0) > (one.before.value or 0.0)
