"""What errors of hearing do to codes and ratings, with the real engines."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation import chain, chain_table, references
from msw_ml import engines
from msw_ml.errors import InputError
from msw_ml.session import Role, Utterance
from msw_ml.settings import Settings


@pytest.mark.slow
@pytest.mark.shared
def test_a_constructed_visit_in_every_mix(shared: Path) -> None:
    """All from the reference: no error and no effect. Words recognised: some of both. Every mix is there."""
    sound = shared / "audio" / "constructed" / "session_a.wav"
    said = references.reference(sound)
    assert said is not None
    effects = {effect.mix: effect for effect in chain.compare(sound, said, engines.pipeline(Settings()))}
    assert list(effects) == [mix.name for mix in chain.MIXES]
    truth, automatic = effects[chain.TRUTH], effects["all automatic"]
    for rate in (truth.words, truth.speaker_words, truth.turns, truth.roles, truth.miscounted):
        assert rate.errors == 0
    assert all(before == after for before, after in (*truth.measures.values(), *truth.ratings.values()))
    assert 0 < (automatic.words.value or 0) < 0.1
    assert automatic.words.errors <= automatic.speaker_words.errors
    assert (effects["words recognised"].turns.errors, effects["words recognised"].roles.errors) == (0, 0)
    assert "all automatic" in chain_table.as_text(list(effects.values()))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (Utterance(id=0, speaker="SW", text="Hello", role=Role.WORKER), "utterances without times"),
        (
            Utterance(id=0, speaker="Mum", text="Hello", start=0, end=1, role=Role.PARENT),
            "does not say who the worker is",
        ),
    ],
)
def test_a_reference_that_cannot_serve_is_refused(said: Utterance, message: str) -> None:
    with pytest.raises(InputError, match=message):
        references.check(Path("visit.wav"), [said])
