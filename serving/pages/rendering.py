"""Turns a template into a page: all text escaped, a missing value an error, no inline script or style."""

from __future__ import annotations

import re
from functools import cache

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from msw_ml.reports import wording as report_wording
from msw_ml.reports.page import ticked
from msw_ml.session import Value
from serving.forms import LEVELS
from serving.pages import static_files, wording
from serving.permissions import May, Principal


class Place(Value):
    """An entry of the navigation."""

    path: str
    name: str


def page(request: Request, template: str, who: Principal | None, **context: object) -> HTMLResponse:
    """A whole page, or a fragment of one, as an answer."""
    made = (
        environment()
        .get_template(template)
        .render(
            who=who,
            places=places(who),
            here=f"/{request.url.path.split('/')[1]}",
            nonce=request.state.csp_nonce,
            static=static_files.addresses(),
            **context,
        )
    )
    return HTMLResponse(made)


def places(who: Principal | None) -> tuple[Place, ...]:
    """Where there is something for somebody, the place to begin in first; nowhere before they have signed in.

    Managers see no sessions but visits of their own: the groups page leads to those, where there are any.
    """
    if who is None:
        return ()
    found = []
    if who.may(May.UPLOAD):
        found += [Place(path="/library", name="Library"), Place(path="/jobs", name="Jobs")]
    if who.may(May.COMPARE):
        found.append(Place(path="/reliability", name="Reliability"))
    if who.may(May.SEE_GROUPS):
        found.append(Place(path="/groups", name="Groups"))
    if who.may(May.ADMINISTER):
        found.append(Place(path="/administration", name="Administration"))
    return tuple(found)


@cache
def environment() -> Environment:
    """The templates with their filters."""
    made = Environment(
        loader=PackageLoader("serving"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        clock=report_wording.clock,
        long_time=report_wording.long_time,
        number=report_wording.number,
        percent=report_wording.percent,
        day=report_wording.day,
        left=wording.time_left,
        ticked=ticked,
        marked=marked,
    )
    made.globals.update(plural=report_wording.plural, words=wording, roles=report_wording.ROLES, levels=LEVELS)
    return made


def marked(text: str) -> Markup:
    """Escaped text in which what stands between back ticks is set as code, and between double stars in bold."""
    return Markup(re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", str(ticked(text))))  # noqa: S704
