"""The service report: groups of at least five workers, no names, nothing to be had by subtraction."""

from __future__ import annotations

import pytest

from msw_ml.codebook import Codebook
from msw_ml.errors import BadSetting
from msw_ml.reports.service import Member, members, service_report
from msw_ml.session import RatingStatus, ScoredSession


def service(
    demo: ScoredSession, teams: dict[str, int], periods: tuple[str, ...] = ("",)
) -> tuple[list[ScoredSession], list[Member]]:
    """One visit a worker and period."""
    sessions, belongs = [], []
    for team, workers in teams.items():
        for worker in range(workers):
            for period in periods:
                name = f"{team}-{worker}-{period}"
                sessions.append(demo.model_copy(update={"recording": demo.recording.model_copy(update={"name": name})}))
                belongs.append(Member(session=name, worker=f"person {team} {worker}", team=team, period=period))
    return sessions, belongs


def test_small_groups_are_hidden_and_left_out_of_sums(demo: ScoredSession, codebook: Codebook) -> None:
    """If the sum held the hidden team, its figures would be a subtraction away."""
    sessions, belongs = service(demo, {"North": 6, "South": 5, "West": 4})
    page = service_report(sessions, belongs, codebook)
    assert "11 visits by 11 workers" in page
    assert "West" not in page
    assert "1 group not shown" in page


def test_no_person_is_named(demo: ScoredSession, codebook: Codebook) -> None:
    """Neither workers nor their sessions appear."""
    sessions, belongs = service(demo, {"North": 6})
    page = service_report(sessions, belongs, codebook)
    assert not any(member.worker in page or member.session in page for member in belongs)


def test_fewer_than_five_workers_give_no_report(demo: ScoredSession, codebook: Codebook) -> None:
    """Four workers with many visits are still four workers."""
    sessions, belongs = service(demo, {"North": 4}, periods=("a", "b", "c"))
    with pytest.raises(BadSetting, match="5 workers"):
        service_report(sessions, belongs, codebook)


def test_ratings_that_were_not_released_stay_out(demo: ScoredSession, codebook: Codebook) -> None:
    """A manager sees a rating only once it was checked against the service's own coders, or asks for it knowingly."""
    sessions, belongs = service(demo, {"North": 6})
    assert 'class="levels"' not in service_report(sessions, belongs, codebook)
    asked = service_report(sessions, belongs, codebook, is_indicative_shown=True)
    assert asked.count('class="levels"') == sum(r.status is RatingStatus.INDICATIVE for r in demo.ratings)
    assert "Unchecked ratings are shown." in asked
    assert asked.count('class="status indicative"') == asked.count('class="levels"')
    assert "with your coders would release it." in asked


def test_sum_leaves_out_a_team_with_few_ratings(demo: ScoredSession, codebook: Codebook) -> None:
    """A team of six with four ratings shows none; in the sum they would be a subtraction away."""
    sessions, belongs = service(demo, {"North": 6, "South": 6})
    bare = [s.model_copy(update={"ratings": ()}) if n in (10, 11) else s for n, s in enumerate(sessions)]
    page = service_report(bare, belongs, codebook, is_indicative_shown=True)
    indicative = sum(r.status is RatingStatus.INDICATIVE for r in demo.ratings)
    assert page.count("(no interval: fewer than 10 workers), 6 visits") == 2 * indicative
    assert "10 visits" not in page


def test_intervals_need_ten_workers(demo: ScoredSession, codebook: Codebook) -> None:
    """A bootstrap over six workers would promise too much."""
    assert "no interval" in service_report(*service(demo, {"North": 6}), codebook)
    assert "no interval" not in service_report(*service(demo, {"North": 12}), codebook)


def test_change_needs_five_workers_in_both_periods(demo: ScoredSession, codebook: Codebook) -> None:
    """Change is shown for groups only, and equal periods show none."""
    page = service_report(*service(demo, {"North": 12}, periods=("2026-1", "2026-2")), codebook)
    assert "2026-1 to 2026-2" in page
    assert "could be chance" in page
    sessions, belongs = service(demo, {"North": 12}, periods=("2026-1",))
    moved = [m.model_copy(update={"period": "2026-2"}) if n < 3 else m for n, m in enumerate(belongs)]
    assert "2026-1 to 2026-2" not in service_report(sessions, moved, codebook)


def test_table_and_sessions_must_fit(demo: ScoredSession, codebook: Codebook) -> None:
    """A session without a worker is said, not guessed or dropped."""
    sessions, belongs = service(demo, {"North": 6})
    with pytest.raises(BadSetting, match="no row for North-5-"):
        service_report(sessions, belongs[:-1], codebook)
    with pytest.raises(BadSetting, match="no session for North-5-"):
        service_report(sessions[:-1], belongs, codebook)
    with pytest.raises(BadSetting, match="row 3"):
        members([{"session": "a", "worker": "w"}, {"session": "b", "worker": " "}], "groups.csv")


def test_same_sessions_give_the_same_page(demo: ScoredSession, codebook: Codebook) -> None:
    """The resampling is seeded."""
    case = service(demo, {"North": 12})
    assert service_report(*case, codebook) == service_report(*case, codebook)
