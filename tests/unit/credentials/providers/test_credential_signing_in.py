"""Signing in for real, against servers on the loopback: what is reported when they refuse."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.credentials.credential_registry import CredentialRegistry
from ingest_tui.credentials.providers import aws, entra, oauth
from ingest_tui.credentials.providers.entra_clouds import cloud_named
from ingest_tui.credentials.steps import Step
from ingest_tui.model.errors import AuthenticationError, MissingDependencyError, TransientSourceError
from ingest_tui.model.redaction import redact
from tests.identity_server import Answer, IdentityServer, Request, self_signed, unsigned_token

Write = Callable[..., CredentialRegistry]
SECRET = "s3cr3t & more/+"


def told(steps: Iterator[Step]) -> list[tuple[str, bool, str]]:
    """Return name, result and message of each step; none of them has the secret in it."""
    found = list(steps)
    assert SECRET not in repr(found)
    return [(step.name, step.ok, step.message) for step in found]


# OAuth


@pytest.fixture
def portal(write: Write, server: IdentityServer) -> Callable[..., Any]:
    """A credential for the server's token address."""

    def make(**fields: str) -> Any:
        entry = {"type": "oauth", "token_url": f"{server.url}/token", "client_id": "me", "client_secret": SECRET}
        return write(portal=entry | fields).get("portal")

    return make


def test_oauth_fetches_a_token(portal: Callable[..., Any], server: IdentityServer) -> None:
    """The client signs in by HTTP Basic as RFC 6749 says, asks for the scope, and gets a token that is kept secret."""
    server.answer = lambda _request: Answer(body={"access_token": "the-token-itself", "expires_in": 3600})
    credential = portal(scope="documents.read", audience="wiki")
    assert told(oauth.authenticate(credential, [])) == [
        ("sign-in", True, "the server gave a token, good for 3600 seconds"),
        ("permission", True, "granted: documents.read"),
    ]
    request = server.requests[0]
    user, password = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode().split(":")
    assert (user, password) == ("me", "s3cr3t+%26+more%2F%2B")
    assert request.form == {"grant_type": "client_credentials", "scope": "documents.read", "audience": "wiki"}
    token = oauth.fetch_token(credential)
    assert (token.value, token.expires_in) == ("the-token-itself", 3600)
    assert "the-token-itself" not in f"{token!r}{redact('the-token-itself')}"
    assert request.headers["Authorization"].partition(" ")[2] not in redact(request.headers["Authorization"])


def test_oauth_can_send_the_secret_in_the_body(portal: Callable[..., Any], server: IdentityServer) -> None:
    """With client_authentication 'body' the client's id and secret are fields of the form."""
    server.answer = lambda _request: Answer(body={"access_token": "another-token"})
    assert told(oauth.authenticate(portal(client_authentication="body"), []))[0][1]
    assert server.requests[0].form["client_secret"] == SECRET
    assert "Authorization" not in server.requests[0].headers


def test_oauth_shows_which_scope_is_missing(portal: Callable[..., Any], server: IdentityServer) -> None:
    """A server that grants less than what was asked for makes the step permission fail, with the names."""
    server.answer = lambda _request: Answer(body={"access_token": "x" * 9, "scope": "profile documents.read"})
    steps = told(oauth.authenticate(portal(scope="documents.read documents.list"), []))
    assert steps[1] == ("permission", False, "not granted: documents.list")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            Answer(401, {"error": "invalid_client", "error_description": SECRET}),
            "the client id or its secret is refused",
        ),
        (Answer(400, {"error": "invalid_scope"}), "the scope is not granted to the client (invalid_scope)"),
        (Answer(400, {"error": SECRET}), "the server answered 400"),
        (Answer(403, b"<html>" + SECRET.encode()), "the server answered 403"),
        (Answer(503, b""), "the server answered 503"),
        (Answer(200, b"<html>"), "the server's answer holds no access token"),
        (Answer(200, {"access_token": 7}), "the server's answer holds no access token"),
        (Answer(200, b"[" * 100_000), "the server's answer holds no access token"),
    ],
    ids=["client", "scope", "own-code", "html", "busy", "page", "number", "deep"],
)
def test_oauth_shows_what_is_refused(
    portal: Callable[..., Any], server: IdentityServer, answer: Answer, message: str
) -> None:
    """The codes of RFC 6749 are reported in words; what else the server writes is not shown."""
    server.answer = lambda _request: answer
    [(name, ok, seen)] = told(oauth.authenticate(portal(), []))
    assert (name, ok) == ("sign-in", False)
    assert message in seen


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_oauth_follows_no_redirect(portal: Callable[..., Any], server: IdentityServer, status: int) -> None:
    """A redirect would carry the secret elsewhere: it is not followed."""
    with IdentityServer() as elsewhere:
        server.answer = lambda _request: Answer(status, headers=(("Location", f"{elsewhere.url}/token"),))
        assert told(oauth.authenticate(portal(), [])) == [("sign-in", False, f"the server answered {status}")]
        assert elsewhere.requests == []


def test_oauth_without_an_answer_may_be_tried_again(portal: Callable[..., Any], server: IdentityServer) -> None:
    """A server that is not there is a transient fault, a refusal is not."""
    with pytest.raises(TransientSourceError, match="token_url cannot be reached"):
        oauth.fetch_token(portal(token_url="http://127.0.0.1:9/token"))
    server.answer = lambda _request: Answer(401, {"error": "invalid_client"})
    with pytest.raises(AuthenticationError) as caught:
        oauth.fetch_token(portal())
    assert not caught.value.retryable


# AWS

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_IDENTITY = (
    f'<GetCallerIdentityResponse xmlns="{_NAMESPACE}"><GetCallerIdentityResult>'
    "<Arn>arn:aws:iam::123456789012:user/reader</Arn><UserId>U</UserId><Account>123456789012</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)


def sts_error(code: str, message: str = "no", status: int = 403) -> Answer:
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Answer(status, f'<ErrorResponse xmlns="{_NAMESPACE}">{error}</ErrorResponse>')


def s3_error(code: str, message: str = "no", status: int = 403) -> Answer:
    return Answer(status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>")


@pytest.fixture
def keys(write: Write, server: IdentityServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An access key for the server."""
    for name in ("AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    entry = {
        "type": "aws", "access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": SECRET,
        "session_token": "the session", "endpoint_url": server.url,
    }  # fmt: skip
    return write(keys=entry).get("keys")


def test_aws_asks_who_we_are(keys: Any, server: IdentityServer) -> None:
    """STS is asked with the key and the session token, and its answer is reported; the secret is never sent."""
    server.answer = lambda _request: Answer(body=_IDENTITY)
    assert told(aws.authenticate(keys, [{}])) == [
        ("sign-in", True, "signed in as arn:aws:iam::123456789012:user/reader")
    ]
    request = server.requests[0]
    assert request.form["Action"] == "GetCallerIdentity"
    assert "AKIAIOSFODNN7EXAMPLE" in request.headers["Authorization"]
    assert request.headers["X-Amz-Security-Token"] == "the session"
    assert SECRET not in f"{request.headers}{request.body!r}"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (sts_error("InvalidClientTokenId"), "the access key id is not known there"),
        (sts_error("SignatureDoesNotMatch"), "the secret access key does not belong to the access key id"),
        (sts_error("ExpiredToken"), "the session token has expired"),
        (sts_error("RequestExpired", status=400), "this machine's clock is wrong"),
        (
            sts_error("AccessDenied", "not authorized to perform: sts:GetCallerIdentity"),
            "missing: sts:GetCallerIdentity",
        ),
    ],
    ids=["key", "secret", "session", "clock", "denied"],
)
def test_aws_shows_what_is_refused(keys: Any, server: IdentityServer, answer: Answer, message: str) -> None:
    """Key, secret, session, clock and permission: each refusal names what is wrong, and nothing else is tried."""
    server.answer = lambda _request: answer
    assert told(aws.authenticate(keys, [{"bucket": "archive"}])) == [("sign-in", False, message)]


def test_a_store_without_sts_is_judged_by_its_sources(keys: Any, server: IdentityServer) -> None:
    """Stores that speak S3 alone know nothing of STS: that is no failure, a refusal is."""
    server.answer = lambda _request: s3_error("MethodNotAllowed", status=405)
    assert told(aws.authenticate(keys, [{"bucket": "archive"}])) == [
        ("sign-in", True, "the endpoint has no sign-in service; 'ingest-tui source test SOURCE' tries it")
    ]
    server.answer = lambda _request: sts_error("InvalidAccessKeyId")
    assert told(aws.authenticate(keys, [])) == [("sign-in", False, "the access key id is not known there")]


def test_key_of_another_store_is_not_shown_to_aws(
    write: Write, server: IdentityServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where only sources with an endpoint of their own use a key, nobody else is asked about it."""
    import botocore.session

    def no_client(*_arguments: Any, **_options: Any) -> None:
        raise AssertionError("AWS would be asked")

    monkeypatch.setattr(botocore.session.Session, "create_client", no_client)
    entry = {"type": "aws", "access_key_id": "a" * 20, "secret_access_key": SECRET}
    keys = write(keys=entry).get("keys")
    [(name, ok, message)] = told(aws.authenticate(keys, [{"bucket": "b", "endpoint_url": server.url}]))
    assert (name, ok) == ("sign-in", True)
    assert "not AWS" in message
    for uses in ([], [{"bucket": "b", "endpoint_url": server.url}, {"bucket": "c"}]):
        with pytest.raises(AssertionError, match="AWS would be asked"):
            told(aws.authenticate(keys, uses))


def test_aws_that_cannot_be_reached(write: Write) -> None:
    """No answer is reported as such, by the kind of failure."""
    entry = {
        "type": "aws", "access_key_id": "a" * 20, "secret_access_key": SECRET, "endpoint_url": "http://127.0.0.1:9",
    }  # fmt: skip
    [(name, ok, message)] = told(aws.authenticate(write(keys=entry).get("keys"), []))
    assert (name, ok, message) == ("sign-in", False, "cannot be asked (EndpointConnectionError)")


# Entra


@pytest.fixture(scope="module")
def own_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and certificate of the loopback, which serve for the server and for the application alike."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_text(self_signed())
    path.chmod(0o600)
    return path


class Tenant:
    """A tenant of Entra ID on the loopback."""

    def __init__(self, server: IdentityServer) -> None:
        self.server = server
        self.answer = Answer()
        self.forms: list[dict[str, str]] = []
        server.answer = self._serve

    def _serve(self, request: Request) -> Answer:
        base = f"{self.server.url}/contoso"
        if request.path.endswith("/.well-known/openid-configuration"):
            return Answer(
                body={
                    "issuer": f"{base}/v2.0",
                    "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                    "token_endpoint": f"{base}/oauth2/v2.0/token",
                }
            )
        self.forms.append(request.form)
        return self.answer

    def grants(self, *roles: str) -> None:
        """Hand out tokens with these application permissions."""
        token = unsigned_token(roles=list(roles)) if roles else unsigned_token()
        self.answer = Answer(body={"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def refuses(self, code: int) -> None:
        """Refuse with an AADSTS code and a description that quotes what it was sent."""
        description = f"AADSTS{code}: {SECRET} Trace ID: x"
        self.answer = Answer(401, {"error": "invalid_client", "error_description": description, "error_codes": [code]})


@pytest.fixture
def tenant(own_certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tenant]:
    """A tenant whose server msal trusts."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(own_certificate))
    with IdentityServer(own_certificate) as running:
        yield Tenant(running)


def application(write: Write, tenant: Tenant, **fields: str) -> Any:
    entry = {"type": "entra", "tenant_id": "contoso", "client_id": "app", "authority": tenant.server.url}
    return write(app=entry | fields).get("app")


def test_entra_signs_in_with_a_secret(write: Write, tenant: Tenant) -> None:
    """The client secret is sent for a token of Graph, and the permission in the token is reported."""
    tenant.grants("Sites.Read.All", "User.Read.All")
    assert told(entra.authenticate(application(write, tenant, client_secret=SECRET), [])) == [
        ("sign-in", True, "Entra ID gave a token for Microsoft Graph"),
        ("permission", True, "granted: Sites.Read.All"),
    ]
    assert tenant.forms[0]["scope"] == "https://graph.microsoft.com/.default"
    assert (tenant.forms[0]["client_id"], tenant.forms[0]["client_secret"]) == ("app", SECRET)


def test_entra_asks_for_the_graph_of_its_cloud(write: Write, tenant: Tenant) -> None:
    """National clouds have a Graph of their own; GCC is in the global one."""
    tenant.grants("Sites.Selected")
    for cloud, graph in (("gcc-high", "graph.microsoft.us"), ("dod", "dod-graph.microsoft.us"),
                         ("china", "microsoftgraph.chinacloudapi.cn")):  # fmt: skip
        list(entra.authenticate(application(write, tenant, client_secret=SECRET, cloud=cloud), []))
        assert tenant.forms[-1]["scope"] == f"https://{graph}/.default"
    assert {cloud_named(cloud).login for cloud in ("gcc-high", "dod")} == {"https://login.microsoftonline.us"}


def test_entra_signs_in_with_a_certificate(write: Write, tenant: Tenant, own_certificate: Path) -> None:
    """With a certificate a signed statement is sent, never the key; one with a password is opened by it."""
    tenant.grants("Sites.Selected")
    steps = told(entra.authenticate(application(write, tenant, certificate=f"file:{own_certificate}"), []))
    assert [ok for _, ok, _ in steps] == [True, True]
    assert "each site has to be granted" in steps[1][2]
    assert tenant.forms[0]["client_assertion"].count(".") == 2
    assert "PRIVATE KEY" not in str(tenant.forms)
    locked = self_signed(SECRET.encode())
    unlocked = application(write, tenant, certificate=locked, certificate_password=SECRET)
    assert all(ok for _, ok, _ in told(entra.authenticate(unlocked, [])))


def test_private_key_with_a_thumbprint_signs_in(write: Write, tenant: Tenant, own_certificate: Path) -> None:
    """An entry of the file may hold the key alone and name its certificate by the thumbprint of the portal."""
    whole = own_certificate.read_text()
    key = whole[whole.index("-----BEGIN PRIVATE KEY") :]
    tenant.grants("Sites.Selected")
    named = application(write, tenant, certificate=key, thumbprint="0123456789ABCDEF0123456789ABCDEF01234567")
    assert all(ok for _, ok, _ in told(entra.authenticate(named, [])))
    header = tenant.forms[0]["client_assertion"].partition(".")[0]
    stamped = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    assert base64.urlsafe_b64decode(stamped["x5t"] + "==").hex() == "0123456789abcdef0123456789abcdef01234567"


def test_untrusted_connection_is_reported_with_a_way_out(
    write: Write, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that signs its own certificates: said as `source test` says it, with what to set."""
    import certifi

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    [step] = entra.authenticate(application(write, tenant, client_secret=SECRET), [])
    assert "not trusted" in step.message
    assert "REQUESTS_CA_BUNDLE" in step.hint


@pytest.mark.parametrize("password", [None, "not-the-right-one"])
def test_a_certificate_that_cannot_be_opened_is_reported(write: Write, tenant: Tenant, password: str | None) -> None:
    """A missing or wrong password of the certificate is reported without anything of the key."""
    fields = {"certificate": self_signed(b"right")} | ({"certificate_password": password} if password else {})
    [(name, ok, message)] = told(entra.authenticate(application(write, tenant, **fields), []))
    assert (name, ok) == ("sign-in", False)
    assert "private key of the certificate cannot be read" in message


@pytest.mark.parametrize("missing", ["private key", "certificate"])
def test_half_a_certificate_is_reported(write: Write, tenant: Tenant, own_certificate: Path, missing: str) -> None:
    """A file with the key alone or the certificate alone is reported, with the command that makes a whole one."""
    whole = own_certificate.read_text()
    cut = whole.index("-----BEGIN PRIVATE KEY")
    half = whole[:cut] if missing == "private key" else whole[cut:]
    [step] = entra.authenticate(application(write, tenant, certificate=half), [])
    assert f"no {missing} in PEM form" in step.message
    assert "openssl pkcs12" in step.hint


@pytest.mark.parametrize("roles", [(), ("User.Read.All",), ("Files.Read.All",)])
def test_entra_shows_which_permission_is_missing(write: Write, tenant: Tenant, roles: tuple[str, ...]) -> None:
    """Signed in without a permission to read sites: the step permission fails, naming those that would do."""
    tenant.grants(*roles)
    steps = told(entra.authenticate(application(write, tenant, client_secret=SECRET), []))
    assert steps[1][:2] == ("permission", False)
    assert "missing: Sites.Selected or Sites.Read.All" in steps[1][2]
    assert (f"has only {roles[0]}" if roles else "none at all") in steps[1][2]


def test_a_token_that_cannot_be_read_is_no_failure(write: Write, tenant: Tenant) -> None:
    """Tokens are opaque by contract: one in another form only means that its permissions stay unknown."""
    for token in ("opaque", "a.b.c", f"a.{base64.urlsafe_b64encode(b'[]').decode()}.c"):
        tenant.answer = Answer(body={"access_token": token, "token_type": "Bearer", "expires_in": 9})
        steps = told(entra.authenticate(application(write, tenant, client_secret=SECRET), []))
        assert steps[1][:2] == ("permission", True)
        assert "does not show them" in steps[1][2]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (7000215, "the client secret is wrong (AADSTS7000215)"),
        (7000222, "the client secret has expired (AADSTS7000222)"),
        (700016, "the app does not exist in this tenant (AADSTS700016)"),
        (700027, "the certificate is not one of those that the app registration has (AADSTS700027)"),
        (7000229, "the app is not installed in this tenant (AADSTS7000229)"),
        (65001, "nobody has consented to the app's permissions (AADSTS65001)"),
        (900382, "the tenant is in another cloud (AADSTS900382)"),
        (500011, "Microsoft Graph is not known in this tenant (AADSTS500011)"),
        (50053, "the sign-in is blocked from this address (AADSTS50053)"),
        (700030, "the certificate is not accepted (AADSTS700030)"),
        (123456, "Microsoft Entra refuses the app: AADSTS123456: [redacted]"),
    ],
)
def test_entra_shows_what_is_refused(write: Write, tenant: Tenant, code: int, message: str) -> None:
    """Well-known codes are reported in our words, others in those of Entra, without a secret that they quote."""
    tenant.refuses(code)
    steps = told(entra.authenticate(application(write, tenant, client_secret=SECRET), []))
    assert steps == [("sign-in", False, message)]


def test_entra_that_cannot_be_reached(write: Write, tenant: Tenant) -> None:
    """No answer from the sign-in service is a transient fault."""
    credential = application(write, tenant, client_secret=SECRET, authority="https://127.0.0.1:9")
    assert told(entra.authenticate(credential, []))[0][2] == "no connection to the sign-in service of Microsoft"


@pytest.mark.parametrize(
    ("package", "extra", "authenticate"),
    [("boto3", "s3", aws.authenticate), ("msal", "sharepoint", entra.authenticate)],
)
def test_a_missing_package_names_its_extra(
    write: Write, monkeypatch: pytest.MonkeyPatch, package: str, extra: str, authenticate: Any
) -> None:
    """Without the optional package the error says how to install it."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError) as caught:
        list(authenticate(write(wiki={"type": "token", "token": "x"}).get("wiki"), []))
    assert caught.value.hint == f'pip install "ingest-tui[{extra}]"'
