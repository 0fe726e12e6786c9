"""The shipped session rater on two visits written for this test, and what makes it decline."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from msw_ml import bundle
from msw_ml.codebook import Codebook, load
from msw_ml.errors import CodebookMismatch, ModelNotFound, WrongHash
from msw_ml.rating.features import feature_row
from msw_ml.rating.rater import BundleRater
from msw_ml.session import CodedUtterance, Evidence, Quality, Rating, RatingStatus, Role, RoleChoice, Utterance, Word

GIVEN = RoleChoice(roles={"W": Role.WORKER, "P": Role.PARENT}, margin=1.0, method="given")

OPEN_VISIT = [
    ("W", "question_open", "Thanks for having me. How would you like to use this hour, and what feels most important?"),
    ("P", "neutral", "I suppose the mornings. It all goes wrong before school and then I feel bad the whole day."),
    (
        "W",
        "reflection_complex",
        "Sounds like the mornings set the tone, and you end up blaming yourself for all of it.",
    ),
    ("P", "change", "Yes. I want it to be calmer. I shout and I hate that I shout, he goes so quiet after."),
    ("W", "reflection_simple", "You want it calmer, and you have noticed how quiet he gets."),
    ("P", "change", "I could get up before him. When I did that at Easter it went better for a week or so."),
    ("W", "question_open", "What made it work, that week, and how did you feel when it did?"),
    ("P", "change", "I had the clothes out and the telly stayed off. I felt like a proper mum for once."),
    ("W", "affirm", "You worked that out by yourself, and you kept it up through a hard week."),
    ("P", "neutral", "I did, yeah, I had forgotten that until you asked me about it now."),
    (
        "W",
        "emphasise_autonomy",
        "It is up to you whether to try it again. What would you change about it, if anything?",
    ),
    ("P", "change", "I would ask my sister to ring me at six, maybe. I think I could do that."),
    ("W", "seek_collaboration", "Would it be okay if we thought about what might get in the way of that a little bit?"),
    ("P", "neutral", "Go on then, though I already know it is going to be the baby waking."),
]

CLOSED_VISIT = [
    ("W", "question_closed", "Right, did you take him to school on Monday or not? I need the dates for my form."),
    ("P", "neutral", "Some days I did. It has been hard with the baby and I was not well on the Tuesday."),
    ("W", "confront", "No, that is not what school told me. You said the same last time and you did not do it."),
    ("P", "sustain", "Well school do not live here, do they. There is no point me trying, he will not go."),
    (
        "W",
        "persuade",
        "You need to get him up at seven. You should put the telly away, my sister did that, it was better.",
    ),
    ("P", "sustain", "I can not do that. He kicks off and the neighbours bang on the wall when he does."),
    ("W", "persuade", "You just have to be the parent. Give him three warnings and make sure you mean it."),
    ("P", "neutral", "Right, okay, if you say so, but I have tried all of that before now."),
    (
        "W",
        "giving_information",
        "Well the plan says attendance over ninety per cent, and I am going to see the figures in three weeks.",
    ),
    ("P", "sustain", "I do not see how that is going to happen, not with how things are at the moment."),
    ("W", "persuade", "It can happen, you need to try. I will give you a chart and you should let me have it back."),
    ("P", "neutral", "Fine. You can leave it on the side there with all the others I have got."),
    ("W", "question_closed", "Was there no breakfast again today? Can you make sure he has breakfast?"),
    ("P", "neutral", "He had toast in the car, he always has toast in the car, you can ask him."),
]


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    return load()


@pytest.fixture(scope="module")
def rater(codebook: Codebook) -> BundleRater:
    return BundleRater(bundle.shipped("session_rater"), codebook)


def coded(rows: list[tuple[str, str, str]]) -> list[CodedUtterance]:
    return [
        CodedUtterance(
            utterance=Utterance(id=n, speaker=who, text=text, role=GIVEN.roles[who]), code=code, parent_code=None
        )
        for n, (who, code, text) in enumerate(rows)
    ]


def rate(rater: BundleRater, said: list[CodedUtterance], quality: Quality | None = None) -> dict[str, Rating]:
    return {r.element: r for r in rater.rate(said, [], quality or Quality(words=400), GIVEN)}


def test_every_element_comes_back_in_the_codebooks_order(rater: BundleRater, codebook: Codebook) -> None:
    """A reader must never have to guess whether an element was forgotten."""
    rated = rater.rate(coded(OPEN_VISIT), [], Quality(), GIVEN)
    assert [one.element for one in rated] == [element.id for element in codebook.elements]


def test_what_was_learned_is_indicative_and_the_rest_withheld(rater: BundleRater) -> None:
    """No status but these two: only a release file releases, and what has no model has no value."""
    rated = rate(rater, coded(OPEN_VISIT))
    learned = set(bundle.read(bundle.shipped("session_rater")).info.labels["elements"])
    for element, rating in rated.items():
        assert rating.status is (RatingStatus.INDICATIVE if element in learned else RatingStatus.WITHHELD)
        assert rating.reason.endswith(".")
        if element in learned:
            assert rating.low is not None
            assert rating.value is not None
            assert rating.high is not None
            assert 1 <= rating.low <= rating.value <= rating.high <= 5
            assert rating.coverage == pytest.approx(0.9)
            assert "not validated for Motivational Social Work" in rating.reason
        else:
            assert "has not learned this element" in rating.reason


def test_open_visit_is_rated_above_closed_visit(rater: BundleRater, codebook: Codebook) -> None:
    """The rater must at least tell listening from lecturing, where listening is what an element is about."""
    listening, lecturing = rate(rater, coded(OPEN_VISIT)), rate(rater, coded(CLOSED_VISIT))
    for element, rating in listening.items():
        if rating.value is not None and codebook.element(element).group != "good_authority":
            assert rating.value > (lecturing[element].value or 5) + 0.3, element


def test_same_session_same_ratings(codebook: Codebook) -> None:
    first, second = (BundleRater(bundle.shipped("session_rater"), codebook) for _ in range(2))
    assert first.rate(coded(OPEN_VISIT), [], Quality(), GIVEN) == second.rate(coded(OPEN_VISIT), [], Quality(), GIVEN)
    assert first.label == second.label


@pytest.mark.parametrize(
    ("said", "roles", "quality", "why"),
    [
        (coded(OPEN_VISIT[:6]), GIVEN, Quality(), "the worker says"),
        (
            [one for one in coded(OPEN_VISIT) if one.utterance.role is Role.WORKER],
            GIVEN,
            Quality(),
            "the parent says",
        ),
        (
            [
                one.model_copy(update={"utterance": one.utterance.model_copy(update={"role": Role.UNKNOWN})})
                for one in coded(OPEN_VISIT)
            ],
            GIVEN,
            Quality(),
            "not known who the worker is",
        ),
        (
            coded(OPEN_VISIT),
            GIVEN.model_copy(update={"method": "found", "margin": 0.02}),
            Quality(),
            "little more than a guess",
        ),
        (coded(OPEN_VISIT), GIVEN.model_copy(update={"margin": 0.0}), Quality(), "speaks clearly against"),
        (coded(OPEN_VISIT), GIVEN, Quality(words=400, doubtful_words=200), "doubtful"),
        (coded(OPEN_VISIT), GIVEN, Quality(speech_seconds=100, unheard_seconds=50), "no words were found"),
        (
            [one.model_copy(update={"withheld": True}) for one in coded(OPEN_VISIT)],
            GIVEN,
            Quality(),
            "would not settle",
        ),
        ([], GIVEN, Quality(), "not known who the worker is"),
    ],
    ids=[
        "short",
        "no-parent",
        "no-role",
        "role-guessed",
        "role-contradicted",
        "doubtful",
        "unheard",
        "open-codes",
        "empty",
    ],
)
def test_poor_input_is_declined_with_the_reason(
    rater: BundleRater,
    codebook: Codebook,
    said: list[CodedUtterance],
    roles: RoleChoice,
    quality: Quality,
    why: str,
) -> None:
    """Every element withheld, none left out; those that could have been rated say what was missing."""
    rated = rater.rate(said, [], quality, roles)
    assert len(rated) == len(codebook.elements)
    assert all(one.status is RatingStatus.WITHHELD and one.value is None for one in rated)
    assert any(why in one.reason for one in rated)


def test_doubtful_words_do_not_count(rater: BundleRater) -> None:
    """Invented words must not move a rating: a doubtful sentence leaves it as if unsaid."""
    said = coded(OPEN_VISIT)
    invented = [Word(text=text, start=0, end=1, doubt="repeated") for text in ["you", "should"] * 4]
    extra = Utterance(id=99, speaker="W", text="you should you need", role=Role.WORKER, words=tuple(invented))
    with_invention = [*said, CodedUtterance(utterance=extra, code="persuade")]
    assert rate(rater, with_invention) == rate(rater, said)


def test_evidence_moves_a_rating_more_than_other_utterances(rater: BundleRater, codebook: Codebook) -> None:
    """Unsaying the evidence moves a rating further than unsaying nearly any other utterances, as many of them."""
    model = rater.model
    said = [
        one.model_copy(update={"utterance": one.utterance.model_copy(update={"id": n})})
        for n, one in enumerate(coded(CLOSED_VISIT + OPEN_VISIT))
    ]

    whole_talk = rater.talk(said)

    def without(ids: Iterable[int]) -> np.ndarray:
        talk = whole_talk
        for place in np.flatnonzero(np.isin(talk.ids, list(ids))):
            talk = talk.without(int(place))
        return model.ratings(feature_row(talk, model.features, codebook, model.manner), reach=np.inf)

    rated, whole, chance = rate(rater, said), without([]), np.random.default_rng(1)
    worker = [one.utterance.id for one in said if one.utterance.role is Role.WORKER]
    for number, one in enumerate(model.elements):
        evidence = rated[one.element].evidence
        sign = np.sign(evidence[0].effect)
        pulling = [e.utterance for e in evidence if np.sign(e.effect) == sign]
        moved = sign * (whole - without(pulling))[number]
        others = [without(chance.choice(worker, len(pulling), replace=False).tolist()) for _ in range(100)]
        assert moved >= np.quantile([sign * (whole - other)[number] for other in others], 0.95), one.element


def test_evidence_names_the_workers_utterances_strongest_first(rater: BundleRater) -> None:
    said = coded(OPEN_VISIT)
    worker = {one.utterance.id for one in said if one.utterance.role is Role.WORKER}
    for rating in rate(rater, said).values():
        effects = [abs(one.effect) for one in rating.evidence]
        assert effects == sorted(effects, reverse=True)
        assert {one.utterance for one in rating.evidence} <= worker
        assert all(isinstance(one, Evidence) for one in rating.evidence)
        assert bool(rating.evidence) == (rating.value is not None)


def test_session_unlike_any_it_learned_from_is_said_to_be_so(rater: BundleRater) -> None:
    """Far outside the training sessions an interval can not be trusted, and the reader must hear it."""
    monologue = [("W", "persuade", "you should listen to me now and you need to do as I say " * 40)] * 6
    rated = rate(
        rater, coded([*monologue, *[("P", "sustain", "no I will not do any of that for you at all " * 2)] * 6])
    )
    assert any("far outside" in one.reason for one in rated.values() if one.value is not None)


def test_other_codebook_version_is_refused(codebook: Codebook) -> None:
    newer = codebook.model_copy(update={"version": "99.0"})
    with pytest.raises(CodebookMismatch, match="retrain"):
        _ = BundleRater(bundle.shipped("session_rater"), newer).label


def test_damaged_bundle_is_refused(tmp_path, codebook: Codebook) -> None:
    shipped = bundle.read(bundle.shipped("session_rater"))
    copy = bundle.write(tmp_path / "rater", shipped.info, {n: shipped.file(n).read_bytes() for n in shipped.info.files})
    (copy.path / "rater.json").write_text("{}")
    with pytest.raises(WrongHash):
        _ = BundleRater(copy.path, codebook).label


def test_bundle_without_a_model_is_refused(tmp_path, codebook: Codebook) -> None:
    info = bundle.read(bundle.shipped("session_rater")).info
    made = bundle.write(tmp_path / "rater", info, {"rater.json": b"{}"})
    with pytest.raises(ModelNotFound, match="train it anew"):
        BundleRater(made.path, codebook).rate(coded(OPEN_VISIT), [], Quality(), GIVEN)
