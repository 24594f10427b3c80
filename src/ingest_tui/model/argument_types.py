"""Values of a wrong type from a caller: what was given and what is needed, in place of an error from the depth.

The annotations are the rule, so what is declared and what is checked cannot differ.
"""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from ingest_tui.model.errors import ValidationError

Given = ParamSpec("Given")
Result = TypeVar("Result")

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_WORDS = {
    "str": "text",
    "bytes": "bytes",
    "bool": "True or False",
    "int": "a whole number",
    "float": "a number",
    "dict": "a dict",
    "Path": "a path",
    "PathLike": "a path",
    "Callable": "a function",
    "NoneType": "None",
}


class WrongTypeError(ValidationError, TypeError):
    """A value of a type that cannot be used. A TypeError too, as Python's own functions raise."""


def checks_types(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Let a function raise `WrongTypeError` for an argument that is not of its annotated type.

    Only the outer type is looked at: of ``dict[str, Any]`` that it is a dict. ``Any`` and protocols are not checked.
    """
    signature = inspect.signature(function)
    shape = f"{function.__qualname__}{signature}".replace("'", "")
    positional = [one.name for one in signature.parameters.values() if one.kind in _POSITIONAL]

    @functools.wraps(function)
    def checked(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        # Not bound by `inspect`: some of these are called for every document. Python names what is missing or too much.
        if kwargs or not _are_plainly_right(function, args):
            check_types(function, dict(zip(positional, args, strict=False)) | kwargs, hint=shape)
        return function(*args, **kwargs)

    return checked


def _are_plainly_right(function: Callable[..., object], values: tuple[object, ...]) -> bool:
    """Tell whether each value is of the very class that its position is annotated with: no other question is needed."""
    for value, kinds in zip(values, _kinds_by_position(function), strict=False):
        if kinds and type(value) not in kinds:
            return False
    return True


@functools.cache
def _kinds_by_position(function: Callable[..., object]) -> tuple[tuple[type, ...], ...]:
    kinds = _kinds_of(function)
    parameters = inspect.signature(function).parameters.values()
    return tuple(kinds.get(one.name, ()) for one in parameters if one.kind in _POSITIONAL)


def check_types(annotated: Callable[..., object], given: Mapping[str, object], *, of: str = "", hint: str = "") -> None:
    """Raise `WrongTypeError` for the first value that is not of the type annotated under its name.

    ``annotated`` is a function or a class; ``of`` says whose the values are.
    """
    for name, kinds in _kinds_of(annotated).items():
        if name in given and not _is_one_of(given[name], kinds):
            needed = " or ".join(dict.fromkeys(_WORDS.get(kind.__name__, kind.__name__) for kind in kinds))
            value = given[name]
            got = "None" if value is None else type(value).__name__
            raise WrongTypeError(f"{name}{of} must be {needed}, not {got}", hint=hint)


def _is_one_of(value: object, kinds: tuple[type, ...]) -> bool:
    if isinstance(value, bool):  # a bool is an int for Python, and a number for nobody else
        return bool in kinds or object in kinds
    return isinstance(value, kinds) or (float in kinds and isinstance(value, int))


@functools.cache
def _kinds_of(annotated: Callable[..., object]) -> dict[str, tuple[type, ...]]:
    hints = typing.get_type_hints(annotated)
    variadic = set()
    if not isinstance(annotated, type):
        parameters = inspect.signature(annotated).parameters.values()
        variadic = {one.name for one in parameters if one.kind in {one.VAR_POSITIONAL, one.VAR_KEYWORD}}
    kinds = {name: _classes(hint) for name, hint in hints.items() if name != "return" and name not in variadic}
    return {name: classes for name, classes in kinds.items() if classes}


def _classes(hint: Any) -> tuple[type, ...]:
    """Return the classes that an annotation stands for; none where it cannot be checked."""
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        parts = [_classes(part) for part in typing.get_args(hint)]
        return tuple(kind for part in parts for kind in part) if all(parts) else ()
    kind = typing.get_origin(hint) or hint
    is_checkable = kind is not Any and isinstance(kind, type) and not getattr(kind, "_is_protocol", False)
    return (kind,) if is_checkable and kind is not object else ()
