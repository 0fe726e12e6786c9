"""A coder's card, written from its training run: where it comes from, how well it does, where it fails."""

from __future__ import annotations

from collections import Counter
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
        *_readings(made, report),
        "## Figures on held-out folds",
        _figures(made, report),
        "## Beside people, on sessions that were never trained or tuned on",
        _ceilings(report),
        "## Calibration and abstention",
        _calibration(recipe, report),
        "## Intervals of counts",
        _counts(report),
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
        "probation settings, and on simulated home visits where the table says so, not on visits that took place. "
        "**Not validated on your coders yet**: check it with `msw agree` "
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
    machine = ", ".join(c.id for c in made.corpora if not c.source.is_human)
    if machine:
        table += (
            f"\n\nNo person labelled {machine}: it is learned from, but no figure, temperature or prediction set below "
            "rests on it, but for the rows of that name under 'Where it fails'."
        )
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


def _readings(made: Plan, report: Report) -> list[str]:
    """How good a teacher the second reading is; nothing where nobody read a second time."""
    if not report.readings or not made.recipe.fit.reading_weight:
        return []
    rows = [(r.corpus, r.side.value, r.n, _number(r.macro_f1), _number(r.kappa)) for r in report.readings]
    by = "; ".join(f"{c.id}: {c.source.reading}" for c in made.corpora if c.source.reading)
    note = (
        f"Units were read a second time, blind to the labels ({by}); the codes are in `datasets/*/readings.csv`. "
        f"Beside a person's label a reading weighs {made.recipe.fit.reading_weight:.1f}, as a second annotator would, "
        "after what it foretells of people's labels was counted on the sessions learned from. A reading is used of "
        "sessions that are learned from, never of those that are measured. The sets are public, so a language model "
        "may have met them before; what it agrees with people is therefore no measure of it, but of the teaching."
    )
    heads = ("set", "side", "units", "reading against people, macro-F1", "kappa")
    return ["## A second reading", f"{note}\n\n{_table(heads, rows)}"]


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


def _counts(report: Report) -> str:
    rows = [
        (
            count.name,
            count.sessions,
            _between(count.coverage, count.low, count.high),
            f"{count.width:.1f}",
            _number(count.naive_coverage),
            f"{count.naive_width:.1f}",
            *(
                "–" if icc is None else _between(icc.value, icc.low, icc.high)
                for icc in (count.counted, count.expected)
            ),
        )
        for count in report.counts
    ]
    heads = (
        *("count a session", "sessions", "coverage [95%]", "mean width", "binomial: coverage", "binomial: width"),
        *("codes counted, ICC(A,1) [95%]", "expected count, ICC(A,1) [95%]"),
    )
    note = (
        "90% intervals of what people would count, the coder's own error included: each session's lean is drawn from "
        "those that held-out sessions had, with calibration and errors measured on the other folds. Beside them the "
        "binomial interval (Wilson), which takes every code given for right. The expected count is the mean of the "
        "draws: what people would count on average. A code with too few labels has none of these."
    )
    return f"{note}\n\n{_table(heads, rows)}"


def _failures(made: Plan, report: Report) -> str:
    rows = [(s.name, s.side.value, s.n, _number(s.right), _number(s.withheld)) for s in report.slices]
    table = _table(("units", "side", "n", "parent code right", "withheld"), rows)
    return f"{table}\n\n{_rare(made)}"


def _rare(made: Plan) -> str:
    """Codes with few or no labels: what the coder cannot have learned."""
    human = {corpus.id for corpus in made.corpora if corpus.source.is_human}
    codes = made.scheme.codebook.codes(Role.WORKER)
    by_people, by_machine = (
        Counter(
            u.codes[0]
            for t in made.transcripts
            if (t.corpus in human) is is_human
            for u in t.units
            if len(u.codes) == 1
        )
        for is_human in (True, False)
    )
    few = ", ".join(f"{code} ({by_people[code]})" for code in codes if 0 < by_people[code] < 100)
    machine = ", ".join(f"{code} ({by_machine[code]})" for code in codes if by_machine[code] and not by_people[code])
    none = ", ".join(code for code in codes if not by_people[code] and not by_machine[code])
    sentences = [
        f"Learned from fewer than 100 units that people labelled, so often missed or mistaken: {few}." if few else ""
    ]
    sentences.append(
        f"Labelled by no person, learned from a machine's labels only and measured by nobody: {machine}."
        if machine
        else ""
    )
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
    return _between(figure.value, figure.low, figure.high)


def _between(value: float | None, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return _number(value)
    return f"{_number(value)} [{_number(low)}, {_number(high)}]"


def _number(value: float | None) -> str:
    return "–" if value is None or np.isnan(value) else f"{value:.3f}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)
