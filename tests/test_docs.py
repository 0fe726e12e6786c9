"""README says what the program does: its commands run, its settings exist, its files are there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from msw_ml.cli.main import app
from msw_ml.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    """Every line of a shell block in README that calls `msw`."""
    blocks = re.findall(r"```(?:sh|console)\n(.*?)```", README, flags=re.DOTALL)
    lines = [line.removeprefix("$ ").split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return sorted({line for line in lines if line.startswith("msw ")})


def test_readme_begins_with_the_two_commands() -> None:
    """A newcomer sees first how to try it."""
    first = re.search(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    assert first is not None
    assert [line.split("#")[0].strip() for line in first.group(1).splitlines()] == ["make demo", "make test"]


@pytest.mark.parametrize("line", commands())
def test_every_command_in_readme_exists_with_its_options(line: str) -> None:
    """No option is promised that the program does not know."""
    words = shlex.split(line)[1:]
    path = []
    for word in words[:2]:
        if not re.fullmatch(r"[a-z]+", word) or CliRunner().invoke(app, [*path, word, "--help"]).exit_code != 0:
            break
        path.append(word)
    assert path, f"no such command: {line}"
    shown = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200"}).output
    for option in (word for word in words if re.fullmatch(r"--?[a-z][a-z-]*", word)):
        assert re.search(rf"(?<![\w-]){re.escape(option)}\b", shown), f"{line}: no option {option}"


def test_every_setting_stands_in_readme() -> None:
    """The table of settings is complete and names none that is gone."""
    stated = set(re.findall(r"^\| `MSW_([A-Z_]+)`", README, flags=re.MULTILINE))
    assert stated == {name.upper() for name in Settings.model_fields}


def test_links_of_readme_lead_somewhere() -> None:
    """Files that README points to are in the repository."""
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if "://" not in target:
            assert (ROOT / target).exists(), target
