"""The card of a session rater: what it learned from, how well it does, where it fails."""

from __future__ import annotations

from collections.abc import Sequence

from msw_ml.codebook import Codebook
from msw_ml.rating.rater import SessionModel
from msw_ml.session import Value
from training.corpora import Source
from training.elements_evidence import CurvePoint
from training.elements_figures import ElementFigures, Halo, as_table


class CardFacts(Value):
    """What a training run found out."""

    recipe: str
    note: str
    figures: tuple[ElementFigures, ...]
    halo: tuple[Halo, ...]
    curve: tuple[CurvePoint, ...]
    sources: tuple[Source, ...]
    coder: str
    declined: int
    """Rated sessions that were too short to be rated, and so were not learned from."""
    sorted_sessions: int
    spread: float


def write_card(name: str, version: str, codebook: Codebook, model: SessionModel, facts: CardFacts) -> str:
    """The card as Markdown."""
    rated = [one.element for one in model.elements]
    missing = [element.id for element in codebook.elements if element.id not in rated]
    sessions = max(one.sessions for one in model.elements)
    parts = [
        f"# {name} {version}: session rater for {codebook.key}",
        f"Rates {_listed(rated)} from 1 to 5. It has no model of {_listed(missing)}: these come back withheld.",
        "**Not validated for Motivational Social Work.** Every rating is indicative until your own coders' "
        "double-coded sessions release it (`msw agree --release`). It must not rank or appraise anybody.",
        "## How it works",
        f"A ridge on {len(model.features)} features of a session: {', '.join(f'`{f}`' for f in model.features)} "
        "(`msw_ml/rating/features.py` says what each is). Codes enter by the coder's probabilities. "
        f"`manner` is a score over {len(model.manner.words)} everyday words, learned from {facts.sorted_sessions} "
        "other sessions that were sorted into good and poor practice. What the ridge takes from the ratings' spread is "
        f"given back in part (`spread` {facts.spread:g}: 0 leaves the expected value, 1 matches people's spread).",
        "## Learned from",
        _sources(facts.sources),
        f"{sessions} rated sessions ({facts.declined} more were too short to be rated), one rater each. The codes are "
        f"those of the behaviour coder {facts.coder}, each session by a network that was not trained on it.",
        f"Recipe: `{facts.recipe}`.",
        "## Figures",
        "On folds by video: no session was seen in fitting, in choosing the ridge's strength, or in calibrating the "
        "interval it is judged by. 95% intervals from resampled videos. Human: one rater.",
        as_table(facts.figures),
        *([facts.note] if facts.note else []),
        f"Intervals were calibrated to hold {100 * model.coverage:.0f}% of human ratings; half widths: "
        + ", ".join(f"{one.element} {one.half_width:.2f}" for one in model.elements)
        + ".",
        "## Halo",
        "Spearman correlation between elements, as people rated them and as the machine does on sessions it has not "
        "seen. Where the machine's is higher, it tells elements apart less than people do.",
        _halo(facts.halo),
        "## Evidence",
        "How far a rating moves, in rating points, when the worker's utterances that pull it most one way are unsaid, "
        "and when random ones with at least as many words are: means over the sessions above and all elements.",
        _curve(facts.curve),
        "## Limits",
        _limits(model),
    ]
    return "\n\n".join(parts) + "\n"


def _sources(sources: Sequence[Source]) -> str:
    lines = ["| set | from | commit | labels | licence |", "|---|---|---|---|---|"]
    lines += [f"| {s.name} | {s.origin} | {s.commit} | {s.labels} | {s.licence} |" for s in sources]
    return "\n".join(lines)


def _halo(pairs: Sequence[Halo]) -> str:
    lines = ["| elements | people | machine |", "|---|---|---|"]
    lines += [f"| {pair.first}, {pair.second} | {pair.human:.2f} | {pair.machine:.2f} |" for pair in pairs]
    return "\n".join(lines)


def _curve(points: Sequence[CurvePoint]) -> str:
    lines = ["| utterances unsaid | the strongest | random ones |", "|---|---|---|"]
    lines += [f"| {point.utterances} | {point.moved:.2f} | {point.by_chance:.2f} |" for point in points]
    return "\n".join(lines)


def _limits(model: SessionModel) -> str:
    limits = model.limits
    return "\n".join(
        f"- {line}"
        for line in (
            "The sessions are demonstrations, many of them acted, from the United States and Britain, about drinking, "
            "smoking, weight and the like. None is a home visit, none has a child in the room.",
            "One rater each: part of what looks like the machine's error is that rater's.",
            "Most of what it knows is whether a session is good practice at large; see the column for good sessions.",
            "Few of the sessions are poor practice; low ratings rest on few examples.",
            "It learned from transcripts written by people; recognition errors, above all in accents that the "
            "recogniser knows less well, change the words and so the rating.",
            f"It declines below {limits.worker_words} words of the worker's in {limits.worker_units} units, or "
            f"{limits.parent_words} of the parent's; above {100 * limits.doubtful_share:.0f}% doubtful words, "
            f"{100 * limits.unheard_share:.0f}% of speech without words or {100 * limits.withheld_share:.0f}% of units "
            f"left open; and where the worker was found with a margin below {limits.role_margin:.2f}. These limits are "
            "proposed, not derived.",
            "A visit of an hour is longer than what it learned from; that is why features are shares and means.",
        )
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "none"
