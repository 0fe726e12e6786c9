"""`msw report`: pages for people over sessions that were scored."""

from __future__ import annotations

import typer

app = typer.Typer(help="Reports for people, over sessions that `msw score` has written.", no_args_is_help=True)


@app.callback()
def _report() -> None:
    """Written to a worker, a coach or a service; never a ranking."""
