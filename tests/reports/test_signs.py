"""An element's signs: shown as places to look at beside any status, never as a score."""

from __future__ import annotations

import html
import re

import pytest

from msw_ml.codebook import Codebook
from msw_ml.rating.cues import find_cues
from msw_ml.reports.session import session_report
from msw_ml.reports.signs import SHOWN, signs
from msw_ml.session import CodedUtterance, Cue, Role, ScoredSession, Utterance


def talk(texts: list[str], *, timed: bool = True) -> dict[int, CodedUtterance]:
    """A worker alone, an utterance every forty seconds."""
    return {
        number: CodedUtterance(
            utterance=Utterance(
                id=number,
                speaker="A",
                role=Role.WORKER,
                text=text,
                start=number * 40.0 if timed else None,
                end=number * 40.0 + 40.0 if timed else None,
            )
        )
        for number, text in enumerate(texts)
    }


def element(page: str, id_: str) -> str:
    """The part of a page that is about one element."""
    return html.unescape(page.partition(f'aria-labelledby="element-{id_}"')[2].partition("</article>")[0])


def test_signs_stand_beside_every_status_with_links_to_what_was_said(demo: ScoredSession, codebook: Codebook) -> None:
    """Above all where there is no rating, the reader is led to places to hear."""
    page = session_report(demo, codebook)
    for cue in demo.cues:
        if not cue.found:
            continue
        part = element(page, cue.element)
        assert cue.name in part
        assert "not part of the rating" in part
        for number in cue.utterances:
            assert f'href="#u{number}"' in part
    assert 'class="status withheld"' in element(page, "purposefulness")
    assert "Purpose of the visit said" in element(page, "purposefulness")


def test_signs_move_no_rating(demo: ScoredSession, codebook: Codebook) -> None:
    """Without them every element's scale, status and reason stay as they were."""
    page, bare = (session_report(one, codebook) for one in (demo, demo.model_copy(update={"cues": ()})))
    for one in codebook.elements:
        with_signs = re.sub('<div class="signs">.*?</div>', "", element(page, one.id), flags=re.DOTALL)
        assert with_signs.split() == element(bare, one.id).split()


def test_how_often_how_spread_and_how_early(codebook: Codebook) -> None:
    said = talk(["your son", "well", "your son", "well", "well", "your son", "well", "well", "well", "well"])
    found = signs(find_cues(list(said.values()), codebook), "child_focus", said)
    assert found is not None
    spoken = found.found[0]
    assert spoken.said == "3 times, in 3 of the visit's 10 parts, first at 0:00 (0% into the visit)"
    assert [place.label for place in spoken.places] == ["0:00", "1:20", "3:20"]
    late = talk(["well", "well", "well", "your son"])
    found = signs(find_cues(list(late.values()), codebook), "child_focus", late)
    assert found is not None
    assert found.found[0].said == "once, at 2:00 (75% into the visit)"


def test_without_times_an_utterance_is_named_by_its_number(codebook: Codebook) -> None:
    said = talk(["well well", "your son"], timed=False)
    found = signs(find_cues(list(said.values()), codebook), "child_focus", said)
    assert found is not None
    assert found.found[0].said == "once, utterance 1 (50% into the visit)"


def test_a_sign_that_was_not_found_says_little(codebook: Codebook) -> None:
    """Nobody may read silence as a fault."""
    said = talk(["well"])
    cues = find_cues(list(said.values()), codebook)
    for one in codebook.elements:
        found = signs(cues, one.id, said)
        assert found is not None
        assert found.found == ()
        assert found.silence.startswith("None of the signs looked for was found (")
        assert "That says little" in found.silence
    assert signs((), codebook.elements[0].id, said) is None, "nothing is said of signs that nobody looked for"


def test_many_places_are_folded_away_and_none_is_lost(codebook: Codebook) -> None:
    said = talk(["your son"] * 40)
    found = signs(find_cues(list(said.values()), codebook), "child_focus", said)
    assert found is not None
    sign = found.found[0]
    assert len(sign.open) == SHOWN
    assert sign.open + sign.folded == sign.places
    assert len(sign.places) == 40


def test_a_cue_has_as_many_places_as_utterances() -> None:
    with pytest.raises(ValueError, match="as many utterances and places"):
        Cue(id="x", name="X", element="y", found=2, utterances=(1, 2), at=(0.1,))
