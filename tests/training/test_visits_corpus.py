"""Simulated visits as a coded set: what is context, whose label counts, what may not be on two sides."""

from __future__ import annotations

from pathlib import Path

import pytest

from msw_ml.codebook import book
from msw_ml.errors import BadSetting, MalformedTranscript
from msw_ml.session import Role
from training import visits_corpus

ROWS = (
    "session,utterance,role,speaker,text",
    "a1,1,worker,Jo,How has the week been?",
    "a1,2,child,Bea,I lost a tooth.",
    "a1,3,parent,Sam,I want it calmer at bedtime.",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One visit of three rows, coded twice."""
    made = tmp_path / "made_up"
    (made / "visits").mkdir(parents=True)
    (made / "codes").mkdir()
    (made / "visits" / "a1.csv").write_text("\n".join(ROWS) + "\n", encoding="utf-8")
    (made / "targets.csv").write_text("session,target\na1,a calm bedtime\n", encoding="utf-8")
    (made / "design.csv").write_text("session,part,family\na1,train,f3\n", encoding="utf-8")
    (made / "source.toml").write_text(
        'title = "Made up"\nversion = "1.0"\norigin = "here"\nlicence = "CC-BY-4.0"\nlabels = "nobody"\n',
        encoding="utf-8",
    )
    for coder, code in (("a", "question_open"), ("b", "question_closed")):
        lines = ["session,utterance,coder,code", f"a1,1,{coder},{code}", f"a1,3,{coder},change"]
        (made / "codes" / f"{coder}_1.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return made


def test_a_child_is_context_and_the_first_coder_labels(folder: Path) -> None:
    """Protects the training labels: children are never coded, and no second opinion is lost."""
    corpus = visits_corpus.load(folder, book.load())
    (visit,) = corpus.transcripts
    assert [unit.codes for unit in visit.units] == [("question_open",), (), ("change",)]
    assert [unit.role for unit in visit.units] == [Role.WORKER, Role.CHILD, Role.PARENT]
    assert visit.units[0].annotations == (("question_open",), ("question_closed",))
    assert (visit.target, visit.group) == ("a calm bedtime", "made_up/f3")
    assert not corpus.source.is_human


def test_the_test_part_is_one_group(folder: Path) -> None:
    """Protects the figures on unseen themes and families: their visits are held out together."""
    (folder / "design.csv").write_text("session,part,family\na1,test,f3\n", encoding="utf-8")
    assert visits_corpus.load(folder, book.load()).transcripts[0].group == "made_up/test"


def test_what_is_wrong_is_named_with_its_place(folder: Path) -> None:
    """Protects long runs from labels that are not the codebook's or are missing."""
    path = folder / "codes" / "b_1.csv"
    path.write_text("session,utterance,coder,code\na1,1,b,praise\n", encoding="utf-8")
    with pytest.raises(MalformedTranscript, match=r"b_1\.csv line 2: 'praise'"):
        visits_corpus.load(folder, book.load())
    for coder in ("a", "b"):
        (folder / "codes" / f"{coder}_1.csv").write_text(
            "session,utterance,coder,code\na1,1,x,question_open\n", encoding="utf-8"
        )
    with pytest.raises(MalformedTranscript, match=r"a1\.csv line 4: nobody coded"):
        visits_corpus.load(folder, book.load())
    for coder in ("a", "b"):
        (folder / "codes" / f"{coder}_1.csv").unlink()
    with pytest.raises(BadSetting, match="no codes"):
        visits_corpus.load(folder, book.load())
