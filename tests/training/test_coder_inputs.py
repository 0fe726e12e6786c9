"""Wrong recipes, sets and encoders are told before any long work."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from msw_ml.codebook import book
from msw_ml.errors import (
    BadSetting,
    MalformedTranscript,
    ModelNotFound,
    MswError,
    UnknownName,
    UnreadableInput,
    WrongHash,
)
from training import corpora, encoder, plan, recipe


def changed(path: Path, old: str, new: str) -> Path:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


@pytest.mark.parametrize(
    ("old", "new", "error", "says"),
    [
        ("epochs = 2", "epoch = 2", BadSetting, "fit.epoch: no such key"),
        ("folds = 3", "folds = 50", BadSetting, "cannot make 50 folds"),
        ('turns = "tiny"', 'turns = "huge"', BadSetting, "huge"),
        ('sets = ["tiny"]', 'sets = ["tiny", "huge"]', UnknownName, "no set is called 'huge'; there are: tiny"),
        ('version = "0.1"', 'version = "0.1"\ncodebook = "none"', UnknownName, "no codebook is called 'none'"),
        ("memory = 8", "memory = -8", BadSetting, "network.memory"),
        ("folds = 3", "folds = three", BadSetting, "is not TOML"),
    ],
)
def test_a_faulty_recipe_is_named(
    tiny_recipe: Path, tiny_data: Path, tiny_sets: Path, old: str, new: str, error: type[MswError], says: str
) -> None:
    """Protects a night's training from a slip in its recipe."""
    with pytest.raises(error, match=says.replace(".", r"\.")):
        plan.make(recipe.read(changed(tiny_recipe, old, new)), tiny_data, tiny_sets)


def test_a_recipe_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Protects against a trace instead of a sentence."""
    with pytest.raises(BadSetting, match="there is no recipe"):
        recipe.read(tmp_path / "none.toml")


def test_an_encoder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Protects against starting without weights."""
    with pytest.raises(ModelNotFound, match="no encoder at"):
        encoder.find(str(tmp_path / "none"))


def test_a_changed_data_file_is_refused(tiny_data: Path, tiny_sets: Path, tmp_path: Path) -> None:
    """Protects the card, which names the data by their hash."""
    copy = Path(shutil.copytree(tiny_data, tmp_path / "copy"))
    (copy / "tiny.csv").write_text((copy / "tiny.csv").read_text() + "\n")
    with pytest.raises(WrongHash, match=r"tiny\.csv is not the file"):
        corpora.load("tiny", copy, book.load(), tiny_sets)


def test_a_missing_data_file_says_where_it_comes_from(tiny_sets: Path, tmp_path: Path) -> None:
    """Protects somebody who has the recipe and not the data."""
    with pytest.raises(UnreadableInput, match="made up @ 0"):
        corpora.load("tiny", tmp_path, book.load(), tiny_sets)


def test_a_label_without_mapping_is_named_with_its_line(tiny_data: Path, tiny_sets: Path, tmp_path: Path) -> None:
    """Protects against units that silently drop out of training."""
    copy = Path(shutil.copytree(tiny_sets, tmp_path / "sets"))
    changed(copy / "tiny" / "mapping.toml", 'when = { label = "sustain" }', 'when = { label = "against" }')
    with pytest.raises(MalformedTranscript, match=r"tiny\.csv line \d+: no rule .* covers label=sustain"):
        corpora.load("tiny", tiny_data, book.load(), copy)


def test_a_mapping_to_another_codebook_is_refused(tiny_data: Path, tiny_sets: Path, tmp_path: Path) -> None:
    """Protects labels from meaning something else after the codebook changed."""
    copy = Path(shutil.copytree(tiny_sets, tmp_path / "sets"))
    changed(copy / "tiny" / "mapping.toml", "msw 1.0", "msw 0.9")
    with pytest.raises(BadSetting, match=r"maps to codebook msw 0\.9"):
        corpora.load("tiny", tiny_data, book.load(), copy)


@pytest.mark.shared
def test_the_sets_beside_the_checkout_load_and_overlaps_are_grouped(shared: Path) -> None:
    """Protects the split: known overlaps are in one group, the ten annotators' sessions in none."""
    made = plan.make(recipe.read(Path("training/recipes/behaviour_coder.toml")), shared / "data")
    for one, other in (("low_080", "15"), ("high_099", "21"), ("low_033", "44"), ("low_001", "53")):
        assert made.groups[f"hlqc_manual/{one}"] == made.groups[f"annomi/{other}"]
    assert sorted(t.id for t in made.kept_out) == ["109", "130", "7"]
    assert not {"annomi/7", "annomi/109", "annomi/130"} & set(made.folds)
    parents = {made.scheme.codebook.parent_of(c) for t in made.transcripts for u in t.units for c in u.codes}
    assert parents == {parent.id for parent in made.scheme.codebook.parents}
