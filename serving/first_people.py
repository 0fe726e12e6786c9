"""The first people of a service, added from the command line of the machine that it runs on."""

from __future__ import annotations

import sqlalchemy as sa

from msw_ml.errors import BadSetting
from serving.store.base import Db, new_id
from serving.store.people import Organisation, Person, PersonRole, Team


def find_or_add(db: Db, name: str, role: str, team: str, organisation: str) -> Person:
    """Somebody by name, added with role and team where nobody goes by it. Raises `BadSetting`."""
    try:
        wanted = PersonRole(role)
    except ValueError as error:
        raise BadSetting(f"no role is called '{role}'; there are: {', '.join(PersonRole)}") from error
    here = db.scalar(sa.select(Organisation).where(Organisation.name == organisation))
    if here is None:
        here = Organisation(id=new_id("org"), name=organisation)
        db.add(here)
        db.flush()
    person = db.scalar(sa.select(Person).where(Person.organisation_id == here.id, Person.name == name))
    if person is not None:
        return person
    person = Person(
        id=new_id("person"), organisation_id=here.id, name=name, role=wanted, team_id=_team(db, here.id, team)
    )
    db.add(person)
    db.flush()
    return person


def _team(db: Db, organisation_id: str, name: str) -> str | None:
    if not name:
        return None
    found = db.scalar(sa.select(Team).where(Team.organisation_id == organisation_id, Team.name == name))
    if found is None:
        found = Team(id=new_id("team"), organisation_id=organisation_id, name=name)
        db.add(found)
        db.flush()
    return found.id
