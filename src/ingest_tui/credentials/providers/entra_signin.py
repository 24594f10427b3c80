"""Signing in to Microsoft Entra as an app, and reporting why access is refused.

The one way in: connectors sign in by it, and `credential test` does. Imports msal and requests: load it only when it is
really needed.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import threading
from typing import Any

import msal
import requests

from ingest_tui.credentials.contract import Credential
from ingest_tui.credentials.providers.entra_clouds import GUIDE, Endpoints, endpoints_of
from ingest_tui.model.errors import AuthenticationError, IngestError, SourceAccessError, TransientSourceError
from ingest_tui.model.redaction import redact, remember_secret
from ingest_tui.model.safe_text import safe_display

TIMEOUT = (10, 60)
"""Seconds to connect, and seconds without a byte."""

_KEY = re.compile(r"-----BEGIN ([A-Z ]*)PRIVATE KEY-----.*?-----END \1PRIVATE KEY-----", re.DOTALL)
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_LONGEST_WORDS = 300
_SERVICE = "the sign-in service of Microsoft"
_PASSING_ERRORS = {"temporarily_unavailable", "server_error"}
_PASSING_CODES = {90033, 90020, 50196}
"""Transient error, internal error, too many requests in a row."""

# What Entra's own codes mean for the person who sets the app up (from "Microsoft Entra authentication and authorization
# error codes"). The code is in the message, so that it can be searched for.
_REASONS: dict[int, tuple[str, str]] = {
    7000215: ("the client secret is wrong", "enter the secret's value, not its id, or make a new one: {guide}#secret"),
    7000222: ("the client secret has expired", "make a new secret, or better a certificate: {guide}#certificate"),
    7000216: ("the credential has neither secret nor certificate", "give it 'client_secret' or 'certificate'"),
    7000218: ("the credential has neither secret nor certificate", "give it 'client_secret' or 'certificate'"),
    700027: (
        "the certificate is not one of those that the app registration has",
        "upload the certificate (its public part) to the app, or name its private key: {guide}#certificate",
    ),
    700030: ("the certificate is not accepted", "upload a certificate that is valid now: {guide}#certificate"),
    700024: ("the clock of this machine is wrong", "set it right: the signed request is not valid at its time"),
    700016: (
        "the app does not exist in this tenant",
        "check client_id and tenant_id of the credential, and its cloud: {guide}#registration",
    ),
    7000229: ("the app is not installed in this tenant", "grant it admin consent: {guide}#permissions"),
    7000112: ("the app is disabled", "an administrator can enable it under Enterprise applications"),
    90002: ("the tenant does not exist in this cloud", "check tenant_id and cloud of the credential: {guide}#clouds"),
    900023: ("the tenant id is neither an id nor a domain name", "check tenant_id of the credential"),
    900382: ("the tenant is in another cloud", "set the field 'cloud' of the credential: {guide}#clouds"),
    500011: ("Microsoft Graph is not known in this tenant", "check the cloud of the credential: {guide}#clouds"),
    65001: ("nobody has consented to the app's permissions", "grant admin consent: {guide}#permissions"),
    53003: (
        "a conditional access policy blocks the app",
        "an administrator must let the app in from this machine's address: {guide}#errors",
    ),
    50053: ("the sign-in is blocked from this address", "an administrator can see why under Sign-in logs"),
}


class SignIn:
    """The token of one credential, for all threads of a connector. Tokens live in memory only.

    The credential is read when the first token is asked for; a new `SignIn` reads it again.
    """

    def __init__(self, credential: Credential) -> None:
        self._credential = credential
        self._app: msal.ConfidentialClientApplication | None = None
        self._lock = threading.Lock()
        self._roles: list[str] | None = None
        self._last_token = ""
        self.refused = False
        """Whether the sign-in itself was refused, which only another credential can change."""
        self.endpoints: Endpoints = endpoints_of(credential)

    @property
    def roles(self) -> list[str] | None:
        """The application permissions in the last token; None before there is one, or where it cannot be read."""
        return self._roles

    def token(self) -> dict[str, str]:
        """Return ``{"access_token", "token_type"}``, from msal's cache while it is valid. Called for every request.

        Raises `AuthenticationError` with the reason, `TransientSourceError` when the sign-in cannot be reached.
        """
        with self._lock:
            try:
                if self._app is None:
                    self._app = self._new_app()
                answer = self._app.acquire_token_for_client(scopes=[self.endpoints.scope])
            except requests.RequestException as error:
                raise network_error(error, _SERVICE) from None
            except msal.exceptions.MsalError:
                raise TransientSourceError(f"{_SERVICE} fails for now", code="network") from None
            except IngestError as error:
                self.refused = isinstance(error, AuthenticationError)
                raise
            except Exception as error:  # noqa: BLE001 - the key is read here; libraries of others quote what they like
                self.refused = True
                raise _unusable(error, self._credential) from None
            if not isinstance(answer, dict) or "access_token" not in answer:
                refusal = _refusal(answer if isinstance(answer, dict) else {}, self._credential)
                self.refused = isinstance(refusal, AuthenticationError)
                raise refusal
            token = str(answer["access_token"])
            if token != self._last_token:
                self._last_token, self._roles = token, _roles_in(token)
                remember_secret(token)
        return {"access_token": token, "token_type": "Bearer"}

    def close(self) -> None:
        """Close the connections to the sign-in, and forget the token."""
        with self._lock:
            app, self._app = self._app, None
        if app is not None:
            app.http_client.close()

    def _new_app(self) -> msal.ConfidentialClientApplication:
        client_id = self._credential.require("client_id")
        secret = _client_credential(self._credential)
        try:
            return msal.ConfidentialClientApplication(
                client_id,
                client_credential=secret,
                authority=self.endpoints.authority,
                # An authority that a person gave (a stand-in, a new sovereign cloud) is unknown to Microsoft's list.
                instance_discovery=None if self.endpoints.known else False,
                timeout=TIMEOUT,
            )
        except (requests.RequestException, msal.exceptions.MsalError):
            raise
        except Exception as error:  # noqa: BLE001 - msal and cryptography raise many kinds, with text that may quote
            raise _unusable(error, self._credential) from None


def _client_credential(credential: Credential) -> str | dict[str, str]:
    pem = credential.get("certificate")
    if pem is None:
        return credential.require("client_secret")
    key, certificate = _KEY.search(pem), _CERTIFICATE.search(pem)
    if key is None:
        raise AuthenticationError(
            "the certificate of the credential holds no private key in PEM form",
            hint="the PEM file needs both; from a .pfx: openssl pkcs12 -in app.pfx -out app.pem -nodes",
            code="credential_unusable",
        )
    found = {"private_key": key.group()}
    thumbprint = credential.get("thumbprint")
    if certificate is not None:
        found["public_certificate"] = certificate.group()
    elif thumbprint is not None:
        found["thumbprint"] = thumbprint
    else:
        raise AuthenticationError(
            "the certificate of the credential holds a private key but no certificate in PEM form",
            hint="put both into the PEM file: cat app.crt >> app.pem; or give the field 'thumbprint'. "
            "From a .pfx: openssl pkcs12 -in app.pfx -out app.pem -nodes",
            code="credential_unusable",
        )
    password = credential.get("certificate_password")
    return found | ({"passphrase": password} if password else {})


def _unusable(error: Exception, credential: Credential) -> AuthenticationError:
    """Tell what msal refused before it asked for a token. Its own message is not shown: it may quote the credential."""
    if isinstance(error, ValueError) and any(word in str(error).lower() for word in ("authority", "tenant")):
        return _reason(90002, _context(credential))
    if credential.get("certificate") is None:
        return AuthenticationError(
            f"{_SERVICE} cannot be used ({type(error).__name__})",
            hint="check tenant_id, cloud and authority",
            code="credential_unusable",
            **_context(credential),
        )
    return AuthenticationError(
        "the private key of the certificate cannot be read",
        hint="is certificate_password right, and is the file in PEM format with an RSA key?",
        code="credential_unusable",
        **_context(credential),
    )


def _context(credential: Credential) -> dict[str, Any]:
    return {"credential": credential.name, "tenant_id": credential.get("tenant_id")}


def _reason(code: int, context: dict[str, Any]) -> AuthenticationError:
    sentence, hint = _REASONS[code]
    return AuthenticationError(f"{sentence} (AADSTS{code})", hint=hint.format(guide=GUIDE), entra_code=code, **context)


def _refusal(answer: dict[str, Any], credential: Credential) -> SourceAccessError:
    codes = [code for code in answer.get("error_codes") or [] if isinstance(code, int)]
    words = str(answer.get("error_description") or answer.get("error") or "")
    codes += [int(code) for code in re.findall(r"AADSTS(\d+)", words)]
    for code in codes:
        if code in _REASONS:
            return _reason(code, _context(credential))
    error = answer.get("error")
    if not isinstance(error, str) or error in _PASSING_ERRORS or _PASSING_CODES.intersection(codes):
        return TransientSourceError(f"{_SERVICE} fails for now", code="network")
    sentence = safe_display(redact(words.partition("Trace ID")[0].strip()), limit=_LONGEST_WORDS)
    return AuthenticationError(
        f"Microsoft Entra refuses the app: {sentence}", hint=f"see {GUIDE}#errors", **_context(credential)
    )


def _roles_in(token: str) -> list[str] | None:
    """Return the application permissions that a token names; Microsoft does not promise that it can be read."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        roles = claims.get("roles", [])
    except (IndexError, ValueError, binascii.Error, AttributeError):
        return None
    return [str(role) for role in roles] if isinstance(roles, list) else None


def network_error(error: requests.RequestException, what: str) -> SourceAccessError:
    """Return what a failure of the network means. The text of the exception is not shown: it holds the address."""
    if isinstance(error, requests.exceptions.SSLError):
        return SourceAccessError(
            f"the connection to {what} is not trusted",
            hint="does a proxy of your organisation sign its own certificates? Name its CA file in REQUESTS_CA_BUNDLE",
            code="tls",
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return TransientSourceError(
            f"the proxy does not connect to {what}", hint="check HTTPS_PROXY and NO_PROXY", code="network"
        )
    if isinstance(error, requests.HTTPError):
        return TransientSourceError(f"{what} fails for now", code="network")
    if isinstance(error, requests.Timeout):
        return TransientSourceError(f"{what} does not answer in time", code="timeout_source")
    return TransientSourceError(f"no connection to {what}", code="network")
