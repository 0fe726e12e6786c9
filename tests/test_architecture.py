"""The house rules, read from the source: who may import whom, and what may lie where."""

from __future__ import annotations

import ast
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("msw_ml", "evaluation", "training", "serving")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

VOCABULARY = ("session", "errors", "disk", "checkpoint", "codebook", "bundle", "text")
ROOMS = ("speech", "coding", "rating", "formats", "reports")
MAY_IMPORT = {
    **dict.fromkeys(VOCABULARY, VOCABULARY),
    **dict.fromkeys(ROOMS, (*VOCABULARY, "weights")),
    "weights": VOCABULARY,
    "settings": VOCABULARY,
    "pipeline": (*VOCABULARY, *ROOMS),
    "engines": (*VOCABULARY, *ROOMS, "pipeline", "settings", "weights"),
    "batch": (*VOCABULARY, *ROOMS, "pipeline", "engines", "settings", "weights"),
    "cli": (*VOCABULARY, *ROOMS, "pipeline", "engines", "settings", "batch", "weights"),
}
BETWEEN_PACKAGES = {
    "msw_ml": set(),
    "evaluation": {"msw_ml"},
    "training": {"msw_ml", "evaluation"},
    "serving": {"msw_ml", "evaluation"},
}
ENGINES = {"speech": {"whisper", "voices", "pyannote"}, "coding": {"coder"}, "rating": {"rater"}}
CONFINED = {
    "torch": ("training/", "msw_ml/speech/pyannote.py"),
    "transformers": ("training/", "msw_ml/speech/pyannote.py"),
    "pyannote.audio": ("training/", "msw_ml/speech/pyannote.py"),
    "fastapi": ("serving/",),
    "sqlalchemy": ("serving/",),
    "dbos": ("serving/",),
}


def imports(path: Path) -> set[str]:
    """Dotted names that a file imports, anywhere in it; `from a import b` gives `a` and `a.b`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.relative_to(ROOT)}: relative import"
            found.add(node.module or "")
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_packages_import_only_downwards(path: Path) -> None:
    """msw_ml ← evaluation ← training, evaluation ← serving; serving and training never meet."""
    own = path.relative_to(ROOT).parts[0]
    reached = {name.split(".")[0] for name in imports(path)} & set(PACKAGES) - {own}
    assert reached <= BETWEEN_PACKAGES[own], f"{name_of(path)} imports {reached}"


@pytest.mark.parametrize("path", [p for p in SOURCES if p.is_relative_to(ROOT / "msw_ml")], ids=name_of)
def test_rooms_import_only_what_lies_before_them(path: Path) -> None:
    """The corridor is straight: a room knows the vocabulary, not its neighbours."""
    part = path.relative_to(ROOT / "msw_ml").parts[0].removesuffix(".py")
    if part == "__init__":
        return
    for name in imports(path):
        if name.startswith("msw_ml.") and (other := name.split(".")[1]) != part and other != "__version__":
            assert other in MAY_IMPORT[part], f"{name_of(path)} imports msw_ml.{other}"


@pytest.mark.parametrize(
    ("room", "engine"), [(room, engine) for room, engines in ENGINES.items() for engine in sorted(engines)]
)
def test_engines_know_no_other_engine(room: str, engine: str) -> None:
    """An engine can be swapped because no other engine leans on it."""
    path = ROOT / "msw_ml" / room / f"{engine}.py"
    others = {f"msw_ml.{r}.{e}" for r, engines in ENGINES.items() for e in engines} - {f"msw_ml.{room}.{engine}"}
    assert not imports(path) & others


@pytest.mark.parametrize("package", sorted(CONFINED))
def test_heavy_packages_stay_where_they_belong(package: str) -> None:
    """A default install scores recordings without torch, and the library without a web server."""
    for path in SOURCES:
        if any(name == package or name.startswith(f"{package}.") for name in imports(path)):
            assert name_of(path).startswith(CONFINED[package]), f"{name_of(path)} imports {package}"


def test_datasets_hold_no_python() -> None:
    """A `datasets` folder with Python in it would answer to `import datasets` and break training."""
    assert not list((ROOT / "datasets").rglob("*.py"))


def test_import_datasets_is_the_library() -> None:
    """`import datasets` finds Hugging Face's package where it is installed, never our folder."""
    datasets = pytest.importorskip("datasets")
    assert datasets.__file__ is not None
    assert not Path(datasets.__file__).is_relative_to(ROOT / "datasets")


def test_no_file_shadows_the_standard_library() -> None:
    """`queue.py` or `types.py` inside a package is a trap for whoever runs a file in its folder."""
    shadows = [name_of(path) for path in SOURCES if path.stem in sys.stdlib_module_names and path.stem != "__init__"]
    assert not shadows


def test_no_vague_file_names() -> None:
    """A file is named after what happens in it."""
    assert not [name_of(p) for p in SOURCES if p.stem in {"utils", "helpers", "common", "misc"}]


def test_no_code_or_element_is_named_in_python() -> None:
    """Codes are data: a change to the codebook must not need a change to Python."""
    book = tomllib.loads((ROOT / "msw_ml/codebook/msw.toml").read_text(encoding="utf-8"))
    plain = {"other", "change", "neutral", "empathy", "autonomy", "evocation", "confront", "affirm"}
    ids = {entry["id"] for kind in ("behaviour", "element", "measure") for entry in book[kind]} - plain
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in ids:
                raise AssertionError(f"{name_of(path)}:{node.lineno} names '{node.value}'")


def test_files_stay_readable() -> None:
    """About 150 lines, seldom over 300."""
    long = {name_of(p): n for p in SOURCES if (n := len(p.read_text(encoding="utf-8").splitlines())) > 300}
    assert not long
