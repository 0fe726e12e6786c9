"""Puts names of another heritage in the place of every name of a visit, and leaves all else as it is.

A name is replaced wherever it stands with a capital, as speaker and in the talk; the same person keeps the
same new name. Words of kinship stay ("Auntie", "Nan"), and so do pronouns and pet names that no list has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msw_ml.errors import BadSetting
from msw_ml.session import Utterance


class Heritage(NamedTuple):
    """First names that are common in one part of the country's population."""

    women: tuple[str, ...]
    men: tuple[str, ...]


class Person(NamedTuple):
    """Somebody whose name is to go."""

    name: str
    who: str
    """What the design says of them: `mum, 33, laundry`, `Donna's father, 73`."""


HERITAGES: dict[str, Heritage] = {
    "English": Heritage(
        ("Gillian", "Lorraine", "Beverley", "Heather", "Joanne", "Wendy", "Tracey", "Pauline", "Janice", "Hilary"),
        ("Graham", "Nigel", "Colin", "Stuart", "Clive", "Roger", "Malcolm", "Barry", "Gareth", "Leonard"),
    ),
    "South Asian": Heritage(
        ("Shabana", "Rukhsana", "Parveen", "Farzana", "Nusrat", "Tahira", "Samina", "Jaspreet", "Harpreet", "Lakshmi"),
        ("Nadeem", "Zubair", "Faisal", "Tariq", "Gurpreet", "Rajesh", "Bilal", "Sanjay", "Kamran", "Harjit"),
    ),
    "West African": Heritage(
        ("Adaeze", "Folake", "Abena", "Ngozi", "Efua", "Yetunde", "Akosua", "Chidinma", "Adwoa", "Temitope"),
        ("Kwabena", "Emeka", "Tunde", "Kofi", "Babajide", "Obinna", "Yaw", "Chukwudi", "Segun", "Kwame"),
    ),
    "Polish": Heritage(
        ("Agnieszka", "Katarzyna", "Bożena", "Danuta", "Iwona", "Halina", "Małgorzata", "Zofia", "Dorota", "Beata"),
        ("Krzysztof", "Wojciech", "Zbigniew", "Grzegorz", "Tomasz", "Paweł", "Jacek", "Marek", "Dariusz", "Leszek"),
    ),
    "Chinese": Heritage(
        ("Xiuying", "Meifeng", "Lihua", "Yulan", "Jingyi", "Shufen", "Huiling", "Yanmei", "Qiaolian", "Suyin"),
        ("Jianguo", "Weimin", "Zhiqiang", "Haoran", "Yongjun", "Guowei", "Dawei", "Mingzhe", "Chengwu", "Ruilin"),
    ),
    "Arab": Heritage(
        ("Zaynab", "Khadija", "Layla", "Maryam", "Hanan", "Sawsan", "Rania", "Dalal", "Nawal", "Ibtisam"),
        ("Youssef", "Mustafa", "Khalid", "Hassan", "Samir", "Abdallah", "Tarek", "Walid", "Nabil", "Jawad"),
    ),
}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KINSHIP = _words(
    "nan nana nanny nain gran granny grandma grandad grandpa taid auntie aunty aunt uncle sister brother mum dad mam "
    "mama papa cousin mr mrs miss ms big little old baby"
)
"""Words that stand before a name, or for one, and are no name."""

_WOMEN = _words(
    "mum mam mother girl sister aunt auntie aunty nan nana nanny gran granny grandma grandmother niece daughter "
    "stepmum woman landlady wife"
)
_MEN = _words("dad father boy brother uncle grandad grandpa grandfather nephew son stepdad man landlord husband")


def every_swap(
    utterances: Sequence[Utterance], people: Sequence[Person], worker: str
) -> Iterator[tuple[str, list[Utterance]]]:
    """The visit once for each heritage, the family of that one and the worker of the next.

    Names that stand in the visit already are not given. Raises `BadSetting` where a list has too few left.
    """
    heritages = list(HERITAGES)
    taken = {word for said in utterances for word in re.findall(r"\w+", f"{said.speaker} {said.text}")}
    for number, name in enumerate(heritages):
        after = heritages[(number + 1) % len(heritages)]
        names = new_names(people, HERITAGES[name], taken)
        names |= new_names([Person(worker, "worker")], HERITAGES[after], taken | set(names.values()))
        yield name, swap(utterances, names)


def new_names(people: Sequence[Person], heritage: Heritage, taken: set[str]) -> dict[str, str]:
    """Name → new name: a woman's or a man's as the design says, a woman's where it does not say."""
    free = {sex: [name for name in names if name not in taken] for sex, names in heritage._asdict().items()}
    found: dict[str, str] = {}
    for person in people:
        name, sex = _without_kinship(person.name), "men" if _is_man(person) else "women"
        if not name or name in found:
            continue
        if not free[sex]:
            raise BadSetting(f"the lists of names are too short for {len(people)} people; lengthen them")
        found[name] = free[sex].pop(0)
    return found


def swap(utterances: Sequence[Utterance], names: Mapping[str, str]) -> list[Utterance]:
    """Every name replaced, as a whole word and as written; ids, roles and all other words stay."""
    if not names:
        return list(utterances)
    longest_first = sorted(names, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, longest_first))})(?!\w)")

    def renamed(text: str) -> str:
        return pattern.sub(lambda found: names[found[1]], text)

    return [
        said.model_copy(update={"speaker": renamed(said.speaker), "text": renamed(said.text)}) for said in utterances
    ]


def _without_kinship(name: str) -> str:
    return " ".join(word for word in name.split() if word.lower() not in KINSHIP)


def _is_man(person: Person) -> bool:
    """By the first word that tells, the name's own title before the rest."""
    words = re.findall(r"[a-z]+", f"{person.name} {person.who}".lower())
    telling = [word for word in words if word in _WOMEN | _MEN]
    return bool(telling) and telling[0] in _MEN
