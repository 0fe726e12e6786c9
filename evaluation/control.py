"""`drift.html`: control charts of re-coding, one page without script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from evaluation.drift import Chart
from evaluation.figures import WIDTH, svg
from evaluation.numerals import number

_LEFT, _TOP, _HEIGHT = 56, 14, 190


def render(charts: Sequence[Chart]) -> str:
    """The page: signals first, then a chart a coder and side or element."""
    environment = Environment(
        loader=PackageLoader("evaluation", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    signals = [(chart, one) for chart in charts for one in chart.rounds if one.signal]
    pictures = [(chart, Markup(plot(chart))) for chart in charts]  # noqa: S704  escaped there
    environment.filters |= {"number": number}
    return environment.get_template("drift.html").render(signals=signals, pictures=pictures)


def plot(chart: Chart) -> str:
    """One control chart: rounds in order of time, centre, limits, and a ring round every signal."""
    numbers = [x for one in chart.rounds for x in (one.value, one.low, one.high) if x is not None]
    low, high = min([chart.centre, *numbers]), max([chart.centre, *numbers])
    margin = 0.08 * (high - low) or 0.1

    def y(value: float) -> float:
        return round(_TOP + (high + margin - value) / (high - low + 2 * margin) * _HEIGHT, 1)

    step = (WIDTH - _LEFT - 70) / max(1, len(chart.rounds) - 1)
    xs = [round(_LEFT + 20 + step * place, 1) for place in range(len(chart.rounds))]
    drawn = [
        f'<line class="centre" x1="{_LEFT}" x2="{WIDTH - 40}" y1="{y(chart.centre)}" y2="{y(chart.centre)}"/>',
        f'<text class="value" x="{_LEFT - 6}" y="{y(chart.centre) + 4}">{number(chart.centre)}</text>',
    ]
    for edge in ("low", "high"):
        steps = [
            f"{x},{y(limit)}"
            for x, one in zip(xs, chart.rounds, strict=True)
            if (limit := getattr(one, edge)) is not None
        ]
        drawn.append(f'<polyline class="limit trace" points="{" ".join(steps)}"/>')
    points = [(x, y(one.value), one) for x, one in zip(xs, chart.rounds, strict=True) if one.value is not None]
    drawn.append(f'<polyline class="trace" points="{" ".join(f"{x},{height}" for x, height, _ in points)}"/>')
    for x, height, one in points:
        drawn.append(
            f'<circle class="human" cx="{x}" cy="{height}" r="4"><title>{escape(one.round)}: {number(one.value)}, '
            f"n {one.n}</title></circle>"
        )
        if one.signal:
            drawn.append(f'<circle class="out" cx="{x}" cy="{height}" r="9"/>')
        drawn.append(f'<text class="tick" x="{x}" y="{_TOP + _HEIGHT + 18}">{escape(one.round)}</text>')
    return svg(_TOP + _HEIGHT + 26, f"{chart.coder}, {chart.what}: rounds of re-coding against gold", drawn)
