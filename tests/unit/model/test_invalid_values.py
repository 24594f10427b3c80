"""What pydantic refuses, in words."""

from __future__ import annotations

from typing import Any, Literal

import pydantic
import pytest

from ingest_tui.model.invalid_values import invalid_fields, refusal_in_words


class _Inner(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    name: str = pydantic.Field(default="a", min_length=1, max_length=3)


class _Settings(pydantic.BaseModel):
    size: int = pydantic.Field(default=5, ge=1, le=9)
    share: float = pydantic.Field(default=0.5, gt=0, allow_inf_nan=False)
    mode: Literal["auto", "never"] = "auto"
    watch: bool = False
    patterns: tuple[str, ...] = pydantic.Field(default=(), max_length=2)
    home: pydantic.HttpUrl = pydantic.HttpUrl("https://example.org")
    inner: _Inner = _Inner()

    @pydantic.field_validator("patterns")
    @classmethod
    def _no_star(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        if "*" in patterns:
            raise ValueError("Everything is not a pattern")
        return patterns


class _Needy(pydantic.BaseModel):
    name: str


def _refused(model: type[pydantic.BaseModel], values: dict[str, Any]) -> pydantic.ValidationError:
    with pytest.raises(pydantic.ValidationError) as caught:
        model.model_validate(values)
    return caught.value


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"size": "much"}, "size: must be a whole number, not 'much'"),
        ({"size": 4.5}, "size: must be a whole number, not 4.5"),
        ({"size": 12}, "size: must be at most 9, not 12"),
        ({"share": 0}, "share: must be more than 0, not 0"),
        ({"share": "nan"}, "share: must be a finite number, not 'nan'"),
        ({"mode": "Auto"}, "mode: must be 'auto' or 'never', not 'Auto'"),
        ({"watch": "perhaps"}, "watch: must be true or false, not 'perhaps'"),
        ({"patterns": "x"}, "patterns: must be a list"),
        ({"patterns": ["a", "b", "c"]}, "patterns: must have at most 2 entries"),
        ({"patterns": ["*"]}, "patterns: everything is not a pattern"),
        ({"home": "user:secret@"}, "home: must be an address that begins with http:// or https://"),
        ({"inner": {"name": ""}}, "inner.name: this is needed"),
        ({"inner": {"name": "abcd"}}, "inner.name: must have at most 3 characters"),
        ({"inner": {"nam": "a"}}, "inner.nam: there is no such setting"),
        ({"inner": 3}, "inner: must be an object with keys and values"),
    ],
)
def test_what_is_refused_names_field_and_what_is_possible(values: dict[str, Any], words: str) -> None:
    """Numbers and choices are quoted as they were given; texts, which may hold a secret, are not."""
    assert refusal_in_words(_refused(_Settings, values)) == words


def test_values_of_credentials_are_never_quoted() -> None:
    """Nor does a colon follow a name there, which would be taken for that of a secret."""
    assert refusal_in_words(_refused(_Settings, {"size": "hunter2"}), colon=" –", quotes=False) == (
        "size – must be a whole number"
    )


def test_a_form_gets_one_problem_for_each_field() -> None:
    """What is missing is needed, and what is in a field is that field's."""
    assert invalid_fields(_refused(_Needy, {}), general="all") == {"name": "this is needed"}
    error = _refused(_Settings, {"inner": {"name": "", "x": 1, "y": 2}, "size": 0})
    assert invalid_fields(error, general="all") == {
        "inner": "this is needed",
        "size": "must be at least 1, not 0",
    }


def test_nothing_reads_the_messages_of_pydantic_elsewhere() -> None:
    """Where they were put before people as they are, this module words them; rclone's log has a `msg` of its own."""
    from pathlib import Path

    import ingest_tui

    root = Path(ingest_tui.__file__).parent
    readers = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if '["msg"]' in path.read_text() or "['msg']" in path.read_text()
    }
    assert readers == {"model/invalid_values.py", "connectors/rclone/failures.py"}
