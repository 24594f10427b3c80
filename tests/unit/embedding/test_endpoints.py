"""Endpoints: what is asked, what is tried again, and what an answer that is none is called."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ingest_tui.embedding.base import BackendContext, EmbedderError, TextRefusedError
from ingest_tui.embedding.openai import OpenAIBackend
from ingest_tui.embedding.settings import OpenAISettings
from ingest_tui.model.errors import AuthenticationError, GivenUpError, IngestError, TransientSourceError
from ingest_tui.transport.rate_limit import TokenBucket
from ingest_tui.transport.retrying import RetryPolicy, _accounts
from tests.servers.embedding_server import DIMENSIONS, KEY, embedding_process

QUICK = RetryPolicy(attempts=3, first_wait=0.01, longest_wait=0.02)


@dataclass
class Entry:
    """An entry of a registry, as backends see it."""

    fields: dict[str, str]
    type: str = "token"
    name: str = "key"
    digest: str = ""
    identity: str = ""

    def get(self, field: str, default: str | None = None) -> str | None:
        """Return a field."""
        return self.fields.get(field, default)

    def require(self, field: str) -> str:
        """Return a field that must be there."""
        return self.fields[field]


class Registry:
    """A registry with one entry, whose secret is another one each time it is asked."""

    def __init__(self, *secrets: str, type_name: str = "token", field: str = "token", **fields: str) -> None:
        self.secrets = list(secrets)
        self._type, self._field, self._fields = type_name, field, fields

    def get(self, name: str) -> Any:
        """Return the entry."""
        secret = self.secrets.pop(0) if len(self.secrets) > 1 else self.secrets[0]
        return Entry({self._field: secret, **self._fields}, self._type, name)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """An endpoint in a process of its own."""
    with embedding_process() as found:
        yield found


def backend(
    address: str, model: str, registry: Any = None, sleep: Any = lambda _seconds: None, **also: Any
) -> OpenAIBackend:
    """Return a backend that tries again at once."""
    base = also.pop("base", "/v1")
    settings = OpenAISettings.model_validate({"endpoint": f"{address}{base}", "model": model, **also})
    return OpenAIBackend(settings, BackendContext(registry, sleep=sleep, policy=QUICK))


def requests_for(address: str, model: str) -> int:
    """Return how many requests came for a model."""
    with urllib.request.urlopen(address) as answer:
        return int(json.loads(answer.read()).get(model, 0))


@pytest.mark.parametrize(
    ("model", "error", "code", "message"),
    [
        ("unknown", EmbedderError, "model_unknown", "has no model 'unknown'"),
        ("throttled", TransientSourceError, "throttled", "answered 429: slow down"),
        ("no-quota", EmbedderError, "quota", "no quota left"),
        ("moved", EmbedderError, "bad_answer", "answered 307"),
        ("one-short", EmbedderError, "bad_answer", "1 vector for 2 texts"),
        ("one-twice", EmbedderError, "bad_answer", "2 vectors for 2 texts"),
        ("nan", TextRefusedError, "not_finite", "not finite"),
        ("no-numbers", EmbedderError, "bad_answer", "no lists of numbers"),
        ("no-list", EmbedderError, "bad_answer", "no list of embeddings"),
        ("grows", EmbedderError, "dimensions", "dimensions instead of"),
        ("refuses-poison", TextRefusedError, "text_refused", "a text is not allowed"),
    ],
)
def test_answers_that_are_none_have_a_name(
    address: str, model: str, error: type[IngestError], code: str, message: str
) -> None:
    """Each way in which an endpoint can fail is an error of its own, with a hint where something can be done."""
    asked = backend(address, model)
    if model == "grows":
        asked.embed_documents(["fox"])
    with pytest.raises(error, match=message) as found:
        asked.embed_documents(["fox", "poison"])
    assert found.value.reason == code


@pytest.mark.parametrize("model", ["throttled-once", "broken-once"])
def test_what_passes_by_itself_is_tried_again(address: str, model: str) -> None:
    """A 429 with Retry-After and a 503 are no failure when the next attempt works."""
    assert backend(address, model).embed_documents(["fox"]).shape == (1, DIMENSIONS)
    assert requests_for(address, model) >= 2


def test_the_order_of_the_texts_is_kept(address: str) -> None:
    """An answer says by ``index`` which text a vector is of, and need not be in order."""
    forwards = backend(address, "tiny").embed_documents(["fox", "dog", "rain"])
    assert backend(address, "backwards").embed_documents(["fox", "dog", "rain"]) == pytest.approx(forwards)


def test_shorter_vectors_are_asked_for(address: str) -> None:
    """``dimensions`` goes along with each request and belongs to the space."""
    short = backend(address, "tiny", dimensions=4)
    assert short.space.dimensions == 4
    assert short.embed_documents(["fox"]).shape == (1, 4)


@pytest.mark.parametrize(
    "registry",
    [
        Registry(KEY),
        Registry(KEY, type_name="api_key", field="api_key", header="api-key"),
        Registry("old key", KEY),
    ],
)
def test_a_credential_signs_each_request(address: str, registry: Registry) -> None:
    """A token or a key in a header of its own is sent; one that was rotated meanwhile takes effect."""
    assert backend(address, "tiny", registry, base="/signed/v1", credential="key").embed_documents(["fox"]).any()


def test_a_refused_credential_is_said_to_be(address: str) -> None:
    """A wrong key is an `AuthenticationError` at once, which quotes no secret; so is none where one is needed."""
    for registry, name in ((Registry("wrong-key-nobody-may-see"), "key"), (None, None)):
        with pytest.raises(AuthenticationError) as found:
            backend(address, "tiny", registry, base="/signed/v1", credential=name).embed_documents(["fox"])
        assert found.value.hint
        assert "nobody-may-see" not in f"{found.value.message}{found.value.hint}"


def test_credentials_of_other_types_are_refused(address: str) -> None:
    """A key for S3 is nothing to sign in to an endpoint with."""
    with pytest.raises(EmbedderError, match="of type aws"):
        backend(address, "tiny", Registry("x", type_name="aws"), credential="key").embed_documents(["fox"])


def test_no_secret_goes_over_the_network_in_the_clear() -> None:
    """A credential needs https, or this machine."""
    with pytest.raises(EmbedderError, match="not reached over TLS"):
        backend("http://far.example", "tiny", Registry(KEY), credential="key")


def test_nobody_there_is_a_passing_failure() -> None:
    """A refused connection is tried again and then named, with a hint."""
    waits: list[float] = []
    with pytest.raises(TransientSourceError, match="cannot be reached"):
        backend("http://127.0.0.1:9", "tiny", sleep=waits.append).embed_documents(["fox"])
    assert len(waits) >= QUICK.attempts - 1


def test_the_address_may_have_a_query(address: str) -> None:
    """Azure wants an api-version in the address; /embeddings goes before it."""
    assert backend(address, "tiny", base="/v1?api-version=2026-10-01").embed_documents(["fox"]).any()
    with pytest.raises(EmbedderError, match="no /embeddings"):
        backend(address, "tiny", base="/v2").embed_documents(["fox"])


def test_two_addresses_are_two_spaces(address: str) -> None:
    """The same name may mean another model elsewhere, or later: vectors are not mixed."""
    spaces: set[str] = set()
    variants: tuple[Mapping[str, Any], ...] = ({}, {"model_revision": "2"}, {"base": "/other/v1"})
    for also in variants:
        spaces.add(backend(address, "tiny", **also).space.space_id)
    assert len(spaces) == 3


def test_a_token_bucket_lets_bursts_pass_and_keeps_the_average() -> None:
    """Sixty a minute: ten at once, then one a second, however long nobody asked before."""
    now = 0.0
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        nonlocal now
        waited.append(seconds)
        now += seconds

    bucket = TokenBucket(60, sleep=sleep, clock=lambda: now)
    now = 1000.0
    for _ in range(15):
        bucket.take()
    assert sum(waited) == pytest.approx(5.0)
    assert now == pytest.approx(1005.0)


def test_who_waits_is_not_held_for_as_long_as_an_endpoint_asks(address: str) -> None:
    """An endpoint that asks for ten minutes fails at once where a person waits, at the next question too."""
    waited: list[float] = []
    context = replace(BackendContext.while_somebody_waits(Registry("x")), sleep=waited.append)
    settings = OpenAISettings(endpoint=f"{address}/v1", model="asks-to-wait", requests_per_minute=None)
    for _ in range(2):
        with pytest.raises(TransientSourceError) as found:
            OpenAIBackend(settings, context).embed_documents(["fox"])
        assert found.value.reason == "throttled"
    assert waited == []


def test_who_waits_is_not_held_by_what_a_job_was_asked(address: str) -> None:
    """Where a job of the same process waits for ten minutes, a person gets an error at once."""

    def first_wait(seconds: float) -> None:
        raise GivenUpError(f"waited {seconds:.0f}")

    settings = OpenAISettings(endpoint=f"{address}/v1?held", model="asks-to-wait")
    with pytest.raises(GivenUpError, match="waited 60"):
        OpenAIBackend(settings, BackendContext(Registry("x"), sleep=first_wait)).embed_documents(["fox"])
    asking = replace(BackendContext.while_somebody_waits(Registry("x")), sleep=first_wait)
    try:
        with pytest.raises(TransientSourceError, match="no calls for another"):
            OpenAIBackend(settings, asking).embed_documents(["fox"])
    finally:
        _accounts.clear()


def test_an_answer_that_never_ends_is_given_up(address: str) -> None:
    """A byte now and then is in time for each wait: the whole answer has a limit too."""
    settings = OpenAISettings(endpoint=f"{address}/v1", model="drips")
    once = BackendContext(None, policy=RetryPolicy(attempts=1), answer_seconds=0.3)
    with pytest.raises(TransientSourceError, match="TimeoutError"):
        OpenAIBackend(settings, once).embed_documents(["fox"])


def test_numbers_whose_squares_are_infinite_are_scaled(address: str) -> None:
    """What is finite becomes a unit vector, however large."""
    vector = backend(address, "huge-numbers").embed_documents(["fox"])[0]
    assert vector[:2].tolist() == pytest.approx([0.5**0.5, -(0.5**0.5)])
