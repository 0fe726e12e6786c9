"""ELAN's EAF, in and out: a tier a speaker (`PARTICIPANT`), codes in a tier below it.

Read: top tiers whose linguistic type says speech, or all top tiers where none does; a tier below one of them
whose name or type says "code" gives labels (its `ANNOTATOR` is the coder). Other tiers are named in the notes.
Written: times in whole milliseconds, no date, the role as the tier's linguistic type. Characters that XML
cannot hold become U+FFFD.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, SubElement, indent, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from msw_ml.codebook.book import Codebook
from msw_ml.disk import write_bytes
from msw_ml.errors import MalformedTranscript, UnreadableInput
from msw_ml.formats.office import legal
from msw_ml.formats.rows import safe_name
from msw_ml.formats.synonyms import role_of
from msw_ml.formats.text_file import read_bytes
from msw_ml.formats.tiers import Interval, Tier, transcript
from msw_ml.formats.timeline import Cue, lanes
from msw_ml.formats.transcript import Transcript
from msw_ml.session import Role, ScoredSession

_SPEECH = re.compile(r"utter|speech|spch|transcri|ortho|text|talk|sprache", re.IGNORECASE)
_CODES = re.compile(r"\bcod(e|es|ing)\b", re.IGNORECASE)
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_ASSOCIATION = "1-1 association with a parent annotation"


def read(path: Path) -> list[Transcript]:
    """One transcript. Raises `UnreadableInput` (not EAF, hostile XML) and `MalformedTranscript` (tier, annotation)."""
    try:
        root = fromstring(read_bytes(path), forbid_dtd=True)
    except DefusedXmlException as error:
        raise UnreadableInput(f"{path.name} declares entities, which no ELAN file does; it was not opened") from error
    except (ParseError, ValueError, LookupError) as error:
        raise UnreadableInput(f"{path.name} is not XML ({error}); open it in ELAN and save it again") from error
    if root.tag != "ANNOTATION_DOCUMENT":
        raise UnreadableInput(f"{path.name} is XML but no ELAN file; export the transcript from ELAN")
    try:
        return [_Document(path, root).transcript()]
    except ValueError as error:
        raise MalformedTranscript(
            f"{path.name}: a TIME_VALUE is no number; open it in ELAN and save it again"
        ) from error
    except KeyError as error:
        raise MalformedTranscript(
            f"{path.name} lacks {error} where ELAN has it; open it in ELAN and save it again"
        ) from error


class _Document:
    """An EAF file while it is being read."""

    def __init__(self, path: Path, root: Element) -> None:
        self.path = path
        scale = 1000.0
        self.slots = {
            slot.attrib["TIME_SLOT_ID"]: int(value) / scale if (value := slot.get("TIME_VALUE")) else None
            for slot in root.iterfind("TIME_ORDER/TIME_SLOT")
        }
        self.tiers = root.findall("TIER")
        self.unread: list[str] = []

    def transcript(self) -> Transcript:
        top = [tier for tier in self.tiers if tier.get("PARENT_REF") is None and tier.find("ANNOTATION") is not None]
        speech = [tier for tier in top if self._is_speech(tier)] or top
        below = {id(tier): self._codes_below(tier) for tier in speech}
        used = [*speech, *(tier for tier in below.values() if tier is not None)]
        unread = [tier.attrib["TIER_ID"] for tier in self.tiers if all(tier is not one for one in used)]
        notes = (f"tiers not read: {', '.join(unread)}",) if unread else ()
        read = [self._tier(tier, below[id(tier)]) for tier in speech]
        return transcript(self.path.name, safe_name(self.path.stem), read, notes)

    def _is_speech(self, tier: Element) -> bool:
        kind = tier.get("LINGUISTIC_TYPE_REF", "")
        return kind in set(Role) or bool(_SPEECH.search(kind))

    def _codes_below(self, tier: Element) -> Element | None:
        for other in self.tiers:
            if other.get("PARENT_REF") == tier.attrib["TIER_ID"]:
                names = f"{other.attrib['TIER_ID']} {other.get('LINGUISTIC_TYPE_REF', '')}".replace("_", " ")
                if _CODES.search(names):
                    return other
        return None

    def _tier(self, tier: Element, codes: Element | None) -> Tier:
        name = tier.attrib["TIER_ID"]
        speaker = tier.get("PARTICIPANT") or name
        kind = tier.get("LINGUISTIC_TYPE_REF", "")
        role = Role(kind) if kind in set(Role) else role_of(speaker) or role_of(name) or Role.UNKNOWN
        spans = {a.attrib["ANNOTATION_ID"]: self._interval(a) for a in tier.iterfind("ANNOTATION/ALIGNABLE_ANNOTATION")}
        labels: list[Interval] = []
        for label in codes.iterfind("ANNOTATION/REF_ANNOTATION") if codes is not None else ():
            above = spans[label.attrib["ANNOTATION_REF"]]
            labels.append(above.model_copy(update={"text": _value(label)}))
        return Tier(
            speaker=speaker,
            role=role,
            intervals=tuple(spans.values()),
            codes=tuple(labels),
            coder=codes.get("ANNOTATOR", "") if codes is not None else "",
        )

    def _interval(self, annotation: Element) -> Interval:
        start, end = (self.slots[annotation.attrib[f"TIME_SLOT_REF{number}"]] for number in (1, 2))
        return Interval(start=start, end=end, text=_value(annotation))


def _value(annotation: Element) -> str:
    return (annotation.findtext("ANNOTATION_VALUE") or "").strip()


def write(session: ScoredSession, folder: Path, codebook: Codebook) -> Path:  # noqa: ARG001  one signature for all formats
    """Writes transcript.eaf. Raises `OutputError` where an utterance has no time."""
    root = Element("ANNOTATION_DOCUMENT", {
        "AUTHOR": "", "DATE": "1970-01-01T00:00:00+00:00", "FORMAT": "3.0", "VERSION": "3.0", "xmlns:xsi": _XSI,
        "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
    })  # fmt: skip
    SubElement(root, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    slots = SubElement(root, "TIME_ORDER")
    annotations = 0
    for name, lane in lanes(session, "ELAN").items():
        annotations = _write_lane(root, slots, (legal(name), lane), annotations)
    roles = sorted({unit.utterance.role.value for unit in session.utterances})
    for role in roles:
        SubElement(root, "LINGUISTIC_TYPE", {
            "GRAPHIC_REFERENCES": "false", "LINGUISTIC_TYPE_ID": role, "TIME_ALIGNABLE": "true",
        })  # fmt: skip
    SubElement(root, "LINGUISTIC_TYPE", {
        "CONSTRAINTS": "Symbolic_Association", "GRAPHIC_REFERENCES": "false", "LINGUISTIC_TYPE_ID": "code",
        "TIME_ALIGNABLE": "false",
    })  # fmt: skip
    SubElement(root, "CONSTRAINT", {"DESCRIPTION": _ASSOCIATION, "STEREOTYPE": "Symbolic_Association"})
    indent(root)
    path = folder / "transcript.eaf"
    write_bytes(path, tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")
    return path


def _write_lane(root: Element, slots: Element, lane: tuple[str, list[Cue]], annotations: int) -> int:
    """One tier with its codes below; returns the number of annotations so far."""
    name, cues = lane
    said = cues[0].utterance
    tier = SubElement(root, "TIER", {
        "LINGUISTIC_TYPE_REF": said.role.value, "PARTICIPANT": legal(said.speaker), "TIER_ID": name,
    })  # fmt: skip
    coded: list[tuple[str, str]] = []
    for cue in cues:
        annotations += 1
        ends = [f"ts{len(slots) + 1}", f"ts{len(slots) + 2}"]
        for slot, time in zip(ends, (cue.start_ms, cue.end_ms), strict=True):
            SubElement(slots, "TIME_SLOT", {"TIME_SLOT_ID": slot, "TIME_VALUE": str(time)})
        annotation = SubElement(SubElement(tier, "ANNOTATION"), "ALIGNABLE_ANNOTATION", {
            "ANNOTATION_ID": f"a{annotations}", "TIME_SLOT_REF1": ends[0], "TIME_SLOT_REF2": ends[1],
        })  # fmt: skip
        SubElement(annotation, "ANNOTATION_VALUE").text = legal(cue.utterance.text)
        if labels := [*([cue.coded.code] if cue.coded.code else []), *cue.coded.other_codes]:
            coded.append((f"a{annotations}", ";".join(labels)))
    if coded:
        below = SubElement(root, "TIER", {"LINGUISTIC_TYPE_REF": "code", "PARENT_REF": name, "TIER_ID": f"{name} code"})
    for above, label in coded:
        annotations += 1
        annotation = SubElement(SubElement(below, "ANNOTATION"), "REF_ANNOTATION", {
            "ANNOTATION_ID": f"a{annotations}", "ANNOTATION_REF": above,
        })  # fmt: skip
        SubElement(annotation, "ANNOTATION_VALUE").text = label
    return annotations
