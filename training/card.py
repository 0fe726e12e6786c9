"""A coder's card, written from its training run: where it comes from, how well it does, where it fails."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from msw_ml.session import Role
from training.figures import Figure
from training.plan import Plan
from training.recipe import Recipe
from training.report import Report


def write(made: Plan, report: Report) -> str:
    """The card as Markdown. The same bundle and sets give the same card, byte for byte."""
    recipe = made.recipe
    parts = [
        f"# {recipe.name} {recipe.version}",
        _purpose(made),
        "## Trained on",
        _sets(made),
        _how(made),
        "## Figures on held-out folds",
        _figures(made, report),
        "## Beside people, on sessions that were never trained or tuned on",
        _ceilings(report),
        "## Calibration and abstention",
        _calibration(recipe, report),
        "## Where it fails",
        _failures(made, report),
        "## What was tried",
        _tried(recipe),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _purpose(made: Plan) -> str:
    return (
        f"Codes each utterance of a visit by the codebook {made.scheme.codebook.key}: the worker's behaviour and the "
        "parent's talk. It was trained on demonstrations and recordings of motivational interviewing in health and "
        "probation settings, not on home visits. **Not validated on your coders yet**: check it with `msw agree` "
        "before anybody relies on its counts. Not for ranking workers and not for decisions about families."
    )


def _sets(made: Plan) -> str:
    rows = [
        (
            f"{corpus.source.name} (`{corpus.id}`)",
            f"{corpus.source.origin} @ {corpus.source.commit}",
            corpus.source.licence,
            len(corpus.transcripts),
            sum(len(t.units) for t in corpus.transcripts),
            corpus.source.labels,
        )
        for corpus in made.corpora
    ]
    table = _table(("set", "origin", "licence as found", "sessions", "units", "labels"), rows)
    kept = ", ".join(t.key for t in made.kept_out) or "none"
    return f"{table}\n\nKept out of training and tuning: {kept}. No text of any set is in the bundle."


def _how(made: Plan) -> str:
    recipe, groups = made.recipe, len(set(made.groups.values()))
    return (
        f"Encoder: {recipe.encoder}, fine-tuned for {recipe.fit.epochs} epochs, seed {recipe.seed}, eight-bit "
        f"integers per channel. {recipe.folds} folds over {groups} conversations: sessions of one video, and sessions "
        "that share text, are never on two sides. The model that ships is trained the same way on all of them. Every "
        "figure below is of models that did not see the session, as exported, with temperature, weights and prediction "
        "sets measured on the other folds. Intervals: 95%, resampling conversations."
    )


def _figures(made: Plan, report: Report) -> str:
    plain = {figure.id: figure for figure in report.plain}
    human = _human(made)
    rows = [
        (
            figure.name,
            figure.n,
            _interval(figure),
            _number(plain[figure.id].value if figure.id in plain else None),
            _number(report.baseline.get(figure.id)),
            _number(human.get(figure.id)),
        )
        for figure in report.coder
    ]
    heads = ("figure", "n", "coder [95%]", "without punctuation and case", "TF-IDF + LR", "another human")
    note = (
        "Another human: one annotator against another, mean over all pairs, as `source.toml` has it. Almost all "
        "labels come from one annotator each, so this, not 1, is what a coder can be held to. Fine codes are measured "
        "on the sets coded by utterance, parent codes and counts on the set coded by turn."
    )
    return f"{_table(heads, rows)}\n\n{note}"


def _human(made: Plan) -> dict[str, float]:
    found: dict[str, float] = {}
    for corpus in made.corpora:
        if corpus.source.agreement is not None:
            found |= corpus.source.agreement.figures
    return found


def _ceilings(report: Report) -> str:
    rows = [
        (
            ceiling.human.side.value,
            ceiling.human.n,
            ceiling.human.annotators,
            _number(ceiling.macro_f1),
            _number(ceiling.kappa),
            f"{_number(ceiling.human.kappa_low)} to {_number(ceiling.human.kappa_high)}",
            f"{_number(ceiling.human.macro_f1)} ({_number(ceiling.human.kappa)})",
        )
        for ceiling in report.ceilings
    ]
    heads = (
        "side",
        "turns",
        "annotators",
        "coder, macro-F1",
        "coder, kappa",
        "annotators' own kappa",
        "annotator against annotator",
    )
    note = (
        "Coder: with the majority of all annotators. Annotators: each with the majority of the others; one against "
        "another: macro-F1 (kappa)."
    )
    return f"{_table(heads, rows)}\n\n{note}"


def _calibration(recipe: Recipe, report: Report) -> str:
    rows = [
        (side.value, f"{recipe.calibration.coverage:.2f}", _number(covered), _number(withheld))
        for side, (covered, withheld) in report.coverage.items()
    ]
    table = _table(("side", "coverage aimed at", "coverage held out", "share withheld"), rows)
    risk = [
        (side.value, f"{least:.1f}", _number(share), _number(wrong))
        for side, points in report.risk.items()
        for least, share, wrong in points
    ]
    curve = _table(("side", "confidence of at least", "share of units", "of them wrong"), risk)
    return (
        "An utterance is withheld when its prediction set (split conformal, least ambiguous sets) is not the one "
        f"parent code given.\n\n{table}\n\nRisk and coverage:\n\n{curve}"
    )


def _failures(made: Plan, report: Report) -> str:
    rows = [(s.name, s.side.value, s.n, _number(s.right), _number(s.withheld)) for s in report.slices]
    table = _table(("units", "side", "n", "parent code right", "withheld"), rows)
    return f"{table}\n\n{_rare(made)}"


def _rare(made: Plan) -> str:
    """Codes with few or no labels: what the coder cannot have learned."""
    labels = [unit.codes for t in made.transcripts for unit in t.units]
    counts = {code: sum(codes == (code,) for codes in labels) for code in made.scheme.codebook.codes(Role.WORKER)}
    few = ", ".join(f"{code} ({count})" for code, count in counts.items() if 0 < count < 100)
    none = ", ".join(code for code, count in counts.items() if not count)
    sentences = [f"Learned from fewer than 100 units, so often missed or mistaken: {few}." if few else ""]
    sentences.append(f"Never labelled in any set, so not learned: {none}." if none else "")
    return " ".join(sentence for sentence in sentences if sentence)


def _tried(recipe: Recipe) -> str:
    if not recipe.tried:
        return "Nothing but what is shipped."
    rows = [
        (one.what, _number(one.worker), _number(one.parent), one.on, "yes" if one.kept else "no")
        for one in recipe.tried
    ]
    return _table(("what", "worker, macro-F1", "parent, macro-F1", "measured on", "kept"), rows)


def _interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return _number(figure.value)
    return f"{_number(figure.value)} [{_number(figure.low)}, {_number(figure.high)}]"


def _number(value: float | None) -> str:
    return "–" if value is None or np.isnan(value) else f"{value:.3f}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)
