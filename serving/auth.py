"""Tokens, browser sessions and the lock-out: how the service knows who is asking."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import secrets

import sqlalchemy as sa

from serving import audit
from serving.audit import Act
from serving.permissions import Principal
from serving.problems import Problem, unauthorised
from serving.settings import ServiceSettings
from serving.store.base import Db, now
from serving.store.people import BrowserSession, Person, SignInFailure, Token

COOKIE = "msw_session"
CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf_token"
_TOKEN = re.compile(r"msw_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_FAILURES = (
    sa.select(sa.func.count())
    .select_from(SignInFailure.__table__)
    .where(
        SignInFailure.__table__.c.address == sa.bindparam("address"),
        SignInFailure.__table__.c.at > sa.bindparam("since"),
    )
)
"""Made once: it is asked before every request."""
_SEEN_EVERY = dt.timedelta(minutes=5)
_NOT_KNOWN = "this token is unknown, expired or revoked; ask an administrator for a new one"


def issue_token(db: Db, person: Person, label: str, days: int, by: str = "system") -> tuple[Token, str]:
    """Makes a token. The text that comes back beside it is shown once and kept nowhere."""
    secret = secrets.token_urlsafe(32)
    token = Token(
        id=secrets.token_hex(8),
        person_id=person.id,
        label=label,
        digest=digest(secret),
        expires_at=now() + dt.timedelta(days=days),
    )
    db.add(token)
    act = Act(actor=by, action="token.create", subject=token.id, organisation=person.organisation_id)
    audit.record(db, act.model_copy(update={"detail": {"person": person.id, "days": days}}))
    return token, f"msw_{token.id}_{secret}"


def revoke_token(db: Db, token: Token, by: str = "system") -> None:
    """Ends a token and every browser session that was opened with it."""
    token.revoked_at = token.revoked_at or now()
    db.execute(sa.delete(BrowserSession).where(BrowserSession.token_id == token.id))
    audit.record(db, Act(actor=by, action="token.revoke", subject=token.id, organisation=token.person.organisation_id))


def principal_of_token(db: Db, text: str) -> Principal:
    """Who a bearer token belongs to. Raises 401, the same for every reason."""
    token = _valid(db, text)
    if token is None:
        raise unauthorised(_NOT_KNOWN)
    if token.last_used_at is None or now() - token.last_used_at > _SEEN_EVERY:
        token.last_used_at = now()
    return _principal(token.person, "token", token.id)


def sign_in(db: Db, text: str, settings: ServiceSettings) -> tuple[str, Principal]:
    """Opens a browser session with a token: the cookie's value, and who it is. Raises 401."""
    token = _valid(db, text.strip())
    if token is None:
        raise unauthorised(_NOT_KNOWN)
    return open_browser_session(db, token.person, settings, token)


def open_browser_session(
    db: Db, person: Person, settings: ServiceSettings, token: Token | None = None, id_token: str | None = None
) -> tuple[str, Principal]:
    """A signed-in browser: the cookie's value, and who it is."""
    forget_ended(db)
    value = secrets.token_urlsafe(32)
    ends = now() + dt.timedelta(hours=settings.session_hours)
    opened = BrowserSession(
        digest=digest(value),
        person_id=person.id,
        token_id=token.id if token else None,
        csrf=secrets.token_urlsafe(24),
        id_token=id_token,
        expires_at=min(ends, token.expires_at) if token else ends,
    )
    db.add(opened)
    act = Act(actor=person.id, action="browser.sign_in", subject=person.id, organisation=person.organisation_id)
    audit.record(db, act.model_copy(update={"detail": {"by": "token" if token else "oidc"}}))
    return value, _principal(person, "browser", opened.digest, opened.csrf)


def sign_out(db: Db, who: Principal) -> str | None:
    """Ends the browser session that is asking; the id_token that it was opened with, where its provider wants that."""
    ended = sa.delete(BrowserSession).where(BrowserSession.digest == who.key)
    return db.execute(ended.returning(BrowserSession.id_token)).scalar_one_or_none()


def forget_ended(db: Db) -> None:
    """Removes browser sessions that have run out, with what they hold of people."""
    db.execute(sa.delete(BrowserSession).where(BrowserSession.expires_at < now()))


def principal_of_cookie(db: Db, value: str) -> Principal | None:
    """Who is signed in with this browser, if anybody still is."""
    found = db.get(BrowserSession, digest(value))
    if found is None or found.expires_at < now() or not found.person.is_active:
        return None
    if found.token is not None and (found.token.revoked_at is not None or found.token.expires_at < now()):
        return None
    return _principal(found.person, "browser", found.digest, found.csrf)


def check_csrf(who: Principal, sent: str | None) -> None:
    """Raises 403 where a browser did not send its secret back with a change."""
    if who.via == "browser" and not hmac.compare_digest((sent or "").encode(), who.csrf.encode()):
        raise Problem(403, "this page is out of date; reload it and try again")


def check_lock(db: Db, address: str, settings: ServiceSettings) -> None:
    """Raises 429 where an address has failed too often lately."""
    since = now() - dt.timedelta(minutes=settings.lock_minutes)
    failures = db.scalar(_FAILURES, {"address": address, "since": since})
    if (failures or 0) >= settings.failures_before_lock:
        seconds = settings.lock_minutes * 60
        raise Problem(
            429,
            f"too many failed sign-ins from here; wait {settings.lock_minutes} minutes",
            headers={"Retry-After": str(seconds)},
        )


def note_failure(db: Db, address: str, settings: ServiceSettings) -> None:
    """Counts a failed sign-in and writes it down."""
    count_failure(db, address, settings)
    audit.record(db, Act(actor="nobody", action="sign_in.failed", subject=address))


def count_failure(db: Db, address: str, settings: ServiceSettings) -> None:
    """Counts towards the lock-out and forgets the failures that count no more."""
    since = now() - dt.timedelta(minutes=settings.lock_minutes)
    db.execute(sa.delete(SignInFailure).where(SignInFailure.at <= since))
    db.add(SignInFailure(address=address))


def digest(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _valid(db: Db, text: str) -> Token | None:
    parts = _TOKEN.fullmatch(text)
    if parts is None:
        return None
    token = db.get(Token, parts[1])
    if token is None or not hmac.compare_digest(token.digest, digest(parts[2])):
        return None
    is_alive = token.revoked_at is None and token.expires_at > now() and token.person.is_active
    return token if is_alive else None


def _principal(person: Person, via: str, key: str, csrf: str = "") -> Principal:
    return Principal.model_validate(
        {
            "person_id": person.id,
            "name": person.name,
            "organisation_id": person.organisation_id,
            "team_id": person.team_id,
            "role": person.role,
            "via": via,
            "key": key,
            "csrf": csrf,
        }
    )
