"""Signing in to Entra as an app, and what is said when it does not work."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ingest_tui.connectors.sharepoint.connector import SharePointConnector
from ingest_tui.credentials.providers.entra_clouds import CLOUDS, cloud_named, clouds_of_host, endpoints_of
from ingest_tui.credentials.providers.entra_signin import SignIn
from ingest_tui.model.errors import AuthenticationError, IngestError, SourceAccessError, TransientSourceError
from tests.graph_server import certificates
from tests.graph_server.running import FakeCredential, FakeCredentials, GraphServer
from tests.graph_server.state import CLIENT_ID, CLIENT_SECRET
from tests.unit.connectors.sharepoint.sharepoint_lab import connector_to


def refusal(credential: FakeCredential) -> AuthenticationError:
    """Sign in, which must be refused, without the secret in what is said."""
    with pytest.raises(AuthenticationError) as caught:
        SignIn(credential).token()
    told = f"{caught.value!r} {caught.value.as_dict()} {caught.value.__context__!r}"
    assert CLIENT_SECRET not in told
    assert "PRIVATE KEY" not in told
    return caught.value


def test_secret_signs_in_once(server: GraphServer) -> None:
    """A token is asked for once and then comes from memory, with the permissions it holds."""
    sign_in = SignIn(server.credential())
    assert sign_in.roles is None
    first = sign_in.token()
    assert sign_in.token() == first
    assert sign_in.roles == ["Sites.Selected"]
    assert [asked.method for asked in server.state.requests("login")] == ["GET", "POST"]


@pytest.mark.parametrize("password", [None, "planted-password"])
def test_certificate_signs_in(server: GraphServer, password: str | None) -> None:
    """A PEM text with certificate and private key signs in, also when the key is encrypted, in either order."""
    certificate, key = certificates.app_certificate(password)
    server.state.apps[CLIENT_ID]["certificates"].append(certificate)
    for pem in (certificate + key, key + certificate):
        fields = server.credential(certificate=pem, certificate_password=password, client_secret=None)
        assert SignIn(fields).token()["access_token"] in server.state.tokens


def test_private_key_with_a_thumbprint_signs_in(server: GraphServer) -> None:
    """Where only the key is at hand, the thumbprint that the portal shows stands for the certificate."""
    import hashlib
    import ssl

    certificate, key = certificates.app_certificate()
    server.state.apps[CLIENT_ID]["certificates"].append(certificate)
    thumbprint = hashlib.sha1(ssl.PEM_cert_to_DER_cert(certificate), usedforsecurity=False).hexdigest()
    credential = server.credential(certificate=key, thumbprint=thumbprint, client_secret=None)
    assert SignIn(credential).token()["access_token"] in server.state.tokens


def test_unusable_certificates_are_distinguished(server: GraphServer) -> None:
    """No key, no certificate, a wrong password, and a certificate that the app does not have: four sentences."""
    certificate, key = certificates.app_certificate("right")
    _, plain = certificates.app_certificate()

    def with_pem(pem: str, password: str | None = None) -> AuthenticationError:
        return refusal(server.credential(certificate=pem, certificate_password=password, client_secret=None))

    assert "no private key" in with_pem(certificate).message
    assert "no certificate" in with_pem(plain).message
    assert "cannot be read" in with_pem(certificate + key, "wrong").message
    assert "AADSTS700027" in with_pem(certificate + key, "right").message


@pytest.mark.parametrize(
    ("code", "words", "hint"),
    [
        ("AADSTS7000215", "secret is wrong", "value, not its id"),
        ("AADSTS7000222", "expired", "certificate"),
        ("AADSTS700027", "certificate", "upload"),
        ("AADSTS90002", "tenant", "tenant_id"),
        ("AADSTS700016", "does not exist in this tenant", "client_id"),
        ("AADSTS7000229", "not installed", "admin consent"),
        ("AADSTS65001", "consented", "admin consent"),
        ("AADSTS53003", "conditional access", "administrator"),
        ("AADSTS700024", "clock", "right"),
        ("AADSTS900382", "another cloud", "cloud"),
        ("AADSTS500011", "not known in this tenant", "cloud"),
    ],
)
def test_entra_codes_become_sentences(server: GraphServer, code: str, words: str, hint: str) -> None:
    """Each code that a set-up can run into is reported in words, with its number and with what to do."""
    server.state.knobs.sign_in_error = (code, "Words of Entra.")
    error = refusal(server.credential())
    assert words in error.message
    assert code in error.message
    assert hint in error.hint


def test_unknown_code_is_reported_in_the_words_of_entra(server: GraphServer) -> None:
    """What we have no sentence for is shown as it came, without the ids behind it and without acting on a terminal."""
    server.state.knobs.sign_in_error = ("AADSTS123456", "Something \x1b[2J new.")
    error = refusal(server.credential())
    assert "AADSTS123456: Something \\x1b[2J new." in error.message
    assert "Trace ID" not in error.message
    assert "docs/sharepoint.md#errors" in error.hint


def test_wrong_secret_tenant_and_app_are_distinguished(server: GraphServer) -> None:
    """Each wrong field of a credential gives its own sentence, from the sign-in's genuine answers."""
    assert "AADSTS7000215" in refusal(server.credential(client_secret="wrong")).message
    assert "AADSTS700016" in refusal(server.credential(client_id="0")).message
    elsewhere = server.authority.rpartition("/")[0] + "/99999999-0000-0000-0000-000000000000"
    assert "AADSTS90002" in refusal(server.credential(authority=elsewhere)).message


def test_missing_fields_are_named(server: GraphServer) -> None:
    """A credential without tenant, app or secret says which field is missing."""
    for field in ("tenant_id", "client_id", "client_secret"):
        with pytest.raises(AuthenticationError, match=field):
            SignIn(server.credential(**{field: None})).token()


def test_sign_in_that_fails_for_now_is_transient(server: GraphServer) -> None:
    """A sign-in service that is overloaded or out of reach may work later; it is no wrong credential."""
    server.state.fail("openid-configuration", service="login", status=503, times=5)
    with pytest.raises(TransientSourceError):
        SignIn(server.credential()).token()
    server.state.faults.clear()
    for status in (429, 503):
        server.state.fail("oauth2", service="login", status=status, retry_after=1)
        with pytest.raises(TransientSourceError):
            SignIn(server.credential()).token()
    server.state.knobs.sign_in_error = ("AADSTS90033", "A transient error has occurred.")
    with pytest.raises(TransientSourceError):
        SignIn(server.credential()).token()
    with pytest.raises(TransientSourceError, match="no connection"):
        SignIn(server.credential(authority="https://localhost:1/tenant")).token()


def test_untrusted_sign_in_is_not_tried_again(
    server: GraphServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A certificate that nobody vouches for is an error with a way out, and no network failure."""
    import certifi

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    with pytest.raises(SourceAccessError, match="not trusted") as caught:
        SignIn(server.credential()).token()
    assert "REQUESTS_CA_BUNDLE" in caught.value.hint
    assert not caught.value.retryable


def test_credential_must_be_there_and_of_the_right_type(server: GraphServer) -> None:
    """No registry, no such entry, another type of entry: each is reported before anything is called."""
    settings = {"site": "https://contoso.sharepoint.com", "credential": "intranet"}
    with pytest.raises(AuthenticationError, match="registry"):
        asyncio.run(SharePointConnector(settings).authenticate())
    with pytest.raises(IngestError, match="no credential named"):
        asyncio.run(SharePointConnector(settings, credentials=FakeCredentials()).authenticate())
    aws = FakeCredential({}, type_="aws")
    with pytest.raises(AuthenticationError, match="type 'aws'"):
        asyncio.run(SharePointConnector(settings, credentials=FakeCredentials(aws)).authenticate())
    assert server.state.asked == []


def test_account_is_tenant_and_app(server: GraphServer) -> None:
    """Sources with the same app share waits; a credential that is gone still has a name."""
    assert connector_to(server).account() == (
        "sharepoint:11111111-2222-4333-8444-555555555555:aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
    )
    nobody = SharePointConnector({"site": "https://c.sharepoint.com", "credential": "x"}, credentials=FakeCredentials())
    assert nobody.account() == "sharepoint:x"


def test_clouds_are_those_of_the_documentation() -> None:
    """GCC lives in the worldwide cloud; the others have endpoints of their own."""
    fields = {"tenant_id": "t"}
    found = {cloud.name: endpoints_of(FakeCredential({**fields, "cloud": cloud.name.upper()}))[1:4] for cloud in CLOUDS}
    worldwide = (
        "https://graph.microsoft.com/v1.0", "https://graph.microsoft.com/.default", "https://login.microsoftonline.com/t"
    )  # fmt: skip
    assert found == {
        "global": worldwide,
        "gcc": worldwide,
        "gcc-high": (
            "https://graph.microsoft.us/v1.0",
            "https://graph.microsoft.us/.default",
            "https://login.microsoftonline.us/t",
        ),
        "dod": (
            "https://dod-graph.microsoft.us/v1.0",
            "https://dod-graph.microsoft.us/.default",
            "https://login.microsoftonline.us/t",
        ),
        "china": (
            "https://microsoftgraph.chinacloudapi.cn/v1.0",
            "https://microsoftgraph.chinacloudapi.cn/.default",
            "https://login.chinacloudapi.cn/t",
        ),
    }
    with pytest.raises(AuthenticationError, match="no cloud 'mars'") as caught:
        cloud_named("mars")
    assert "gcc-high" in caught.value.hint


def test_hosts_belong_to_clouds() -> None:
    """A SharePoint host tells its cloud; a host of an organisation's own tells nothing."""
    assert [cloud.name for cloud in clouds_of_host("contoso.sharepoint.com")] == ["global", "gcc"]
    assert [cloud.name for cloud in clouds_of_host("contoso-my.SharePoint.us")] == ["gcc-high"]
    assert [cloud.name for cloud in clouds_of_host("contoso.sharepoint-mil.us")] == ["dod"]
    assert [cloud.name for cloud in clouds_of_host("contoso.sharepoint.cn")] == ["china"]
    assert clouds_of_host("intranet.example.org") == []


def test_new_sovereign_cloud_can_be_given_by_its_addresses() -> None:
    """Authority and Graph of a cloud that is not in the table: the token is asked for that Graph."""
    fields = {"tenant_id": "t", "graph_url": "https://graph.svc.sovcloud.fr/v1.0/",
              "authority": "https://login.sovcloud-identity.fr/t"}  # fmt: skip
    found = endpoints_of(FakeCredential(fields))
    assert found[1:] == (
        "https://graph.svc.sovcloud.fr/v1.0",
        "https://graph.svc.sovcloud.fr/.default",
        "https://login.sovcloud-identity.fr/t",
        False,
    )


@pytest.mark.parametrize(
    "address", ["http://graph.microsoft.com", "http://127.0.0.1.evil.example", "graph.microsoft.com"]
)
def test_token_never_travels_in_the_clear(address: str) -> None:
    """An address without https is refused unless it is on this machine."""
    for field in ("graph_url", "authority"):
        with pytest.raises(AuthenticationError, match="https"):
            endpoints_of(FakeCredential({"tenant_id": "t", field: address}))
