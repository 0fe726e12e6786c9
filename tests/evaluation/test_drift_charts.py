"""A coder who has changed rings; one who has not does not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from evaluation import control, drift
from evaluation.reading.files import ReadOptions, batches
from msw_ml import codebook
from msw_ml.errors import InputError

BOOK = codebook.load("msw")


def table(rounds: dict[str, float], seed: int = 5) -> str:
    """Anna's re-codings of forty units a round, right with the probability given."""
    rng, rows = np.random.default_rng(seed), ["session,unit,coder,code,round"]
    for name, right in rounds.items():
        rows += [
            f"gold{name},{unit},Anna,{'question_open' if rng.random() < right else 'affirm'},{name}"
            for unit in range(40)
        ]
    return "\n".join(rows) + "\n"


def gold(rounds: list[str]) -> str:
    return "session,unit,coder,code\n" + "".join(
        f"gold{name},{unit},Gold,question_open\n" for name in rounds for unit in range(40)
    )


def charts(folder: Path, rounds: dict[str, float]) -> list[drift.Chart]:
    (folder / "gold.csv").write_text(gold(list(rounds)))
    (folder / "anna.csv").write_text(table(rounds))
    ours = drift.gold_of(batches([folder / "gold.csv"], BOOK))
    return drift.charts(ours, batches([folder / "anna.csv"], BOOK), BOOK)


def test_a_steady_coder_gives_no_signal(tmp_path: Path) -> None:
    (chart,) = charts(tmp_path, {str(n): 0.85 for n in range(1, 9)})
    assert (chart.coder, chart.kind, chart.what) == ("Anna", "codes", "worker")
    assert [one.signal for one in chart.rounds] == [None] * 8


def test_a_coder_who_has_changed_does(tmp_path: Path) -> None:
    (chart,) = charts(tmp_path, {**{str(n): 0.9 for n in range(1, 8)}, "8": 0.4})
    assert [one.round for one in chart.rounds if one.signal == "outside the limits"] == ["8"]


def test_limits_are_those_of_a_p_chart(tmp_path: Path) -> None:
    """Centre ± 3 √(p(1-p)/n) (Montgomery 2013, ch. 7)."""
    (chart,) = charts(tmp_path, {"1": 0.8, "2": 0.8})
    p = chart.centre
    assert chart.rounds[0].low == pytest.approx(p - 3 * np.sqrt(p * (1 - p) / 40))
    assert p == pytest.approx(sum(one.total for one in chart.rounds) / 80)


def test_eight_rounds_on_one_side_are_a_signal() -> None:
    rounds = [drift.Round(round=str(n), n=40, total=30) for n in range(8)]
    marked = drift._runs(rounds, centre=0.7)
    assert [one.signal for one in marked] == [None] * 7 + ["8 rounds on one side"]


def test_rounds_stand_in_order_of_number_and_of_date() -> None:
    assert sorted(["10", "9"], key=drift._by_time) == ["9", "10"]
    assert sorted(["2026-10-01", "2026-09-01"], key=drift._by_time) == ["2026-09-01", "2026-10-01"]


def test_ratings_are_charted_as_points_from_gold(tmp_path: Path) -> None:
    (tmp_path / "gold.csv").write_text(
        "session,coder,element,rating\n" + "".join(f"g{n},Gold,empathy,3\n" for n in range(6))
    )
    rows = [f"g{n},Ben,empathy,{4 if n < 3 else 3},{'a' if n < 3 else 'b'}\n" for n in range(6)]
    (tmp_path / "ben.csv").write_text("session,coder,element,rating,round\n" + "".join(rows))
    ours = drift.gold_of(batches([tmp_path / "gold.csv"], BOOK))
    (chart,) = drift.charts(ours, batches([tmp_path / "ben.csv"], BOOK), BOOK)
    assert [one.value for one in chart.rounds] == [1.0, 0.0]
    assert chart.centre == 0.5


def test_folders_name_the_rounds(tmp_path: Path) -> None:
    (tmp_path / "gold.csv").write_text(gold(["1"]))
    for name in ("2026-01", "2026-02"):
        (tmp_path / "rounds" / name).mkdir(parents=True)
        (tmp_path / "rounds" / name / "anna.csv").write_text(table({"1": 0.9}).replace(",round", ",note"))
    found = batches([tmp_path / "rounds"], BOOK, ReadOptions(rounds_from_folders=True))
    (chart,) = drift.charts(drift.gold_of(batches([tmp_path / "gold.csv"], BOOK)), found, BOOK)
    assert [one.round for one in chart.rounds] == ["2026-01", "2026-02"]


def test_a_coding_without_a_round_is_named(tmp_path: Path) -> None:
    (tmp_path / "gold.csv").write_text(gold(["1"]))
    (tmp_path / "anna.csv").write_text("session,unit,coder,code\ngold1,1,Anna,affirm\n")
    with pytest.raises(InputError, match="it is not known when 'Anna' coded session 'gold1'"):
        drift.charts(
            drift.gold_of(batches([tmp_path / "gold.csv"], BOOK)), batches([tmp_path / "anna.csv"], BOOK), BOOK
        )


def test_gold_is_one_coding(tmp_path: Path) -> None:
    (tmp_path / "two.csv").write_text("session,unit,Anna,Ben\ng,1,affirm,other\n")
    with pytest.raises(InputError, match="must be one coder's"):
        drift.gold_of(batches([tmp_path / "two.csv"], BOOK))


def test_the_page_says_who_stands_out(tmp_path: Path) -> None:
    page = control.render(charts(tmp_path, {**{str(n): 0.9 for n in range(1, 8)}, "8": 0.4}))
    assert "Anna, worker, round 8: outside the limits" in page
    assert Counter(page.split()).get("<script", 0) == 0
