"""reranker add, list, test, remove."""

from __future__ import annotations

from typing import Any

import click

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.groups import CommandGroup
from ingest_tui.cli.model_commands import ModelServices, ModelTypes, remove_command, test_command
from ingest_tui.cli.name_arguments import RERANKER
from ingest_tui.cli.session import Session, json_option, pass_session
from ingest_tui.cli.source_options import named_as_options, setting_options, settings_given


@click.group(cls=CommandGroup)
def reranker() -> None:
    """Add, list, try and remove rerankers: models that rank the best hits of a search again.

    A search of a collection uses the one that its preferences name, see `ingest-tui collection prefs`.
    """


def _types() -> list[tuple[str, str]]:
    from ingest_tui.services.rerankers import reranker_types

    return reranker_types()


def _add_command(backend: str) -> click.Command:
    """Return `reranker add TYPE`, with the settings of that type."""
    from ingest_tui.services.rerankers import settings_model

    model = settings_model(backend)

    @click.command(backend, help=f"Add a reranker of type {backend}. The model is tried first.")
    @click.argument("name")
    @json_option
    @pass_session
    def add_one(session: Session, /, name: str, as_json: bool, **options: Any) -> None:
        from ingest_tui.services.rerankers import add_reranker

        with named_as_options(click.get_current_context()):
            added = add_reranker(session.workspace, backend=backend, name=name, settings=settings_given(options))
        if as_json:
            output.data(added)
            return
        output.line(f"added reranker {added.reranker_id}")
        output.line(f"next: ingest-tui collection prefs default --set reranker={added.reranker_id}")

    add_one.params[1:1] = setting_options(model)
    return add_one


reranker.add_command(ModelTypes("reranker", _types, _add_command))


@reranker.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List the rerankers."""
    from ingest_tui.services.rerankers import list_rerankers

    rows = list_rerankers(session.workspace)
    for name in session.workspace.rerankers.unreadable():
        diagnostics.say(f"warning: reranker {name} cannot be read; 'ingest-tui doctor' reports why")
    if as_json:
        output.data([row.as_dict() for row in rows])
        return
    output.table(
        ("RERANKER", "TYPE", "USED BY"),
        [(row.reranker.reranker_id, row.reranker.backend, ", ".join(row.used_by) or "-") for row in rows],
        empty="no rerankers; 'ingest-tui reranker add --help' lists the types",
    )


def _services() -> ModelServices:
    from ingest_tui.services.rerankers import remove_reranker, reranker_id_of, test_reranker

    return ModelServices(reranker_id_of, test_reranker, remove_reranker)


reranker.add_command(
    test_command(
        _services,
        RERANKER,
        text="Try reranker NAME: are its packages and its model there, does it answer?",
    )
)
reranker.add_command(remove_command("reranker", _services, RERANKER))
