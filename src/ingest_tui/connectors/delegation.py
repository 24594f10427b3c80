"""Wrappers of connectors: what they do not do themselves is done by what they wrap, without being listed anywhere."""

from __future__ import annotations

from abc import update_abstractmethods
from operator import attrgetter
from typing import Any, TypeVar

from ingest_tui.connectors.base import BaseConnector

_Wrapper = TypeVar("_Wrapper", bound=type[BaseConnector])


def public_names() -> frozenset[str]:
    """Return everything that a connector offers: methods, class methods, and what is declared of its values."""
    declared = {*vars(BaseConnector), *BaseConnector.__annotations__}
    return frozenset(name for name in declared if not name.startswith("_"))


def delegating(wrapper: _Wrapper) -> _Wrapper:
    """Have each public name of a connector that ``wrapper`` does not define be that of its ``inner``, set there too."""
    for name in public_names() - vars(wrapper).keys():
        setattr(wrapper, name, _of_inner(name))
    update_abstractmethods(wrapper)
    return wrapper


def _of_inner(name: str) -> property:
    def set_it(wrapper: Any, value: Any) -> None:
        setattr(wrapper.inner, name, value)

    return property(attrgetter(f"inner.{name}"), set_it)
