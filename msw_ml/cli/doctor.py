"""`msw doctor`: what is installed, found and missing, and what to do about it."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from shutil import disk_usage
from typing import Annotated, Literal, get_args

import typer

from msw_ml import __version__, weights
from msw_ml.bundle import Kind
from msw_ml.cli.models import bundle_states, weight_states
from msw_ml.session import Value

PACKAGES = ("av", "faster-whisper", "ctranslate2", "onnxruntime", "numpy", "scikit-learn", "pydantic", "tokenizers")
EXTRAS = {
    "pyannote": (("pyannote.audio", "torch"), "the diariser pyannote"),
    "evaluate": (("jiwer", "meeteval"), "msw speech-check, msw chain, msw robustness"),
    "train": (("torch", "transformers", "onnx"), "msw train"),
    "serve": (("fastapi", "sqlalchemy", "dbos"), "msw serve, msw worker"),
}
REINSTALL = "in the folder of README.md: pip install --force-reinstall ."
LEAST_MEMORY_GIB = 4.0
"""One recording takes up to 1.5 GiB; the rest is the system's."""
LEAST_DISK_GIB = 2.0
"""Decoded sound takes 460 MB for four hours of one channel, twice that for stereo."""

State = Literal["ok", "note", "trouble"]


class Finding(Value):
    """One thing looked at. `trouble` stops `msw score`; a `note` does not."""

    what: str
    state: State
    found: str
    advice: str = ""


def doctor(as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False) -> None:
    """Says what is installed, found and missing, and what to do. Exit 1 where `msw score` cannot work."""
    findings = [
        _python(),
        *(_package(name) for name in PACKAGES),
        *(_extra(name) for name in EXTRAS),
        Finding(what="ffmpeg", state="ok", found="not needed: the package av carries its libraries"),
        *_models(),
        _processors(),
        _memory(),
        *_folders(),
    ]
    if as_json:
        typer.echo(json.dumps([finding.model_dump() for finding in findings], indent=1))
    else:
        for finding in findings:
            mark = {"ok": "ok     ", "note": "note   ", "trouble": "TROUBLE"}[finding.state]
            typer.echo(f"{mark} {finding.what:24} {finding.found}")
            if finding.advice:
                typer.echo(f"        {'':24} {finding.advice}")
    if any(finding.state == "trouble" for finding in findings):
        raise typer.Exit(1)


def _python() -> Finding:
    return Finding(
        what="python", state="ok", found=f"{platform.python_version()}, msw-ml {__version__}, {sys.platform}"
    )


def _package(name: str) -> Finding:
    try:
        return Finding(what=name, state="ok", found=metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(what=name, state="trouble", found="missing", advice=REINSTALL)


def _extra(name: str) -> Finding:
    modules, purpose = EXTRAS[name]
    missing = [module for module in modules if not _is_installed(module)]
    if not missing:
        return Finding(what=f"extra {name}", state="ok", found=f"installed, for {purpose}")
    return Finding(
        what=f"extra {name}",
        state="note",
        found=f"not installed ({', '.join(missing)}); only {purpose} needs it",
        advice=f"in the folder of README.md: pip install '.[{name}]'",
    )


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # a parent package is missing
        return False


def _models() -> list[Finding]:
    findings = []
    for model in (*weight_states(check=True), *bundle_states(check=True)):
        if model.place is None:
            continue
        state: State = "ok" if model.is_unharmed else "trouble"
        found = f"{model.place}, hashes are right" if model.is_unharmed else model.trouble or "harmed"
        findings.append(Finding(what=f"model {model.name}", state=state, found=found))
    shipped = {model.kind for model in bundle_states(check=False)}
    findings += [
        Finding(what=f"model {kind}", state="trouble", found="missing", advice=REINSTALL)
        for kind in get_args(Kind)
        if kind not in shipped
    ]
    if not any(model.place and not _is_embedded(model.name) for model in weight_states(check=False)):
        findings.append(
            Finding(
                what="better words",
                state="note",
                found="only the small embedded Whisper is here: its words are a draft transcription",
                advice="msw models pull small.en",
            )
        )
    return findings


def _is_embedded(name: str) -> bool:
    return name == weights.EMBEDDED


def _processors() -> Finding:
    count = os.cpu_count() or 1
    advice = "msw score --jobs 2 works on two recordings at a time" if count >= 2 else ""
    return Finding(what="processor cores", state="ok", found=str(count), advice=advice)


def _memory() -> Finding:
    try:
        gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, ValueError, OSError):  # not every system says
        return Finding(what="memory", state="note", found="unknown", advice="a recording takes up to 1.5 GiB")
    if gib < LEAST_MEMORY_GIB:
        return Finding(what="memory", state="note", found=f"{gib:.1f} GiB", advice="use --jobs 1 and close the rest")
    return Finding(what="memory", state="ok", found=f"{gib:.1f} GiB")


def _folders() -> list[Finding]:
    folder = Path(tempfile.gettempdir())
    free = disk_usage(folder).free / 2**30
    temporary = Finding(
        what="temporary folder",
        state="ok" if free >= LEAST_DISK_GIB else "note",
        found=f"{folder}, {free:.1f} GiB free",
        advice="" if free >= LEAST_DISK_GIB else "long recordings need up to 1 GiB there; set TMPDIR to another folder",
    )
    cache = weights.cache_dir()
    what = "is not there yet" if not cache.is_dir() else "is there"
    return [temporary, Finding(what="cache of pulled weights", state="ok", found=f"{cache} {what} (MSW_CACHE_DIR)")]
