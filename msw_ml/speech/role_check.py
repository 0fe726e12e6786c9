"""Whether stated roles can be right: does the person who is called the worker talk as workers do?

A transcript whose rows are labelled the wrong way round is coded and rated as if the parent were the worker,
and nothing else gives that away. So the role finder looks at the same talk without being told, and where it is
clearly of another opinion, somebody has to look.
"""

from __future__ import annotations

from collections.abc import Sequence

from msw_ml.session import Role, RoleChoice, Utterance
from msw_ml.speech.listen import RoleFinder

CLEAR = 0.5
"""Margin from which the words outweigh the label: the other speaker is three times as likely to be the worker.

It contradicts 4 of 344 right labels of counselling (the finder's folds, that chose nothing) and 332 that are swapped;
on the simulated visits, from which the finder learned nothing, 0 of 248 and 222 of 248.
"""


def contradiction(utterances: Sequence[Utterance], stated: RoleChoice, finder: RoleFinder) -> str | None:
    """What speaks against the stated worker, as a sentence; `None`: nothing does.

    Only workers and parents are compared: a child or a relative is not mistaken for the worker by a label.
    """
    sides = (Role.WORKER, Role.PARENT)
    both = [said for said in utterances if stated.roles.get(said.speaker) in sides]
    if {stated.roles[said.speaker] for said in both} != set(sides):
        return None
    found = finder.find(both)
    workers = [speaker for speaker, role in found.roles.items() if role is Role.WORKER]
    if found.margin < CLEAR or not workers or stated.roles[workers[0]] is Role.WORKER:
        return None
    return (
        f"The person whom the transcript calls the parent talks as workers do (margin {found.margin:.2f} of 1): worker "
        "and parent may be swapped, and then nothing below holds. Correct the roles in the transcript, or confirm them "
        "with --role SPEAKER=worker."
    )
