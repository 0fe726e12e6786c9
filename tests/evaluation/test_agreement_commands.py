"""The commands as a researcher types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from evaluation.cli import agree, drift, sample, sheet
from msw_ml import codebook
from msw_ml.errors import BadSetting, InputError

BOOK = codebook.load("msw")
RUN = CliRunner()

app = typer.Typer()
app.command("agree")(agree)
app.command("sample")(sample)
app.command("drift")(drift)
app.add_typer(sheet, name="sheet")


def run(*words: object) -> str:
    """What a command prints; what it raises is raised here, as `msw` itself turns it into a line."""
    result = RUN.invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def ratings(folder: Path, coders: int = 2, sessions: int = 36) -> Path:
    element = BOOK.elements[0].id
    rows = [
        f"v{session},c{coder},{element},{1 + (session + (coder * session) % 2) % 5}"
        for session in range(sessions)
        for coder in range(coders)
    ]
    path = folder / "ratings.csv"
    path.write_text("session,coder,element,rating\n" + "\n".join(rows) + "\n")
    return path


def test_agree_writes_four_files_and_three_sentences(tmp_path: Path) -> None:
    printed = run("agree", ratings(tmp_path), "-o", tmp_path / "out", "--draws", 100)
    assert printed.startswith("Two people scored the same 36 visits")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "reliability.html", "reliability.json", "reliability.csv", "reliability.docx",
    }  # fmt: skip


def test_agree_for_machines(tmp_path: Path) -> None:
    found = json.loads(run("agree", ratings(tmp_path), "-o", tmp_path / "out", "--draws", 100, "--json"))
    assert found["sessions"] == 36
    assert found["resampling"] == {"draws": 100, "seed": 1, "cluster": "session"}


def test_agree_with_clusters_from_a_table_of_sessions(tmp_path: Path) -> None:
    table = tmp_path / "visits.csv"
    table.write_text("session,worker\n" + "".join(f"v{n},w{n // 3}\n" for n in range(36)))
    found = json.loads(
        run("agree", ratings(tmp_path), "-o", tmp_path / "o", "--sessions", table, "--draws", 100, "--json")
    )
    assert (found["resampling"]["cluster"], found["clusters"]) == ("worker", 12)


def test_a_release_needs_a_machine(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no machine among the coders"):
        run("agree", ratings(tmp_path), "-o", tmp_path / "o", "--draws", 100, "--release", tmp_path / "r.json")


def test_a_release_is_written(tmp_path: Path) -> None:
    release = tmp_path / "r.json"
    run("agree", ratings(tmp_path), "-o", tmp_path / "o", "--draws", 100, "--machine", "c1", "--release", release)
    assert set(json.loads(release.read_text())["elements"]) == {element.id for element in BOOK.elements}


def test_sample_says_how_exact_it_will_be(tmp_path: Path) -> None:
    table = tmp_path / "visits.csv"
    table.write_text("session,worker\n" + "".join(f"v{n},w{n % 4}\n" for n in range(120)))
    printed = run("sample", table, "-o", tmp_path / "out", "--by", "worker", "--coders", 3)
    assert printed.startswith("30 of 120 sessions, 3 coders each.")
    assert "± 0.15" in printed
    assert (tmp_path / "out" / "sample.csv").read_text().splitlines()[0] == "order,session"


def test_sample_by_something_unknown(tmp_path: Path) -> None:
    (tmp_path / "visits.csv").write_text("session\nv1\n")
    with pytest.raises(BadSetting, match="can be stratified by worker, family, team, visit_type, score"):
        run("sample", tmp_path / "visits.csv", "-o", tmp_path, "--by", "shoe_size")


def test_sheets_out_and_in(tmp_path: Path) -> None:
    (tmp_path / "visit.csv").write_text("role,text\nworker,How did it go?\nparent,All right I suppose.\n")
    printed = run(
        "sheet", "write", tmp_path / "visit.csv", "-o", tmp_path / "sheets", "--coder", "Anna", "--coder", "Ben"
    )
    assert len(printed.splitlines()) == 2
    printed = run("sheet", "read", tmp_path / "sheets", "-o", tmp_path / "back")
    assert printed.startswith("2 sheets: 0 codes, 0 ratings")


def test_drift_writes_charts(tmp_path: Path) -> None:
    element = BOOK.elements[0].id
    (tmp_path / "gold.csv").write_text(f"session,coder,element,rating\ng1,Gold,{element},3\ng2,Gold,{element},4\n")
    (tmp_path / "again.csv").write_text(
        f"session,coder,element,rating,round\ng1,Anna,{element},3,1\ng2,Anna,{element},4,2\n"
    )
    printed = run("drift", tmp_path / "again.csv", "--gold", tmp_path / "gold.csv", "-o", tmp_path / "out")
    assert printed == "No round stands out.\n"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"drift.html", "drift.csv", "drift.json"}
