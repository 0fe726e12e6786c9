"""The documents say what the program does: their commands run, its settings exist, its files are there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from msw_ml.cli.main import app
from msw_ml.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("datasets", "evaluation", "msw_ml", "serving", "tests", "training")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md"))])
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^ *```.*?\n(.*?)^ *```", flags=re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
ASSIGNED = re.compile(r"[A-Z_]+=.*")
BETWEEN = {"&&", "||", "|", ";"}


def calls(line: str) -> Iterator[tuple[str, ...]]:
    """What follows `msw` in each part of a shell line that calls it; comments and prompts do not count."""
    words = re.split(r"(?:^|\s)#", line.strip().removeprefix("$ "))[0]
    part: list[str] = []
    for word in [*shlex.split(words), ";"]:
        if word not in BETWEEN:
            part += [] if not part and ASSIGNED.fullmatch(word) else [word]
            continue
        if part and part[0].rpartition("/")[2] == "msw":
            yield tuple(part[1:])
        part = []


def in_fences(text: str) -> Iterator[tuple[str, ...]]:
    for block in FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            if re.search(r"\bmsw ", line):
                yield from calls(line)


def inline(text: str) -> Iterator[tuple[str, ...]]:
    """Commands in running text; a span may go over the end of a line, never over that of a paragraph."""
    for paragraph in re.split(r"\n\s*\n", FENCE.sub("\n\n", text)):
        for span in INLINE.findall(paragraph):
            if re.match(r"([A-Z_]+=\S+ )*(\S*/)?msw\s+[a-z-]", span):
                yield from calls(" ".join(span.split()))


def found(kind: str) -> list[tuple[str, str]]:
    """(document, command) of every command of a kind, each once."""
    read = in_fences if kind == "fence" else inline
    return [
        (str(path.relative_to(ROOT)), shlex.join(words))
        for path in DOCUMENTS
        for words in dict.fromkeys(read(path.read_text(encoding="utf-8")))
    ]


@cache
def program() -> Any:
    """`msw` with every option and argument, and with nothing behind them that would be carried out."""
    whole = get_command(app)  # keeps its own callback, which answers --version
    waiting = list(whole.commands.values())
    while waiting:
        one = waiting.pop()
        one.callback = None
        waiting += getattr(one, "commands", {}).values()
    return whole


def complaint(given: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What the program's own parser, or the repository, says against the words after `msw`; empty: nothing."""
    words = shlex.split(given)
    for word in words:
        if word.startswith(tuple(f"{folder}/" for folder in FOLDERS)) and not (ROOT / word).exists():
            return f"no such file: {word}"
    with pytest.raises(SystemExit) as ended:
        program().main(words, prog_name="msw")
    said = capsys.readouterr()
    return said.err.strip() or "refused" if ended.value.code else ""


def is_mention(given: str, said: str) -> bool:
    """Running text may name a command, or an option last, without what they need: `msw agree --release`."""
    command, rest = program(), shlex.split(given)
    while rest and rest[0] in getattr(command, "commands", {}):
        command = command.commands[rest.pop(0)]
    fixed = {word for one in command.params for word in (one.metavar or "").split("|")}
    while rest and rest[0] in fixed:  # `msw train elements`
        rest.pop(0)
    return not rest or (rest[-1].startswith("-") and "requires an argument" in said)


def test_readme_begins_with_the_two_commands() -> None:
    """A newcomer sees first how to try it."""
    first = re.search(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    assert first is not None
    assert [line.split("#")[0].strip() for line in first.group(1).splitlines()] == ["make demo", "make test"]


@pytest.mark.parametrize(("document", "given"), found("fence"))
def test_every_command_of_a_block_can_be_given_as_it_stands(
    document: str, given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It exists, has every argument and option that it needs, and none that the program does not know."""
    said = complaint(given, capsys)
    assert not said, f"{document}: msw {given}: {said}"


@pytest.mark.parametrize(("document", "given"), found("inline"))
def test_every_command_in_running_text_exists_with_its_options(
    document: str, given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mere mention may leave out what it is given; whoever writes arguments or options writes all of them."""
    said = complaint(given, capsys)
    assert not said or is_mention(given, said), f"{document}: msw {given}: {said}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("scores visits", "No such command"),
        ("agree a.csv b.csv", "Missing option"),
        ("sheet write scores -o sheets", "Missing option"),
        ("score -o scores", "Missing argument"),
        ("score visits -o scores --speaker-number 3", "No such option"),
        ("score visits -o scores --jobs many", "Invalid value"),
        ("sheet", "Usage"),
        ("train training/recipes/nothing.toml -o out", "no such file"),
    ],
)
def test_a_wrong_command_is_found(given: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Else the two tests above would pass whatever stood there."""
    assert said in complaint(given, capsys)


@pytest.mark.parametrize(
    ("given", "is_fine"),
    [
        ("agree", True),
        ("sheet", True),
        ("agree --release", True),
        ("train elements", True),
        ("agree a.csv", False),
        ("agree --nothing", False),
        ("train elements scores", False),
        ("scores", False),
    ],
)
def test_what_is_a_mention(given: str, is_fine: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert is_mention(given, complaint(given, capsys)) is is_fine


def test_commands_are_found_wherever_they_stand() -> None:
    """Blocks with prompts, comments, settings and several commands a line; spans over two lines."""
    text = (
        "Say `msw agree\n--release` or `MSW_THREADS=1 .venv/bin/msw doctor`, `msw` and `msw 1.0` are none.\n\n"
        "```\n$ msw score a \\\n  -o b  # msw no more\nmake demo && msw doctor | cat\n# msw nor here\n```\n"
    )
    assert list(in_fences(text)) == [("score", "a", "-o", "b"), ("doctor",)]
    assert list(inline(text)) == [("agree", "--release"), ("doctor",)]
    assert {document for kind in ("fence", "inline") for document, _ in found(kind)} >= {
        "README.md",
        "serving/README.md",
        "datasets/demo/README.md",
        "msw_ml/bundles/session_rater/card.md",
    }


def test_every_setting_stands_in_readme() -> None:
    """The table of settings is complete and names none that is gone."""
    stated = set(re.findall(r"^\| `MSW_([A-Z_]+)`", README, flags=re.MULTILINE))
    assert stated == {name.upper() for name in Settings.model_fields}


def test_links_of_readme_lead_somewhere() -> None:
    """Files that README points to are in the repository."""
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if "://" not in target:
            assert (ROOT / target).exists(), target
