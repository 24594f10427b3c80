"""A remembered secret survives in no sink: log, manifest, outcome, audit, worker's lines, words on stderr."""

from __future__ import annotations

import base64
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from functools import cache
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ingest_tui.cli import diagnostics
from ingest_tui.cli.worker import reporter
from ingest_tui.model.errors import SourceAccessError
from ingest_tui.model.job import JobError, JobState, Manifest
from ingest_tui.model.outcome import Outcome
from ingest_tui.model.redaction import REDACTED, forget_secrets, redact, remember_secret
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.audit import AuditLog
from ingest_tui.store.records.job_log import JobLog

secrets = st.text(st.characters(exclude_categories=["Cs"]), min_size=6, max_size=30)
neighbours = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PLAIN_SINKS = {"say", "error", "worker, text"}
FORMS: dict[str, Callable[[str], str]] = {
    "plain": lambda secret: secret,
    "in an address": lambda secret: quote(secret, safe=""),
    "in base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "in a pair in base64": lambda secret: base64.b64encode(f"me:{secret}".encode()).decode(),
}


@pytest.fixture(autouse=True)
def _no_secrets() -> Iterator[None]:
    yield
    forget_secrets()


def strings_of(value: object) -> Iterator[str]:
    """Yield every string in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings_of(item)


def sinks(text: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Put a text into every sink, in every field that can hold one; yields what each has written."""
    log = JobLog(folder / "log.jsonl", job="j", source="s")
    log.event("warning", text, document=text, nested={"list": [text, {"deep": text}]}, path=Path("x") / text)
    log.close()
    yield "job log", (folder / "log.jsonl").read_text()
    layout = Layout(folder)
    AuditLog(layout).add(at="0", by="ann", action="source.add", target=text, url=text, more=[text])
    yield "audit", layout.audit.read_text()
    manifest = Manifest(job_id="j", source_id="s", collection_id="c", created_at="0", updated_at="0")
    manifest.move_to(JobState.QUEUED, at="0", by="ann", reason=text)
    manifest.add_error(JobError(code="x", message=text, hint=text, uri=text, at="0"))
    manifest.warnings.append(text)
    yield "manifest", manifest.model_dump_json(by_alias=True)
    outcome = Outcome("u", "k", "failed", "malformed", "0", text, text)
    yield "outcome", json.dumps(outcome.redacted().as_dict())
    error = SourceAccessError(f"refused: {text}", hint=text, uri=text)
    for name, write in (
        ("say", lambda: diagnostics.say(text)),
        ("error", lambda: diagnostics.fail(error, as_json=False)),
        ("error as JSON", lambda: diagnostics.fail(error, as_json=True)),
        ("worker, text", lambda: reporter("text")(text, {"error": text, "source": "s"})),
        ("worker, JSON", lambda: reporter("json")(text, {"error": [text], "source": "s"})),
    ):
        with redirect_stderr(io.StringIO()) as stream:
            write()
        yield name, stream.getvalue()


@cache
def usual_words() -> str:
    """What the sinks write anyway."""
    with tempfile.TemporaryDirectory() as folder:
        return "".join(written for _, written in sinks("nothing", Path(folder)))


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=40)
@given(secret=secrets, before=neighbours, after=neighbours)
def test_remembered_secret_survives_in_no_sink(form: str, secret: str, before: str, after: str) -> None:
    """Whatever the secret is and whatever is around it, no sink holds it in any form that gives it back."""
    hidden = FORMS[form](secret)
    text = f"{before} {hidden} {after}"
    remember_secret(secret)
    # A secret that is a part of what is there anyway, like a field's name, hides nothing.
    assume(secret not in usual_words() + REDACTED + redact(f"{before}  {after}"))
    with tempfile.TemporaryDirectory() as folder:
        for sink, written in sinks(text, Path(folder)):
            assert hidden not in written, sink
            objects = [] if sink in PLAIN_SINKS else [json.loads(line) for line in written.split("\n") if line]
            for string in [written, *strings_of(objects)]:
                assert secret not in string, sink
                assert secret not in unquote(string), sink
            assert REDACTED in written, sink
    forget_secrets()


@given(st.text(max_size=200))
def test_redaction_is_settled_after_one_turn(text: str) -> None:
    """What was redacted once is not changed by a second sink, and an ordinary text not by the first."""
    assert redact(redact(text)) == redact(text)
