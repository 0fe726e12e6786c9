"""A rating is released only by a file that speaks of this element, this codebook and this very rater."""

from __future__ import annotations

from pathlib import Path

import pytest

from msw_ml import codebook
from msw_ml.errors import BadSetting
from msw_ml.rating.release import Grant, ReleaseFile, ReleaseGate
from msw_ml.session import Rating, RatingStatus

BOOK = codebook.load("msw")
RATER = "rater 1.0 0a1b2c3d"


def rated(element: str = "empathy", status: RatingStatus = RatingStatus.INDICATIVE) -> Rating:
    if status is RatingStatus.WITHHELD:
        return Rating(element=element, status=status, reason="too little speech")
    return Rating(element=element, status=status, value=3, low=2.2, high=3.9, reason="")


def grant(is_released: bool) -> Grant:
    return Grant(
        is_released=is_released,
        statistic="ICC(A,1)",
        value=0.8,
        low=0.7,
        high=0.9,
        sessions=40,
        reason="Forty sessions.",
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "release.json"
    content = ReleaseFile(
        codebook=BOOK.key, rater=RATER, coder=None, threshold=0.6, minimum_sessions=30, humans=("A", "B"),
        elements={"empathy": grant(True), "autonomy": grant(False)}, codes={},
    )  # fmt: skip
    path.write_text(content.model_dump_json())
    return path


def test_without_a_file_everything_stays_indicative_and_says_what_would_change_it() -> None:
    found = ReleaseGate(None, BOOK).apply(rated(), RATER)
    assert found.status is RatingStatus.INDICATIVE
    assert "msw agree --release" in found.reason


@pytest.mark.parametrize(
    ("element", "rater", "version"),
    [("autonomy", RATER, "1.0"), ("child_focus", RATER, "1.0"), ("empathy", "new", "1.0"), ("empathy", RATER, "9.9")],
    ids=["not granted", "not named", "another rater", "another codebook"],
)
def test_whatever_stands_in_the_way_the_reason_says_what_would_release(
    file: Path, element: str, rater: str, version: str
) -> None:
    """A reader of an indicative rating, wherever it is shown, is told the command."""
    book = BOOK.model_copy(update={"version": version})
    found = ReleaseGate(file, book).apply(rated(element), rater)
    assert found.status is RatingStatus.INDICATIVE
    assert "msw agree --release" in found.reason


def test_a_granted_element_is_released(file: Path) -> None:
    assert ReleaseGate(file, BOOK).apply(rated(), RATER).status is RatingStatus.RELEASED


@pytest.mark.parametrize("element", ["autonomy", "child_focus"])
def test_an_element_without_a_grant_is_not(file: Path, element: str) -> None:
    assert ReleaseGate(file, BOOK).apply(rated(element), RATER).status is RatingStatus.INDICATIVE


def test_another_rater_has_to_be_compared_anew(file: Path) -> None:
    found = ReleaseGate(file, BOOK).apply(rated(), "rater 1.1 ffffffff")
    assert found.status is RatingStatus.INDICATIVE
    assert "rater 1.1 ffffffff" in found.reason


def test_a_file_that_rests_on_one_person_releases_nothing(file: Path) -> None:
    """Whoever wrote it: a machine beside one coder says nothing of what coders agree on."""
    content = ReleaseFile.model_validate_json(file.read_text())
    file.write_text(content.model_copy(update={"humans": ("A",)}).model_dump_json())
    found = ReleaseGate(file, BOOK).apply(rated(), RATER)
    assert found.status is RatingStatus.INDICATIVE
    assert "rests on one person alone" in found.reason
    assert "msw agree --release" in found.reason


def test_another_version_of_the_codebook_has_to_be_compared_anew(file: Path) -> None:
    newer = BOOK.model_copy(update={"version": "9.9"})
    assert ReleaseGate(file, newer).apply(rated(), RATER).status is RatingStatus.INDICATIVE


def test_a_withheld_rating_stays_withheld(file: Path) -> None:
    assert ReleaseGate(file, BOOK).apply(rated(status=RatingStatus.WITHHELD), RATER).status is RatingStatus.WITHHELD


def test_a_file_that_is_none_is_refused_before_any_work(tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text('{"codebook": "msw 1.0"}')
    with pytest.raises(BadSetting, match=r"not a release file.*msw agree --release"):
        ReleaseGate(other, BOOK)


def test_the_label_follows_the_content(file: Path) -> None:
    """A resumed batch must score again after a new comparison."""
    before = ReleaseGate(file, BOOK).label
    file.write_text(file.read_text().replace("Forty sessions.", "Forty-one sessions."))
    assert ReleaseGate(file, BOOK).label != before
