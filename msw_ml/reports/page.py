"""Renders a template to one self-contained HTML page: styles inline, nothing from a network, no scripts."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from msw_ml.reports import wording


def render(template: str, **context: object) -> str:
    """A page from a template of this package; all text is escaped, a missing value is an error."""
    return _environment().get_template(template).render(context)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("msw_ml.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        clock=wording.clock,
        day=wording.day,
        long_time=wording.long_time,
        number=wording.number,
        percent=wording.percent,
        ticked=ticked,
    )
    style = resources.files("msw_ml.reports").joinpath("templates", "page.css").read_text(encoding="utf-8")
    # The only text that is not escaped: a file of this package.
    environment.globals.update(style=Markup(style), plural=wording.plural)  # noqa: S704
    return environment


def ticked(text: str) -> Markup:
    """Escaped text in which `commands` between back ticks are set as such."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704
