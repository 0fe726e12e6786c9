"""Volley rules: which of the coder's raw labels count for the session.

Rules after MITI 4.2.1 (sources in the codebook): a volley is one side's speech until the other side
speaks; a back-channel does not end it, unless it answers a question or a reflection just put. Within a
volley the codes of one family count once (complex over simple reflection, permission over persuasion),
and no more than the codebook's limit in all. Raw labels stay as they are: `counted` and `set_aside`
say what the rules made of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msw_ml.codebook import Codebook
from msw_ml.session import CodedUtterance, Role

REPEATED = "repeated_in_volley"
OVER_LIMIT = "over_volley_limit"
NOT_COUNTED = "not_counted"


def apply_volley_rules(coded: Sequence[CodedUtterance], codebook: Codebook) -> tuple[CodedUtterance, ...]:
    """Numbers the volleys from 0 and fills `volley`, `counted` and `set_aside`.

    Utterances keep their order and everything else. A back-channel that ends no volley has none.
    """
    numbered = list(_number(coded, codebook))
    members: dict[int, list[int]] = {}
    for place, unit in enumerate(numbered):
        if unit.code is not None and unit.volley is not None:
            members.setdefault(unit.volley, []).append(place)
        elif unit.code is not None:
            numbered[place] = unit.model_copy(update=_standing(unit.code, codebook))
    for places in members.values():
        for place, update in zip(places, _settle([numbered[p] for p in places], codebook), strict=True):
            numbered[place] = numbered[place].model_copy(update=update)
    return tuple(numbered)


def is_back_channel(text: str, codebook: Codebook) -> bool:
    """Whether a text is nothing but a short sign of listening, such as "yeah, right"."""
    spoken = " ".join(re.sub(r"[^\w' -]", " ", text.lower()).split())
    if not spoken or spoken in codebook.back_channels:
        return True
    return all(word in codebook.back_channels for word in spoken.split())


def _number(coded: Sequence[CodedUtterance], codebook: Codebook) -> Iterator[CodedUtterance]:
    volley, side = -1, None
    before: CodedUtterance | None = None
    for unit in coded:
        own_side = _side(unit)
        if own_side != side:
            is_heard_only = (
                side is not None
                and is_back_channel(unit.utterance.trusted_text, codebook)
                and not (before is not None and _awaits_answer(before, codebook))
            )
            if is_heard_only:
                yield unit.model_copy(update={"volley": None})
                continue
            volley, side = volley + 1, own_side
        before = unit
        yield unit.model_copy(update={"volley": volley})


def _side(unit: CodedUtterance) -> str:
    """The worker on one side; everybody else on the other, each with their own floor."""
    return Role.WORKER.value if unit.utterance.role is Role.WORKER else "family"


def _awaits_answer(unit: CodedUtterance, codebook: Codebook) -> bool:
    return any(p.expects_answer and p.id == unit.parent_code for p in codebook.parents)


def _standing(code: str, codebook: Codebook) -> dict[str, object]:
    if codebook.behaviour(code).is_counted:
        return {"counted": (code,), "set_aside": None}
    return {"counted": (), "set_aside": NOT_COUNTED}


def _settle(units: Sequence[CodedUtterance], codebook: Codebook) -> list[dict[str, object]]:
    """One update for each unit of a volley, in order."""
    best: dict[str, int] = {}
    for place, unit in enumerate(units):
        behaviour = codebook.behaviour(unit.code or "")
        if behaviour.family is None:
            continue
        held = best.get(behaviour.family)
        if held is None or behaviour.rank > codebook.behaviour(units[held].code or "").rank:
            best[behaviour.family] = place
    allowed = set(sorted(best.values())[: codebook.max_codes_per_volley])
    updates: list[dict[str, object]] = []
    for place, unit in enumerate(units):
        code = unit.code or ""
        family = codebook.behaviour(code).family
        if family is not None and best[family] != place:
            updates.append({"counted": (), "set_aside": REPEATED})
        elif family is not None and place not in allowed:
            updates.append({"counted": (), "set_aside": OVER_LIMIT})
        else:
            updates.append(_standing(code, codebook))
    return updates
