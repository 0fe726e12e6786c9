"""Whether stated roles can be right: does the person who is called the worker talk as workers do?

A transcript whose rows are labelled the wrong way round is coded and rated as if the parent were the worker,
and nothing else gives that away. So the role finder looks at the same talk without being told, and where it is
clearly of another opinion, somebody has to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msw_ml.session import Quality, Role, RoleChoice, Utterance
from msw_ml.speech.listen import RoleFinder

DOUBT, CLEAR = 0.2, 0.5
"""Margins of the finder's own opinion from which the stated roles are doubted, and from which they do not stand.

Right labels doubted / clearly contradicted, and swapped labels: 7 / 4 and 333 / 332 of 344 conversations of
counselling (the finder's folds), 1 / 0 and 244 / 222 of the 248 simulated visits, from which the finder learned
nothing. The margins were chosen on these figures.
"""

_DOUBT = "worker and parent may be swapped"
"""Stands in every warning of this check and in no other."""


class Contradiction(NamedTuple):
    """What the words say against the stated roles."""

    warning: str
    is_clear: bool


def contradiction(utterances: Sequence[Utterance], stated: RoleChoice, finder: RoleFinder) -> Contradiction | None:
    """What speaks against the stated worker; `None`: nothing does.

    Only workers and parents are compared: a child or a relative is not mistaken for the worker by a label.
    """
    sides = (Role.WORKER, Role.PARENT)
    both = [said for said in utterances if stated.roles.get(said.speaker) in sides]
    if {stated.roles[said.speaker] for said in both} != set(sides):
        return None
    found = finder.find(both)
    workers = [speaker for speaker, role in found.roles.items() if role is Role.WORKER]
    if found.margin < DOUBT or not workers or stated.roles[workers[0]] is Role.WORKER:
        return None
    warning = (
        f"The person who is called the parent talks as workers do (margin {found.margin:.2f} of 1): {_DOUBT}, and then "
        "nothing below holds. Correct the roles, or confirm them: with --role SPEAKER=worker, or by saving who is who "
        "unchanged on the session page."
    )
    return Contradiction(warning, is_clear=found.margin >= CLEAR)


def is_doubted(quality: Quality) -> bool:
    """Whether the words spoke against the roles when they were last looked at."""
    return any(_DOUBT in warning for warning in quality.warnings)


def confirmed(stated: RoleChoice, quality: Quality) -> tuple[RoleChoice, Quality]:
    """Roles that a person vouches for, and the quality without a doubt about them."""
    left = tuple(warning for warning in quality.warnings if _DOUBT not in warning)
    certain = stated.model_copy(update={"margin": 1.0, "method": "given"})
    return certain, quality.model_copy(update={"warnings": left})


def checked(
    utterances: Sequence[Utterance], stated: RoleChoice, quality: Quality, finder: RoleFinder
) -> tuple[RoleChoice, Quality]:
    """Stated roles and the quality as the words have it now, whatever was said of them before.

    A contradiction is the first warning; a clear one costs the margin, without which nothing is rated.
    """
    choice, rest = confirmed(stated, quality)
    found = contradiction(utterances, stated, finder)
    if found is None:
        return choice, rest
    warned = rest.model_copy(update={"warnings": (found.warning, *rest.warnings)})
    return choice.model_copy(update={"margin": 0.0 if found.is_clear else choice.margin}), warned
