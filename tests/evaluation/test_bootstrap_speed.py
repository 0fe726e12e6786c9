"""Two thousand draws at once beside a loop of draws. Run with `pytest -m slow -s`: it prints both times."""

from __future__ import annotations

import itertools
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from evaluation.agreement.confusion import MISSING
from evaluation.pairing import align
from evaluation.reading.files import read
from evaluation.reliability import CompareOptions, compare
from evaluation.variables import study
from msw_ml import codebook

BOOK = codebook.load("msw")
IN_A_PROCESS = """
import sys
from pathlib import Path
from evaluation.reading.files import read
from evaluation.reliability import CompareOptions, compare
from msw_ml import codebook
book = codebook.load("msw")
assert compare(read([Path(sys.argv[1])], book), book, CompareOptions(draws=2000)).sessions == 200
print(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
"""
LOOPED = 10
"""Draws of the naive loop; its time is given for 2,000 by proportion."""


@pytest.mark.slow
@pytest.mark.shared
def test_ten_annotators_with_two_thousand_draws(shared: Path) -> None:
    path = shared / "data" / "annomi" / "AnnoMI-full.csv"
    began, burnt = time.perf_counter(), time.process_time()
    codings = read([path], BOOK)
    compare(codings, BOOK, CompareOptions(draws=2000))
    wall, cpu = time.perf_counter() - began, time.process_time() - burnt
    variables = study(codings, align(codings), BOOK).by_utterance
    rng, burnt = np.random.default_rng(1), time.process_time()
    for _, variable in itertools.product(range(LOOPED), variables):
        drawn = variable.codes[rng.integers(0, len(variable.codes), len(variable.codes))]
        for first, second in itertools.combinations(range(drawn.shape[1]), 2):
            both = (drawn[:, first] != MISSING) & (drawn[:, second] != MISSING)
            cohen_kappa_score(drawn[both, first], drawn[both, second])
    looped = (time.process_time() - burnt) * 2000 / LOOPED
    print(f"\nall statistics, 2,000 draws: {wall:.1f} s ({cpu:.1f} s of processor)")  # noqa: T201
    print(f"kappa of all pairs alone in a loop, by proportion: {looped:.0f} s of processor")  # noqa: T201
    assert cpu < 20
    assert looped > 5 * cpu


@pytest.mark.slow
def test_two_hundred_sessions_five_coders_three_hundred_units(tmp_path: Path) -> None:
    """Under a minute of processor and a gigabyte, reading included."""
    rng = np.random.default_rng(3)
    worker = [b.id for b in BOOK.behaviours if b.speaker == "worker"]
    parent = [b.id for b in BOOK.behaviours if b.speaker == "parent"]
    for coder in "ABCDE":
        rows = ["session,unit,code"]
        for session, unit in itertools.product(range(200), range(300)):
            side = worker if unit % 2 else parent
            known = np.random.default_rng(session * 300 + unit).integers(len(side))
            code = side[known if rng.random() < 0.8 else rng.integers(len(side))]
            rows.append(f"s{session},{unit},{code}")
        (tmp_path / f"{coder}.csv").write_text("\n".join(rows) + "\n")
    # a process of its own that says its peak: what wait4 gives for it holds the peak of the one that started it
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    child = subprocess.run(
        [sys.executable, "-c", IN_A_PROCESS, str(tmp_path)], check=True, stdout=subprocess.PIPE, text=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall, cpu = time.perf_counter() - began, sum(after[:2]) - sum(before[:2])
    memory = int(child.stdout) / 2**20
    print(f"\n200 × 5 × 300: {wall:.1f} s ({cpu:.1f} s of processor), {memory:.2f} GiB at most")  # noqa: T201
    assert cpu < 60
    assert memory < 1
