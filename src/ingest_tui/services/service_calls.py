"""A service as a method of a subject of the client: what it does around the call, once for all services."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, Generic, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from ingest_tui.store.workspace import Workspace

Given = ParamSpec("Given")
Result = TypeVar("Result")
Item = TypeVar("Item")
Service = Callable[Concatenate["Workspace", Given], Result]


class ServiceClient(Protocol):
    """What a call needs of its client."""

    def opened(self) -> AbstractContextManager[Workspace]:
        """Open the workspace for one call."""

    def for_call(self) -> AbstractContextManager[Workspace]:
        """Give the workspace for one call that is over when it has answered: one that is open already, or as above."""

    def refuse_when_read_only(self) -> None:
        """Raise `RefusedError` where nothing may be changed."""

    def answered(self, call: ServiceCall[Any, Any], *args: Any, **kwargs: Any) -> Any:
        """Answer a call of a subject: with its service, or by asking whoever has the workspace."""


class ServiceCall(Generic[Given, Result]):
    """A service as a method of a subject. ``service()`` returns it; ``changes``: it changes something.

    ``needs_workspace``: there is something to open for it. ``name`` is that of its subject and its own: ``jobs.list``.
    """

    changes: ClassVar[bool] = False
    needs_workspace: ClassVar[bool] = True
    name = ""

    def __init__(self, service: Callable[[], Callable[..., Any]]) -> None:
        self.service = service

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = f"{owner.__name__.lstrip('_').lower()}.{name}"

    def __get__(self, subject: Subject, owner: type | None = None) -> Callable[Given, Result]:
        def call(*args: Given.args, **kwargs: Given.kwargs) -> Result:
            result: Result = subject.client.answered(self, *args, **kwargs)
            return result

        return call

    def answer(self, client: ServiceClient, service: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call the service."""
        with client.for_call() as workspace:
            return service(workspace, *args, **kwargs)


class _ServiceChange(ServiceCall[Given, Result]):
    """A service that changes something, which a client that only reads refuses."""

    changes: ClassVar[bool] = True

    def answer(self, client: ServiceClient, service: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call the service, unless nothing may be changed."""
        client.refuse_when_read_only()
        return super().answer(client, service, *args, **kwargs)


class ServiceStream(ServiceCall[Given, Iterator[Item]]):
    """A service that yields; the workspace stays open until it has ended, or is closed."""

    def answer(self, client: ServiceClient, service: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Yield what the service yields."""
        with client.opened() as workspace:
            yield from service(workspace, *args, **kwargs)


class _ChangeStream(ServiceStream[Given, Item]):
    """A service that yields while it changes something; refused at once by a client that only reads."""

    changes: ClassVar[bool] = True

    def answer(self, client: ServiceClient, service: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Yield what the service yields, unless nothing may be changed."""
        client.refuse_when_read_only()
        return super().answer(client, service, *args, **kwargs)


class _PlainCall(ServiceCall[Given, Result]):
    """A service that needs no workspace."""

    needs_workspace: ClassVar[bool] = False

    def answer(self, client: ServiceClient, service: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call the service; nothing is opened for it."""
        del client
        return service(*args, **kwargs)


def reads(find: Callable[[], Service[Given, Result]]) -> ServiceCall[Given, Result]:
    """Offer a service that only reads."""
    return ServiceCall(find)


def changes(find: Callable[[], Service[Given, Result]]) -> _ServiceChange[Given, Result]:
    """Offer a service that changes something."""
    return _ServiceChange(find)


def streams(find: Callable[[], Service[Given, Iterator[Item]]]) -> ServiceStream[Given, Item]:
    """Offer a service that yields."""
    return ServiceStream(find)


def change_streams(find: Callable[[], Service[Given, Iterator[Item]]]) -> _ChangeStream[Given, Item]:
    """Offer a service that yields while it changes something."""
    return _ChangeStream(find)


def offers(find: Callable[[], Callable[Given, Result]]) -> _PlainCall[Given, Result]:
    """Offer a service that needs no workspace."""
    return _PlainCall(find)


class Subject:
    """What there is to do with one kind of thing."""

    def __init__(self, client: ServiceClient) -> None:
        self.client = client
