"""From a finished training run to a bundle with its card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue

from msw_ml import bundle as bundles
from msw_ml.bundle import Bundle, BundleInfo
from training import card, heldout, report
from training.calibrate import calibrate, confusions, decide_apart
from training.count_intervals import spread_parameters
from training.plan import Plan
from training.run import PARTS, Job, gathered


def assemble(made: Plan, jobs: Sequence[Job], out: Path, data: Path, sets: Path) -> Bundle:
    """Calibrates on the folds, writes the bundle, and then its card with what the bundle itself says."""
    recipe = made.recipe
    held = gathered(made, jobs, "held.csv")
    trusted = held.where(made.by_people(held))
    parameters = calibrate(trusted, made.scheme, recipe.calibration, made.given)
    apart = decide_apart(trusted, made.scheme, recipe.calibration, made.given, made.by_people(trusted))
    stored: dict[str, JsonValue] = json.loads(parameters.model_dump_json())
    stored |= spread_parameters(trusted, made.scheme, parameters)
    stored |= confusions(trusted, apart, made.scheme)
    stored["recipe"] = json.loads(recipe.model_dump_json())
    final = next(job for job in jobs if job.fold is None)
    files = {name: (final.folder / name).read_bytes() for name in PARTS}
    files["tokenizer.json"] = (made.encoder / "tokenizer.json").read_bytes()
    for name, source in (("folds.csv", "held.csv"), ("folds_plain.csv", "held_plain.csv")):
        table = gathered(made, jobs, source)
        files[name] = heldout.write(table, made.codes.ids, made.codes.also)
    info = BundleInfo(
        name=recipe.name,
        version=recipe.version,
        kind="behaviour_coder",
        codebook=made.scheme.codebook.key,
        labels=made.scheme.labels,
        parameters=stored,
        licence=recipe.licence,
    )
    path = out / recipe.name
    uncarded = bundles.write(path, info, files)
    text = card.write(*report.make(uncarded, data, sets))
    return bundles.write(path, info, files | {"card.md": text.encode()})
