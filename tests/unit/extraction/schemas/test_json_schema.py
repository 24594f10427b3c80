"""JSON Schema over JSON and JSON lines."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from ingest_tui.extraction.parse import extract
from ingest_tui.extraction.schemas.json_schema import UnusableSchemaError
from ingest_tui.extraction.schemas.schema_check import SchemaCheck
from ingest_tui.extraction.schemas.schema_file import load_schema
from ingest_tui.model.errors import ItemRejectedError

PERSON = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}


def violations(text: str, schema: dict[str, Any], name: str = "a.json") -> list[str]:
    """Return what in a document does not follow a schema."""
    found = extract(text.encode(), file_name=name, schema=SchemaCheck(json.dumps(schema), rejects=False)).validation
    return [one.message for one in found if one.code.startswith("schema")]


def test_a_violation_has_its_pointer() -> None:
    """The place is a JSON pointer, with its own characters escaped."""
    schema = {"properties": {"a/b": {"items": {"properties": {"~": {"type": "integer"}}}}}}
    assert violations('{"a/b": [{"~": 1}, {"~": "x"}]}', schema) == ["/a~1b/1/~0: 'x' is not of type 'integer'"]
    assert violations("{}", PERSON) == ["the whole value: 'name' is a required property"]


def test_json_lines_are_checked_line_by_line() -> None:
    """Each line is a value of its own; one that is no JSON is a violation too."""
    assert violations('{"name": "x"}\n\n{"name": 1}\n{"na\n', PERSON, "a.jsonl") == [
        "line 3, /name: 1 is not of type 'string'",
        "line 4: not valid JSON",
    ]


def test_a_broken_document_follows_no_schema() -> None:
    """What is no JSON cannot be what a JSON Schema asks for; what only begins like it is another document."""
    assert violations('{"name": ', PERSON) == ["not valid JSON"]
    assert violations('{"name": ', PERSON, "a.txt") == []


def test_other_documents_are_not_checked() -> None:
    """Texts, tables and notebooks are not what the schema is about; what a file named .json holds is."""
    assert violations("name,age\nx,1\n", PERSON, "a.csv") == []
    assert violations("hello", PERSON, "a.txt") == []
    notebook = '{"cells": [{"cell_type": "markdown", "source": "text"}], "nbformat": 4}'
    assert violations(notebook, {"type": "array"}, "a.ipynb") == []
    assert len(violations(notebook, {"type": "array"}, "a.json")) == 1


def test_a_large_value_is_not_quoted() -> None:
    """The message about a large object names the rule."""
    text = json.dumps({"name": list(range(1000))})
    assert violations(text, PERSON) == ['/name: does not satisfy type: "string"']


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("date", "2026-02-28", "2026-02-30"),
        ("date-time", "2026-02-28T10:00:00Z", "2026-02-28 10:00"),
        ("email", "a@b", "a"),
        ("ipv4", "192.0.2.1", "192.0.2"),
        ("ipv6", "2001:db8::1", "2001"),
        ("uuid", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7"),
    ],
)
def test_formats_of_the_standard_library_are_checked(form: str, good: str, bad: str) -> None:
    """Dates, addresses and identifiers have to be some, whatever other packages are installed."""
    assert violations(json.dumps([good]), {"items": {"format": form}}) == []
    assert len(violations(json.dumps([bad]), {"items": {"format": form}})) == 1


def test_formats_that_need_more_are_left_alone() -> None:
    """What no package that is always there can decide is not checked."""
    assert violations('["no uri"]', {"items": {"format": "uri"}}) == []


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reference to another place is refused with the schema, without a connection."""

    def refuse(*_arguments: Any) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket, "socket", refuse)
    for target in ("https://example.org/other.json", "other.json", "file:///etc/hostname", "#/nowhere", "#nowhere"):
        with pytest.raises(UnusableSchemaError, match="nothing is fetched"):
            load_schema(json.dumps({"properties": {"a": {"$ref": target}}}))


def test_references_behind_references_are_looked_at() -> None:
    """A part that only a reference reaches may not lead out of the schema either."""
    schema = {"$ref": "#/parts/a", "parts": {"a": {"items": {"$ref": "https://example.org/x"}}}}
    with pytest.raises(UnusableSchemaError, match="nothing is fetched"):
        load_schema(json.dumps(schema))


def test_references_within_are_followed() -> None:
    """Definitions, anchors, identifiers and the published schema of schemas are there without a network."""
    schema = {
        "$id": "https://example.org/root",
        "$defs": {"n": {"$id": "n", "type": "integer"}, "t": {"$anchor": "text", "type": "string"}},
        "properties": {
            "n": {"$ref": "n"}, "t": {"$ref": "#text"}, "all": {"$ref": "https://json-schema.org/draft/2020-12/schema"},
            "again": {"$ref": "#"},
        },
    }  # fmt: skip
    text = '{"n": "x", "t": 1, "all": {"type": 5}, "again": {"n": 1}}'
    assert [one.partition(":")[0] for one in violations(text, schema)] == ["/n", "/t", "/all/type"]


def test_data_in_a_schema_is_no_reference() -> None:
    """A key ``$ref`` in an example or a constant is a value."""
    assert violations('{"$ref": "https://x"}', {"const": {"$ref": "https://x"}, "examples": [{"$ref": "y"}]}) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is not valid JSON"),
        ("[]", "it is no JSON object"),
        ('{"foo": 1}', "it has no keyword of JSON Schema"),
        ('{"type": "strin"}', "/type: "),
        ('{"pattern": "("}', "/pattern: "),
        ('{"$schema": "https://example.org/mine", "type": "object"}', "its .schema 'https://example.org/mine' is none"),
        ('{"$schema": 7, "type": "object"}', "its .schema '7' is none"),
        ('{"not": ' * 20_000, "it is n"),
    ],
)
def test_an_unusable_schema_says_why(text: str, why: str) -> None:
    """What is no schema is refused with its reason."""
    with pytest.raises(UnusableSchemaError, match="^" + why):
        load_schema(text)


def test_a_schema_without_end_is_a_finding() -> None:
    """A schema that refers to itself for ever costs each document a finding, and nothing else."""
    [found] = violations('{"a": 1}', {"$ref": "#"})
    assert found == "it cannot be checked against the schema of its source: it is nested too deep"
    with pytest.raises(ItemRejectedError, match="cannot be checked"):
        extract(b"{}", file_name="a.json", schema=SchemaCheck('{"$ref": "#"}', rejects=True))


def test_violations_can_keep_a_document_out() -> None:
    """Where the source says so, a document with violations is rejected with the first one."""
    check = SchemaCheck(json.dumps({"items": {"type": "string"}}), rejects=True)
    with pytest.raises(ItemRejectedError, match="2 violations of the schema, first: /0: 1 is not of type") as raised:
        extract(b"[1, 2]", file_name="a.json", schema=check)
    assert raised.value.reason == "schema_violation"
    assert "--schema-violations report" in raised.value.hint


def test_counting_ends() -> None:
    """A document of a million violations is not looked through to its end."""
    found = violations(json.dumps([1] * 200_000), {"items": {"type": "string"}})
    assert found[-1] == "at least 9,980 more violations of the schema"


def test_parts_of_a_document_are_not_checked() -> None:
    """The schema is about the documents of a source, not about what is attached to a mail."""
    mail = (
        "From: a@b.c\nTo: a@b.c\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
        '--b\nContent-Type: text/plain\n\nhello\n--b\nContent-Type: application/json\n'
        'Content-Disposition: attachment; filename="a.json"\n\n{"name": 1}\n--b--\n'
    )  # fmt: skip
    assert violations(mail, PERSON, "a.eml") == []
