"""Who is told of the end of a job, what is told, and how it is signed."""

from __future__ import annotations

from typing import Any

import pydantic
import pytest

from ingest_tui.model.job import HeldDeletions, JobError, JobState, Manifest
from ingest_tui.model.job_end_hook import JobEndHook, event_of, signature_of

AT = "2026-11-29T12:00:00.000Z"


def ended(state: JobState = JobState.PARTIAL, **fields: Any) -> Manifest:
    return Manifest(
        job_id="20261129-120000-docs-7k3q",
        source_id="docs",
        collection_id="default",
        state=state,
        created_at=AT,
        updated_at=AT,
        **fields,
    )


def test_a_hook_hears_of_trouble_unless_told_otherwise() -> None:
    """By default of jobs that failed or left items; states, sources and kinds narrow that."""
    usual = JobEndHook(name="mail", command=("/bin/true",))
    assert [usual.is_for(ended(state)) for state in (JobState.SUCCEEDED, JobState.PARTIAL, JobState.FAILED)] == [
        False,
        True,
        True,
    ]
    assert JobEndHook(name="all", command=("true",), states=()).is_for(ended(JobState.SUCCEEDED))
    assert not JobEndHook(name="other", command=("true",), sources=("other",)).is_for(ended())
    assert not JobEndHook(name="embed", command=("true",), kinds=("embed",)).is_for(ended())


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"command": ["true"], "url": "https://host/"},
        {"url": "ftp://host/"},
        {"url": "https://host/", "secret": "written here"},
        {"command": ["true"], "secret": "env:X"},
        {"command": ["true"], "states": ["running"]},
        {"command": ["true"], "name": "../x"},
        {"command": ["true"], "misspelt": 1},
    ],
)
def test_what_cannot_work_is_refused(fields: dict[str, Any]) -> None:
    """One of command and url, no secret that is written down, no state that no job ends in, no unknown field."""
    with pytest.raises(pydantic.ValidationError):
        JobEndHook.model_validate({"name": "chat"} | fields)


def test_the_event_says_what_became_of_the_job() -> None:
    """State, numbers that count something, the last errors, and a line for people."""
    errors = [JobError(code=f"e{number}", message=f"broken {number}", at=AT) for number in range(5)]
    manifest = ended(errors=errors, errors_total=5, held=HeldDeletions(documents=7, known=9, reason="share"))
    manifest.counters.items_ingested = 3
    event = event_of(manifest, "/srv/ws")
    assert (event["state"], event["workspace"], event["held_deletions"]) == ("partial", "/srv/ws", 7)
    assert event["counters"] == {"items_ingested": 3}
    assert [error["code"] for error in event["errors"]] == ["e2", "e3", "e4"]
    assert event["text"] == (
        "sync of docs: partial (3 ingested, 5 errors, 7 deletions wait for approval), job 20261129-120000-docs-7k3q"
    )
    failed = ended(JobState.FAILED, errors=errors[:1], errors_total=1)
    assert "broken 0" in event_of(failed, "/srv/ws")["text"]


def test_signature_is_that_of_the_standard() -> None:
    """The example of the Standard Webhooks libraries comes out; a plain secret is taken as it is."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signature_of(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == expected
    assert signature_of("plain", "id", 1, b"") != signature_of("other", "id", 1, b"")
    assert signature_of("whsec_no base64", "id", 1, b"") == signature_of("whsec_no base64", "id", 1, b"")
