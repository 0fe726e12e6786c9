"""`msw report`: reads what `msw score` wrote, writes one page, says what is wrong with the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from msw_ml import codebook as codebooks
from msw_ml.cli.report import app
from msw_ml.errors import BadSetting, CodebookMismatch
from msw_ml.formats.session_json import session_json
from msw_ml.session import Provenance, Quality, Recording, Role, RoleChoice, ScoredSession

BOOK = codebooks.load("msw")


def write(folder: Path, name: str, version: str = BOOK.version) -> None:
    session = ScoredSession(
        recording=Recording(name=name, source=f"{name}.wav", sha256="0" * 64, kind="sound", duration=60.0),
        roles=RoleChoice(roles={"S1": Role.WORKER}, margin=1.0, method="given"),
        quality=Quality(),
        utterances=(),
        measures=(),
        ratings=(),
        provenance=Provenance(msw_ml="0", codebook=BOOK.id, codebook_version=version, engines={}, settings={}),
    )
    (folder / name).mkdir(parents=True)
    (folder / name / "session.json").write_bytes(session_json(session))


def test_practice_reads_a_folder_of_scores(tmp_path: Path) -> None:
    """The folder that `msw score -o` wrote is enough."""
    write(tmp_path / "scores", "one")
    write(tmp_path / "scores", "two")
    page = tmp_path / "practice.html"
    result = CliRunner().invoke(app, ["practice", str(tmp_path / "scores"), "-o", str(page)], catch_exceptions=False)
    assert result.exit_code == 0
    assert "2 visits" in page.read_text(encoding="utf-8")


def test_service_reads_groups_from_a_table(tmp_path: Path) -> None:
    """A spreadsheet's CSV, byte order mark and all, says who belongs where."""
    rows = ["session,worker,team"]
    for number in range(5):
        write(tmp_path / "scores", f"visit{number}")
        rows.append(f"visit{number},w{number},North")
    (tmp_path / "groups.csv").write_text("\n".join(rows), encoding="utf-8-sig")
    page = tmp_path / "service.html"
    arguments = ["service", str(tmp_path / "scores"), "--groups", str(tmp_path / "groups.csv"), "-o", str(page)]
    assert CliRunner().invoke(app, arguments, catch_exceptions=False).exit_code == 0
    assert "5 visits by 5 workers" in page.read_text(encoding="utf-8")


def test_wrong_input_is_named(tmp_path: Path) -> None:
    """An empty folder, another codebook version, a table without its columns."""

    def run(*arguments: str) -> None:
        CliRunner().invoke(app, [*arguments, "-o", str(tmp_path / "x.html")], catch_exceptions=False)

    with pytest.raises(BadSetting, match=r"no session\.json"):
        run("practice", str(tmp_path))
    write(tmp_path / "old", "visit", version="0.1")
    with pytest.raises(CodebookMismatch, match="score it again"):
        run("practice", str(tmp_path / "old"))
    (tmp_path / "groups.csv").write_text("who,what\n", encoding="utf-8")
    with pytest.raises(BadSetting, match="session and worker"):
        run("service", str(tmp_path / "old"), "--groups", str(tmp_path / "groups.csv"))
