"""A training run from recipe to bundle, on a set and an encoder small enough for seconds."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from msw_ml.bundle import Bundle
from msw_ml.codebook import book
from msw_ml.coding.coder import BundleCoder
from msw_ml.session import Role, Utterance
from training import assemble, card, plan, recipe, report, run


def train(recipe_path: Path, out: Path, data: Path, sets: Path) -> Bundle:
    made = plan.make(recipe.read(recipe_path), data, sets)
    todo = run.jobs(made, recipe_path, data, out / ".work", sets)
    run.train_all(todo, 1)
    return assemble.assemble(made, todo, out, data, sets)


@pytest.mark.slow
def test_a_run_makes_a_bundle_that_codes_and_a_card_that_holds(
    tiny_recipe: Path, tiny_data: Path, tiny_sets: Path, tmp_path: Path
) -> None:
    """Protects the whole way from a set to a working coder, and that the card can be computed again."""
    bundle = train(tiny_recipe, tmp_path / "out", tiny_data, tiny_sets)
    codebook = book.load()
    said = [
        Utterance(id=0, speaker="A", text="Did he sleep?", role=Role.WORKER),
        Utterance(id=1, speaker="B", text="There is no point in it.", role=Role.PARENT),
    ]
    coded = BundleCoder(bundle.path, codebook).code(said, "bedtime")
    assert [one.code in codebook.codes(one.utterance.role) for one in coded] == [True, True]

    text = (bundle.path / "card.md").read_text()
    assert card.write(*report.make(bundle, tiny_data, tiny_sets)) == text
    assert "Tiny" in text
    assert "Never labelled in any set, so not learned: affirm" in text
    # Names of the set may stand in the card, its sentences may not.
    assert "sleep?" not in (bundle.path / "folds.csv").read_text() + text
    assert bundle.info.parameters["confusion_parent"]["worker"]["labels"] == list(codebook.parent_codes(Role.WORKER))


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_as_an_undisturbed_one(
    tiny_recipe: Path, tiny_data: Path, tiny_sets: Path, tmp_path: Path
) -> None:
    """Protects `msw train` after a kill in the last epoch, and that a recipe gives one result, byte for byte."""
    made = plan.make(recipe.read(tiny_recipe), tiny_data, tiny_sets)
    undisturbed = run.jobs(made, tiny_recipe, tiny_data, tmp_path / "a", tiny_sets)[0]
    run.train_one(undisturbed)
    killed = run.jobs(made, tiny_recipe, tiny_data, tmp_path / "b", tiny_sets)[0]

    def kill(stage: str, done: float) -> None:
        if done > 0.8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.train_one(killed, kill)
    assert (killed.folder / "state.pt").is_file()
    run.train_one(killed)
    for name in ("encoder.onnx", "session.onnx"):
        assert (killed.folder / name).read_bytes() == (undisturbed.folder / name).read_bytes()


def test_no_session_is_learned_in_the_fold_that_holds_it_out(
    tiny_recipe: Path, tiny_data: Path, tiny_sets: Path
) -> None:
    """Protects the figures: groups stay on one side, sessions kept out are in no fold."""
    made = plan.make(recipe.read(tiny_recipe), tiny_data, tiny_sets)
    assert sorted(made.folds) == sorted(t.key for t in made.transcripts)
    assert "tiny/7" not in made.folds
    for one in made.transcripts:
        for other in made.transcripts:
            if made.groups[one.key] == made.groups[other.key]:
                assert made.folds[one.key] == made.folds[other.key]


def test_the_command_says_what_is_wrong_before_it_works(tmp_path: Path) -> None:
    """Protects the command line: an unknown key in a recipe ends with exit 1 and names the key."""
    import typer

    from training.cli import train as command

    app = typer.Typer()
    app.command()(command)
    app.command("other")(lambda: None)
    path = tmp_path / "bad.toml"
    path.write_text('name = "x"\nepoch = 3\n')
    result = CliRunner().invoke(app, ["train", str(path), "-o", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "epoch" in result.stderr
