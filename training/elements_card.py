"""The card of a session rater: what it learned from, how well it does, where it fails."""

from __future__ import annotations

from collections.abc import Sequence

from msw_ml.codebook import Codebook
from msw_ml.rating.rater import SessionModel
from msw_ml.session import Value
from training.corpora import Source
from training.elements_evidence import CurvePoint
from training.elements_figures import Halo, Part, as_table
from training.marks import MarkFigure


class CardFacts(Value):
    """What a training run found out."""

    recipe: str
    note: str
    parts: tuple[Part, ...]
    marks: tuple[MarkFigure, ...]
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
    parts = [
        f"# {name} {version}: session rater for {codebook.key}",
        f"Rates {_listed(rated)} from 1 to 5."
        + (f" It has no model of {_listed(missing)}: these come back withheld." if missing else ""),
        "**Not validated for Motivational Social Work.** Every rating is indicative until your own coders' "
        "double-coded sessions release it (`msw agree --release`). It must not rank or appraise anybody.",
        "## How it works",
        _how(model, facts),
        *(["## Marks", _marks(model, facts.marks)] if model.marks else []),
        "## Learned from",
        _sources(facts.sources),
        "\n".join(f"- {one.element}: {one.learned_from}" for one in model.elements),
        f"{facts.declined} more sessions were too short to be rated. The codes are those of the behaviour coder "
        f"{facts.coder}, each session by a network that was not trained on it; so are the marks.",
        f"Recipe: `{facts.recipe}`.",
        "## Figures",
        "No session's group (its video; its family; the test part of the visits as a whole) was seen in fitting, in "
        "choosing the ridge's strength, or in calibrating the interval it is judged by. 95% intervals from resampled "
        "groups; where there is one group only, from resampled sessions.",
        *([facts.note] if facts.note else []),
        f"Intervals were calibrated to hold {100 * model.coverage:.0f}% of ratings; half widths: "
        + ", ".join(f"{one.element} {one.half_width:.2f}" for one in model.elements)
        + ".",
        *(block for part in facts.parts for block in _part(part)),
        "## Evidence",
        "How far a rating moves, in rating points, when the worker's utterances that pull it most one way are unsaid, "
        "and when random ones with at least as many words are: means over up to 60 of the sessions above, and all "
        "elements.",
        _curve(facts.curve),
        "## Limits",
        _limits(model),
    ]
    return "\n\n".join(parts) + "\n"


def _how(model: SessionModel, facts: CardFacts) -> str:
    return (
        f"A ridge on {len(model.features)} features of a session: {', '.join(f'`{f}`' for f in model.features)} "
        "(`msw_ml/rating/features.py` says what each is). Codes and marks enter by their probabilities. "
        f"`manner` is a score over {len(model.manner.words)} everyday words, learned from {facts.sorted_sessions} "
        "other sessions that were sorted into good and poor practice. What the ridge takes from the ratings' spread is "
        f"given back in part (`spread` {facts.spread:g}: 0 leaves the expected value, 1 matches the raters' spread)."
    )


def _marks(model: SessionModel, found: Sequence[MarkFigure]) -> str:
    by_id = {mark.id: mark for mark in model.marks}
    lines = ["| mark | of | says | utterances | average precision | by chance |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {by_id[one.mark].name}{' (a lack)' if by_id[one.mark].is_lack else ''} | {by_id[one.mark].element} | "
        f"{by_id[one.mark].meaning} | {one.n} | "
        f"{'–' if one.average_precision is None else f'{one.average_precision:.2f}'} | {one.share:.2f} |"
        for one in found
    ]
    about = (
        "What the worker's utterances do for elements that the behaviour codes hardly reach, read by a logistic "
        "regression on sentence vectors, words and place. Labels by a language model, on simulated visits; measured on "
        "families that were not learned from."
    )
    return about + "\n\n" + "\n".join(lines)


def _part(part: Part) -> list[str]:
    blocks = [f"### {part.title[0].upper()}{part.title[1:]}", as_table(part.figures)]
    if part.halo:
        blocks += [
            "Halo: Spearman correlation between elements, as the raters gave them and as the machine does on sessions "
            "it has not seen. Where the machine's is higher, it tells elements apart less than they do.",
            _halo(part.halo),
        ]
    return blocks


def _sources(sources: Sequence[Source]) -> str:
    lines = ["| set | from | commit | labels | licence |", "|---|---|---|---|---|"]
    lines += [f"| {s.name} | {s.origin} | {s.commit} | {s.labels} | {s.licence} |" for s in sources]
    return "\n".join(lines)


def _halo(pairs: Sequence[Halo]) -> str:
    lines = ["| elements | raters | machine |", "|---|---|---|"]
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
            "None of the sessions is a recorded home visit. The public ones are demonstrations, many of them acted, "
            "about drinking, smoking, weight and the like, with one rater each; the simulated visits, their ratings, "
            "codes and marks were all made by a language model, two passes of which agree far more than two people do.",
            "How well it agrees with the raters of simulated visits says how well it imitates that model on its own "
            "texts. It does not say how well it rates a visit that took place.",
            "In the simulated visits the elements were kept apart on purpose; in practice they go together.",
            "On the public sessions most of what it knows is whether a session is good practice at large; see the "
            "column for good sessions.",
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
