"""Entra ID: sign in to Microsoft Graph as an application, and read which permissions it has."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingest_tui.credentials.credential import Credential
from ingest_tui.credentials.steps import Step
from ingest_tui.model.errors import AuthenticationError, MissingDependencyError, TransientSourceError
from ingest_tui.model.redaction import remember_secret

TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where a national cloud signs in, and where its Graph is."""

    authority: str
    graph: str


# https://learn.microsoft.com/graph/deployments. GCC is part of the global cloud.
CLOUDS: Mapping[str, Cloud] = {
    "global": Cloud("https://login.microsoftonline.com", "https://graph.microsoft.com"),
    "gcc": Cloud("https://login.microsoftonline.com", "https://graph.microsoft.com"),
    "gcc-high": Cloud("https://login.microsoftonline.us", "https://graph.microsoft.us"),
    "dod": Cloud("https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
    "china": Cloud("https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"),
}

_READS_EVERYTHING = (
    "Sites.Read.All", "Files.Read.All", "Sites.ReadWrite.All", "Files.ReadWrite.All", "Sites.Manage.All",
    "Sites.FullControl.All",
)  # fmt: skip
_READS_WHAT_IS_CHOSEN = ("Sites.Selected", "Lists.SelectedOperations.Selected", "Files.SelectedOperations.Selected")

# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_REFUSALS: Mapping[int, tuple[str, str]] = {
    7000215: ("the client secret is wrong", "use the secret's value, not its id"),
    7000222: (
        "the client secret has expired",
        "make a new one in the Entra admin centre, under Certificates & secrets",
    ),
    7000218: ("the application has no secret and no certificate there", "add one in the Entra admin centre"),
    7000112: ("the application is disabled", "enable it in the Entra admin centre"),
    700016: ("the tenant has no application of that client_id", "check client_id and tenant_id"),
    700027: ("the certificate is not the one registered", "upload its public part under Certificates & secrets"),
    700024: ("the signature's time is out of range", "set this machine's clock"),
    90002: ("there is no such tenant", "check tenant_id, and cloud: national clouds sign in elsewhere"),
    900023: ("tenant_id is neither an id nor a domain", "check tenant_id"),
    53003: ("a Conditional Access policy blocks the sign-in", "ask an administrator to let the application in"),
}
_PRIVATE_KEY = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def client_credential(credential: Credential) -> str | dict[str, str]:
    """Return what msal's ConfidentialClientApplication takes as ``client_credential``; for connectors too.

    The certificate is PEM: the private key and the certificate in one text. Raises `AuthenticationError`
    (``credential_unusable``) when either is missing there.
    """
    pem = credential.get("certificate")
    if pem is None:
        return credential.require("client_secret")
    key, certificate = _PRIVATE_KEY.search(pem), _CERTIFICATE.search(pem)
    if key is None or certificate is None:
        raise AuthenticationError(
            f"certificate holds no {'private key' if key is None else 'certificate'} in PEM form",
            hint="'openssl pkcs12 -in FILE.pfx -out FILE.pem -nodes' makes a file that holds both",
            code="credential_unusable",
        )
    settings = {"private_key": key.group(), "public_certificate": certificate.group()}
    password = credential.get("certificate_password")
    return settings if password is None else settings | {"passphrase": password}


def fetch_token(credential: Credential) -> str:
    """Return an access token for Graph.

    Raises `AuthenticationError` with what is refused, `TransientSourceError` when nobody answers,
    `MissingDependencyError` without msal.
    """
    try:
        import msal
    except ImportError:
        raise MissingDependencyError(
            "signing in to Entra ID needs the package 'msal', which is not installed",
            hint='pip install "ingest-tui[sharepoint]"',
        ) from None
    cloud = CLOUDS[credential.get("cloud") or "global"]
    own_authority = credential.get("authority")
    client_id, tenant_id = credential.require("client_id"), credential.require("tenant_id")
    proof = client_credential(credential)
    try:
        application = msal.ConfidentialClientApplication(
            client_id,
            client_credential=proof,
            authority=f"{(own_authority or cloud.authority).rstrip('/').removesuffix(f'/{tenant_id}')}/{tenant_id}",
            # Microsoft's own list of authorities knows nothing of another one.
            instance_discovery=own_authority is None,
            timeout=TIMEOUT_SECONDS,
        )
        answer = application.acquire_token_for_client(scopes=[f"{cloud.graph}/.default"])
    except OSError as error:  # requests' errors are OSErrors; their text names hosts only
        raise TransientSourceError(
            f"the sign-in service cannot be reached ({type(error).__name__})", hint="check the network and the proxy"
        ) from None
    except Exception as error:  # noqa: BLE001 - msal and cryptography raise many kinds, with text that may quote
        raise _unusable(proof, error) from None
    token = answer.get("access_token")
    if not isinstance(token, str):
        raise _refusal(answer)
    remember_secret(token)
    return token


def authenticate(credential: Credential, _uses: Sequence[Mapping[str, Any]]) -> Iterator[Step]:
    """Yield the steps sign-in and permission."""
    try:
        token = fetch_token(credential)
    except (AuthenticationError, TransientSourceError) as error:
        yield Step("sign-in", False, error.message, error.hint)
        return
    yield Step("sign-in", True, "Entra ID gave a token for Microsoft Graph")
    yield _permission(_roles_of(token))


def _permission(roles: list[str] | None) -> Step:
    if roles is None:
        return Step("permission", True, "the token does not tell; 'ingest-tui source test' tries to read")
    everything = [role for role in roles if role in _READS_EVERYTHING]
    if everything:
        return Step("permission", True, f"granted: {', '.join(everything)}")
    chosen = [role for role in roles if role in _READS_WHAT_IS_CHOSEN]
    if chosen:
        told = "each site has to be granted to the application too; 'ingest-tui source test' tells for one"
        return Step("permission", True, f"granted: {', '.join(chosen)}; {told}")
    has = f"the application has only {', '.join(roles)}" if roles else "the application has none at all"
    return Step(
        "permission",
        False,
        f"missing: Sites.Selected, Sites.Read.All or Files.Read.All; {has}",
        "add an application permission of Microsoft Graph in the Entra admin centre and grant admin consent",
    )


def _roles_of(token: str) -> list[str] | None:
    """Return the application permissions in a token; None when it cannot be read, which Microsoft may change."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    roles = claims.get("roles", []) if isinstance(claims, dict) else None
    return [str(role) for role in roles] if isinstance(roles, list) else None


def _refusal(answer: Mapping[str, Any]) -> AuthenticationError:
    codes = [code for code in answer.get("error_codes") or [] if isinstance(code, int)]
    codes += [int(code) for code in re.findall(r"AADSTS(\d{1,9})", str(answer.get("error_description")))]
    for code in codes:
        if code in _REFUSALS:
            message, hint = _REFUSALS[code]
            return AuthenticationError(f"{message} (AADSTS{code})", hint=hint)
    told = f"AADSTS{codes[0]}" if codes else "without a code"
    return AuthenticationError(
        f"Entra ID refuses the sign-in ({told})",
        hint="look the code up at https://login.microsoftonline.com/error" if codes else "check the application",
    )


def _unusable(proof: str | dict[str, str], error: Exception) -> AuthenticationError:
    if isinstance(proof, str):
        return AuthenticationError(
            f"the sign-in service cannot be used ({type(error).__name__})",
            hint="check tenant_id, cloud and authority",
            code="credential_unusable",
        )
    return AuthenticationError(
        f"the certificate, its password or the tenant cannot be used ({type(error).__name__})",
        hint="check certificate and certificate_password, then tenant_id and cloud",
        code="credential_unusable",
    )
