"""The organisation's identity provider, asked by OpenID Connect who somebody is.

Authorisation code flow with PKCE (S256), state and nonce, as OpenID Connect Core 1.0 §3.1 and RFC 9700 have it;
sign-out there, where the provider offers it, as RP-Initiated Logout 1.0 has it. Nothing is asked before somebody
wants to sign in. Authlib speaks OAuth and checks the token's claims, joserfc its signature.
"""

from __future__ import annotations

import secrets
import threading
import time
from urllib.parse import urlsplit

import httpx2
from authlib.common.urls import add_params_to_uri
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ConfigDict, ValidationError

from msw_ml.errors import BadSetting
from msw_ml.session import Value
from serving.problems import Problem, busy
from serving.settings import ServiceSettings, is_private

RETURN_PATH = "/sign-in/oidc/return"
LEFT_PATH = "/sign-out/return"
_SCOPE = "openid email profile"
_ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519"})
"""Those with a public key: what an HMAC could prove, this service could forge."""
_LEEWAY = 60
"""Seconds by which the two clocks may differ."""
_KEPT = 3600.0
"""Seconds for which the provider's description and keys are believed."""
_KEYS_AT_MOST_EVERY = 30.0
"""Seconds between two looks for a key that is not known yet."""
_LONGEST_HINT = 4000
"""Characters of an id_token that is shown again in an address; servers refuse addresses that are much longer."""
_TIMEOUT = httpx2.Timeout(10.0, connect=5.0)
_AGAIN = "; sign in again, and tell your administrator if that does not help"


class SignInRefused(Problem):
    """403: the provider's word was not good enough. `reason` is what the audit log says of it."""

    def __init__(self, reason: str, detail: str, *, is_suspicious: bool = True) -> None:
        super().__init__(403, detail)
        self.reason = reason
        self.is_suspicious = is_suspicious
        """Counts towards the lock-out."""


class Departure(Value):
    """A browser about to be sent to the provider, and what has to be remembered of it."""

    address: str
    state: str
    nonce: str
    verifier: str


class Identity(Value):
    """Whom the provider vouches for."""

    key: str
    """`issuer subject`: never given to anybody else."""
    account: str | None
    """The claim that accounts are found by; `None` where `obstacle` says why it does not count."""
    is_email: bool
    obstacle: str = ""
    hint: str | None = None
    """The id_token, to be shown again at the sign-out: empty where it is too long for that, `None` where the provider
    knows no sign-out."""


class _Description(BaseModel):
    """The part of the provider's description that is used (OpenID Connect Discovery 1.0 §3)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Provider:
    """One identity provider. Raises 503 while it is away, 502 where it is set up wrongly, 403 for a bad token."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._issuer = settings.oidc_issuer or ""
        self._client_id = settings.oidc_client_id
        self._secret = _secret(settings)
        self._claim = settings.oidc_account_claim
        here = (settings.public_address or "").rstrip("/")
        self._return, self._left = here + RETURN_PATH, here + LEFT_PATH
        self._lock = threading.Lock()
        self._described: tuple[float, _Description] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def depart(self) -> Departure:
        """Where to send a browser, with fresh secrets."""
        description = self._description()
        state, nonce, verifier = (secrets.token_urlsafe(size) for size in (32, 32, 64))
        with self._client(description) as client:
            address, _ = client.create_authorization_url(
                description.authorization_endpoint, state=state, code_verifier=verifier, nonce=nonce
            )
        return Departure(address=address, state=state, nonce=nonce, verifier=verifier)

    def identify(self, code: str, nonce: str, verifier: str, issuer: str | None) -> Identity:
        """Who came back with a code. `issuer` is what the answer itself names (RFC 9207), if it does."""
        description = self._description()
        is_named = issuer is not None or description.authorization_response_iss_parameter_supported
        if is_named and issuer != self._issuer:
            raise SignInRefused("wrong issuer", "the answer came from another identity provider" + _AGAIN)
        with self._client(description) as client:
            token = self._token(client, description, code, verifier)
            claims = self._claims(description, token, nonce)
            needed = {self._claim, "email_verified"} if self._claim == "email" else {self._claim}
            source = claims
            if not needed <= claims.keys() and description.userinfo_endpoint is not None:
                source = self._get(client, description.userinfo_endpoint, is_open=False)
                if source.get("sub") != claims["sub"]:
                    raise SignInRefused("userinfo of another", "the provider's answers contradict each other" + _AGAIN)
        who, hint = self._identity(str(claims["sub"]), source), None
        if description.end_session_endpoint is not None:
            hint = str(token["id_token"]) if len(str(token["id_token"])) <= _LONGEST_HINT else ""
        return who.model_copy(update={"hint": hint})

    def farewell(self, hint: str, state: str) -> str | None:
        """Where to send a browser that has signed out here (RP-Initiated Logout 1.0 §2), if the provider offers that.

        The provider sends it back to `LEFT_PATH` with the state.
        """
        description = self._description()
        if description.end_session_endpoint is None:
            return None
        sent = {"client_id": self._client_id, "post_logout_redirect_uri": self._left, "state": state}
        if hint:
            sent["id_token_hint"] = hint
        return str(add_params_to_uri(description.end_session_endpoint, sent))

    def _identity(self, subject: str, source: dict[str, object]) -> Identity:
        account, is_email, obstacle = source.get(self._claim), self._claim == "email", ""
        if not isinstance(account, str) or not account.strip():
            obstacle = f"your organisation's sign-in does not say who you are (the claim '{self._claim}' is missing)"
        elif is_email and source.get("email_verified") is not True:
            obstacle = "your organisation's sign-in does not say that your e-mail address is verified"
        return Identity(
            key=f"{self._issuer} {subject}",
            account=None if obstacle else str(account).strip(),
            is_email=is_email,
            obstacle=obstacle,
        )

    def _description(self) -> _Description:
        with self._lock:
            if self._described is not None and time.monotonic() - self._described[0] < _KEPT:
                return self._described[1]
        with httpx2.Client(timeout=_TIMEOUT) as client:
            found = self._get(client, self._issuer.rstrip("/") + "/.well-known/openid-configuration")
        try:
            made = _Description.model_validate(found)
        except ValidationError as error:
            raise _wrong("its description lacks what OpenID Connect needs") from error
        if made.issuer != self._issuer:
            raise _wrong("it goes by another name than the one that is set (MSW_SERVICE_OIDC_ISSUER)")
        always = (made.authorization_endpoint, made.token_endpoint, made.jwks_uri)
        places = (*always, made.userinfo_endpoint, made.end_session_endpoint)
        if not all(is_private(place) for place in places if place is not None):
            raise _wrong("it names addresses without https")
        if not _ALGORITHMS & set(made.id_token_signing_alg_values_supported):
            raise _wrong("it signs with none of " + ", ".join(sorted(_ALGORITHMS)))
        with self._lock:
            self._described, self._keys = (time.monotonic(), made), None
        return made

    def _client(self, description: _Description) -> OAuth2Client:
        is_post_only = "client_secret_basic" not in description.token_endpoint_auth_methods_supported
        return OAuth2Client(
            client_id=self._client_id,
            client_secret=self._secret,
            token_endpoint_auth_method="client_secret_post" if is_post_only else "client_secret_basic",
            scope=_SCOPE,
            redirect_uri=self._return,
            code_challenge_method="S256",
            timeout=_TIMEOUT,
        )

    def _token(self, client: OAuth2Client, description: _Description, code: str, verifier: str) -> dict[str, object]:
        try:
            found = client.fetch_token(
                description.token_endpoint, grant_type="authorization_code", code=code, code_verifier=verifier
            )
            return dict(found)
        except OAuthError as error:
            if error.error == "invalid_grant":
                detail = "the provider did not accept the code of this sign-in: it is used up or too old"
                raise SignInRefused("code", detail + _AGAIN) from error
            raise _wrong("it does not accept this service (client id, client secret, return address)") from error
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, TypeError) as error:
            raise self._away() from error

    def _claims(self, description: _Description, token: dict[str, object], nonce: str) -> dict[str, object]:
        """The claims of an id_token that is signed by the provider, for us, in this very sign-in, and not expired."""
        text = token.get("id_token")
        if not isinstance(text, str):
            raise _wrong("it sends no id_token")
        algorithms = sorted(_ALGORITHMS & set(description.id_token_signing_alg_values_supported))
        try:
            try:
                decoded = jwt.decode(text, self._key_set(description), algorithms)
            except InvalidKeyIdError:
                decoded = jwt.decode(text, self._key_set(description, is_fresh=True), algorithms)
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {
                    "iss": {"essential": True, "value": self._issuer},
                    "aud": {"essential": True, "value": self._client_id},
                    "sub": {"essential": True},
                    "exp": {"essential": True},
                    "nonce": {"essential": True, "value": nonce},
                },
                {"nonce": nonce, "client_id": self._client_id, "access_token": token.get("access_token")},
            )
            claims.validate(leeway=_LEEWAY)
        except ExpiredTokenError as error:
            detail = "the provider's id_token has expired; the clocks of the two machines may differ"
            raise SignInRefused("id_token expired", detail + _AGAIN) from error
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            what = getattr(error, "claim", None) or getattr(error, "error", None) or "unreadable"
            detail = f"the provider's id_token cannot be trusted ({str(what)[:40]})"
            raise SignInRefused(f"id_token {str(what)[:40]}", detail + _AGAIN) from error
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:  # Core 1.0 §2
            raise SignInRefused("id_token sub", "the provider's id_token names nobody" + _AGAIN)
        return dict(claims)

    def _key_set(self, description: _Description, *, is_fresh: bool = False) -> KeySet:
        with self._lock:
            if self._keys is not None:
                age = time.monotonic() - self._keys[0]
                if age < (_KEYS_AT_MOST_EVERY if is_fresh else _KEPT):
                    return self._keys[1]
        with httpx2.Client(timeout=_TIMEOUT) as client:
            found = self._get(client, description.jwks_uri)
        try:
            keys = KeySet.import_key_set(found)  # type: ignore[arg-type]
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise _wrong("its keys cannot be read") from error
        with self._lock:
            self._keys = (time.monotonic(), keys)
        return keys

    def _get(self, client: httpx2.Client, address: str, *, is_open: bool = True) -> dict[str, object]:
        try:
            answer = client.get(address) if is_open else client.request("GET", address)
            answer.raise_for_status()
            found = answer.json()
        except (httpx2.HTTPError, httpx2.InvalidURL, OAuthError, ValueError) as error:
            raise self._away() from error
        if not isinstance(found, dict):
            raise _wrong("it answers with something else than OpenID Connect has")
        return found

    def _away(self) -> Problem:
        host = urlsplit(self._issuer).hostname
        return busy(f"your organisation's sign-in ({host}) cannot be reached; try again soon, or use a token", 30)


def _secret(settings: ServiceSettings) -> str:
    if settings.oidc_client_secret is not None:
        return settings.oidc_client_secret.get_secret_value()
    try:
        found = settings.oidc_client_secret_file.read_text(encoding="utf-8").strip()  # type: ignore[union-attr]
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting("the file of MSW_SERVICE_OIDC_CLIENT_SECRET_FILE cannot be read") from error
    if not found:
        raise BadSetting("the file of MSW_SERVICE_OIDC_CLIENT_SECRET_FILE is empty")
    return found


def _wrong(what: str) -> Problem:
    return Problem(502, f"your organisation's sign-in is not set up rightly: {what}; tell your administrator")
