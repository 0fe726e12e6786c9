"""The simulated visits: the design keeps its promises, and the checks find what they are for."""

from __future__ import annotations

import csv
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import typer

from msw_ml.codebook.book import load as load_codebook
from msw_ml.errors import UnreadableInput
from msw_ml.session import Role, Utterance
from training.visits_checks import visits_check
from training.visits_design import BATCHES, VISITS, read_design, visits_design
from training.visits_ingredients import load
from training.visits_read import check_codes, consensus, read_ratings, read_visits
from training.visits_words import check_cast, check_repeats, check_talk, give_away, reading_grade

FOLDER = Path(__file__).resolve().parents[2] / "datasets" / "simulated_visits"


@pytest.fixture(scope="module")
def planned():
    return read_design(FOLDER)


def talk(*texts: str, role: Role = Role.WORKER, speaker: str = "Owen") -> list[Utterance]:
    return [Utterance(id=n, speaker=speaker, role=role, text=text) for n, text in enumerate(texts, start=1)]


def test_the_table_on_disk_is_what_ingredients_and_seed_give(planned, tmp_path):
    """Whoever doubts the design can make it again, byte for byte."""
    (tmp_path / "ingredients.toml").write_bytes((FOLDER / "ingredients.toml").read_bytes())
    visits_design(tmp_path, seed=7)
    assert read_design(tmp_path) == planned
    for name in ("design.csv", "targets.csv"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()


def test_levels_are_spread_and_hardly_correlated(planned):
    """A corpus with halo, or without some level, would teach a rater the wrong thing."""
    elements = [element.id for element in load_codebook().elements]
    for one, other in combinations(elements, 2):
        pair = [[visit.levels[one] for visit in planned], [visit.levels[other] for visit in planned]]
        assert abs(np.corrcoef(pair)[0, 1]) < 0.4
    for element in elements:
        counts = Counter(visit.levels[element] for visit in planned)
        assert set(counts) == {1, 2, 3, 4, 5}
        assert min(counts.values()) >= 30


def test_a_third_lies_where_real_practice_lies(planned):
    """The narrow band: every element at 2 or 3."""
    narrow = [visit for visit in planned if visit.plan.band == "narrow"]
    assert len(narrow) == round(VISITS / 3)
    assert all(set(visit.levels.values()) <= {2, 3} for visit in narrow)


@pytest.mark.parametrize("kind", ["theme", "family", "worker"])
def test_the_test_part_shares_nothing_with_the_rest(planned, kind):
    """A rater's score on the test part is on themes, families and workers it never met."""
    seen = {part: {getattr(v.plan, kind) for v in planned if v.plan.part == part} for part in ("train", "test")}
    assert not seen["train"] & seen["test"]


def test_batches_are_equal_and_varied(planned):
    """No writer gets only one kind of visit."""
    for batch in range(1, BATCHES + 1):
        own = [visit for visit in planned if visit.plan.batch == batch]
        assert len(own) == VISITS // BATCHES
        assert len({visit.plan.theme for visit in own}) >= 10
        assert all(len({v.levels[e] for v in own}) >= 4 for e in own[0].levels)


def test_names_belong_to_one_family():
    """A name in the wrong visit can only be found if no two families share it."""
    parts = load(FOLDER)
    names = [name for family in parts.families for name in family.names] + [worker.name for worker in parts.workers]
    assert [name for name, times in Counter(names).items() if times > 1] == []


def test_a_folder_without_a_design_says_what_to_do(tmp_path):
    """The message names the file and the way out."""
    with pytest.raises(UnreadableInput, match="visits design"):
        read_design(tmp_path)


def write(path: Path, header: list[str], rows: list[list[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def test_faulty_rows_are_named(tmp_path):
    """Each broken row is listed with its place and the rest of the file is still read."""
    rows = [["sv001", n, "worker" if n % 2 else "parent", "Owen", "hello"] for n in range(1, 31)]
    rows[3][2], rows[4][1], rows[5][4] = "mother", 9, " "
    write(tmp_path / "visits" / "sv001.csv", ["session", "utterance", "role", "speaker", "text"], rows)
    visits, breaches = read_visits(tmp_path)
    assert [breach.where for breach in breaches] == [f"sv001.csv row {n}" for n in (4, 5, 6)]
    assert len(visits["sv001"]) == 27


def test_too_short_a_visit_is_a_breach(tmp_path):
    """30 to 60 rows."""
    write(
        tmp_path / "visits" / "a.csv",
        ["session", "utterance", "role", "speaker", "text"],
        [["a", 1, "worker", "O", "x"]],
    )
    assert [breach.rule for breach in read_visits(tmp_path)[1]] == ["length"]


def test_repeats_are_found_only_where_they_are_many():
    """A run of eight words in six visits is a template; in five it may be chance."""
    line = "well she had put the lid back on upside down again"
    different = [f"{word} came past" for word in ("one", "two", "three", "four", "five", "six")]
    six = {str(n): talk(f"{different[n]} {line}") for n in range(6)}
    assert {breach.rule for breach in check_repeats(six)} >= {"repeat"}
    five = dict(list(six.items())[:5])
    assert "repeat" not in {breach.rule for breach in check_repeats(five)}


def test_near_duplicates_and_same_rows_are_found():
    """Two visits that share a stretch of talk."""
    text = "he went up the ladder with a bucket and he came down without it and nobody has seen the bucket since"
    found = {
        breach.rule for breach in check_repeats({"a": talk(text), "b": talk(text), "c": talk("nothing of the sort")})
    }
    assert found == {"same row", "near-duplicate"}


def test_stock_phrases_american_words_and_strangers_are_found():
    """Each with the place where it stands; the family's own names and days pass."""
    visits = {
        "sv001": talk("On a scale of things it was, erm, fine with Denise.", "Her mom came on Tuesday, with Hugh too.")
    }
    found = check_talk(visits, load(FOLDER), {"sv001": "f14"})
    assert [(b.rule, b.where, b.what) for b in found] == [
        ("stock phrase", "sv001:1", "on a scale"),
        ("name", "sv001:1", "Denise"),
        ("American", "sv001:2", "mom"),
    ]


def test_a_visit_has_its_own_people():
    """A speaker of another household, or a household member as worker, is a breach."""
    cast = {"sv001": ("Owen", {"Philippa"})}
    right = talk("hello") + talk("hello", role=Role.PARENT, speaker="Philippa")
    wrong = talk("hello") + talk("hello", role=Role.PARENT, speaker="Denise")
    assert check_cast({"sv001": right}, cast) == []
    assert [breach.what for breach in check_cast({"sv001": wrong}, cast)] == ["Denise as parent"]


def test_reading_grade_matches_the_formula():
    """Six words, six syllables, one sentence: 0.39 x 6 + 11.8 x 1 - 15.59."""
    assert reading_grade(talk("The cat sat on the mat.")) == pytest.approx(-1.45)
    assert reading_grade(talk("Multidisciplinary considerations necessitate deliberation.")) > 20


def test_a_give_away_word_is_found_and_noise_is_not():
    """The bag of words finds a level that one word carries, and nothing where words are dealt out at random."""
    random = np.random.default_rng(1)
    levels = random.integers(1, 6, 80).astype(float)
    groups = [str(n % 8) for n in range(80)]
    words = ["kettle", "garden", "bus", "blanket", "shoe", "window", "tea", "door"]
    plain = [" ".join(random.choice(words, 30)) for _ in levels]
    told = [f"{text} {'marvellous ' * int(level)}" for text, level in zip(plain, levels, strict=True)]
    assert give_away(told, levels, groups)[0] > 0.5
    assert abs(give_away(plain, levels, groups)[0]) < 0.4
    assert give_away(plain[:20], levels[:20], groups[:20])[0] is None


def test_consensus_is_the_mean_of_two_and_the_median_of_three(tmp_path):
    """As RATING.md says; a value off the scale is named and left out."""
    element = load_codebook().elements[0].id
    header = ["session", "coder", "element", "value"]
    write(
        tmp_path / "ratings" / "a_1.csv",
        header,
        [["s", "a", element, 2], ["t", "a", element, 1], ["t", "a", element, 6]],
    )
    write(tmp_path / "ratings" / "b_1.csv", header, [["s", "b", element, 3], ["t", "b", element, 4]])
    write(tmp_path / "ratings" / "c_1.csv", header, [["t", "c", element, 4]])
    ratings, breaches = read_ratings(tmp_path, load_codebook())
    assert consensus(ratings) == {("s", element): 2.5, ("t", element): 4.0}
    assert [breach.where for breach in breaches] == ["a_1.csv row 3"]


def test_codes_must_fit_the_side_and_be_complete(tmp_path):
    """A parent's row with a worker's code, and a row that was left out."""
    book = load_codebook()
    visits = {"s": [*talk("Hello.", "Bye."), Utterance(id=3, speaker="Denise", role=Role.PARENT, text="Aye.")]}
    code = book.codes(Role.WORKER)[0]
    write(
        tmp_path / "codes" / "a_1.csv",
        ["session", "utterance", "coder", "code"],
        [["s", 1, "a", code], ["s", 3, "a", code]],
    )
    assert [b.what for b in check_codes(tmp_path, visits, book)] == [
        f"'{code}' is no code of a parent",
        "s lacks rows [2, 3]",
    ]


def test_the_command_lists_what_is_missing_and_exits_1(tmp_path, capsys):
    """A folder with a design and no visits is not complete."""
    for name in ("ingredients.toml", "design.csv"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    with pytest.raises(typer.Exit) as leaving:
        visits_check(tmp_path, batch=1)
    assert leaving.value.exit_code == 1
    assert "missing: 1" in capsys.readouterr().out
