"""`reliability.html`: one self-contained page, no script, no font and nothing else from a network."""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from evaluation import figures
from evaluation.figures import ForestRow, Point
from evaluation.findings import COMPARISONS, Comparison, Figure, Level, Report
from evaluation.numerals import interval, number, share
from msw_ml.session import Value

_BASELINES: tuple[Comparison, ...] = ("majority", "constant", "median")
_HEADLINE: dict[Level, str] = {"rating": "icc_a1", "utterance": "kappa"}
"""The statistic of a level's forest plot: single coder with single coder, corrected for chance."""


class Row(Value):
    """One line of a table of figures: a statistic in every comparison."""

    name: str
    humans: Figure | None = None
    machine: Figure | None = None
    baselines: tuple[Figure, ...] = ()


class Block(Value):
    """One variable with its table."""

    id: str
    name: str
    rows: tuple[Row, ...]
    counted: str
    """What it rests on, people and machine apart: "36 sessions by two people, 40 by machine and person"."""


def render(report: Report) -> str:
    """The page of a report."""
    environment = Environment(
        loader=PackageLoader("evaluation", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"interval": interval, "number": number, "share": share}
    has_machine = any(coder.is_machine for coder in report.coders)
    return environment.get_template("reliability.html").render(
        report=report,
        has_machine=has_machine,
        comparisons=COMPARISONS,
        ratings=_blocks(report, "rating"),
        utterances=_blocks(report, "utterance"),
        by_code={variable: _by_code(report, variable) for variable in _variables(report, "utterance")},
        tallies=_by_session(report, "tally"),
        measures=_by_session(report, "measure"),
        plots=_plots(report),
        confusions=_confusions(report, has_machine),
        prevalences=_prevalences(report),
        bland_altman=[Markup(figures.bland_altman(found)) for found in report.bland_altman],  # noqa: S704  escaped there
    )


def _variables(report: Report, level: Level) -> dict[str, str]:
    return {f.variable: f.variable_name for f in report.figures if f.level == level}


def _rows(report: Report, variable: str, code: str | None = None) -> list[Row]:
    mine = [f for f in report.figures if f.variable == variable and f.code == code]
    names = {f.statistic: f.statistic_name for f in mine}
    rows = []
    for statistic, name in names.items():
        of = {f.comparison: f for f in mine if f.statistic == statistic}
        rows.append(
            Row(
                name=name,
                humans=of.get("humans_same") or of.get("humans"),
                machine=of.get("machine"),
                baselines=tuple(of[comparison] for comparison in _BASELINES if comparison in of),
            )
        )
    return rows


def _blocks(report: Report, level: Level) -> list[Block]:
    blocks = []
    for variable, name in _variables(report, level).items():
        rows = _rows(report, variable)
        blocks.append(Block(id=variable, name=name, rows=tuple(rows), counted=_counted(rows, level)))
    return blocks


def _counted(rows: Sequence[Row], level: Level) -> str:
    people = next((row.humans for row in rows if row.humans is not None), None)
    machine = next((row.machine for row in rows if row.machine is not None), None)
    beside = (people, "by two people"), (machine, "by machine and person")
    return ", ".join(f"{_size(figure, level)} {who}" for figure, who in beside if figure is not None)


def _size(figure: Figure, level: Level) -> str:
    sessions = f"{figure.sessions} session{'s' if figure.sessions != 1 else ''}"
    return f"{figure.units} units of {sessions}" if level == "utterance" else sessions


def _by_code(report: Report, variable: str) -> list[tuple[str, list[Row]]]:
    names = {f.code: f.code_name for f in report.figures if f.variable == variable and f.code is not None}
    return [(name or "", _rows(report, variable, code)) for code, name in names.items()]


def _by_session(report: Report, level: Level) -> list[tuple[str, Row]]:
    """One line a tally or measure: its headline statistic; everything else is in the CSV file."""
    found = []
    for variable, name in _variables(report, level).items():
        row = next((row for row in _rows(report, variable) if row.name == "ICC(A,1)"), None)
        if row is not None:
            found.append((name, row))
    return found


def _plots(report: Report) -> list[tuple[str, Markup]]:
    """A forest plot for every level that has something to show."""
    titles: dict[Level, str] = {
        "rating": "Ratings: ICC(A,1), one coder with one coder",
        "utterance": "Codes by utterance: Cohen's kappa",
    }
    found = []
    for level, title in titles.items():
        rows = [
            ForestRow(label=label, points=points)
            for label, variable, code in _lines(report, level)
            if (points := _points(report, variable, _HEADLINE[level], code))
        ]
        if rows:
            found.append((title, Markup(figures.forest(rows, title))))  # noqa: S704  escaped there
    return found


def _lines(report: Report, level: Level) -> list[tuple[str, str, str | None]]:
    """Label, variable and code of every row of a forest plot: wholes first, then single codes."""
    lines: list[tuple[str, str, str | None]] = []
    for variable, name in _variables(report, level).items():
        lines.append((name.replace("main categories", "categories"), variable, None))
        codes = {f.code: f.code_name for f in report.figures if f.variable == variable and f.code is not None}
        lines += [(f"· {label}", variable, code) for code, label in codes.items()]
    return lines


def _points(report: Report, variable: str, statistic: str, code: str | None) -> tuple[Point, ...]:
    kinds: Sequence[tuple[Comparison, str]] = (
        ("humans_same", "human"),
        ("machine", "machine"),
        ("median", "baseline"),
    )
    if report.find(variable, "humans_same", statistic, code) is None:
        kinds = (("humans", "human"), *kinds[1:])
    points = []
    for comparison, kind in kinds:
        figure = report.find(variable, comparison, statistic, code)
        if figure is not None and figure.estimate.value is not None and (kind != "baseline" or code is None):
            estimate = figure.estimate
            points.append(Point(kind=kind, value=figure.estimate.value, low=estimate.low, high=estimate.high))
    return tuple(points) if any(point.kind != "baseline" for point in points) else ()


def _confusions(report: Report, has_machine: bool) -> dict[str, list[tuple[str, Markup]]]:
    wanted = {"humans_same", "machine"} if has_machine else {"humans"}
    found: dict[str, list[tuple[str, Markup]]] = {}
    for one in report.confusions:
        if one.comparison in wanted:
            title = f"{COMPARISONS[one.comparison]}: {one.variable_name}"
            picture = Markup(figures.confusion(one, title))  # noqa: S704  escaped there
            found.setdefault(one.variable, []).append((COMPARISONS[one.comparison], picture))
    return found


def _prevalences(report: Report) -> dict[str, Markup]:
    found = {}
    for variable, name in _variables(report, "utterance").items():
        described = [d for d in report.described if d.variable == variable]
        title = f"{name}: share of units with each code, a mark a coder"
        found[variable] = Markup(figures.prevalence(described, title))  # noqa: S704  escaped there
    return found
