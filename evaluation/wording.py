"""What a report says in words: three sentences for anybody, warnings, and the methods paragraph."""

from __future__ import annotations

from collections.abc import Iterable

from evaluation.comparisons import RARE
from evaluation.findings import CoderSummary, Comparison, Figure, Report
from evaluation.intervals import FEW_CLUSTERS, Estimate
from evaluation.numerals import number
from msw_ml.codebook import Codebook
from msw_ml.rating.release import MINIMUM_SESSIONS
from msw_ml.session import RatingStatus

NO_BETTER = 0.05
"""A share of the human figure below this is said to be chance."""

ENOUGH_SESSIONS = 30
"""Sessions coded by two people or more that Koo and Li 2016 ask for."""


def summary(report: Report) -> tuple[str, ...]:
    """What was compared, how far people agree, how the machine does beside them."""
    return (_compared(report), _people(report), _machine(report))


def warnings(report: Report) -> tuple[str, ...]:
    """What a reader must know before using a figure, the most important first."""
    found = []
    if not report.double_coded:
        found.append(
            "No session was coded by two people, so nothing here says how far people agree, and a machine's figure has "
            "nothing to stand beside. Have a second person code the same sessions; nothing is released until "
            f"{MINIMUM_SESSIONS} were."
        )
    elif report.double_coded < ENOUGH_SESSIONS:
        found.append(
            f"Only {_count(report.double_coded, 'session')} {'was' if report.double_coded == 1 else 'were'} coded by "
            f"two people or more; {ENOUGH_SESSIONS} are the usual least. "
            "Intervals are wide, and figures of whole sessions may change much with the next sessions."
        )
    if report.clusters < FEW_CLUSTERS:
        found.append(
            f"There {'is' if report.clusters == 1 else 'are'} only {_count(report.clusters, 'cluster')} "
            f"({report.resampling.cluster}). Intervals of utterances were "
            "made by resampling utterances within them: they speak of these sessions and not of others."
        )
    if any(figure.level == "tally" for figure in report.figures):
        found.append(
            "Tallies flatter: two coders can count the same number of questions without agreeing on a single one. "
            "Read session tallies beside the figures by utterance, never instead of them."
        )
    uncut = [cut.value for cut in report.cutting.values() if cut.value is not None and cut.value < 0.95]
    if uncut:
        found.append(
            f"Coders cut the talk differently (agreement on units down to {min(uncut):.2f}). Figures by utterance "
            "cover the units that both cut alike; see the table on cutting."
        )
    found += [_standing(coder) for coder in report.coders if coder.statuses]
    if report.left_out:
        told = "; ".join(f"{reason}: {number}" for reason, number in report.left_out.items())
        found.append(f"Rows that were left out: {told}.")
    if report.single_coded:
        found.append(
            f"{_count(report.single_coded, 'session')} coded by one coder only say nothing here and were left out."
        )
    return tuple(found)


def methods(report: Report, book: Codebook) -> str:
    """A paragraph for a paper: model, type, definition, units, n, coders, software."""
    people = [coder for coder in report.coders if not coder.is_machine]
    machine = next((coder for coder in report.coders if coder.is_machine), None)
    beside = f" and by a machine ({machine.label or machine.name})" if machine else ""
    software = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    return " ".join(
        part
        for part in (
            f"Agreement was assessed on {_count(report.sessions, 'session')} coded by "
            f"{_count(len(people), 'person', 'people')}{beside} with the codebook {book.name} ({book.key})"
            f"{_by_two(report, ', of which ', ' were coded by two people or more')}.",
            "Agreement by utterance is given as percent agreement, Cohen's kappa and Gwet's AC1 (means over pairs of "
            "coders), and as Krippendorff's nominal alpha and Fleiss' kappa over all coders; every code was also held "
            f"against the rest, and a code that people gave to fewer than {RARE} units was not judged."
            if any(figure.level == "utterance" for figure in report.figures)
            else "",
            "Session tallies, measures and ratings were compared by the intraclass correlation for absolute agreement "
            "of a single coder, ICC(A,1), from a two-way random-effects model (Shrout and Fleiss's ICC(2,1)), since "
            "new sessions are scored by one coder; all ten forms of McGraw and Wong are in the supplement. Incomplete "
            "designs used variance components (Henderson's method 3). Ratings also have quadratic-weighted kappa, "
            "Gwet's AC2, ordinal alpha, exact and within-one agreement, and mean absolute error; fractional ratings "
            "were rounded where a statistic needs whole ones."
            if any(figure.level != "utterance" for figure in report.figures)
            else "",
            f"The figures with 95% intervals rest on {report.resampling.draws:,} bootstrap draws of whole clusters (by "
            f"{report.resampling.cluster}, {report.clusters} clusters, seed {report.resampling.seed}); below "
            f"{FEW_CLUSTERS} clusters utterances were resampled within clusters. ICC intervals follow the F "
            "distribution where every coder rated every session and sessions were the clusters.",
            "Machine and people were compared on the same sessions, each pair of one machine and one person against "
            "each pair of two people, so that single-coder figures stand beside single-coder figures."
            if machine
            else "",
            "ICC bands follow Koo and Li (2016), judged on the interval, and Cicchetti (1994) second.",
            f"Software: {software}.",
        )
        if part
    )


def _standing(coder: CoderSummary) -> str:
    """How many of a machine's ratings are released, and what would release the others."""
    told = ", ".join(f"{number} {status}" for status, number in coder.statuses.items())
    text = f"Of the {_count(coder.ratings, 'rating')} of {coder.name} here: {told}."
    if RatingStatus.INDICATIVE in coder.statuses:
        text += (
            " Indicative ratings are estimates that were not let through by your own coders; `msw agree … --release "
            "FILE` writes what this comparison allows, element by element, from "
            f"{MINIMUM_SESSIONS} sessions that two people or more rated."
        )
    return text


def _compared(report: Report) -> str:
    people = sum(not coder.is_machine for coder in report.coders)
    who = _count(people, "person", "people") + (" and the machine" if people < len(report.coders) else "")
    kinds = {figure.level for figure in report.figures}
    what = "sentence by sentence" if "utterance" in kinds else ""
    if "rating" in kinds:
        what = f"{what} and by ratings of the whole visit" if what else "by ratings of the whole visit"
    visits = _count(report.sessions, "visit")
    twice = _by_two(report, ", ", " of them by two people or more")
    return f"{who.capitalize()} scored the same {visits}{twice}, {what}, and this page says how far they agree."


def _by_two(report: Report, before: str, after: str) -> str:
    """How many sessions two people coded, where several people coded but not all of these twice; else nothing."""
    people = sum(not coder.is_machine for coder in report.coders)
    if people < 2 or report.double_coded == report.sessions:
        return ""
    return f"{before}{report.double_coded or 'none'}{after}"


def _people(report: Report) -> str:
    ratings = _of(report, "rating", "humans", "within_one")
    if ratings:
        pooled = _mean(figure.estimate for figure in ratings)
        best, worst = _extremes(
            _of(report, "rating", "humans", "icc_a1_all") or _of(report, "rating", "humans", "icc_a1")
        )
        told = f"; they agree best on {best} and least on {worst}" if best and worst and best != worst else ""
        return f"Two people's ratings of one visit lie within one point of each other {_in_hundred(pooled)}{told}."
    codes = _of(report, "utterance", "humans", "agreement")
    if not codes:
        return "There is only one person's coding here, so how far people agree with each other cannot be said."
    told = " and ".join(
        f"{_in_hundred(figure.estimate.value)} for the {figure.variable_name.partition(':')[0].lower()}'s talk "
        f"(kappa {number(_value(report, figure, 'kappa'))})"
        for figure in codes
        if figure.variable.endswith("_main")
    )
    return f"Two people put a sentence into the same main category {told}; a kappa of 0 is chance, of 1 always."


def _machine(report: Report) -> str:
    if not any(coder.is_machine for coder in report.coders):
        return "No machine was compared, so this page does not say whether a machine could stand in for a person."
    if not report.double_coded:
        return (
            "The machine was compared with one person a visit, so this page does not say whether it could stand in for "
            "a second."
        )
    for level, statistic in (("rating", "icc_a1"), ("utterance", "kappa")):
        shares = [f for f in report.figures if (f.level, f.comparison, f.statistic) == (level, "machine", statistic)]
        shares = [f for f in shares if f.code is None and f.share_of_human and f.share_of_human.value is not None]
        shares = [f for f in shares if level == "rating" or f.variable.endswith("_main")]
        if shares:
            worst = min(shares, key=_share)
            best = max(shares, key=_share)
            if _share(best) < NO_BETTER:
                return f"The machine agrees with a person no better than chance would, even on {_name(best)}."
            told = f"The machine agrees with a person {_share(best):.0%} as well as another person does, beyond chance"
            if best is worst:
                return f"{told}."
            least = f"{_share(worst):.0%} as well" if _share(worst) >= NO_BETTER else "no better than chance would"
            return f"{told}, on {_name(best)}, where it does best, and {least} on {_name(worst)}, where it does worst."
    return (
        "The machine was compared, but there were too few sessions, or too little agreement between people, to say how "
        "it stands beside them."
    )


def _share(figure: Figure) -> float:
    found = figure.share_of_human
    return found.value if found is not None and found.value is not None else 0.0


def _name(figure: Figure) -> str:
    """`Worker: main categories` as "the worker's main categories", an element by its name."""
    side, colon, what = figure.variable_name.lower().partition(": ")
    return f"the {side}'s {what}" if colon else side


def _of(report: Report, level: str, comparison: Comparison, statistic: str) -> list[Figure]:
    return [
        f for f in report.figures
        if (f.level, f.comparison, f.statistic) == (level, comparison, statistic)
        and f.code is None and f.estimate.value is not None
    ]  # fmt: skip


def _value(report: Report, figure: Figure, statistic: str) -> float | None:
    other = report.find(figure.variable, figure.comparison, statistic)
    return None if other is None else other.estimate.value


def _extremes(figures: list[Figure]) -> tuple[str, str]:
    known = [(figure.estimate.value, figure.variable_name) for figure in figures if figure.estimate.value is not None]
    return (max(known)[1].lower(), min(known)[1].lower()) if known else ("", "")


def _mean(estimates: Iterable[Estimate]) -> float | None:
    known = [estimate.value for estimate in estimates if estimate.value is not None]
    return sum(known) / len(known) if known else None


def _in_hundred(share: float | None) -> str:
    return "–" if share is None else f"{round(100 * share)} times in 100"


def _count(n: int, one: str, several: str | None = None) -> str:
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    counted = words[n] if n < len(words) else str(n)
    return f"{counted} {one if n == 1 else several or one + 's'}"
