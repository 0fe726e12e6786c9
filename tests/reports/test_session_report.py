"""The session report: complete, honest, safe, and the same every time."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from msw_ml import codebook as codebooks
from msw_ml.codebook import Codebook
from msw_ml.reports.session import session_report
from msw_ml.session import (
    CodedUtterance,
    Quality,
    RatingStatus,
    Role,
    RoleChoice,
    ScoredSession,
    Utterance,
)

VOID = {"meta", "br", "hr", "img", "input", "link", "path", "rect", "line", "circle"}


class Outline(HTMLParser):
    """Checks nesting and collects what the tests ask about."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.headings: list[int] = []
        self.outside: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name == "href" and (value or "").startswith("#"):
                self.targets.append((value or "")[1:])
            elif name in {"href", "src"} or name.startswith("on"):
                self.outside.append(f"{name}={value}")
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self.open.pop() == tag


def outline(page: str) -> Outline:
    found = Outline()
    found.feed(page)
    assert found.open == []
    return found


@pytest.fixture(scope="module")
def page(demo: ScoredSession, codebook: Codebook) -> str:
    return session_report(demo, codebook)


def test_same_session_gives_the_same_bytes(demo: ScoredSession, codebook: Codebook, page: str) -> None:
    """A resumed run must end byte-identical, so a page holds no time of its making."""
    assert session_report(demo, codebook) == page


def test_page_needs_nothing_from_outside(page: str) -> None:
    """Families' words must not leave the machine by a font, a script or a picture."""
    found = outline(page)
    assert found.outside == []
    assert not found.tags & {"script", "link", "img", "iframe", "form"}
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert not re.search(r"url\((?!#)|@import|@font-face", page)


def test_headings_and_links_hold_for_screen_readers(page: str) -> None:
    """One h1, no level skipped on the way down, every link inside the page arrives, no id twice."""
    found = outline(page)
    assert found.headings.count(1) == 1
    assert all(below - above <= 1 for above, below in zip(found.headings, found.headings[1:], strict=False))
    assert set(found.targets) <= set(found.ids)
    assert len(found.ids) == len(set(found.ids))


def test_every_element_stands_with_status_and_reason(demo: ScoredSession, codebook: Codebook, page: str) -> None:
    """An element without a rating is shown as withheld, never left out."""
    for element in codebook.elements:
        assert f'id="element-{element.id}"' in page
    assert page.count('class="status withheld"') == 3
    missing = session_report(demo.model_copy(update={"ratings": ()}), codebook)
    assert missing.count('class="status withheld"') == len(codebook.elements)
    assert RatingStatus.WITHHELD.value in missing


def test_limits_are_said(page: str) -> None:
    """Nobody may take the page for a validated judgement or a part of the record."""
    for sentence in ("Not validated for", "Not for ranking people", "Never written to the case record", "no norms"):
        assert sentence in page
    assert "Draft transcription." in page
    assert "msw models pull" in page


def test_hostile_text_stays_text(demo: ScoredSession, codebook: Codebook) -> None:
    """A file name, a target or speech that looks like markup must not become markup."""
    bad = '<script>alert("x")</script><img src=x onerror=alert(1)>'
    first = demo.utterances[0]
    said = first.utterance.model_copy(update={"text": bad, "words": (), "speaker": bad})
    hostile = demo.model_copy(
        update={
            "recording": demo.recording.model_copy(update={"name": bad, "source": bad, "target": bad}),
            "utterances": (first.model_copy(update={"utterance": said}), *demo.utterances[1:]),
            "ratings": tuple(r.model_copy(update={"reason": f"`{bad}`"}) for r in demo.ratings),
            "quality": demo.quality.model_copy(update={"warnings": (bad,)}),
            "roles": RoleChoice(roles={bad: Role.WORKER}, margin=0.1, method="found"),
        }
    )
    page = session_report(hostile, codebook)
    found = outline(page)
    assert not found.tags & {"script", "img"}
    assert found.outside == []
    assert "&lt;script&gt;" in page


def test_small_margin_is_said_first_and_with_the_way_out(demo: ScoredSession, codebook: Codebook) -> None:
    """If the wrong person was scored, everything else on the page is wrong."""
    unsure = RoleChoice(roles=demo.roles.roles, margin=0.08, method="found")
    page = session_report(demo.model_copy(update={"roles": unsure}), codebook)
    assert page.index("Check who is who first.") < page.index("What went well</h2>")
    assert "--role S2=worker" in page
    given = RoleChoice(roles=demo.roles.roles, margin=0.08, method="given")
    assert "Check who is who" not in session_report(demo.model_copy(update={"roles": given}), codebook)


def test_ratio_without_denominator_is_not_defined(demo: ScoredSession, codebook: Codebook) -> None:
    """Zero of zero is no score of nought."""
    bare = tuple(m.model_copy(update={"numerator": 0, "denominator": 0}) for m in demo.measures if m.denominator)
    page = session_report(demo.model_copy(update={"measures": bare}), codebook)
    assert page.count('class="none">not defined') == len(codebook.measures)


def test_doubtful_words_and_unsettled_codes_are_marked(demo: ScoredSession, page: str) -> None:
    """A reader sees what to distrust at the place where it stands."""
    runs = page.count('class="doubt" title=')
    assert runs == sum(bool(unit.utterance.doubtful_words) for unit in demo.utterances)
    assert page.count(" unsettled") == 1 + sum(unit.withheld for unit in demo.utterances)


def test_transcript_without_times(demo: ScoredSession, codebook: Codebook) -> None:
    """A coded transcript has no times; the page still draws and counts words instead."""
    units = tuple(
        unit.model_copy(
            update={"utterance": unit.utterance.model_copy(update={"start": None, "end": None, "words": ()})}
        )
        for unit in demo.utterances
    )
    recording = demo.recording.model_copy(update={"kind": "transcript", "duration": None, "target": None})
    page = session_report(demo.model_copy(update={"utterances": units, "recording": recording}), codebook)
    outline(page)
    assert "no times in the transcript" in page
    assert "words)" in page


@pytest.mark.parametrize("count", [0, 1])
def test_nearly_empty_session(demo: ScoredSession, codebook: Codebook, count: int) -> None:
    """A session in which almost nothing was said is a page, not a crash."""
    units = tuple(
        CodedUtterance(utterance=Utterance(id=n, speaker="S1", text="Hello.", start=0.0, end=0.5)) for n in range(count)
    )
    bare = demo.model_copy(
        update={
            "utterances": units,
            "measures": (),
            "ratings": (),
            "roles": RoleChoice(roles={}, margin=0.0, method="found"),
            "quality": Quality(),
        }
    )
    page = session_report(bare, codebook)
    outline(page)
    assert "No worker was found." in page


def test_every_shipped_codebook_gets_a_page(demo: ScoredSession) -> None:
    """Names and lanes come from the codebook; one without written guidance says so."""
    for name in codebooks.known():
        book = codebooks.load(name)
        page = session_report(demo, book)
        assert all(element.name in page for element in book.elements)


def test_counts_stand_with_what_they_may_truly_be(demo: ScoredSession, codebook: Codebook, page: str) -> None:
    """Where the coder's error is known, counts and measures carry limits and the page says what they mean."""
    assert "Likely" not in page, "nothing is claimed where the error is not known"
    limits = {"question_open": (12, 19), "mi_adherent": (2, 7), "percent_open_questions": (0.4, 0.755)}
    measures = tuple(
        measure.model_copy(update=dict(zip(("low", "high"), limits[measure.id], strict=True)))
        if measure.id in limits
        else measure
        for measure in demo.measures
    )
    known = session_report(demo.model_copy(update={"measures": measures}), codebook)
    assert known.count("in nine of ten sessions like those the coder was measured on") == 2
    assert '<td class="figure likely">12 to 19</td>' in known
    assert "likely 2 to 7" in known
    assert "likely 40% to 76%" in known
    outline(known)
