"""The card of a rater that was fine-tuned on own visits: what changed, and whether it is nearer to the coders."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation.intervals import FEW_CLUSTERS, Cluster
from msw_ml.codebook import Codebook
from msw_ml.rating.rater import SessionModel
from msw_ml.session import Value
from training.elements_figures import as_table, shown
from training.own_figures import BEFORE, SAME, TUNED, ElementFound, Found

CARD, CARD_BEFORE = "card.md", "card_before.md"


class OwnFacts(Value):
    """What a run learned from and found out."""

    title: str
    """Name and version."""
    start: str
    """Label of the rater that it started from."""
    sessions: int
    groups: int
    grouped_by: Cluster
    coders: int
    declined: int
    """Rated sessions that the rater would not rate, and so did not learn from."""
    unrated: int
    """Scored sessions without ratings."""
    found: Found


def write_own_card(codebook: Codebook, before: SessionModel, model: SessionModel, facts: OwnFacts) -> str:
    """The card as Markdown."""
    known = {one.element for one in model.elements}
    missing = [element.id for element in codebook.elements if element.id not in known]
    parts = [
        f"# {facts.title}: session rater for {codebook.key}, fine-tuned on own visits",
        f"Rates {', '.join(one.element for one in model.elements)} from 1 to 5."
        + (f" It has no model of {', '.join(missing)}: these come back withheld." if missing else ""),
        "**Not validated for Motivational Social Work.** Every rating is indicative until double-coded sessions "
        "*that it did not learn from* release it (`msw agree --release`). It must not rank or appraise anybody.",
        "## Learned from",
        _sources(facts),
        "\n".join(f"- {one.element}: {one.learned_from}" for one in model.elements),
        "## What changed",
        "A ridge on what the coders say beyond the rater that it came from, over the features which that rater reads; "
        "on inner folds by the group it was chosen whether to change nothing, the level alone, or the weights, and how "
        "far; what changes least wins unless more change is clearly nearer to the coders.",
        _changes(before, model, facts.found.elements),
        "## Figures",
        _folds(facts),
        as_table(facts.found.part.figures),
        "## Nearer to the coders than before?",
        "Mean absolute error before fine-tuning less that after, in rating points, on the same sessions.",
        _gains(facts.found.elements),
        "## One coder with another",
        "ICC(A,1) on the sessions that two coders or more rated, as `msw agree` computes it. The figures above "
        "compare with the coders' mean, which is steadier than one of them: compare a rater with people here.",
        _people(facts.found.elements),
        *_halo(facts.found),
        "## Limits",
        _limits(model),
    ]
    return "\n\n".join(parts) + "\n"


def _sources(facts: OwnFacts) -> str:
    return (
        f"Started from {facts.start}; its card is `{CARD_BEFORE}`. {facts.sessions} own sessions of {facts.groups} "
        f"{_plural(facts.grouped_by)}, by {facts.coders} coders; where several rated one, their mean counts. "
        f"{facts.declined} more were too short or too poorly heard to be rated and {facts.unrated} scored ones had no "
        "rating: neither were learned from."
    )


def _changes(before: SessionModel, model: SessionModel, found: Sequence[ElementFound]) -> str:
    lines = [
        "| element | own sessions | change | coders less the rater before | half width before | now |",
        "|---" * 6 + "|",
    ]
    for one, was, now in zip(found, before.elements, model.elements, strict=True):
        level = "–" if one.level is None else f"{one.level:+.2f}"
        lines.append(
            f"| {one.element} | {one.sessions} | {one.change} | {level} | {was.half_width:.2f} | {now.half_width:.2f} |"
        )
    return "\n".join(lines)


def _folds(facts: OwnFacts) -> str:
    by = facts.grouped_by
    parts = [
        f"No session's {by} was seen in fitting, in choosing a strength, or in calibrating the interval it is judged "
        f"by. 95% intervals from resampled {_plural(by)}. '{BEFORE}' is the rater as it was, on the same sessions."
    ]
    if by == "session":
        parts.append(
            "**Whose visits these are was not said (`--visits`): sessions of one worker stand on both sides of a fold, "
            "so every figure here flatters.**"
        )
    if facts.groups < FEW_CLUSTERS:
        parts.append(f"{facts.groups} {_plural(by)} are too few to resample, so there are no intervals.")
    parts.append(
        "If the rater before has learned from any of these sessions, all figures flatter. No session is sorted into "
        "good and poor practice, so that column is empty."
    )
    return " ".join(parts)


def _gains(found: Sequence[ElementFound]) -> str:
    lines = ["| element | nearer by | |", "|---|---|---|"]
    lines += [f"| {one.element} | {shown(one.gain)} | {verdict(one)} |" for one in found]
    return "\n".join(lines)


def as_lines(found: Found) -> list[str]:
    """What is printed at the end of a run: one line an element, under a heading."""
    width = max(len(one.element) for one in found.elements)
    icc = {
        (row.element, row.model): "–" if row.icc.value is None else f"{row.icc.value:.2f}" for row in found.part.figures
    }
    lines = [f"{'':{width}}  rated  ICC(A,1) before  now   coder with coder  points nearer to the coders"]
    for one in found.elements:
        before, now = (icc.get((one.element, name), "–") for name in (BEFORE, TUNED))
        people = "–" if one.people.value is None else f"{one.people.value:.2f}"
        lines.append(
            f"{one.element:{width}}  {one.sessions:5}  {before:>15}  {now:4}  {people:>16}  {shown(one.gain)}: "
            f"{verdict(one)}"
        )
    return lines


def verdict(one: ElementFound) -> str:
    """Whether fine-tuning helped, in words."""
    gain = one.gain
    if gain.value is None or one.change == SAME:
        return gain.reason or "left as it was"
    if gain.low is None or gain.high is None:
        return "no interval, so no telling"
    return "nearer" if gain.low > 0 else "further off: keep the rater as it was" if gain.high < 0 else "no clear change"


def _people(found: Sequence[ElementFound]) -> str:
    lines = [
        f"| element | n | one coder with another | {TUNED}, with one coder | {BEFORE}, with one coder |",
        "|---" * 5 + "|",
    ]
    lines += [
        f"| {one.element} | {one.twice} | {shown(one.people)} | {shown(one.tuned)} | {shown(one.before)} |"
        for one in found
    ]
    return "\n".join(lines)


def _halo(found: Found) -> list[str]:
    if not found.part.halo:
        return []
    lines = ["| elements | coders | machine |", "|---|---|---|"]
    lines += [f"| {h.first}, {h.second} | {h.human:.2f} | {h.machine:.2f} |" for h in found.part.halo]
    about = "Spearman correlation between elements. Where the machine's is higher, it tells them apart less."
    return ["## Halo", about, "\n".join(lines)]


def _limits(model: SessionModel) -> str:
    return "\n".join(
        f"- {line}"
        for line in (
            "It knows these coders and their reading of the anchors. Where they drift (`msw drift`), it does not.",
            "It reads the features of the rater that it came from, and errs where that does; see its card.",
            f"Intervals were calibrated to hold {100 * model.coverage:.0f}% of the coders' ratings of workers who were "
            "not learned from; with few workers that is itself uncertain.",
            "Figures of a comparison with the sessions it learned from say nothing: keep others back for `msw agree`.",
        )
    )


def _plural(by: Cluster) -> str:
    return "families" if by == "family" else f"{by}s"
