"""ELAN files in which every coder has tiers of their own.

A tier whose annotations are all codes (by the codebook or the mapping) is a tier of codings. Its coder is
its `ANNOTATOR`, else what stands behind an `@` in its name (`code@anna`), else its name without a leading
or trailing "code". Several tiers of one coder (one for the worker, one for the parent) go together.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from evaluation.codings import Batch, Coder, Coding, Place
from evaluation.reading import names
from evaluation.reading.labels import Labels
from evaluation.reading.tables import is_nothing
from msw_ml.errors import MalformedTranscript, UnreadableInput
from msw_ml.formats.text_file import read_bytes

Span = tuple[float, float]


def read(path: Path, labels: Labels) -> Batch:
    """Raises `UnreadableInput` where it is not EAF, `MalformedTranscript` where no tier holds codes."""
    try:
        root = fromstring(read_bytes(path), forbid_dtd=True)
    except (DefusedXmlException, ParseError, ValueError) as error:
        raise UnreadableInput(f"{path.name} is not a plain ELAN file; open it in ELAN and save it again") from error
    slots = {
        slot.attrib["TIME_SLOT_ID"]: int(slot.get("TIME_VALUE", 0)) / 1000.0
        for slot in root.iterfind("TIME_ORDER/TIME_SLOT")
    }
    spans = _spans(root, slots)
    batch, session = Batch(), names.of(path).session
    passed_over = []
    for tier in root.iterfind("TIER"):
        annotations = list(tier.iterfind("ANNOTATION/*"))
        given = [(a, v) for a in annotations if not is_nothing(v := (a.findtext("ANNOTATION_VALUE") or "").strip())]
        unknown = [value for _, value in given if labels.code(value) is None]
        if not given or len(unknown) > len(given) / 2:
            passed_over.append(tier.attrib["TIER_ID"])
            continue
        if unknown:
            raise MalformedTranscript(
                f"{path.name}, tier '{tier.attrib['TIER_ID']}': '{unknown[0][:40]}' is no code; "
                f"{labels.nearest(unknown[0])}"
            )
        _add(batch, given, (_coder(tier, path), session, names.shown(path)), spans, labels)
    if not batch.codings:
        raise MalformedTranscript(
            f"{path.name} has no tier of codes (tiers: {', '.join(passed_over)[:200]}); write the codebook's ids or "
            "names into one tier a coder"
        )
    batch.coders.extend(Coder(name=name) for name in dict.fromkeys(coding.coder for coding in batch.codings))
    return batch


def _spans(root: Element, slots: dict[str, float]) -> dict[str, Span]:
    """Annotation id → its times; one that refers to another has that one's."""
    spans: dict[str, Span] = {}
    for annotation in root.iter("ALIGNABLE_ANNOTATION"):
        ends = slots[annotation.attrib["TIME_SLOT_REF1"]], slots[annotation.attrib["TIME_SLOT_REF2"]]
        spans[annotation.attrib["ANNOTATION_ID"]] = ends
    waiting = {a.attrib["ANNOTATION_ID"]: a.attrib["ANNOTATION_REF"] for a in root.iter("REF_ANNOTATION")}
    for name, above in waiting.items():
        while above not in spans and above in waiting:
            above = waiting[above]  # noqa: PLW2901  up the chain to an annotation with times
        if above in spans:
            spans[name] = spans[above]
    return spans


def _add(
    batch: Batch,
    given: list[tuple[Element, str]],
    of: tuple[str, str, str],
    spans: dict[str, Span],
    labels: Labels,
) -> None:
    """Adds a tier's codes; `of` is coder, session and file."""
    coder, session, file = of
    for row, (annotation, value) in enumerate(given, start=1):
        found, (start, end) = labels.code(value), spans[annotation.attrib["ANNOTATION_ID"]]
        if found is None or found.parent is None:
            batch.left_out["label that fits several main categories"] += 1
            continue
        unit = f"{start:.3f}-{end:.3f}"
        place = Place(file, row)
        batch.codings.append(Coding(coder, session, unit, found.code, found.parent, place, start=start, end=end))


def _coder(tier: Element, path: Path) -> str:
    name = tier.attrib["TIER_ID"]
    if annotator := tier.get("ANNOTATOR", "").strip():
        return annotator
    if "@" in name:
        return name.rpartition("@")[2]
    bare = re.sub(r"(?i)^codes?[\s_-]+|[\s_-]+codes?$", "", name)
    return names.of(path).coder if bare.casefold() in {"code", "codes", "coding"} else bare
