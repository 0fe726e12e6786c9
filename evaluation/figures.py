"""Plots as inline SVG: they take their colours from the page's style sheet, print, and read aloud by title."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from evaluation.findings import BlandAltman, Confused, Described
from evaluation.intervals import Estimate
from evaluation.numerals import interval, number
from msw_ml.session import Value

WIDTH = 720
_LABEL = 210
"""Room for labels on the left."""


class Point(Value):
    """One estimate of a forest plot."""

    kind: str
    """Style: `human`, `machine` or `baseline`."""
    value: float
    low: float | None = None
    high: float | None = None


class ForestRow(Value):
    """What is estimated, and the estimates side by side."""

    label: str
    points: tuple[Point, ...]


def forest(rows: Sequence[ForestRow], title: str) -> str:
    """A forest plot. People's estimate runs as a line through the other estimates of its row."""
    lowest = min((p.low if p.low is not None else p.value for row in rows for p in row.points), default=0.0)
    left = min(0.0, max(-1.0, lowest))
    height, step, body = 16, 17, []
    for row in rows:
        top = height
        human = next((point for point in row.points if point.kind == "human"), None)
        bottom = top + step * max(1, len(row.points))
        if human is not None and len(row.points) > 1:
            x = _x(human.value, left)
            body.append(f'<line class="human-line" x1="{x}" x2="{x}" y1="{top - 8}" y2="{bottom - 8}"/>')
        body.append(f'<text class="label" x="{_LABEL - 12}" y="{top + 4}">{escape(row.label)}</text>')
        for place, point in enumerate(row.points):
            body += _point(point, top + step * place, left)
        height = bottom + 11
    body = _scale(left, height - 14) + body
    return svg(height + 22, title, body)


def _point(point: Point, y: float, left: float) -> list[str]:
    x = _x(point.value, left)
    drawn = []
    if point.low is not None and point.high is not None:
        drawn.append(
            f'<line class="{point.kind} interval" x1="{_x(max(point.low, left), left)}" x2="{_x(point.high, left)}" '
            f'y1="{y}" y2="{y}"/>'
        )
    if point.kind == "human":
        drawn.append(f'<circle class="human" cx="{x}" cy="{y}" r="4.5"/>')
    elif point.kind == "machine":
        drawn.append(f'<rect class="machine" x="{x - 4.5:.1f}" y="{y - 4.5}" width="9" height="9"/>')
    else:
        drawn.append(f'<path class="baseline" d="M{x - 4:.1f} {y - 4}l8 8m0 -8l-8 8"/>')
    is_base = point.kind == "baseline"
    told = number(point.value) if is_base else interval(Estimate(value=point.value, low=point.low, high=point.high))
    drawn.append(f'<text class="value" x="{WIDTH - 4}" y="{y + 4}">{told}</text>')
    return drawn


def _x(value: float, left: float) -> float:
    return round(_LABEL + (value - left) / (1.0 - left) * (WIDTH - _LABEL - 130), 1)


def _scale(left: float, bottom: float) -> list[str]:
    drawn = []
    ticks = [tick / 4 for tick in range(-4, 5) if tick / 4 >= left - 1e-9]
    for tick in ticks:
        x = _x(tick, left)
        style = "axis zero" if tick == 0 else "axis"
        drawn.append(f'<line class="{style}" x1="{x}" x2="{x}" y1="0" y2="{bottom}"/>')
        drawn.append(f'<text class="tick" x="{x}" y="{bottom + 16}">{tick:g}</text>')
    return drawn


def bland_altman(found: BlandAltman) -> str:
    """Differences over means, with bias and limits of agreement."""
    width, height, pad = 344, 250, 42
    limits, bias = found.differences.limits, found.differences.value or 0.0
    xs = [mean for mean, _ in found.points]
    reach = max(1e-9, *(abs(apart) for _, apart in found.points), *(abs(limit) for limit in limits or (0.0,))) * 1.15
    first, last = (1.0, 5.0) if found.level == "rating" else (min(xs), max(xs) if max(xs) > min(xs) else min(xs) + 1)

    def x(value: float) -> float:
        return round(pad + (value - first) / (last - first) * (width - pad - 64), 1)

    def y(value: float) -> float:
        return round(28 + (reach - value) / (2 * reach) * (height - 68), 1)

    drawn = [f'<text class="panel" x="{pad}" y="16">{escape(found.variable_name)}</text>']
    drawn.append(f'<line class="axis zero" x1="{pad}" x2="{width - 60}" y1="{y(0)}" y2="{y(0)}"/>')
    lines = [("bias", bias, "bias"), *((("limit", limit, "limit")) for limit in limits or ())]
    for style, value, name in lines:
        drawn.append(f'<line class="{style}" x1="{pad}" x2="{width - 60}" y1="{y(value)}" y2="{y(value)}"/>')
        drawn.append(f'<text class="value" x="{width - 2}" y="{y(value) + 4}">{name} {number(value)}</text>')
    drawn += [f'<circle class="dot" cx="{x(mean)}" cy="{y(apart)}" r="3.5"/>' for mean, apart in found.points]
    for tick in (first, (first + last) / 2, last):
        drawn.append(f'<text class="tick" x="{x(tick)}" y="{height - 22}">{tick:.3g}</text>')
    drawn.append(f'<text class="axis-name" x="{pad}" y="{height - 5}">mean of the two</text>')
    title = f"{found.variable_name}: {found.second} less {found.first}, {len(found.points)} sessions"
    return svg(height, title, drawn, width)


def confusion(found: Confused, title: str) -> str:
    """A confusion matrix by shares of rows; codes that nobody used are left out."""
    used = [i for i in range(len(found.categories)) if any(found.table[i]) or any(row[i] for row in found.table)]
    names = [found.categories[i] for i in used]
    cell, side = (46, 196) if len(used) < 9 else (40, 196)
    top, drawn = 20 + int(5.4 * max((len(name) for name in names), default=0)), []
    for row, i in enumerate(used):
        y, total = top + row * cell, sum(found.table[i])
        drawn.append(f'<text class="label" x="{side - 8}" y="{y + cell / 2 + 4}">{escape(names[row])}</text>')
        place = f"translate({side + row * cell + cell / 2 + 4} {top - 8}) rotate(-50)"
        drawn.append(f'<text class="label turned" transform="{place}">{escape(names[row])}</text>')
        for column, j in enumerate(used):
            count = found.table[i][j]
            share = count / total if total else 0.0
            x = side + column * cell
            shade, size = f"fill-opacity:{share:.3f}", cell - 2
            drawn.append(f'<rect class="cell" style="{shade}" x="{x}" y="{y}" width="{size}" height="{size}"/>')
            style = "in-cell strong" if share > 0.55 else "in-cell"
            drawn.append(f'<text class="{style}" x="{x + cell / 2 - 1}" y="{y + cell / 2 + 4}">{count:g}</text>')
    return svg(top + 4 + len(used) * cell, title, drawn, side + len(used) * cell + 96)


def prevalence(described: Sequence[Described], title: str) -> str:
    """Share of units with each code, a mark a coder: how differently coders use the scheme."""
    codes = list(dict.fromkeys((d.code, d.code_name) for d in described))
    shares = {(d.code, d.coder): d.mean for d in described if d.mean is not None}
    codes = [(code, name) for code, name in codes if any(shares.get((code, d.coder)) for d in described)]
    top = max((share for share in shares.values()), default=1.0)
    room, height, drawn = WIDTH - _LABEL - 60, 34, []
    for code, name in codes:
        drawn.append(f'<text class="label" x="{_LABEL - 12}" y="{height + 4}">{escape(name or "")}</text>')
        drawn.append(f'<line class="axis" x1="{_LABEL}" x2="{_LABEL + room}" y1="{height}" y2="{height}"/>')
        for (its, coder), share in sorted(shares.items(), key=lambda pair: str(pair[0])):
            if its == code:
                kind = "machine" if _is_machine(described, coder) else "human"
                x = round(_LABEL + share / top * room, 1)
                shape = (
                    f'<rect class="machine" x="{x - 4}" y="{height - 4}" width="8" height="8">'
                    if kind == "machine"
                    else f'<circle class="human soft" cx="{x}" cy="{height}" r="4.5">'
                )
                end = "</rect>" if kind == "machine" else "</circle>"
                drawn.append(f"{shape}<title>{escape(coder)}: {share:.0%}</title>{end}")
        height += 26
    drawn += [
        f'<text class="tick" x="{round(_LABEL + share * room, 1)}" y="{height + 6}">{share * top:.0%}</text>'
        for share in (0.0, 0.5, 1.0)
    ]
    return svg(height + 16, title, drawn)


def _is_machine(described: Sequence[Described], coder: str) -> bool:
    return any(d.coder == coder and d.is_machine for d in described)


def svg(height: float, title: str, drawn: Sequence[str], width: float = WIDTH) -> str:
    """A picture with its title, for the eye and for a screen reader."""
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}"'
    name = escape(title, quote=True)
    return f'<svg role="img" {size} aria-label="{name}"><title>{name}</title>{"".join(drawn)}</svg>'
