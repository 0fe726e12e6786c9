"""What `msw robustness` does to a visit and how it counts, on talk written for this test."""

from __future__ import annotations

import pytest

from evaluation.hearing import word_errors
from msw_ml import codebook
from msw_ml.session import (
    CodedUtterance,
    Quality,
    Rating,
    RatingStatus,
    Recording,
    Role,
    RoleChoice,
    ScoredSession,
    Utterance,
)
from training.dialects import DIALECTS, every_dialect
from training.disturbances import CastVisit, confuse_rows, disturbances, swap_roles
from training.joined_visits import join, join_by_words
from training.movements import Move, as_markdown, movements
from training.swapped_names import HERITAGES, Person, every_swap, new_names, swap
from training.trial import Trial
from training.word_errors import plain, with_errors

SAID = (
    (Role.WORKER, "Rosalind", "Hello Petra, hello Auntie Ivy. Is Petra's brother Otto in? There's ivy on the wall."),
    (Role.PARENT, "Petra", "Otto's gone ottoman shopping, he isn't here. I don't know when he'll be back, do I?"),
    (Role.OTHER, "Auntie Ivy", "Don't look at me! Petra's in charge."),
    (Role.WORKER, "Rosalind", "That's fine. What's been going well since Monday, and what hasn't?"),
    (Role.PARENT, "Petra", "Nothing much. The house was cold, and I've been going to the shop with my mother."),
)  # fmt: skip
PEOPLE = (Person("Petra", "mum, 30"), Person("Otto", "boy, 9"), Person("Auntie Ivy", "Petra's mother's friend, 60"))
EMPATHY = codebook.load().elements[2].id


def visit() -> list[Utterance]:
    return [Utterance(id=i, role=role, speaker=who, text=text) for i, (role, who, text) in enumerate(SAID, start=1)]


def test_a_name_is_replaced_everywhere_and_nothing_else_is() -> None:
    """The same person keeps the same new name, also before 's; kinship, other words and lower case stay."""
    names = {"Petra": "Folake", "Otto": "Kofi", "Ivy": "Abena"}
    swapped = swap(visit(), names)
    assert swapped[0].text == "Hello Folake, hello Auntie Abena. Is Folake's brother Kofi in? There's ivy on the wall."
    assert swapped[1].text.startswith("Kofi's gone ottoman shopping, he isn't here.")
    assert [said.speaker for said in swapped] == ["Rosalind", "Folake", "Auntie Abena", "Rosalind", "Folake"]
    assert [(said.id, said.role) for said in swapped] == [(said.id, said.role) for said in visit()]


def test_nobodys_old_name_is_left_and_nobody_shares_a_new_one() -> None:
    """In every heritage all four people are renamed, each to a name of their own."""
    found = dict(every_swap(visit(), PEOPLE, "Rosalind"))
    assert list(found) == list(HERITAGES)
    for utterances in found.values():
        everything = " ".join(f"{said.speaker} {said.text}" for said in utterances)
        assert not {"Petra", "Otto", "Ivy", "Rosalind"} & set(everything.replace("'", " ").replace(",", " ").split())
        assert len({said.speaker for said in utterances}) == 3


def test_names_keep_their_sex_and_are_new_to_the_visit() -> None:
    """A boy gets a man's name, his aunt a woman's; a name that stands in the visit is nobody else's."""
    english = HERITAGES["English"]
    names = new_names(PEOPLE, english, {english.women[0], english.men[0]})
    assert names == {"Petra": english.women[1], "Otto": english.men[1], "Ivy": english.women[2]}


@pytest.mark.parametrize(
    ("dialect", "spelled"),
    [
        ("Scots", "Nothin' much. The hoose wis cauld, and I've been goin' tae the shop wi' ma mother."),
        ("Northern", "Nowt much. T' 'ouse were cold, and I've been goin' to t' shop wi' me mother."),
        ("Welsh", "Nothin' much. The house were cold, and I've been goin' to the shop with my mother."),
        ("London", "Nuffink much. The 'ouse was cold, and I've been goin' to the shop wiv me muvver."),
    ],
)
def test_dialects_spell_as_their_lists_say(dialect: str, spelled: str) -> None:
    """One pass: what a rule made is not changed by another, capitals stay, and so do words of no list."""
    (one,) = [d for d in DIALECTS if d.name == dialect]
    assert one.spell(SAID[4][2]) == spelled


def test_a_g_is_dropped_only_from_an_ending() -> None:
    """`king` and `thing` have no other vowel: their -ing is no ending."""
    scots = DIALECTS[0]
    assert scots.spell("Bring the ring, we're singing. Morning!") == "Bring the ring, we're singin'. Mornin'!"


def test_a_dialect_stays_on_its_side() -> None:
    """Only the rows of the roles that are asked for change."""
    for _, utterances in every_dialect(visit(), [Role.PARENT]):
        changed = {said.role for said, before in zip(utterances, visit(), strict=True) if said != before}
        assert changed == {Role.PARENT}


def test_plain_text_keeps_its_words() -> None:
    """Lower case and no marks; apostrophes inside words stay."""
    assert plain(visit())[3].text == "that's fine what's been going well since monday and what hasn't"


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.2])
def test_word_errors_come_at_their_rate(rate: float) -> None:
    """So many words of the transcript are wrong or missing, as a scorer counts them; the seed decides which."""
    pytest.importorskip("jiwer")
    said = [Utterance(id=i, role=Role.PARENT, speaker="P", text=" ".join(f"w{(i * 7 + j) % 90}x" for j in range(20)))
            for i in range(50)]  # fmt: skip
    spoiled = with_errors(said, rate, "one")
    assert spoiled == with_errors(said, rate, "one")
    assert spoiled != with_errors(said, rate, "two")
    assert word_errors(said, spoiled).value == pytest.approx(rate, abs=0.005)
    assert [one.id for one in spoiled] == [one.id for one in said]


def test_a_wrong_word_stands_between_the_marks_of_the_right_one() -> None:
    """All words spoiled: sentences still end where they ended, unless their last word is missing."""
    spoiled = with_errors([Utterance(id=1, speaker="P", text="Red, green? Blue!")], 1.0, "a seed")
    for word in spoiled[0].text.split():
        assert word.strip(",?!") in {"red", "green", "blue"}
        assert word not in {"red,", "green?", "blue!"}


def test_roles_are_swapped_and_rows_confused() -> None:
    """A swap leaves words and names; confused rows go to the other side with its name, and children to nobody."""
    assert [said.role for said in swap_roles(visit())] == [
        Role.PARENT, Role.WORKER, Role.OTHER, Role.PARENT, Role.WORKER,
    ]  # fmt: skip
    confused = confuse_rows(visit(), 0.5, "seed")
    moved = [said for said, before in zip(confused, visit(), strict=True) if said.role is not before.role]
    assert len(moved) == 2
    assert all(said.speaker == {Role.WORKER: "Rosalind", Role.PARENT: "Petra"}[said.role] for said in moved)


def test_every_disturbance_changes_a_visit_and_keeps_its_rows() -> None:
    """None of them is idle, and none drops or adds an utterance."""
    cast = CastVisit("v1", "warm house", tuple(visit() * 4), PEOPLE, "Rosalind")
    for disturbance in disturbances():
        for _, utterances in disturbance.change(cast):
            assert len(utterances) == len(cast.utterances), disturbance.name
            assert tuple(utterances) != cast.utterances, disturbance.name


def rating(value: float | None, half: float = 0.5) -> Rating:
    if value is None:
        return Rating(element=EMPATHY, status=RatingStatus.WITHHELD, reason="none")
    return Rating(
        element=EMPATHY, status=RatingStatus.INDICATIVE, value=value, low=value - half, high=value + half, reason="none"
    )


def test_movements_are_counted_by_hand() -> None:
    """Mean, absolute mean, largest and share outside the interval; a withheld side is not compared."""
    steps = {"a": 0.4, "b": -0.2, "c": 0.6, "d": None}
    moves = [Move(s, rating(3.0), rating(None if step is None else 3.0 + step)) for s, step in steps.items()]
    (one,) = movements(moves)
    assert (one.sessions, one.ratings, one.left) == (3, 3, 1)
    assert one.shift.value == pytest.approx(0.8 / 3)
    assert one.movement.value == pytest.approx(1.2 / 3)
    assert one.largest == pytest.approx(0.6)


def test_the_interval_is_over_sessions_not_variants() -> None:
    """Ten variants of every session do not make it narrower."""
    steps = [0.1 * (number % 5) for number in range(20)]
    once = [Move(str(number), rating(3.0), rating(3.0 + step)) for number, step in enumerate(steps)]
    (one,), (ten,) = movements(once), movements(once * 10)
    assert (ten.movement.low, ten.movement.high) == pytest.approx((one.movement.low, one.movement.high))
    assert ten.ratings == 200


def scored(name: str, value: float, words: int) -> ScoredSession:
    texts = ("one " * (words // 2)).strip(), ("two " * (words // 2)).strip()
    coded = tuple(
        CodedUtterance(utterance=Utterance(id=i, speaker=f"{name}{i}", role=role, text=text))
        for i, (role, text) in enumerate(zip((Role.WORKER, Role.PARENT), texts, strict=True))
    )
    return ScoredSession.model_construct(
        recording=Recording(name=name, source="x.csv", sha256="", kind="transcript"),
        roles=RoleChoice(roles={}, margin=1, method="given"),
        quality=Quality(words=words),
        utterances=coded,
        measures=(),
        ratings=(rating(value),),
    )


def test_joined_visits_keep_all_rows_and_average_ratings() -> None:
    """Ids run on, the worker is one person, and the comparison is the mean with the mean of the intervals."""
    joined = join([scored("v", 2.0, 10), scored("w", 3.0, 10)])
    assert [one.utterance.id for one in joined.coded] == [0, 1, 2, 3]
    assert [one.utterance.speaker for one in joined.coded] == ["v0", "v1", "v0", "w1"]
    assert (joined.mean_ratings[0].value, joined.mean_ratings[0].low, joined.mean_ratings[0].high) == (2.5, 2.0, 3.0)
    assert len(join_by_words([scored("v", 2.0, 10)], 95).coded) == 20


def test_a_trial_scores_with_the_real_pipeline() -> None:
    """Declining is counted, and a visit too short to be rated moves nothing."""
    from msw_ml import engines
    from msw_ml.settings import Settings

    pipeline = engines.pipeline(Settings())
    cast = [CastVisit("v1", "warm house", tuple(visit()), PEOPLE, "Rosalind")]
    trial = Trial(pipeline)
    trial.as_they_are(cast)
    change = trial.disturb(cast, disturbances()[0])
    assert (change.variants, change.declined, change.movements) == (len(HERITAGES), 0, ())
    assert "6 transcripts" in as_markdown(change, pipeline.codebook)
