"""embedder add, list, test, use, remove."""

from __future__ import annotations

from typing import Any

import click

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.groups import CommandGroup
from ingest_tui.cli.model_commands import ModelServices, ModelTypes, remove_command, test_command
from ingest_tui.cli.name_arguments import COLLECTION, EMBEDDER
from ingest_tui.cli.session import Session, json_option, pass_session
from ingest_tui.cli.source_options import named_as_options, setting_options, settings_given
from ingest_tui.model.counted import counted


@click.group(cls=CommandGroup)
def embedder() -> None:
    """Add, list, try and remove embedders: models that turn text into vectors. None is ever downloaded."""


def _types() -> list[tuple[str, str]]:
    from ingest_tui.services.embedders import backend_types

    return backend_types()


def _add_command(backend: str) -> click.Command:
    """Return `embedder add TYPE`, with the settings of that type."""
    from ingest_tui.services.embedders import settings_model

    model = settings_model(backend)

    @click.command(backend, help=f"Add an embedder of type {backend}. The model is tried first.")
    @click.argument("name")
    @json_option
    @pass_session
    def add_one(session: Session, /, name: str, as_json: bool, **options: Any) -> None:
        from ingest_tui.services.embedders import add_embedder

        with named_as_options(click.get_current_context()):
            added = add_embedder(session.workspace, backend=backend, name=name, settings=settings_given(options))
        if as_json:
            output.data(added)
            return
        output.line(
            f"added embedder {added.embedder_id}: {added.space.model}, {counted(added.space.dimensions, 'dimension')}"
        )
        output.line(f"next: ingest-tui embedder use {added.embedder_id} --collection default")

    add_one.params[1:1] = setting_options(model)
    return add_one


embedder.add_command(ModelTypes("embedder", _types, _add_command))


@embedder.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List the embedders."""
    from ingest_tui.services.embedders import list_embedders, unreadable_embedders

    rows = list_embedders(session.workspace)
    for name in unreadable_embedders(session.workspace):
        diagnostics.say(f"warning: embedder {name} cannot be read; 'ingest-tui doctor' reports why")
    if as_json:
        output.data([row.as_dict() for row in rows])
        return
    output.table(
        ("EMBEDDER", "TYPE", "MODEL", "DIMENSIONS", "USED BY"),
        [
            (one.embedder_id, one.backend, one.space.model, one.space.dimensions, ", ".join(row.used_by) or "-")
            for row in rows
            for one in (row.embedder,)
        ],
        empty="no embedders; 'ingest-tui embedder add --help' lists the types",
    )


@embedder.command()
@click.argument("name", type=EMBEDDER, required=False)
@click.option("--collection", type=COLLECTION, metavar="NAME", required=True, help="The collection that is to use it.")
@click.option("--manual", is_flag=True, help="Embed only when asked to, not after each sync.")
@click.option("--none", "nothing", is_flag=True, help="Use none from now on; vectors that are there stay.")
@json_option
@pass_session
def use(session: Session, name: str | None, collection: str, manual: bool, nothing: bool, as_json: bool) -> None:
    """Embed the documents of a collection with embedder NAME."""
    from ingest_tui.model.errors import UsageError
    from ingest_tui.services.embedders import embedder_id_of
    from ingest_tui.services.embedding import choose_embedder

    if (name is None) != nothing:
        raise UsageError("name an embedder, or give --none", hint="'ingest-tui embedder list' shows them")
    embedder_id = embedder_id_of(session.workspace, name) if name is not None else None
    saved = choose_embedder(session.workspace, collection, embedder_id, is_automatic=not manual)
    if as_json:
        output.data(saved)
        return
    output.line(
        f"collection {collection} uses {f'embedder {embedder_id}' if embedder_id else 'no embedder'} from now on"
    )
    if embedder_id:
        output.line(f"next: ingest-tui embed {collection}")


def _services() -> ModelServices:
    from ingest_tui.services.embedders import embedder_id_of, removal_in_words, remove_embedder, test_embedder

    return ModelServices(embedder_id_of, test_embedder, remove_embedder, removal_in_words)


embedder.add_command(
    test_command(
        _services,
        EMBEDDER,
        text="Try embedder NAME: are its packages and its model there, does it answer, is it the same model still?",
    )
)
embedder.add_command(remove_command("embedder", _services, EMBEDDER))
