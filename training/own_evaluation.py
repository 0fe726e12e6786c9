"""`msw evaluate RATER FOLDER`: how a rater agrees with people on visits that `msw score` has scored."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from msw_ml import bundle as bundles
from msw_ml.codebook import load as load_codebook
from msw_ml.rating.rater import HIGHEST, LOWEST, BundleRater
from training.elements_baselines import MIDDLE
from training.elements_figures import Evaluation, Truth, figures, halo
from training.own_data import OwnFiles, read_own
from training.own_model import feature_rows
from training.own_visits import check_unseen, rateable


def evaluate_elements(bundle: Path, folder: Path) -> Evaluation:
    """Agreement of a rater with people; `folder` is scored visits with a table `ratings.csv` (see `own_data`).

    Raises what reading them raises, and `BadSetting` where a fine-tuned rater has learned from one of them. What the
    shipped rater learned from lies in no folder of scored visits.
    """
    read = bundles.read(bundle)
    codebook = load_codebook((read.info.codebook or "").split(" ")[0])
    rater = BundleRater(bundle, codebook)
    every = read_own(OwnFiles(scored=folder), codebook)
    own, declined = rateable(every, rater)
    check_unseen(own, read)
    model = rater.model
    said = [model.ratings(row) for row in feature_rows(own, rater, codebook)]
    predicted = np.clip(np.array(said), LOWEST, HIGHEST)
    elements = [one.element for one in model.elements]
    y = own.of_elements(elements)
    truth = Truth(y, own.groups, np.zeros(len(y), dtype=np.bool_), elements)
    widths = np.tile([one.half_width for one in model.elements], (len(y), 1))
    guesses = {read.label: predicted, "constant 3": np.full(y.shape, MIDDLE)}
    return Evaluation(
        figures=tuple(figures(truth, guesses, {read.label: widths})),
        halo=tuple(halo(truth, predicted)),
        declined=tuple(declined),
    )
