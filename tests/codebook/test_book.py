"""The codebook is data that holds together; a broken one is named at its first contradiction."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from msw_ml import codebook
from msw_ml.codebook.book import parse
from msw_ml.errors import BadCodebook, UnknownName
from msw_ml.session import Role

MSW = resources.files("msw_ml.codebook").joinpath("msw.toml").read_text(encoding="utf-8")


def test_msw_has_the_published_names() -> None:
    """Other people's scripts rely on these ids (interfaces)."""
    book = codebook.load("msw")
    assert book.codes(Role.WORKER) == (
        "question_open", "question_closed", "reflection_simple", "reflection_complex", "affirm",
        "seek_collaboration", "emphasise_autonomy", "giving_information", "persuade",
        "persuade_with_permission", "confront", "other",
    )  # fmt: skip
    assert book.codes(Role.PARENT) == ("change", "sustain", "neutral")
    assert [element.id for element in book.elements] == [
        "collaboration", "autonomy", "empathy", "evocation", "purposefulness", "clarity_about_concerns", "child_focus",
    ]  # fmt: skip
    assert book.parent_codes(Role.WORKER) == ("question", "reflection", "input", "other")
    assert {code: book.parent_of(code) for code in ("persuade", "confront", "affirm", "giving_information")} == {
        "persuade": "input", "confront": "input", "affirm": "other", "giving_information": "input",
    }  # fmt: skip


def test_only_worker_and_parent_are_coded() -> None:
    """Children and relatives are context, never coded."""
    book = codebook.load("msw")
    assert book.is_coded(Role.WORKER)
    assert book.is_coded(Role.PARENT)
    assert not any(book.is_coded(role) for role in (Role.CHILD, Role.OTHER, Role.UNKNOWN))


@pytest.mark.parametrize("name", codebook.known())
def test_every_shipped_codebook_loads(name: str) -> None:
    """No scheme ships that contradicts itself."""
    assert codebook.load(name).id == name


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('id = "question_closed"\n', 'id = "question_open"\n', "stands twice"),
        ('parent = "reflection"', 'parent = "mirror"', "unknown parent 'mirror'"),
        ('falls_to = "neutral"', 'falls_to = "nothing"', "unknown code 'nothing'"),
        ('numerator = ["reflection_complex"]', 'numerator = ["reflexion"]', "unknown code 'reflexion'"),
        ('group = "good_authority"', 'group = "authority"', "unknown group 'authority'"),
        ("max_codes_per_volley = 8", "max_codes_per_volley = 0", "greater than 0"),
        ("max_codes_per_volley = 8", "max_codes = 8", "max_codes"),
        ("version =", "version", "not TOML"),
    ],
)
def test_a_broken_codebook_is_named_at_its_contradiction(old: str, new: str, complaint: str) -> None:
    """Whoever edits a codebook is told what to mend."""
    assert old in MSW
    with pytest.raises(BadCodebook, match=complaint):
        parse(MSW.replace(old, new, 1), "mine.toml")


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    """A typo is answered with what there is."""
    with pytest.raises(UnknownName, match="msw"):
        codebook.load("mws")
    with pytest.raises(UnknownName, match="empathy"):
        codebook.load("msw").element("sympathy")
    own = tmp_path / "own.toml"
    own.write_text(MSW.replace('id = "msw"', 'id = "own"', 1), encoding="utf-8")
    assert codebook.load(str(own)).key == "own 1.0"
