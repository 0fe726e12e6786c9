"""`msw models`: weights and bundles on this machine, and the one command that may use a network."""

from __future__ import annotations

import json
import os
from typing import Annotated

import typer
from pydantic import BaseModel

from msw_ml import bundle, weights
from msw_ml.errors import ModelError, ModelNotFound
from msw_ml.session import Value

app = typer.Typer(help="Weights and bundles: what is here, what can be had, and whether it is unharmed.")

AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]
FAILED = 1


class ModelState(Value):
    """A model by name, where it lies and whether its files are what they claim to be."""

    name: str
    kind: str
    licence: str
    about: str
    place: str | None
    """installed, pulled, hub cache, shipped; `None` where it is not on this machine."""
    path: str | None = None
    is_unharmed: bool | None = None
    """`None` where it was not checked."""
    trouble: str | None = None


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """Lists the weights that have a name here, on this machine or not, and the bundles that came with msw-ml."""
    _print([*weight_states(check=False), *bundle_states(check=False)], as_json)


@app.command()
def verify(as_json: AsJson = False) -> None:
    """Reads every model on this machine and compares its hashes. Exit 1 where one is not what it claims to be."""
    states = [state for state in (*weight_states(check=True), *bundle_states(check=True)) if state.place is not None]
    _print(states, as_json)
    if any(state.is_unharmed is False for state in states):
        raise typer.Exit(FAILED)


@app.command()
def pull(
    name: Annotated[str, typer.Argument(help="A name of `msw models list`, or OWNER/REPOSITORY of the hub.")],
    as_json: AsJson = False,
) -> None:
    """Downloads weights into the cache folder and records their hashes. Uses a network.

    A gated repository asks for the environment variable HF_TOKEN.
    """
    found = weights.pull(name, token=os.environ.get("HF_TOKEN") or None)
    if as_json:
        _echo_json(found)
        return
    typer.echo(f"{found.weights.name} is at {found.path} ({found.place})")
    typer.echo(f"use it: msw score ... --whisper-model {found.weights.name}")


def weight_states(check: bool) -> list[ModelState]:
    """The known weights; with `check`, those on this machine are read and their hashes compared."""
    return [_weight_state(known, check) for known in weights.known()]


def bundle_states(check: bool) -> list[ModelState]:
    """The shipped bundles; with `check`, read and compared with their hashes."""
    states = []
    for name in bundle.shipped_names():
        path = bundle.shipped(name)
        trouble: str | None = None
        info = bundle.BundleInfo.model_validate_json((path / "bundle.json").read_bytes())
        if check:
            try:
                bundle.read(path)
            except ModelError as error:
                trouble = str(error)
        states.append(
            ModelState(
                name=name,
                kind=info.kind,
                licence=info.licence,
                about=f"version {info.version}" + (f", codebook {info.codebook}" if info.codebook else ""),
                place="shipped",
                path=str(path),
                is_unharmed=trouble is None if check else None,
                trouble=trouble,
            )
        )
    return states


def _weight_state(known: weights.Weights, check: bool) -> ModelState:
    state = ModelState(name=known.name, kind=known.kind, licence=known.licence, about=known.about, place=None)
    try:
        found = weights.find(known.name)
    except ModelNotFound as error:
        return state.model_copy(update={"trouble": str(error)})
    state = state.model_copy(update={"place": found.place, "path": str(found.path)})
    if not check:
        return state
    try:
        weights.verify(found)
    except ModelError as error:
        return state.model_copy(update={"is_unharmed": False, "trouble": str(error)})
    return state.model_copy(update={"is_unharmed": True})


def _print(states: list[ModelState], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([state.model_dump() for state in states], indent=1))
        return
    for state in states:
        verdict = {None: "", True: "unharmed", False: "NOT what it claims to be"}[state.is_unharmed]
        typer.echo(f"{state.name:18}{state.kind:18}{state.place or 'not here':11}{verdict}".rstrip())
        typer.echo(f"    {state.about} ({state.licence})")
        if state.is_unharmed is False:
            typer.echo(f"    {state.trouble}")
        elif state.place is None:
            typer.echo(f"    to have it: msw models pull {state.name}")


def _echo_json(model: BaseModel) -> None:
    typer.echo(model.model_dump_json(indent=1))
