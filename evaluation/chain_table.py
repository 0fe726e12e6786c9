"""The chain's effects as a table for people and as lines for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from evaluation.chain import MIXES, Effect
from evaluation.hearing import ErrorRate
from evaluation.numerals import number

_HEAD = ("", "WER", "cpWER", "DER", "roles", "miscounted", "measures", "ratings", "changed")


def as_text(effects: Sequence[Effect]) -> str:
    """One block a recording and one for all: rates of errors, then what they come to."""
    names = list(dict.fromkeys(effect.recording for effect in effects))
    blocks = [_block(name, [effect for effect in effects if effect.recording == name]) for name in names]
    if len(names) > 1:
        blocks.append(_block(f"all {len(names)}", effects))
    return "\n\n".join(blocks) + "\n\n" + _KEY


_KEY = """miscounted: codes too many or too few, of all counted in the reference; measures: mean difference of shares
and ratios (of those defined in both); ratings: mean difference in points; changed: measures or ratings that are
defined on one side only."""


def as_csv(effects: Sequence[Effect]) -> str:
    """One line for every figure."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("recording", "mix", "kind", "id", "reference", "mix_value", "reference_status", "mix_status"))
    for effect in effects:
        rates = {"wer": effect.words, "cpwer": effect.speaker_words, "der": effect.turns, "role_error": effect.roles}
        for id_, rate in rates.items():
            writer.writerow((effect.recording, effect.mix, "rate", id_, "", _cell(rate.value), "", ""))
        for kind, pairs in (("count", effect.counts), ("measure", effect.measures), ("rating", effect.ratings)):
            for id_, (before, after) in pairs.items():
                status = effect.statuses[id_] if kind == "rating" else ("", "")
                writer.writerow((effect.recording, effect.mix, kind, id_, _cell(before), _cell(after), *status))
    return text.getvalue()


def _block(name: str, effects: Sequence[Effect]) -> str:
    rows: list[tuple[str, ...]] = [_HEAD]
    for mix in MIXES:
        of = [effect for effect in effects if effect.mix == mix.name]
        if of:
            rows.append((mix.name, *_figures(of)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [
        "  ".join(
            cell.ljust(w) if place == 0 else cell.rjust(w)
            for place, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return "\n".join((name, *lines))


def _figures(effects: Sequence[Effect]) -> tuple[str, ...]:
    rates = [
        sum((getattr(effect, kind) for effect in effects), ErrorRate())
        for kind in ("words", "speaker_words", "turns", "roles", "miscounted")
    ]
    measures = [pair for effect in effects for pair in effect.measures.values()]
    ratings = [pair for effect in effects for pair in effect.ratings.values()]
    changed = sum((before is None) != (after is None) for before, after in (*measures, *ratings))
    return (*(number(rate.value) for rate in rates), number(_apart(measures)), number(_apart(ratings)), str(changed))


def _apart(pairs: Sequence[tuple[float | None, float | None]]) -> float | None:
    """Mean absolute difference of the pairs that have both."""
    known = [abs(after - before) for before, after in pairs if before is not None and after is not None]
    return sum(known) / len(known) if known else None


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
