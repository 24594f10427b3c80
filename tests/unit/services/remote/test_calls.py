"""The calls over HTTP are those of the client, and are asked alike."""

from __future__ import annotations

import inspect
from pathlib import Path

import click
import pytest

from ingest_tui.cli.main import cli
from ingest_tui.cli.remote_commands import REMOTE_COMMANDS
from ingest_tui.model.errors import RefusedError
from ingest_tui.services.client import Client
from ingest_tui.services.remote.calls import CALLS
from ingest_tui.services.remote.client import RemoteClient, connect
from ingest_tui.services.service_calls import ServiceCall, Subject

SERVICES = {
    call.name: call
    for subject in vars(Client(Path())).values()
    if isinstance(subject, Subject)
    for call in vars(type(subject)).values()
    if isinstance(call, ServiceCall)
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_takes_what_its_service_takes(name: str) -> None:
    """By the same names, in the same order, with the same defaults but for how often is asked; or it takes less."""
    service = dict(list(inspect.signature(SERVICES[name].service()).parameters.items())[1:])
    for parameter in list(inspect.signature(CALLS[name]).parameters.values())[1:]:
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            continue
        there = service[parameter.name]
        assert there.kind is parameter.kind
        assert parameter.name == "poll" or callable(there.default) or there.default == parameter.default


def test_what_cannot_be_asked_is_refused() -> None:
    """A call without an endpoint, and a change of what is only read; nothing is sent."""
    server = connect("http://127.0.0.1:1")
    with pytest.raises(RefusedError, match="on this machine"):
        RemoteClient(server).trash.empty([])
    with pytest.raises(RefusedError, match="--read-only"):
        RemoteClient(server, read_only=True).jobs.cancel("last")


def test_the_remote_commands_are_commands() -> None:
    """Each name in the list leads to a command, not to a group or to nothing."""
    for path in REMOTE_COMMANDS:
        command: click.Command | None = cli
        for name in path.split():
            assert isinstance(command, click.Group)
            command = command.get_command(click.Context(command), name)
        assert command is not None, path
        assert not isinstance(command, click.Group), path
