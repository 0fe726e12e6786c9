"""The report compares like with like, says what cannot be said, and reads the same twice."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import docx
import numpy as np
import pytest

from evaluation import page, releasing, report
from evaluation.agreement import icc
from evaluation.findings import Report
from evaluation.reading.files import ReadOptions, read
from evaluation.reliability import CompareOptions, compare
from msw_ml import codebook
from msw_ml.errors import InputError
from msw_ml.rating.release import ReleaseGate
from msw_ml.session import Rating, RatingStatus

BOOK = codebook.load("msw")
ELEMENT = BOOK.elements[0].id
FAST = CompareOptions(draws=200)
PEOPLE = ("Anna", "Ben", "Carys")


def invented(
    folder: Path, sessions: int = 36, coders: tuple[str, ...] = (*PEOPLE, "robot"), lenient: float = 0.5
) -> Path:
    """Codes of twenty units and one rating a session; the robot is right less often and rates half a point higher."""
    rng = np.random.default_rng(17)
    codes, ratings = ["session,unit,coder,code,worker"], ["session,coder,element,rating"]
    worker = ("question_open", "question_closed", "reflection_simple", "reflection_complex", "other")
    parent = ("change", "neutral", "sustain")
    for session in range(sessions):
        level = rng.normal(3, 0.9)
        for unit in range(20):
            side = worker if unit % 2 else parent
            truth = rng.integers(len(side))
            for coder in coders:
                right = rng.random() < (0.65 if coder == "robot" else 0.85)
                code = side[truth if right else rng.integers(len(side))]
                codes.append(f"v{session:02},{unit},{coder},{code},w{session // 3}")
        for coder in coders:
            value = level + rng.normal(0, 0.4) + (lenient if coder == "robot" else 0)
            value = np.clip(value if coder == "robot" else round(value), 1, 5)
            ratings.append(f"v{session:02},{coder},{ELEMENT},{value:.3g}")
    (folder / "codes.csv").write_text("\n".join(codes) + "\n")
    (folder / "ratings.csv").write_text("\n".join(ratings) + "\n")
    return folder


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = invented(tmp_path_factory.mktemp("study"))
    return compare(read([folder], BOOK, ReadOptions(machines=("robot",))), BOOK, FAST)


def value(found: Report, variable: str, comparison: str, statistic: str, code: str | None = None) -> float:
    figure = found.find(variable, comparison, statistic, code)
    assert figure is not None
    assert figure.estimate.value is not None, figure.estimate.reason
    return figure.estimate.value


def test_machine_beside_people_on_the_same_sessions(found: Report) -> None:
    """A machine that is right less often agrees less, and its share of the human figure has an interval."""
    machine = found.find("worker_main", "machine", "kappa")
    human = value(found, "worker_main", "humans_same", "kappa")
    assert machine is not None
    assert machine.estimate.value is not None
    assert machine.estimate.value < human
    assert machine.share_of_human is not None
    assert machine.share_of_human.value == pytest.approx(machine.estimate.value / human)
    assert machine.share_of_human.low < machine.share_of_human.value < machine.share_of_human.high


def test_single_coders_stand_beside_single_coders(found: Report) -> None:
    """The human figure is the mean over pairs of people, not an average-measures figure of all three."""
    assert value(found, ELEMENT, "humans", "icc_a1") == pytest.approx(
        value(found, ELEMENT, "humans", "icc_a1_all"), abs=0.03
    )
    average = next(one for one in found.ten_forms if one.variable == ELEMENT).forms[5]
    assert average.form.name == "ICC(A,k)"
    assert average.value > value(found, ELEMENT, "humans", "icc_a1") + 0.05


def test_consistency_hides_a_lenient_machine_and_bias_shows_it(found: Report) -> None:
    assert value(found, ELEMENT, "machine", "icc_c1") > value(found, ELEMENT, "machine", "icc_a1")
    assert value(found, ELEMENT, "machine", "bias") == pytest.approx(0.5, abs=0.15)


def test_baselines_are_always_there_and_worth_nothing_beyond_chance(found: Report) -> None:
    assert value(found, "worker_main", "majority", "kappa") == pytest.approx(0, abs=1e-9)
    assert value(found, ELEMENT, "constant", "icc_a1") == pytest.approx(0, abs=0.05)
    assert value(found, ELEMENT, "median", "icc_a1") < 0.1
    assert value(found, ELEMENT, "constant", "mae") < 1.2


def test_the_whole_widest_cluster_is_resampled(found: Report) -> None:
    assert (found.resampling.cluster, found.clusters) == ("worker", 12)
    assert found.find("worker_main", "machine", "kappa").interval == "bootstrap of 12 clusters, by worker"


def test_by_session_two_coders_have_the_f_interval(tmp_path: Path) -> None:
    folder = invented(tmp_path, coders=("Anna", "Ben"))
    report_ = compare(read([folder], BOOK), BOOK, CompareOptions(draws=200, cluster="session"))
    figure = report_.find(ELEMENT, "humans", "icc_a1")
    forms = next(one for one in report_.ten_forms if one.variable == ELEMENT).forms
    assert figure.interval == "F distribution"
    assert (figure.estimate.value, figure.estimate.low) == pytest.approx((forms[4].value, forms[4].low))
    assert forms[4].form == icc.FORMS[4]


def test_tallies_stand_apart_and_are_said_to_flatter(found: Report) -> None:
    assert {f.level for f in found.figures} == {"utterance", "tally", "measure", "rating"}
    assert any("Tallies flatter" in warning for warning in found.warnings)


def test_a_rare_code_is_not_judged(tmp_path: Path) -> None:
    rows = ["session,unit,Anna,Ben"]
    for n in range(120):
        code = "question_open" if n % 2 else "other"
        rows.append(f"v{n % 12},{n},{'confront' if n == 3 else code},{code}")
    (tmp_path / "wide.csv").write_text("\n".join(rows) + "\n")
    figure = compare(read([tmp_path / "wide.csv"], BOOK), BOOK, FAST).find(
        "worker_codes", "humans", "kappa", "confront"
    )
    assert figure.estimate.value is None
    assert figure.estimate.reason == "people gave it to 1 units; 5 are needed"


def test_constant_ratings_are_not_estimable(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("session,element,Anna,Ben\n" + "".join(f"v{n},{ELEMENT},3,3\n" for n in range(12)))
    figure = compare(read([tmp_path / "r.csv"], BOOK), BOOK, FAST).find(ELEMENT, "humans", "icc_a1")
    assert figure.estimate.value is None
    assert figure.estimate.reason == "the numbers do not vary"


def test_too_few_sessions_are_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(
        "session,element,Anna,Ben\n" + "".join(f"v{n},{ELEMENT},{n},{n}\n" for n in (1, 2, 3))
    )
    figure = compare(read([tmp_path / "r.csv"], BOOK), BOOK, FAST).find(ELEMENT, "humans", "icc_a1")
    assert figure.estimate.reason == "3 sessions; 5 are needed"


def test_units_that_never_meet_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("session,unit,coder,code\nv,1,Anna,affirm\nv,2,Ben,affirm\n")
    with pytest.raises(InputError, match="their units do not meet"):
        compare(read([tmp_path / "x.csv"], BOOK), BOOK, FAST)


def test_a_cluster_that_is_not_known_is_asked_for(tmp_path: Path) -> None:
    folder = invented(tmp_path, sessions=6)
    with pytest.raises(InputError, match="the family of session 'v00' is not known"):
        compare(read([folder], BOOK), BOOK, CompareOptions(cluster="family"))


def test_three_plain_sentences_open_it(found: Report) -> None:
    assert len(found.summary) == 3
    assert found.summary[0].startswith("Three people and the machine scored the same 36 visits")
    assert "machine agrees with a person" in found.summary[2]
    assert not any(word in " ".join(found.summary) for word in ("bootstrap", "cluster", "intraclass"))


def test_the_methods_paragraph_says_what_reviewers_ask_for(found: Report) -> None:
    for part in (
        "two-way random-effects",
        "absolute agreement",
        "single coder",
        "36 sessions",
        "three people",
        "numpy",
    ):
        assert part in found.methods


def test_all_four_files_and_the_same_bytes_twice(found: Report, tmp_path: Path) -> None:
    first, second = (report.write(found, tmp_path / name) for name in ("a", "b"))
    assert [path.name for path in first] == [
        "reliability.html",
        "reliability.json",
        "reliability.csv",
        "reliability.docx",
    ]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert Report.model_validate(json.loads(first[1].read_text())) == found
    rows = list(csv.DictReader(io.StringIO(first[2].read_text())))
    assert len(rows) == len(found.figures)
    assert all(row["value"] or row["not_estimable"] for row in rows), "a figure, or the reason why there is none"


def test_the_document_holds_the_methods_and_a_table(found: Report, tmp_path: Path) -> None:
    path = report.write(found, tmp_path)[3]
    read_back = docx.Document(str(path))
    assert any(paragraph.text == found.methods for paragraph in read_back.paragraphs)
    assert len(read_back.tables) >= 3
    assert all(info.date_time == (1980, 1, 1, 0, 0, 0) for info in zipfile.ZipFile(path).infolist())


def test_the_page_stands_alone(found: Report) -> None:
    html = page.render(found)
    assert "<script" not in html
    assert "http://" not in html
    assert "https://" not in html
    assert html.count("<svg") == html.count("</svg>")
    assert html.count("<h1") == 1


def test_names_of_coders_cannot_break_the_page(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(
        "session,element,<b>Anna</b>,Ben\n" + "".join(f"v{n},{ELEMENT},{1 + n % 5},{1 + n % 4}\n" for n in range(12))
    )
    html = page.render(compare(read([tmp_path / "x.csv"], BOOK), BOOK, FAST))
    assert "<b>Anna" not in html
    assert "&lt;b&gt;Anna" in html


def test_the_release_file_opens_the_gate_for_what_agreed(found: Report, tmp_path: Path) -> None:
    """Written by the comparison, read by the gate of the pipeline."""
    for threshold, status in ((0.2, RatingStatus.RELEASED), (0.99, RatingStatus.INDICATIVE)):
        terms = releasing.Terms(threshold=threshold, minimum_sessions=30)
        path = tmp_path / f"{threshold}.json"
        path.write_text(releasing.release(found, BOOK, ("rater 1", "coder 1"), terms).model_dump_json())
        given = Rating(element=ELEMENT, status=RatingStatus.INDICATIVE, value=3, low=2, high=4, reason="")
        assert ReleaseGate(path, BOOK).apply(given, "rater 1").status is status


def test_too_few_sessions_release_nothing(found: Report) -> None:
    file = releasing.release(found, BOOK, ("r", "c"), releasing.Terms(threshold=0.1, minimum_sessions=60))
    assert not any(grant.is_released for grant in (*file.elements.values(), *file.codes.values()))
    why = file.elements[ELEMENT].reason
    assert "36 sessions were scored by two people or more beside the machine, 60 are needed" in why
