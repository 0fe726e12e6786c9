"""The bench: the same file for both sides, and a failure is an error, not a fast run."""

from __future__ import annotations

import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from evaluation.bench import Spent, _louder, _Run, bench
from msw_ml.errors import EngineError, UnknownName

CLIP = Path(__file__).parents[1] / "data" / "short_visit.flac"


@pytest.fixture
def run(tmp_path: Path) -> _Run:
    return _Run(tmp_path, [CLIP], minutes=0.6, threads=2, command="listen")


def test_recordings_are_joined_to_the_length_asked_for(run: _Run) -> None:
    with wave.open(str(run.joined("long.wav", 0.6))) as file:
        assert file.getparams()[:4] == (1, 2, 16_000, 36 * 16_000)
        sound = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    assert np.abs(sound[20 * 16_000 :]).max() > 1000


def test_a_process_is_measured_with_its_memory(run: _Run) -> None:
    """Eighty megabytes held for a moment are eighty megabytes, whatever the process that measures holds."""
    code = [sys.executable, "-c", "import time; held = b'x' * (80 << 20); time.sleep(0.2)"]
    spent = run._spent("a process", code)
    assert isinstance(spent, Spent)
    assert spent.seconds >= 0.2
    assert 80 < spent.peak_mib < 120


def test_a_failed_process_is_an_error(run: _Run) -> None:
    with pytest.raises(EngineError, match="failed with exit 3"):
        run._spent("a process", [sys.executable, "-c", "import sys; sys.exit(3)"])


def test_two_inputs_are_not_the_same(run: _Run) -> None:
    """A batch would skip the second one as done."""
    data = run.joined("one.wav", 0.1).read_bytes()
    assert len(_louder(data)) == len(data)
    assert _louder(data) != data


def test_an_unknown_measure_lists_the_known_ones() -> None:
    with pytest.raises(UnknownName, match="chain, jobs, memory"):
        bench([CLIP], what="beauty")
