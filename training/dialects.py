"""Writes talk as a transcriber might who spells what is heard: Scots, Northern, Welsh and London forms.

Each dialect is a list of words and short phrases with the form that takes their place, and whether the g of
-ing and the h at the beginning of a word are dropped. A passage is changed once, by the longest entry that
fits; all else stays. The lists are rough, nobody talks like that throughout: they are there to move spelling
further than a transcript would.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from msw_ml.session import Role, Utterance

_TAGS = (
    "isn't it, isn't he, isn't she, isn't that, aren't you, aren't they, aren't we, don't you, don't they, don't we, "
    "doesn't it, doesn't he, doesn't she, didn't you, didn't he, didn't she, didn't it, wasn't it, wasn't he, "
    "wasn't she"
)
_VOWEL = re.compile("[aeiouy]")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _forms(text: str) -> dict[str, str]:
    """`from>to` pairs, parted by commas."""
    return {plain.strip(): form.strip() for plain, _, form in (pair.partition(">") for pair in text.split(","))}


_SOUNDED_H = _words(
    "have has had having he him his her hers himself herself house houses home help helped helping half hand hands "
    "hard hate head health hear heard heart here hello hi high hold holding holiday homework honey hope hoping "
    "horrible hot how hospital hug huge hundred hungry hurt hurts husband happen happened happens happy"
)


@dataclass(frozen=True)
class Dialect:
    """How one way of talking is spelled."""

    name: str
    forms: dict[str, str] = field(repr=False)
    """Lower-case words or phrases → form."""
    drops_g: bool = True
    drops_h: bool = False

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        entries = "|".join(re.escape(entry) for entry in sorted(self.forms, key=len, reverse=True))
        return re.compile(rf"(?<![\w'])(?:(?P<entry>{entries})|(?P<word>[a-z]+))(?![\w'])", re.IGNORECASE)

    def spell(self, text: str) -> str:
        """The text in this dialect; straight apostrophes."""
        return self._pattern.sub(self._form, text.replace("’", "'"))

    def _form(self, found: re.Match[str]) -> str:
        plain = found[0]
        form = self.forms[plain.lower()] if found["entry"] else self._dropped(plain)
        return _capital(form) if plain[0].isupper() and plain not in {form, "I"} else form

    def _dropped(self, word: str) -> str:
        lower = word.lower()
        if self.drops_g and lower.endswith("ing") and _VOWEL.search(lower[:-3]):
            word = f"{word[:-1]}'"
        if self.drops_h and lower in _SOUNDED_H:
            word = f"'{word[1:]}"
        return word


DIALECTS = (
    Dialect(
        "Scots",
        _forms(
            "can't>cannae, don't>dinnae, doesn't>doesnae, didn't>didnae, won't>willnae, wasn't>wasnae, isn't>isnae, "
            "couldn't>couldnae, wouldn't>wouldnae, shouldn't>shouldnae, haven't>havenae, hasn't>hasnae, "
            "weren't>werenae, aren't>arenae, do not>dinnae, cannot>cannae, not>no, know>ken, knows>kens, yes>aye, "
            "yeah>aye, no>naw, little>wee, small>wee, to>tae, of>ae, you>ye, your>yer, yourself>yersel, out>oot, "
            "about>aboot, house>hoose, now>noo, down>doon, do>dae, give>gie, from>fae, with>wi', "
            "was>wis, child>wean, children>weans, kids>weans, girl>lassie, boy>laddie, my>ma, myself>masel, home>hame, "
            "old>auld, cold>cauld, over>ower, off>aff, would>wid, could>cud, well>weel, so>sae, more>mair, "
            "everything>everythin, told>telt, sold>selt, around>roon, round>roon, mouth>mooth, head>heid, school>schuil"
        ),
    ),
    Dialect(
        "Northern",
        _forms(
            "something>summat, anything>owt, nothing>nowt, the>t', isn't it>in't it, isn't>in't, doesn't>dun't, "
            "wasn't>worn't, was>were, my>me, myself>meself, yourself>thissen, himself>hissen, herself>hersen, yes>aye, "
            "yeah>aye, with>wi', over>ower, always>allus, them>'em, those>them, give me>gi' us, tell me>tell us, "
            "to the>to t', in the>in t', on the>on t', mum>mam, very>right, really>reet, right>reet, night>neet, "
            "haven't>an't, hasn't>an't, have to>'ave to, must have>must of, would have>would of, children>bairns, "
            "child>bairn, friend>mate, upset>mardy, until>while, you>yer, us>uz, take>tek, make>mek, taking>tekkin', "
            "making>mekkin', father>fatha"
        ),
        drops_h=True,
    ),
    Dialect(
        "Welsh",
        _forms(
            "mum>mam, mummy>mammy, nan>mamgu, gran>mamgu, grandmother>mamgu, grandad>tadcu, grandfather>tadcu, "
            "here>by here, there>by there, yes>aye, yeah>aye, good>tidy, great>lush, lovely>lush, cuddle>cwtch, "
            "hug>cwtch, i think>i do think, i like>i do like, i want>i do want, "
            "i know>i do know, i go>i do go, i feel>i do feel, i get>i do get, i see>i do see, you know>see, "
            "doesn't>don't, wasn't>weren't, was>were, soon>now in a minute, "
            "where is>where's to, where's>where to's, isn't he>isn't it, isn't she>isn't it, aren't you>isn't it, "
            "don't you>isn't it, didn't he>isn't it, didn't she>isn't it, didn't you>isn't it, those>them, "
            "ill>bad, angry>tamping, mate>butt, friend>butty"
        ),
    ),
    Dialect(
        "London",
        _forms(
            ", ".join(f"{tag}>innit" for tag in _TAGS.split(", "))
            + ", isn't>ain't, aren't>ain't, haven't>ain't, hasn't>ain't, i'm not>i ain't, doesn't>don't, with>wiv, "
            "without>wivout, think>fink, thinking>finkin', thought>fought, thing>fing, things>fings, "
            "something>somefink, nothing>nuffink, anything>anyfink, everything>everyfink, mother>muvver, "
            "brother>bruvver, father>farver, other>uvver, another>anuvver, together>togevver, three>free, "
            "through>frough, both>bofe, mouth>mouf, month>munf, my>me, "
            "myself>meself, yes>yeah, want to>wanna, got to>gotta, we were>we was, you were>you was, "
            "they were>they was, all right>awright, alright>awright, "
            "lot of>lotta, kind of>kinda, because>cos"
        ),
        drops_h=True,
    ),
)  # fmt: skip


def every_dialect(utterances: Sequence[Utterance], sides: Collection[Role]) -> Iterator[tuple[str, list[Utterance]]]:
    """The visit once in each dialect, on the rows of these roles; other rows stay."""
    for dialect in DIALECTS:
        yield dialect.name, _respelled(utterances, sides, dialect.spell)


def _respelled(
    utterances: Sequence[Utterance], sides: Collection[Role], spell: Callable[[str], str]
) -> list[Utterance]:
    return [said.model_copy(update={"text": spell(said.text)}) if said.role in sides else said for said in utterances]


def _capital(form: str) -> str:
    """The first letter large: `'ave` → `'Ave`."""
    first = next((place for place, letter in enumerate(form) if letter.isalpha()), 0)
    return form[:first] + form[first : first + 1].upper() + form[first + 1 :]
