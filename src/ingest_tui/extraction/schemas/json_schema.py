"""JSON Schema (json-schema.org, drafts 3 to 2020-12) with jsonschema. Nothing that it refers to is ever fetched."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_CHECKED_FORMATS = ("date", "email", "ipv4", "ipv6", "uuid")
"""Those that the standard library decides; others depend on what else is installed, and are not checked."""
_SHOWN_CHARACTERS = 160
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


class UnusableSchemaError(Exception):
    """A schema that cannot be used; its text says why."""


@dataclass(frozen=True, slots=True)
class JsonViolation:
    """One value that does not follow the schema: where it is (``""`` is the whole document), and why."""

    pointer: str
    message: str

    def as_text(self) -> str:
        """Return both, the place as a JSON pointer (RFC 6901)."""
        return f"{self.pointer or 'the whole value'}: {self.message}"


class JsonSchema:
    """A schema, ready to check values. Raises `UnusableSchemaError`."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        import jsonschema
        from jsonschema_specifications import REGISTRY

        kind = _validator_class(schema)
        if not (set(schema) & set(kind.VALIDATORS)):
            raise UnusableSchemaError("it has no keyword of JSON Schema, and no fields as a Table Schema has")
        try:
            kind.check_schema(schema, format_checker=kind.FORMAT_CHECKER)
        except jsonschema.SchemaError as error:
            raise UnusableSchemaError(f"{_pointer(error.absolute_path) or 'its top'}: {_words_of(error)}") from None
        _check_references(schema)
        self._validator = kind(schema, registry=REGISTRY, format_checker=_format_checker())

    def violations(self, value: Any) -> Iterator[JsonViolation]:
        """Yield what in a value does not follow the schema."""
        for error in self._validator.iter_errors(value):
            yield JsonViolation(_pointer(error.absolute_path), _words_of(error))


def _validator_class(schema: Mapping[str, Any]) -> Any:
    from jsonschema import validators

    stated = schema.get("$schema")
    if stated is None:
        return validators.Draft202012Validator
    known = validators.validator_for({"$schema": stated}, default=None) if isinstance(stated, str) else None
    if known is None:
        raise UnusableSchemaError(f"its $schema {str(stated)[:80]!r} is none that is known; 2020-12 is the newest")
    return known


def _format_checker() -> Any:
    from jsonschema import FormatChecker

    checker = FormatChecker(formats=_CHECKED_FORMATS)
    checker.checks("date-time", raises=ValueError)(_is_date_time)
    return checker


def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or ("T" in value.upper() and datetime.fromisoformat(value).tzinfo is not None)


def _check_references(schema: Mapping[str, Any]) -> None:
    """Raise for a reference that leads out of the schema: nothing is fetched, so no document could be checked."""
    from jsonschema_specifications import REGISTRY
    from referencing import Resource
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    resource: Resource[Any] = Resource.from_contents(schema, default_specification=DRAFT202012)
    specification = resource._specification  # noqa: SLF001 - of the parts that references lead to
    waiting = [(resource, REGISTRY.with_resource(resource.id() or "", resource).resolver_with_root(resource))]
    seen = {id(schema)}
    while waiting:
        part, resolver = waiting.pop()
        contents = part.contents
        for keyword in _REFERENCES if isinstance(contents, Mapping) else ():
            target = contents.get(keyword)
            if not isinstance(target, str):
                continue
            try:
                resolved = resolver.lookup(target)
            except (Unresolvable, LookupError, ValueError):
                message = f"it refers to {target[:100]!r}, which is not in it; nothing is fetched"
                raise UnusableSchemaError(message) from None
            if id(resolved.contents) not in seen:
                seen.add(id(resolved.contents))
                waiting.append((specification.create_resource(resolved.contents), resolved.resolver))
        waiting += ((one, resolver.in_subresource(one)) for one in part.subresources())


def _pointer(path: Any) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _words_of(error: Any) -> str:
    """Return what is wrong; a message that quotes a large value gives way to the rule alone."""
    message = str(error.message)
    if len(message) <= _SHOWN_CHARACTERS:
        return message
    rule = json.dumps(error.validator_value, ensure_ascii=False, default=str)
    return f"does not satisfy {error.validator}: {rule}"[:_SHOWN_CHARACTERS]
