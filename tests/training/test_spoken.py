"""What a coder loses on recognised words: the sample, the sound's times, words given back, and the figures."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest

from evaluation.chain import spread
from msw_ml.errors import BadSetting
from msw_ml.session import Doubt, Role, Utterance, Word
from training import plan, recipe, run
from training.corpora import CodedTranscript, Unit
from training.demo_visit import RATE_HZ
from training.spoken import ROOT, Sample, _outside, choose, report
from training.spoken_codes import Heard, trained
from training.spoken_figures import LOST, BothReadings, side_loss
from training.spoken_sound import PLACES, SpokenSession, lay_out, spoken_text
from training.spoken_voices import _sounds
from training.spoken_words import as_heard, errors_by_role, words_of_units

SAID = (
    Utterance(id=0, speaker="worker", role=Role.WORKER, text="How was the morning?", start=1.0, end=2.2),
    Utterance(id=1, speaker="parent", role=Role.PARENT, text="Mm.", start=2.5, end=2.8),
    Utterance(id=3, speaker="worker", role=Role.WORKER, text="And the bus came late.", start=3.2, end=4.6),
)


def heard(*words: tuple[float, float, str]) -> list[Word]:
    return [Word(start=start, end=end, text=f" {text}") for start, end, text in words]


MORNING = heard((1.0, 1.3, "How"), (1.3, 1.5, "was"), (1.5, 1.6, "the"), (1.6, 2.2, "morning?"))
BUS = heard((3.1, 3.4, "And"), (3.4, 3.5, "the"), (3.5, 3.9, "boss"), (3.9, 4.2, "came"), (4.2, 4.9, "late."))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I went [inaudible 00:01:02] on Monday.", "I went on Monday."),
        ("[crosstalk]", ""),
        ("(laughs) No.", "No."),
        ("...", ""),
    ],
)
def test_notes_in_brackets_are_not_spoken(text: str, said: str) -> None:
    """Protects the word error rate: nobody said what a transcriber noted."""
    assert spoken_text(text) == said


def test_the_voice_that_spells_hums_out_is_given_their_sound() -> None:
    """Protects short turns, a fair part of a session: "em em" is not what a worker says."""
    text = "Mm-hmm. Was the hamster there? Mm"
    assert _sounds({"role": "worker", "text": text}) == "[[ mhˈm. ]] Was the hamster there? [[ mˈː ]]"
    assert _sounds({"role": "parent", "text": text}) == text


def test_units_stand_where_their_sound_is() -> None:
    """Protects the giving back of words: times and sound must not drift apart; silence makes no unit."""
    tone = np.sin(np.arange(RATE_HZ) / 5).astype(np.float32)
    lines = [(0, Role.WORKER, "One."), (1, Role.PARENT, "Two."), (2, Role.WORKER, "Three.")]
    utterances, sound = lay_out(lines, [tone, np.zeros(RATE_HZ, dtype=np.float32), tone[: RATE_HZ // 2]])
    assert [one.id for one in utterances] == [0, 2]
    loud = np.abs(sound) > 1e-6
    for one in utterances:
        assert one.start is not None
        assert one.end is not None
        first, last = round(one.start * RATE_HZ), round(one.end * RATE_HZ)
        assert loud[first + 40 : last - 40].mean() > 0.95
        loud[first - 2 : last + 2] = False
    assert not loud.any()


@pytest.mark.parametrize("place", sorted(PLACES))
def test_a_place_changes_the_sound_and_keeps_its_times(place: str) -> None:
    """Protects the times of the reference, and that the same session gives the same sound."""
    dry = np.zeros(RATE_HZ * 3, dtype=np.float32)
    dry[RATE_HZ : 2 * RATE_HZ] = 0.1 * np.sin(np.arange(RATE_HZ) / 5)
    recorded = PLACES[place](dry)
    assert recorded.dtype == np.float32
    assert len(recorded) == len(dry)
    assert np.array_equal(recorded, PLACES[place](dry))
    loudness = np.sqrt((recorded.reshape(3, -1) ** 2).mean(axis=1))
    assert loudness[1] > 1.5 * max(loudness[0], loudness[2])
    assert not np.allclose(recorded, dry, atol=1e-4)


def test_words_go_back_to_the_unit_that_they_were_spoken_for() -> None:
    """Protects the comparison of the same units: by time, every word once, a unit without words empty."""
    texts = words_of_units(SAID, [*MORNING, *BUS])
    assert texts == {0: "How was the morning?", 1: "", 3: "And the boss came late."}


def test_doubtful_words_are_not_read() -> None:
    """Protects the likeness to a real run, in which coders do not see them."""
    doubtful = [word.model_copy(update={"doubt": Doubt.LOW_CONFIDENCE}) for word in BUS]
    assert words_of_units(SAID, [*MORNING, *doubtful])[3] == ""


def test_a_transcript_as_heard_leaves_out_what_was_not() -> None:
    """Protects the context that the coder reads: the pipeline has no utterance without words."""
    units = tuple(Unit(id=str(place), role=Role.WORKER, text="As written.", codes=("other",)) for place in range(4))
    transcript = CodedTranscript(corpus="made", id="1", group="made/1", target=None, units=units)
    found = as_heard(transcript, {0: "As heard.", 1: "", 3: "Late."})
    assert [(unit.id, unit.text) for unit in found.units] == [("0", "As heard."), ("3", "Late.")]


def test_word_errors_are_counted_by_side() -> None:
    """Protects the word error rate beside the loss: one wrong word of nine, and none of the parent's."""
    found = errors_by_role(SAID, [*MORNING, *BUS])
    assert (found[Role.WORKER].errors, found[Role.WORKER].length) == (1, 9)
    assert found[Role.PARENT].length == 0  # "mm" is no word to Whisper's normaliser


def readings(heard_codes: list[str]) -> BothReadings:
    truth = ["change", "sustain", "neutral"] * 12
    said = ["neutral" if place % 7 == 0 else code for place, code in enumerate(truth)]
    return BothReadings(
        sides=np.array([Role.PARENT.value] * 36),
        groups=np.arange(36) // 3,
        truth=np.array(truth),
        said=np.array(said),
        heard=np.array(heard_codes or said),
    )


def test_the_same_codes_lose_nothing() -> None:
    """Protects the pairing of the draws: equal readings differ by exactly nothing in every draw."""
    found = side_loss(readings([]), ("change", "sustain", "neutral"), Role.PARENT)
    assert (found.units, found.conversations, found.lost, found.changed) == (36, 12, 0, 0)
    assert (found.macro_f1[2].value, found.macro_f1[2].low, found.macro_f1[2].high) == (0, 0, 0)
    assert found.macro_f1[0].value is not None
    assert found.macro_f1[0].value < 1


def test_a_unit_of_which_nothing_was_heard_counts_as_wrong() -> None:
    """Protects the loss from looking small because hard units drop out; "no code" is no label of its own."""
    both = readings([])
    lost = [LOST if place < 3 else code for place, code in enumerate(both.truth.tolist())]
    found = side_loss(readings(lost), ("change", "sustain", "neutral"), Role.PARENT)
    assert found.lost == 3
    # 11 of 12 of each code are found and none is given wrongly: F1 = 22/23.
    assert found.macro_f1[1].value == pytest.approx(22 / 23)


def test_the_sample_is_one_session_a_conversation_and_always_the_same(
    tiny_recipe: Path, tiny_data: Path, tiny_sets: Path
) -> None:
    """Protects the interval, which resamples conversations, and that anyone speaks the same sessions."""
    made = plan.make(recipe.read(tiny_recipe), tiny_data, tiny_sets)
    sample = Sample(folds=(0, 1), sessions=3, units=5, seed=1)
    chosen = choose(made, sample)
    assert [t.key for t in chosen] == [t.key for t in choose(made, sample)]
    assert len({made.groups[t.key] for t in chosen}) == len(chosen) == 3
    assert all(len(t.units) == 5 and made.folds[t.key] in (0, 1) for t in chosen)
    with pytest.raises(BadSetting, match="no session of tiny is held out in fold 9"):
        choose(made, sample.model_copy(update={"folds": (9,)}))


def test_folds_that_are_not_trained_are_named(
    tiny_recipe: Path, tiny_data: Path, tiny_sets: Path, tmp_path: Path
) -> None:
    """Protects from an hour of speaking before a missing network is noticed."""
    made = plan.make(recipe.read(tiny_recipe), tiny_data, tiny_sets)
    todo = run.jobs(made, tiny_recipe, tiny_data, tmp_path, tiny_sets)
    with pytest.raises(BadSetting, match="fold 1 is not trained"):
        trained(todo, [1])
    with pytest.raises(BadSetting, match="holds 0 trained folds"):
        trained(todo, [])


def test_a_perfect_recogniser_loses_nothing_and_a_deaf_one_everything(
    tiny_recipe: Path, tiny_data: Path, tiny_sets: Path, tmp_path: Path
) -> None:
    """Protects the whole comparison: both texts take the same way through the networks that held the sessions out."""
    made = plan.make(recipe.read(tiny_recipe), tiny_data, tiny_sets)
    todo = [job for job in run.jobs(made, tiny_recipe, tiny_data, tmp_path, tiny_sets) if job.fold in (0, 1)]
    run.train_all(todo, 1)
    there = trained(todo, [])
    chosen = choose(made, Sample(folds=(0, 1), sessions=4, units=12, seed=1))
    perfect = [spoken_and_heard(transcript) for transcript in chosen]
    found = report(made, there, perfect, "nobody", "room")
    assert [side.units for side in found.sides] == [24, 24]
    assert [(side.changed, side.macro_f1[2].value) for side in found.sides] == [(0, 0), (0, 0)]
    assert found.words["all"].errors == 0

    deaf = [Heard(one.spoken, one.words if place else []) for place, one in enumerate(perfect)]
    assert [side.lost for side in report(made, there, deaf, "nobody", "room").sides] == [6, 6]
    deaf = [Heard(one.spoken, []) for one in perfect]
    assert [side.macro_f1[1].value for side in report(made, there, deaf, "nobody", "room").sides] == [0, 0]


def spoken_and_heard(transcript: CodedTranscript) -> Heard:
    """A session of which every word was recognised as it stands, a second a unit."""
    said = tuple(
        Utterance(
            id=place, speaker=unit.role.value, role=unit.role, text=unit.text, start=2.0 * place, end=2 * place + 1
        )
        for place, unit in enumerate(transcript.units)
    )
    words = [word.model_copy(update={"text": f" {word.text}"}) for one in said for word in spread(one)]
    return Heard(SpokenSession(transcript, said, np.zeros(RATE_HZ, dtype=np.float32), "nobody"), words)


def test_sound_and_words_stay_out_of_the_checkout(tmp_path: Path) -> None:
    """Protects the rule that no text of a set enters the repository."""
    with pytest.raises(argparse.ArgumentTypeError, match="outside the checkout"):
        _outside(str(ROOT / "spoken"))
    assert not (ROOT / "spoken").exists()
    assert _outside(str(tmp_path / "spoken")).is_dir()
