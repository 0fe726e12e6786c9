"""A rating cannot contradict its own status, wherever it comes from."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from msw_ml.session import Rating, RatingStatus

GIVEN = [RatingStatus.INDICATIVE, RatingStatus.RELEASED]


def rating(status: RatingStatus, low: float | None, value: float | None, high: float | None) -> Rating:
    return Rating(element="empathy", status=status, low=low, value=value, high=high, reason="x")


@pytest.mark.parametrize("part", ["low", "value", "high"])
def test_a_withheld_rating_carries_no_number(part: str) -> None:
    """One end of an interval would give away about what was withheld."""
    assert rating(RatingStatus.WITHHELD, None, None, None).value is None
    with pytest.raises(ValidationError, match="empathy is withheld and must carry no value and no interval"):
        Rating.model_validate({"element": "empathy", "status": "withheld", "reason": "x", part: 3.0})


@pytest.mark.parametrize("status", GIVEN)
@pytest.mark.parametrize(("low", "value", "high"), [(None, 3.0, 4.0), (2.0, None, 4.0), (2.0, 3.0, None)])
def test_a_rating_is_never_shown_without_its_interval(
    status: RatingStatus, low: float | None, value: float | None, high: float | None
) -> None:
    with pytest.raises(ValidationError, match=f"empathy is {status} and needs a value with its interval"):
        rating(status, low, value, high)


@pytest.mark.parametrize("status", GIVEN)
@pytest.mark.parametrize(("low", "value", "high"), [(4.0, 3.0, 2.0), (3.1, 3.0, 4.0), (2.0, 3.0, 2.9)])
def test_an_interval_holds_its_value(status: RatingStatus, low: float, value: float, high: float) -> None:
    with pytest.raises(ValidationError, match="outside its interval"):
        rating(status, low, value, high)


@pytest.mark.parametrize("status", GIVEN)
@pytest.mark.parametrize(("low", "value", "high"), [(2.0, 3.0, 4.0), (1.0, 1.0, 2.4), (3.6, 5.0, 5.0)])
def test_a_value_may_lie_on_the_end_of_its_interval(
    status: RatingStatus, low: float, value: float, high: float
) -> None:
    """At 1 and at 5 the scale itself cuts the interval off."""
    assert rating(status, low, value, high).value == value
