"""A second reading beside people's labels: how it is read, what it teaches, and what it must never touch."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from msw_ml import bundle
from msw_ml.codebook import book
from msw_ml.errors import BadSetting, MalformedTranscript, UnknownName
from msw_ml.text.packing import Packer, Window
from training import corpora, plan, readings, recipe, targets
from training.examples import Codes, Shares, Stretch, Wear, deal, prepare
from training.loss import FitOptions, Taught

HEAD = "session,unit,code,second\n"


@pytest.fixture
def read_sets(tiny_sets: Path, tmp_path: Path) -> Path:
    """The tiny set with a second reading of one session, and beside it the same file as a set without labels."""
    sets = tmp_path / "sets"
    shutil.copytree(tiny_sets, sets)
    (sets / "tiny" / "readings.csv").write_text(HEAD + "0,0,affirm,question_open\n0,1,sustain,\n")
    return sets


def attached(sets: Path, data: Path) -> corpora.Corpus:
    codebook = book.load()
    return readings.attach(corpora.load("tiny", data, codebook, sets), sets / "tiny", codebook)


def test_a_reading_stands_beside_the_label(read_sets: Path, tiny_data: Path) -> None:
    """Protects the labels: a second reading changes none of them."""
    before = corpora.load("tiny", tiny_data, book.load(), read_sets)
    after = attached(read_sets, tiny_data)
    units = after.transcripts[0].units
    assert [unit.codes for unit in units] == [unit.codes for unit in before.transcripts[0].units]
    assert [unit.reading for unit in units[:3]] == [("affirm", "question_open"), ("sustain",), ()]
    assert len(after.readings_sha256) == 64


@pytest.mark.parametrize(
    ("row", "error", "said"),
    [
        ("0,0,praise,", UnknownName, "line 2"),
        ("0,0,change,", MalformedTranscript, "session 0 unit 0 is the worker's, change is not"),
        ("0,99,affirm,", MalformedTranscript, "session 0 has no unit 99"),
    ],
)
def test_a_reading_that_fits_no_unit_is_an_error(
    read_sets: Path, tiny_data: Path, row: str, error: type[Exception], said: str
) -> None:
    """Protects against readings of another set: a wrong code, side or unit is named with its place."""
    (read_sets / "tiny" / "readings.csv").write_text(HEAD + row + "\n")
    with pytest.raises(error, match=said):
        attached(read_sets, tiny_data)


def test_a_set_without_labels_and_without_readings_is_refused(read_sets: Path, tiny_data: Path) -> None:
    """Protects a run from hours with nothing to learn."""
    folder = read_sets / "tiny"
    text = (folder / "mapping.toml").read_text()
    (folder / "mapping.toml").write_text(text.partition("\n[[label]]")[0])
    (folder / "readings.csv").unlink()
    with pytest.raises(BadSetting, match="nothing can be learned"):
        attached(read_sets, tiny_data)


def test_a_readers_leaning_is_taken_out(read_sets: Path, tiny_data: Path) -> None:
    """Protects what is learned: a reading counts for what people say of such units, not for its own word."""
    corpus = attached(read_sets, tiny_data)
    scheme = Codes.of(book.load())
    # A reader who takes each of the worker's questions for an affirmation, and nothing else for one.
    units = [
        unit.model_copy(update={"reading": ("affirm",)})
        for transcript in corpus.transcripts
        for unit in transcript.units
        if unit.role.value == "worker" and scheme.parent_of(unit.codes[0]) == "question"
    ]
    changed = corpus.transcripts[0].model_copy(update={"units": tuple(units)})
    examples = prepare([changed], scheme, plan_packer())
    made = targets.make(examples, scheme, 0.5)[0]
    question = scheme.all_parents.index("question")
    assert made.parents[:, question].min() > 0.9
    assert np.allclose(made.parents.sum(axis=1), 1)
    assert np.allclose(made.share, 0.5)
    labels = [unit.codes[0] for unit in examples[0].transcript.units]
    assert [scheme.ids[place] for place in made.codes.argmax(axis=1)] == labels, "a label that is one code stays"


def test_a_reading_tells_apart_what_a_label_leaves_open(read_sets: Path, tiny_data: Path) -> None:
    """Protects the finer codes: where people said only the category, the reading's code in it is taught, no other."""
    scheme = Codes.of(book.load())
    first = attached(read_sets, tiny_data).transcripts[0]
    asked = first.units[0].model_copy(update={"codes": ("affirm", "other"), "reading": ("affirm",)})
    sure = [asked.model_copy(update={"id": str(n), "codes": ("affirm",)}) for n in range(9)]
    elsewhere = asked.model_copy(update={"id": "x", "reading": ("confront",)})
    examples = prepare([first.model_copy(update={"units": (asked, elsewhere, *sure)})], scheme, plan_packer())
    made = targets.make(examples, scheme, 0.5)[0]
    assert made.codes[0, scheme.ids.index("affirm")] > 0.9
    assert not made.codes[1].any(), "the reading has no code of the label's category"


def test_loss_falls_as_the_network_says_what_both_say(read_sets: Path, tiny_data: Path) -> None:
    """Protects the direction of learning: the target of a unit that two read differently lies between them."""
    scheme = Codes.of(book.load())
    units = attached(read_sets, tiny_data).transcripts[0].units
    asked = next(unit for unit in units if scheme.parent_of(unit.codes[0]) == "question")
    one = corpora.CodedTranscript(
        corpus="tiny", id="0", group="0", target=None, units=(asked.model_copy(update={"reading": ("affirm",)}),)
    )
    examples = prepare([one], scheme, plan_packer())
    options = FitOptions(also_weight=0.0, reading_weight=0.5)
    taught = Taught(examples, targets.make(examples, scheme, options.reading_weight), scheme, options)
    stretch = Stretch(examples[0], 0, 1, Wear.NONE, has_target=True)
    label, read = scheme.ids.index(asked.codes[0]), scheme.ids.index("affirm")

    def loss(at_label: float, at_read: float) -> float:
        logits = torch.zeros(len(examples[0]), len(scheme.ids))
        logits[0, label], logits[0, read] = at_label, at_read
        return float(taught.loss(logits, torch.zeros(len(logits), len(scheme.also)), [stretch]))

    assert loss(3.0, 0.0) < loss(0.0, 0.0)
    assert loss(2.0, 1.0) < loss(9.0, 0.0) < loss(0.0, 9.0)


def test_what_nobody_labelled_moves_no_fold(tiny_recipe: Path, tiny_data: Path, read_sets: Path) -> None:
    """Protects the figures: a set that a machine read joins the folds after people's sets are dealt."""
    folder = read_sets / "machine"
    shutil.copytree(read_sets / "tiny", folder)
    text = (folder / "mapping.toml").read_text().partition("\n[[label]]")[0]
    (folder / "mapping.toml").write_text(text)
    (folder / "source.toml").write_text(
        (folder / "source.toml").read_text().replace('keep_out = ["7"]', "is_human = false")
    )
    alone = plan.make(recipe.read(tiny_recipe), tiny_data, read_sets)
    tiny_recipe.write_text(tiny_recipe.read_text().replace('sets = ["tiny"]', 'sets = ["tiny", "machine"]'))
    both = plan.make(recipe.read(tiny_recipe), tiny_data, read_sets)
    assert {key: fold for key, fold in both.folds.items() if key.startswith("tiny/")} == alone.folds
    # The same talk, so the same side; and the session that is kept out of the one set is in none of the other.
    assert all(both.folds[key.replace("tiny", "machine")] == fold for key, fold in alone.folds.items())
    assert "machine/7" not in both.folds
    assert {unit.codes for t in both.corpora[1].transcripts for unit in t.units} == {("affirm",), ("sustain",), ()}


def test_worn_text_has_words_wrong_and_missing(read_sets: Path, tiny_data: Path) -> None:
    """Protects what imitates a noisy room: it is drawn, differs from the plain text, and is the same each time."""
    corpus = attached(read_sets, tiny_data)
    scheme, packer = Codes.of(book.load()), plan_packer()
    first, again = (prepare([corpus.transcripts[1]], scheme, packer)[0] for _ in range(2))
    assert first.worn_tokens != first.plain_tokens
    assert first.worn_tokens == again.worn_tokens
    worn = deal([first], 8, Shares(1.0, 1.0, 1.0, 1.0), FixedChance())
    assert {stretch.wear for stretch in worn} == {Wear.WORN}


class FixedChance:
    """Draws that hold nothing back."""

    def random(self) -> float:
        return 0.0

    def randrange(self, start: int, stop: int) -> int:
        return start

    def shuffle(self, items: list[object]) -> None:
        pass


def plan_packer() -> Packer:
    """That of the bundle that ships."""
    return Packer.from_file(bundle.shipped("behaviour_coder") / "tokenizer.json", Window())
