"""Whom an identity provider's word lets in: only people whose account an administrator made before.

Roles and teams come from the account, never from the provider. The first sign-in links the provider's
lasting `subject` to the account whose sign-in name fits; from then on the subject alone counts, so that an
address that is given to somebody else one day opens nobody's account.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from msw_ml.session import Value
from serving import audit, auth
from serving.audit import Act
from serving.oidc import Departure, Identity, SignInRefused
from serving.settings import ServiceSettings
from serving.store.base import Db, now
from serving.store.people import Person, SignInAttempt

MINUTES = 10
"""How long somebody may take at the provider."""


class Attempt(Value):
    """What the way there leaves for the way back."""

    nonce: str
    verifier: str
    target: str


def remember(db: Db, departure: Departure, browser: str, target: str) -> None:
    """Keeps what the return has to fit; forgets those who never came back."""
    db.execute(sa.delete(SignInAttempt).where(SignInAttempt.expires_at < now()))
    attempt = SignInAttempt(
        state=auth.digest(departure.state),
        browser=auth.digest(browser),
        nonce=departure.nonce,
        verifier=departure.verifier,
        target=target,
        expires_at=now() + dt.timedelta(minutes=MINUTES),
    )
    db.add(attempt)


def take(db: Db, state: str, browser: str) -> Attempt:
    """What was kept of the attempt that this browser began; a second return finds none. Raises 403."""
    row = db.execute(
        sa.delete(SignInAttempt)
        .where(SignInAttempt.state == auth.digest(state), SignInAttempt.browser == auth.digest(browser))
        .returning(SignInAttempt.nonce, SignInAttempt.verifier, SignInAttempt.target, SignInAttempt.expires_at)
    ).one_or_none()
    if row is None or row.expires_at < now():
        raise SignInRefused("state", "this sign-in was not begun in this browser, or too long ago; begin it again")
    return Attempt(nonce=row.nonce, verifier=row.verifier, target=row.target)


def admit(db: Db, who: Identity) -> Person:
    """The account that somebody may use. Raises 403, which says what the administrator must do."""
    person = db.scalar(sa.select(Person).where(Person.oidc_subject == who.key))
    if person is None:
        person = _unlinked(db, who)
        person.oidc_subject = who.key
        act = Act(actor=person.id, action="person.link", subject=person.id, organisation=person.organisation_id)
        audit.record(db, act)
    if not person.is_active:
        raise _no("inactive", "your account is closed; an administrator can open it again")
    return person


def refused(db: Db, address: str, problem: SignInRefused, settings: ServiceSettings) -> None:
    """Writes a refusal down, and counts it towards the lock-out where it smells of an attack."""
    if problem.is_suspicious:
        auth.count_failure(db, address, settings)
    act = Act(actor="nobody", action="sign_in.refused", subject=address, detail={"by": "oidc", "why": problem.reason})
    audit.record(db, act)


def _unlinked(db: Db, who: Identity) -> Person:
    if who.account is None:
        raise _no(
            "account claim", f"{who.obstacle}; your administrator must see to that at your organisation's sign-in"
        )
    fits: sa.ColumnElement[bool] = Person.sign_in_name == who.account
    if who.is_email:  # ASCII alone: no two letters that only look alike
        fits = sa.func.lower(Person.sign_in_name) == who.account.lower() if who.account.isascii() else sa.false()
    found = db.scalars(sa.select(Person).where(fits).limit(2)).all()
    if not found:
        detail = (
            f"there is no account for '{who.account}' here; ask an administrator to make one and to enter this "
            "as its sign-in name on the administration page"
        )
        raise _no("no account", detail)
    if len(found) > 1:
        raise _no("two accounts", f"more than one account has the sign-in name '{who.account}'; ask an administrator")
    if found[0].oidc_subject is not None:
        detail = (
            f"the account of '{who.account}' belongs to an earlier sign-in; if it is yours, an administrator must "
            "empty its sign-in name, save, and enter it again"
        )
        raise _no("linked to another", detail)
    return found[0]


def _no(reason: str, detail: str) -> SignInRefused:
    return SignInRefused(reason, detail, is_suspicious=False)
