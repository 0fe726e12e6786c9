"""`msw models` and `msw doctor`: a person without a network learns what is here and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from msw_ml import bundle, weights
from msw_ml.cli import doctor, models
from msw_ml.errors import ModelNotFound

runner = CliRunner()
checkup = typer.Typer()
checkup.command()(doctor.doctor)


def test_list_names_what_is_here_and_what_is_not() -> None:
    shown = runner.invoke(models.app, ["list"])
    assert shown.exit_code == 0
    assert "to have it: msw models pull small.en" in shown.stdout
    states = {state["name"]: state for state in json.loads(runner.invoke(models.app, ["list", "--json"]).stdout)}
    assert states["tiny.en"]["place"] == "installed"
    assert states["small.en"]["place"] is None
    assert {name for name, state in states.items() if state["place"] == "shipped"} == set(bundle.shipped_names())


def test_verify_reads_every_model() -> None:
    checked = runner.invoke(models.app, ["verify", "--json"])
    assert checked.exit_code == 0
    assert all(state["is_unharmed"] for state in json.loads(checked.stdout))


def test_verify_finds_a_harmed_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Exit 1, and the line names the file and how to get it again."""
    (tmp_path / "model.bin").write_bytes(b"harmed")
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (tmp_path / name).write_bytes((weights.find("embedded").path / name).read_bytes())
    monkeypatch.setattr(weights, "_installed", lambda wanted: tmp_path if wanted.module else None)
    checked = runner.invoke(models.app, ["verify"])
    assert checked.exit_code == 1
    assert "NOT what it claims to be" in checked.stdout
    assert "install msw-ml again" in checked.stdout


def test_pull_without_a_network_is_our_error() -> None:
    with pytest.raises(ModelNotFound, match="could not be reached"):
        runner.invoke(models.app, ["pull", "base.en"], catch_exceptions=False)


def test_pull_of_what_is_here_says_where_it_is() -> None:
    shown = runner.invoke(models.app, ["pull", "tiny.en"])
    assert shown.exit_code == 0
    assert "(installed)" in shown.stdout
    assert json.loads(runner.invoke(models.app, ["pull", "tiny.en", "--json"]).stdout)["place"] == "installed"


def test_doctor_looks_at_everything() -> None:
    findings = json.loads(runner.invoke(checkup, ["--json"]).stdout)
    looked_at = {finding["what"] for finding in findings}
    assert {"python", "faster-whisper", "ffmpeg", "model tiny.en", "memory", "temporary folder"} <= looked_at
    assert {f"extra {name}" for name in doctor.EXTRAS} <= looked_at
    assert all(finding["advice"] for finding in findings if finding["what"] == "better words")


def test_doctor_fails_where_scoring_cannot_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing packages or weights: exit 1 and what to install."""
    monkeypatch.setattr(doctor, "PACKAGES", ("a-package-that-nobody-has",))
    shown = runner.invoke(checkup)
    assert shown.exit_code == 1
    assert "TROUBLE a-package-that-nobody-has" in shown.stdout
