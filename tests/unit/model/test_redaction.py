"""Secrets by their shape and by their value; what only looks like one stays."""

from __future__ import annotations

import base64
import threading
import time
import timeit
from collections.abc import Callable, Iterator
from urllib.parse import quote

import orjson
import pytest

from ingest_tui.model import redaction
from ingest_tui.model.errors import StoreError
from ingest_tui.model.redaction import (
    REDACTED,
    forget_secrets,
    is_suspicious,
    redact,
    redact_values,
    redacted_line,
    remember_secret,
)

AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


@pytest.fixture(autouse=True)
def _no_secrets() -> Iterator[None]:
    forget_secrets()
    yield
    forget_secrets()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc.def-ghi failed", "Authorization: Bearer [redacted] failed"),
        ("{'Authorization': 'Basic dXNlcjpwYXNz', 'x': 1}", "{'Authorization': 'Basic [redacted]', 'x': 1}"),
        ("authorization=abc", "authorization=[redacted]"),
        ("sent Bearer abcdefghij0123456789==, refused", "sent Bearer [redacted], refused"),
        ("https://h/x?a=1&sig=ab%2Bc%3D&b=2", "https://h/x?a=1&sig=[redacted]&b=2"),
        ("https://h/?X-Amz-Signature=0af&X-Amz-Credential=AK%2F1&d=1",
         "https://h/?X-Amz-Signature=[redacted]&X-Amz-Credential=[redacted]&d=1"),
        ("X-Amz-Security-Token=FwoG%2Fxyz", "X-Amz-Security-Token=[redacted]"),
        ("connect(user=me, password=s3,cr-et)", "connect(user=me, password=[redacted]"),
        ('{"password": "a b", "user": "x"}', '{"password": [redacted], "user": "x"}'),
        ("client_secret='x y' & more", "client_secret=[redacted] & more"),
        ("password: hunter2", "password: [redacted]"),
        ("'token': 'abc'", "'token': [redacted]"),
        ("refresh_token=abc;next", "refresh_token=[redacted];next"),
        ("AccountKey=abc==;EndpointSuffix=x", "AccountKey=[redacted];EndpointSuffix=x"),
        ("postgres://me:pa:ss@host/db", "postgres://me:[redacted]@host/db"),
        ("https://me:p@ss@host/db", "https://me:[redacted]@host/db"),
        ("key AKIAIOSFODNN7EXAMPLE used", "key [redacted] used"),
        (f"AKIAIOSFODNN7EXAMPLE:{AWS_SECRET} x", "[redacted] x"),
        (f"aws_secret_access_key = {AWS_SECRET}", "aws_secret_access_key = [redacted]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nrest",
         "-----BEGIN RSA PRIVATE KEY-----[redacted]\nrest"),
        ("-----BEGIN PRIVATE KEY-----\nabc, and then it broke off", "-----BEGIN PRIVATE KEY-----[redacted]"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc_-d end", "jwt [redacted] end"),
    ],
)  # fmt: skip
def test_secrets_are_known_by_their_shape(text: str, shown: str) -> None:
    """What is well known to be secret is left out; what is around it stays readable."""
    assert redact(text) == shown
    assert is_suspicious(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "unexpected token: }", "tokenizer=bert", "design=modern", "the password is wrong", "keys.txt passed", "me@host",
        "https://host/a@b", "s3://bucket/key", "secret-santa.pdf was rejected", "the asia report",
        "authorization failed", "git@host:repo.git", "12:30:45 worker 123@host", "monkey=7", "Bearer of bad news", "",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    """Words, addresses and file names that people need are not swallowed."""
    assert redact(text) == text


def test_remembered_values_are_left_out_in_every_form() -> None:
    """A known secret is found as it is, URL-encoded, in JSON, and in base64, alone and as a part."""
    secret = 'Hunter2/"with+Odd ümläuts'
    remember_secret(secret)
    pair = base64.b64encode(f"somebody:{secret}".encode()).decode()
    forms = [
        secret, quote(secret), quote(secret, safe=""), "Hunter2%2f%22with%2bOdd%20%c3%bcml%c3%a4uts",
        orjson.dumps(secret).decode(),
        base64.b64encode(secret.encode()).decode(), base64.urlsafe_b64encode(secret.encode()).decode(), repr([secret]),
    ]  # fmt: skip
    for form in forms:
        assert REDACTED in redact(f"before {form} after"), form
        assert "unter2" not in redact(f"before {form} after")
        assert is_suspicious(f"before {form} after".encode())
    assert pair not in redact(f"Basic {pair}")
    assert base64.b64encode(secret.encode()).decode()[2:-6] not in redact(f"Basic {pair}")


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode], ids=["standard", "of addresses"])
@pytest.mark.parametrize("after", ["", "@", "@h", "@ho"])
@pytest.mark.parametrize("before", ["", "u", "u:", "us:", "use:", "user:"])
def test_secret_within_base64_is_found_at_every_alignment(
    before: str, after: str, encode: Callable[[bytes], bytes]
) -> None:
    """Where a secret starts within three encoded bytes, and what follows it, does not hide it."""
    secret = "Hunter2~?>Odd"
    remember_secret(secret)
    encoded = encode(f"{before}{secret}{after}".encode()).decode()
    # The digits that stand for nothing but bits of the secret.
    first, last = -(-len(before) * 8 // 6), (len(before) + len(secret)) * 8 // 6
    shown = redact(f"Basic realm, {encoded} it is")
    assert REDACTED in shown
    assert encoded[first:last] not in shown
    assert is_suspicious(f"a line with {encoded} in it".encode())


def test_short_values_are_not_remembered() -> None:
    """Five characters occur everywhere; replacing them would make every text unreadable."""
    remember_secret("admin")
    assert redact("the admin said") == "the admin said"
    remember_secret("adminx")
    assert redact("the adminx said") == "the [redacted] said"


def test_longer_secrets_go_first() -> None:
    """A secret that holds another one is not left in part."""
    for secret in ("hunter2", "hunter2-long", "my-hunter2-long"):
        remember_secret(secret)
    assert redact("it is my-hunter2-long!") == "it is [redacted]!"


def test_values_are_redacted_wherever_they_stand() -> None:
    """Strings in lists and objects are looked at, names that say what they hold count, numbers stay."""
    remember_secret("hunter2-long")
    value = {
        "list": ["hunter2-long", ("x hunter2-long",), 7],
        "password": "abc", "api_key": "x", "deep": {"client_secret": "y", "tokens": 12, "token": ""},
        "flag": True, "none": None, 3: "a", "odd": "\udcff",
    }  # fmt: skip
    assert redact_values(value) == {
        "list": [REDACTED, [f"x {REDACTED}"], 7],
        "password": REDACTED, "api_key": REDACTED, "deep": {"client_secret": REDACTED, "tokens": 12, "token": ""},
        "flag": True, "none": None, "3": "a", "odd": "\\udcff",
    }  # fmt: skip


@pytest.mark.parametrize("record", [{"a": "\udcff", "password": "x y z"}, {1: "a"}, {"path": object}])
def test_every_record_becomes_a_line(record: dict[str, object]) -> None:
    """What JSON cannot hold is written as text, not an error in the middle of a job."""
    line = redacted_line(record)
    assert line.endswith(b"\n")
    assert b"x y z" not in line
    assert isinstance(orjson.loads(line), dict)


def test_errors_are_born_without_secrets() -> None:
    """Message and hint of an error are clean before anybody can store them."""
    remember_secret("hunter2-long")
    error = StoreError("no access with hunter2-long", hint="try password=abc")
    assert (error.message, str(error), error.hint) == (f"no access with {REDACTED}",) * 2 + (
        f"try password={REDACTED}",
    )


def test_secrets_are_remembered_by_all_threads_at_once() -> None:
    """Values remembered by many threads at the same time are all known afterwards."""
    secrets = [f"secret-value-{number:03}" for number in range(60)]
    threads = [threading.Thread(target=remember_secret, args=(secret,)) for secret in secrets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "secret-value" not in redact(" ".join(secrets))


def test_an_ordinary_line_costs_next_to_nothing() -> None:
    """A log line without any sign of a secret is let through in about a microsecond."""
    line = orjson.dumps({"at": "2026-11-21T13:08:43.157Z", "level": "info", "message": "job started", "attempt": 2})
    assert not is_suspicious(line)
    seconds = min(timeit.repeat(lambda: is_suspicious(line), number=10_000, repeat=5, timer=time.process_time))
    assert seconds / 10_000 < 8e-6


@pytest.mark.parametrize(
    "piece",
    [
        "a" * 100,
        "password",
        "://a:",
        "-----BEGIN PRIVATE KEY-----",
        "AKIA" + "A" * 50,
        "eyJaaaaaaaa.",
        "secret" + "." * 99,
    ],
)
def test_hostile_texts_cost_no_more_than_their_length(piece: str) -> None:
    """No text makes the search for secrets take seconds, however it is built."""
    text = piece * (200_000 // len(piece)) + "="
    started = time.process_time()
    redact(text)
    assert time.process_time() - started < 3


def test_what_is_asked_first_lets_nothing_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """The quick question and the thorough search agree: whatever the search would change is suspicious."""
    texts = [
        "password=a",
        "https://a:b@c",
        "bearer abcdefghij0123456789",
        "token='a'",
        "x" * 10,
        "AKIAIOSFODNN7EXAMPLE",
    ]
    quick = [is_suspicious(text.encode()) for text in texts]
    monkeypatch.setattr(redaction, "is_suspicious", lambda _line: True)
    assert [redact(text) != text for text in texts] == quick
