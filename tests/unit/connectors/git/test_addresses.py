"""Which addresses a Git source takes, and what it makes of them."""

from __future__ import annotations

import pytest

from ingest_tui.connectors.git.address import address_of
from ingest_tui.connectors.git.address_connector import GitAddressConnector
from ingest_tui.connectors.git.connector import GitConnector
from ingest_tui.connectors.registry import serving_class
from ingest_tui.model.errors import ValidationError
from tests.servers.s3_store import StaticCredential, StaticCredentials


@pytest.mark.parametrize(
    ("value", "origin", "uri"),
    [
        ("https://git.example.org/team/x.git", "https://git.example.org", "git+https://git.example.org/team/x.git"),
        ("HTTPS://Git.Example.ORG:8443/x", "https://git.example.org:8443", "git+https://git.example.org:8443/x"),
        ("https://robot@git.example.org/x", "https://git.example.org", "git+https://git.example.org/x"),
        ("http://[::1]:80/x", "http://[::1]:80", "git+http://[::1]:80/x"),
        ("ssh://git@git.example.org:22/x", "ssh://git.example.org:22", "git+ssh://git@git.example.org:22/x"),
        ("git@git.example.org:team/x.git", "ssh://git.example.org", "git+ssh://git@git.example.org/team/x.git"),
    ],
)
def test_address_is_taken(value: str, origin: str, uri: str) -> None:
    """Its origin is where a secret may go; documents are named by an address without the name that signs in."""
    address = address_of(value)
    assert address is not None
    assert (address.origin, address.uri, address.text) == (origin, uri, value)
    assert serving_class("git", {"repository": value}) is GitAddressConnector


@pytest.mark.parametrize("value", ["/srv/git/x.git", "x", "a:b", "./me@host:x", "-x", "me@host", "C:\\x", "a b@c:d"])
def test_path_is_a_folder(value: str) -> None:
    """What is no address is the path of a folder, whatever is in its name."""
    assert address_of(value) is None
    assert serving_class("git", {"repository": value}) is GitConnector
    assert serving_class("git", {}) is GitConnector


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("ext::sh -c touch% /tmp/x", "helper"),
        ("fd::17", "helper"),
        ("file:///srv/git/x", "without file://"),
        ("git://host/x", "begins with https://"),
        ("ftp://host/x", "begins with https://"),
        ("https://robot:canary@host/x", "--credential"),
        ("ssh://robot:canary@host/x", "--credential"),
        ("https://host", "not the address"),
        ("https://host/", "not the address"),
        ("https:///x", "not the address"),
        ("https://host/x?service=y", "not the address"),
        ("https://host/x#y", "not the address"),
        ("https://host\\@other/x", "not the address"),
        ("https://host/a b", "not the address"),
        ("https://host/a\nb", "not the address"),
        ("https://host/%0ahost=other", "not the address"),
        ("https://höst/x", "not the address"),
        ("https://a@b@c/x", "not the address"),
        ("ssh://-oProxyCommand=x/y", "not the address"),
        ("ssh://-x@host/y", "not the address"),
    ],
)
def test_other_address_is_refused(value: str, words: str) -> None:
    """In words that do not quote a password, before anything is run."""
    for kind in (GitConnector, serving_class("git", {"repository": value})):
        with pytest.raises(ValidationError) as caught:
            kind({"repository": value})
        assert words in caught.value.message
        assert "canary" not in f"{caught.value!r} {caught.value.as_dict()} {caught.value.__cause__!r}"


@pytest.mark.parametrize(
    ("repository", "words"),
    [
        ("/srv/git/x", "needs no credential"),
        ("git@git.example.org:x", "keys"),
        ("http://git.example.org/x", "https://"),
    ],
)
def test_credential_that_has_no_use_is_refused(repository: str, words: str) -> None:
    """Nor is a secret sent in the clear to another machine."""
    with pytest.raises(ValidationError, match=words):
        serving_class("git", {"repository": repository})({"repository": repository, "credential": "x"})


def test_credential_of_another_type_is_refused_before_it_is_saved() -> None:
    """A key for a bucket signs in nowhere here."""
    credentials = StaticCredentials(StaticCredential("x", {}, "aws"))
    connector = GitAddressConnector(
        {"repository": "https://git.example.org/x", "credential": "x"}, credentials=credentials
    )
    with pytest.raises(ValidationError, match="'basic' or 'token'"):
        connector.validate_config()


def test_what_is_declared_of_both_kinds() -> None:
    """Only an address waits for a network and keeps what it fetched."""
    assert not GitConnector.capabilities.remote
    assert not GitConnector.capabilities.keeps_files
    assert GitAddressConnector.capabilities.remote
    assert GitAddressConnector.capabilities.keeps_files
    assert GitAddressConnector.capabilities.content_fingerprints
