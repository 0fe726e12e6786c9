"""The shipped behaviour coder: what every coder promises, and what only real weights can show."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

import pytest

from msw_ml import bundle
from msw_ml.codebook import book
from msw_ml.codebook.book import Codebook
from msw_ml.coding.coder import BundleCoder
from msw_ml.errors import CodebookMismatch, CodingFailed, ModelNotFound, WrongHash
from msw_ml.session import CodedUtterance, Doubt, Role, Utterance, Word
from msw_ml.text.encoder import vectors

LINES = [
    (Role.WORKER, "How have things been since I came on Tuesday?"),
    (Role.PARENT, "Not great. He's still up half the night and I'm shattered."),
    (Role.CHILD, "I had toast!"),
    (Role.WORKER, "So the nights are wearing you down."),
    (Role.PARENT, "Yeah. I want to get him into a routine, I really do."),
    (Role.OTHER, "She does, she tries."),
    (Role.WORKER, "Is he in his own bed?"),
    (Role.PARENT, "Sometimes."),
    (Role.WORKER, "The health visitor runs a sleep clinic on Thursdays, and they send letters out beforehand."),
    (Role.PARENT, "I don't see the point, nothing works with him."),
    (Role.WORKER, "You kept going to every one of those appointments, and that took some doing."),
    (Role.UNKNOWN, "Hello?"),
]


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    return book.load()


@pytest.fixture(scope="module")
def coder(codebook: Codebook) -> BundleCoder:
    return BundleCoder(bundle.shipped("behaviour_coder"), codebook)


def visit(lines: list[tuple[Role, str]] | None = None) -> list[Utterance]:
    return [
        Utterance(id=number, speaker=role.value, role=role, text=text)
        for number, (role, text) in enumerate(LINES if lines is None else lines)
    ]


def essence(coded: list[CodedUtterance]) -> list[tuple[object, ...]]:
    return [
        (one.code, one.parent_code, one.confidence, one.withheld, one.other_codes, tuple(one.probabilities.items()))
        for one in coded
    ]


def test_every_coded_role_gets_a_code_of_its_side_and_nobody_else(coder: BundleCoder, codebook: Codebook) -> None:
    """Protects the contract: order, number, sides, parents, calibrated sums; children and others uncoded."""
    said = visit()
    coded = coder.code(said)
    assert [one.utterance for one in coded] == said
    for one in coded:
        if one.utterance.role in (Role.WORKER, Role.PARENT):
            assert one.code in codebook.codes(one.utterance.role)
            assert one.parent_code == codebook.parent_of(one.code)
            assert list(one.probabilities) == list(codebook.codes(one.utterance.role))
            assert sum(one.probabilities.values()) == pytest.approx(1)
            of_parent = sum(p for code, p in one.probabilities.items() if codebook.parent_of(code) == one.parent_code)
            assert one.confidence == pytest.approx(of_parent)
            assert one.code not in one.other_codes
        else:
            assert (one.code, one.parent_code, one.confidence, one.probabilities) == (None, None, None, {})
        assert (one.volley, one.counted, one.set_aside) == (None, (), None)


def test_plain_cases_are_coded_as_a_person_would(coder: BundleCoder) -> None:
    """Protects against a bundle whose labels or inputs were mixed up."""
    parents = {one.utterance.id: one.parent_code for one in coder.code(visit())}
    assert (parents[0], parents[3], parents[6], parents[8]) == ("question", "reflection", "question", "input")
    codes = {one.utterance.id: one.code for one in coder.code(visit())}
    assert (codes[0], codes[6]) == ("question_open", "question_closed")


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_do_not_change_a_single_digit(codebook: Codebook, coder: BundleCoder, threads: int) -> None:
    """Protects determinism: the same visit, the same codes, however many threads read it."""
    other = BundleCoder(bundle.shipped("behaviour_coder"), codebook, threads=threads)
    assert essence(other.code(visit() * 4)) == essence(coder.code(visit() * 4))


def test_what_is_read_beside_an_utterance_does_not_change_its_vector(coder: BundleCoder) -> None:
    """Protects against eight-bit scales taken over a batch: rows are read alone, in any order."""
    reader = coder._reader
    packer = reader._parts.packer
    texts = [text for _, text in LINES]
    rows = packer.rows(packer.tokens(texts), [role for role, _ in LINES], [], range(len(LINES)))
    together = vectors(reader._parts.encoder, rows, threads=2)
    shuffled = list(range(len(rows)))
    random.Random(3).shuffle(shuffled)
    apart = {number: vectors(reader._parts.encoder, [rows[number]], threads=1)[0] for number in shuffled}
    assert all((together[number] == apart[number]).all() for number in shuffled)


def test_doubtful_words_are_not_read(coder: BundleCoder) -> None:
    """Protects codes from invented words; an utterance of nothing but doubtful words has no code."""
    words = (
        Word(start=0, end=1, text="Did he sleep?"),
        Word(start=1, end=2, text="Thanks for watching!", doubt=Doubt.NON_SPEECH),
    )
    heard = Utterance(id=0, speaker="A", role=Role.WORKER, text="Did he sleep? Thanks for watching!", words=words)
    clean = Utterance(id=0, speaker="A", role=Role.WORKER, text="Did he sleep?")
    assert essence(coder.code([heard])) == essence(coder.code([clean]))
    silent = heard.model_copy(update={"words": words[1:], "text": "Thanks for watching!"})
    assert coder.code([silent])[0].code is None


@pytest.mark.parametrize("text", ["", "   ", "mm", "?", "no " * 3000, "\u4f60\u597d", "\U0001f642", "a\u0000b"])
def test_odd_text_is_coded_or_left_alone(coder: BundleCoder, text: str) -> None:
    """Protects a batch from one strange row."""
    coded = coder.code(visit([(Role.WORKER, text), (Role.PARENT, "Yes.")]))
    assert len(coded) == 2
    assert (coded[0].code is None) == (not text.strip())


def test_a_session_without_anybody_to_code_comes_back_as_it_was(coder: BundleCoder) -> None:
    """Protects visits whose roles are not known, and empty ones."""
    assert coder.code([]) == []
    assert [one.code for one in coder.code(visit([(Role.UNKNOWN, "Hello."), (Role.CHILD, "Hi.")]))] == [None, None]


def test_progress_rises_to_one(coder: BundleCoder) -> None:
    """Protects the time left that is shown to the user."""
    seen: list[float] = []
    coder.code(visit(), progress=lambda stage, done: seen.append(done))
    assert seen == sorted(seen)
    assert seen[-1] == 1


def test_another_codebook_version_is_refused(codebook: Codebook) -> None:
    """Protects counts from a model that was taught other codes."""
    with pytest.raises(CodebookMismatch, match=r"retrain|pin"):
        BundleCoder(bundle.shipped("behaviour_coder"), codebook.model_copy(update={"version": "99"}))


def test_a_changed_weight_file_is_refused(codebook: Codebook, tmp_path: Path) -> None:
    """Protects against weights that are not those of the card."""
    copy = Path(shutil.copytree(bundle.shipped("behaviour_coder"), tmp_path / "copy"))
    (copy / "session.onnx").write_bytes(b"x")
    with pytest.raises(WrongHash, match=r"session\.onnx"):
        BundleCoder(copy, codebook)
    with pytest.raises(ModelNotFound):
        BundleCoder(tmp_path / "none", codebook)


def test_a_failing_runtime_becomes_our_error(codebook: Codebook, tmp_path: Path) -> None:
    """Protects the rest of a batch: whatever the runtime raises arrives as `CodingFailed`, without speech."""
    source = bundle.read(bundle.shipped("behaviour_coder"))
    files = {name: source.file(name).read_bytes() for name in source.info.files}
    broken = bundle.write(tmp_path / "broken", source.info, files | {"encoder.onnx": b"not a graph"})
    with pytest.raises(CodingFailed) as error:
        BundleCoder(broken.path, codebook).code(visit())
    assert "toast" not in str(error.value)


def test_it_loads_and_codes_fast_enough(codebook: Codebook) -> None:
    """Protects the laptop: loading, and a session of 500 turns. The limits leave room for a busy machine."""
    started = time.perf_counter()
    coder = BundleCoder(bundle.shipped("behaviour_coder"), codebook, threads=2)
    coder.code(visit()[:1])
    loaded = time.perf_counter() - started
    long = visit([LINES[number % 10] for number in range(500)])
    started = time.perf_counter()
    coder.code(long)
    coded = time.perf_counter() - started
    assert loaded < 5, loaded
    assert coded < 15, coded
