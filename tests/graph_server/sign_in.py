"""The sign-in of Microsoft Entra for apps: discovery and tokens for secrets and certificates."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
import uuid
from typing import Any
from urllib.parse import parse_qs

from tests.graph_server.http_service import Handler
from tests.graph_server.state import TENANT_ID

_TEXTS = {
    "AADSTS7000215": ("invalid_client", "Invalid client secret provided. Send the client secret value, not its id."),
    "AADSTS700027": ("invalid_client", "The certificate used to sign the assertion is not registered on application."),
    "AADSTS7000216": ("invalid_client", "'client_assertion', 'client_secret' or 'request' is required."),
    "AADSTS700016": ("unauthorized_client", "Application with identifier was not found in the directory."),
    "AADSTS90002": ("invalid_tenant", "Tenant not found. Check to make sure you have the correct tenant ID."),
}


class SignInHandler(Handler):
    """Answers under /<tenant>."""

    service = "login"

    def answer(self, method: str, path: str, query: str, body: bytes) -> None:
        tenant = path.strip("/").partition("/")[0]
        if tenant != TENANT_ID:
            self._refuse("AADSTS90002")
        elif path.endswith("/.well-known/openid-configuration"):
            base = f"{self.state.login_url}/{tenant}"
            self.send(
                200,
                {
                    "issuer": f"{base}/v2.0",
                    "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                    "token_endpoint": f"{base}/oauth2/v2.0/token",
                },
            )
        elif path.endswith("/oauth2/v2.0/token") and method == "POST":
            self._token({name: values[0] for name, values in parse_qs(body.decode()).items()})
        else:
            self.send(404, {"error": "not_found"})

    def _token(self, form: dict[str, str]) -> None:
        knobs = self.state.knobs
        app = self.state.apps.get(form.get("client_id", ""))
        if knobs.sign_in_error is not None:
            self._refuse(*knobs.sign_in_error)
        elif app is None:
            self._refuse("AADSTS700016")
        elif "client_assertion" in form:
            if _is_registered(form["client_assertion"], app["certificates"], self.state.login_url):
                self._grant(form["client_id"])
            else:
                self._refuse("AADSTS700027")
        elif "client_secret" not in form:
            self._refuse("AADSTS7000216")
        elif form["client_secret"] != app["secret"]:
            self._refuse("AADSTS7000215")
        else:
            self._grant(form["client_id"])

    def _grant(self, client_id: str) -> None:
        knobs = self.state.knobs
        claims = {"aud": "https://graph.microsoft.com", "appid": client_id, "tid": TENANT_ID, "roles": knobs.roles,
                  "exp": int(time.time()) + knobs.token_seconds, "jti": secrets.token_hex(8)}  # fmt: skip
        if not knobs.roles:
            del claims["roles"]
        token = ".".join([_encoded({"typ": "JWT", "alg": "RS256"}), _encoded(claims), secrets.token_urlsafe(32)])
        self.state.tokens[token] = time.time() + knobs.token_seconds
        self.send(200, {"token_type": "Bearer", "expires_in": knobs.token_seconds, "access_token": token})

    def _refuse(self, code: str, sentence: str = "") -> None:
        error, text = _TEXTS.get(code, ("invalid_client", sentence))
        self.send(
            401 if error == "invalid_client" else 400,
            {
                "error": error,
                "error_description": f"{code}: {sentence or text} Trace ID: {uuid.uuid4()} Correlation ID: "
                f"{uuid.uuid4()} Timestamp: 2026-11-21 10:00:00Z",
                "error_codes": [int(code.removeprefix("AADSTS"))],
                "timestamp": "2026-11-21 10:00:00Z",
            },
        )


def _encoded(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _is_registered(assertion: str, certificates: list[str], login_url: str) -> bool:
    """Tell whether one of the registered certificates (PEM) signed the assertion, for us and for now."""
    import jwt
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    header = jwt.get_unverified_header(assertion)
    for pem in certificates:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        der = certificate.public_bytes(Encoding.DER)
        thumbprints = {
            base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("="),
            base64.urlsafe_b64encode(hashlib.sha1(der, usedforsecurity=False).digest()).decode().rstrip("="),
        }
        if not {str(header.get("x5t", "")).rstrip("="), str(header.get("x5t#S256", "")).rstrip("=")} & thumbprints:
            continue
        audience = f"{login_url}/{TENANT_ID}/oauth2/v2.0/token"
        jwt.decode(assertion, certificate.public_key(), algorithms=["PS256", "RS256"], audience=audience)  # type: ignore[arg-type]
        return True
    return False
