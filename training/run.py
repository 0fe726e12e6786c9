"""A training run: folds, then the shipped model on everything, then calibration, card and bundle.

    DIR/.work/<key>/fold-0/   state.pt (while it trains), the bundle's parts, held.csv, held_plain.csv
    DIR/.work/<key>/final/    the same of the model that is shipped
    DIR/<recipe's name>/      the bundle

Each part is left alone when it is there already, so a run that was killed goes on where it was.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from msw_ml.coding.reader import Parts, Reader
from msw_ml.coding.words import Words
from msw_ml.disk import write_bytes
from msw_ml.session import Progress, Value, silent
from training import encoder, export, heldout, plan, recipe, targets, words
from training.corpora import SETS, CodedTranscript
from training.examples import NO_TARGET, plain, prepare
from training.fit import fit
from training.heldout import HeldOut
from training.loss import Taught
from training.network import CoderNetwork
from training.plan import Plan

FINAL = "final"
PARTS = ("encoder.onnx", "session.onnx", "words.npy")
"""What of a trained model goes into the bundle."""


class Job(Value):
    """One model to train: a fold, or the final one (`fold` is `None`). Small enough to send to a process."""

    recipe: Path
    data: Path
    sets: Path
    folder: Path
    fold: int | None

    @property
    def name(self) -> str:
        return FINAL if self.fold is None else f"fold-{self.fold}"

    @property
    def is_done(self) -> bool:
        return self.has("words.npy") if self.fold is None else self.has("held.csv")

    def has(self, name: str) -> bool:
        return (self.folder / name).is_file()


def jobs(made: Plan, recipe_path: Path, data: Path, work: Path, sets: Path = SETS) -> list[Job]:
    """The final model first: it takes longest."""
    root = work / made.key
    folds: list[int | None] = [None, *range(made.recipe.folds)]
    return [
        Job(
            recipe=recipe_path,
            data=data,
            sets=sets,
            folder=root / (FINAL if fold is None else f"fold-{fold}"),
            fold=fold,
        )
        for fold in folds
    ]


def train_all(todo: Sequence[Job], processes: int, progress: Progress = silent) -> None:
    """Trains what is not done yet, several models beside each other."""
    left = [job for job in todo if not job.is_done]
    if processes == 1:
        for number, job in enumerate(left):
            train_one(job, lambda _, done, n=number: progress("train", (n + done) / len(left)))  # type: ignore[misc]
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        running = [pool.submit(train_one, job) for job in left]
        for number, finished in enumerate(as_completed(running), start=1):
            finished.result()
            progress("train", number / len(left))


def train_one(job: Job, progress: Progress = silent) -> None:
    """Trains one model on one thread, so that the same recipe gives the same weights; does what is not done."""
    torch.set_num_threads(1)
    made = plan.make(recipe.read(job.recipe), job.data, job.sets)
    learned = [t for t in made.transcripts if job.fold is None or made.folds[t.key] != job.fold]
    examples = prepare(learned, made.codes, made.packer)
    given = targets.make(examples, made.codes, made.recipe.fit.reading_weight)
    if not job.has("encoder.onnx"):
        _train_network(job, made, Taught(examples, given, made.codes, made.recipe.fit), progress)
    write_bytes(job.folder / "words.npy", words.fit(examples, given, made.scheme, made.recipe.words))
    if job.fold is not None:
        held = [t for t in made.transcripts if made.folds[t.key] == job.fold]
        for name, is_plain in (("held_plain.csv", True), ("held.csv", False)):
            found = predicted(made, held, job.folder, is_plain=is_plain)
            write_bytes(job.folder / name, heldout.write(found, made.codes.ids, made.codes.also))


def _train_network(job: Job, made: Plan, taught: Taught, progress: Progress) -> None:
    torch.manual_seed(made.recipe.seed)
    body = encoder.load(made.encoder, made.recipe.encoder_dropout)
    network = CoderNetwork(body, len(made.codes.ids), len(made.codes.also), made.recipe.network)
    state = job.folder / "state.pt"
    fit(network, taught, made.packer, seed=made.recipe.seed, state=state, progress=progress)
    write_bytes(job.folder / "session.onnx", export.session_onnx(network))
    write_bytes(job.folder / "encoder.onnx", export.encoder_onnx(network.utterances))
    state.unlink(missing_ok=True)


def predicted(made: Plan, transcripts: Sequence[CodedTranscript], folder: Path, *, is_plain: bool) -> HeldOut:
    """Logits of transcripts by exported parts: what is measured is what is shipped, rounding included."""
    parts = Parts(
        encoder=export.open_graph(folder / "encoder.onnx"),
        session=export.open_graph(folder / "session.onnx"),
        words=Words.from_file(folder / "words.npy", made.scheme.codebook, made.codes.ids),
        words_weight=made.recipe.words.weight,
        packer=made.packer,
    )
    reader = Reader(parts, threads=1)

    def outputs(transcript: CodedTranscript) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        units = transcript.units
        texts = [plain(unit.text) if is_plain else unit.text for unit in units]
        target = transcript.target or ""
        about = "" if target in NO_TARGET else target
        wanted = [place for place, unit in enumerate(units) if unit.codes]
        codes, also = reader.read(texts, [unit.role for unit in units], wanted, about)
        own = np.array([made.codes.mask(units[place].role) for place in wanted])
        return np.where(own, codes, -np.inf), also

    return HeldOut.of(transcripts, outputs, (made.groups, made.folds))


def gathered(made: Plan, todo: Sequence[Job], name: str) -> HeldOut:
    """Held-out predictions of all folds, in the order of the sets."""
    tables = [
        (job.folder / name).read_bytes().decode().splitlines(keepends=True) for job in todo if job.fold is not None
    ]
    joined = "".join([*tables[0], *(line for table in tables[1:] for line in table[1:])])
    return heldout.read(joined.encode(), made.codes.ids, made.codes.also)
