"""reembed: another generation of a collection's vectors, built next to the one that answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ingest_tui.cli import output
from ingest_tui.cli.name_arguments import EMBEDDED, EMBEDDER
from ingest_tui.cli.session import (
    Session,
    confirm,
    dry_run_option,
    json_option,
    pass_session,
    report_dry_run,
    yes_option,
)

if TYPE_CHECKING:
    from ingest_tui.model.generation import Generation

_ACTIONS = ("switch", "revert", "discard", "compare", "list_all")


@click.command()
@click.argument("targets", type=EMBEDDED, metavar="COLLECTION|SOURCE|DOCUMENT...", nargs=-1, required=True)
@click.option(
    "--embedder",
    type=EMBEDDER,
    metavar="NAME",
    help="Embed with this one from now on; the collection's own otherwise.",
)
@click.option("--no-switch", is_flag=True, help="Only build: the old vectors answer until --switch.")
@click.option("--switch", is_flag=True, help="Complete what was built and let it answer.")
@click.option("--revert", is_flag=True, help="Let the vectors of before answer again.")
@click.option("--discard", is_flag=True, help="Drop the vectors that do not answer.")
@click.option(
    "--compare",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="QUERIES.txt",
    help="Show what both generations answer to queries, one a line.",
)
@click.option(
    "--limit", type=click.IntRange(1, 100), default=10, show_default=True, help="With --compare: so many hits."
)
@click.option("--list", "list_all", is_flag=True, help="List the generations of vectors that there are.")
@click.option("--detach", is_flag=True, help="Only queue; a worker does it.")
@dry_run_option
@yes_option
@json_option
@pass_session
def reembed(session: Session, /, targets: tuple[str, ...], **options: Any) -> int:
    """Make vectors again: of a COLLECTION, or of sources or documents of one, with the model as it is now.

    They are a second generation, built next to the one that answers; that answers until the new one is complete, then
    all searches switch at once. The generation of before is kept for as long as the trash keeps documents (trash_days).
    """
    from ingest_tui.services import generations

    scope = generations.scope_of(session.workspace, [_identifier(session, target) for target in targets])
    action = _action_of(options)
    if options["dry_run"] and action != "discard":
        raise _usage("-n goes with --discard", "'ingest-tui reembed COLLECTION --list' shows what there is")
    if action is not None and not scope.is_whole:
        raise _usage("this is done for a whole collection", f"name collection {scope.collection_id}")
    if action == "list":
        _show(generations.list_generations(session.workspace, scope.collection_id), as_json=options["as_json"])
        return 0
    if action == "compare":
        _compare(session, scope.collection_id, options)
        return 0
    if action == "revert":
        _revert(session, scope.collection_id, as_json=options["as_json"])
        return 0
    if action == "discard":
        _discard(session, scope.collection_id, options)
        return 0
    return _queue_and_follow(session, scope, options)


def _action_of(options: dict[str, Any]) -> str | None:
    """Return the one thing that is to be done rather than to build; raises `UsageError` for several."""
    named = [name.removesuffix("_all") for name in _ACTIONS if options[name]]
    building = [name for name in ("no_switch", "embedder") if options[name]]
    if len(named) > 1 or (named and building):
        both = ", ".join(f"--{name.replace('_', '-')}" for name in (*named, *building))
        raise _usage(f"one at a time: {both}", "build with --no-switch first, then --switch")
    return named[0] if named else None


def _usage(message: str, hint: str) -> Exception:
    from ingest_tui.model.errors import UsageError

    return UsageError(message, hint=hint)


def _identifier(session: Session, target: str) -> str:
    """Return the identifier of the collection or source that people call so; other names stay as they are."""
    from ingest_tui.model.errors import NotFoundError
    from ingest_tui.services.name_lookup import collection_id_of, source_id_of

    for identifier_of in (collection_id_of, source_id_of):
        try:
            found = identifier_of(session.workspace, target)
        except NotFoundError:
            continue
        if found != target:
            return found
    return target


def _queue_and_follow(session: Session, scope: Any, options: dict[str, Any]) -> int:
    from ingest_tui.cli.sync import follow_unless_detached
    from ingest_tui.services import generations
    from ingest_tui.services.embedders import embedder_id_of

    if options["switch"]:
        queued = generations.switch_generation(session.workspace, scope.collection_id)
    else:
        name = options["embedder"]
        embedder_id = embedder_id_of(session.workspace, name) if name else None
        queued = generations.reembed(
            session.workspace, scope, embedder_id=embedder_id, switches=not options["no_switch"]
        )
    return follow_unless_detached(session.client, queued, detach=options["detach"], as_json=options["as_json"])


def _revert(session: Session, collection_id: str, *, as_json: bool) -> None:
    from ingest_tui.services import generations

    answering = generations.revert_generation(session.workspace, collection_id)
    if as_json:
        output.data(_as_dict(answering))
        return
    output.line(f"generation {answering.number} of collection {collection_id} answers again")
    output.line(f"next: ingest-tui embed {collection_id}   (for what has changed since)")


def _discard(session: Session, collection_id: str, options: dict[str, Any]) -> None:
    from ingest_tui.services import generations

    as_json = options["as_json"]
    found = generations.discardable_generation(session.workspace, collection_id)  # before anything is asked
    what = f"generation {found.number} of collection {collection_id} ({found.state}, {found.embedder.embedder_id})"
    if options["dry_run"]:
        report_dry_run(f"would drop {what}", _as_dict(found), as_json=as_json)
        return
    confirm(f"Drop {what}, which does not answer?", yes=options["yes"], as_json=as_json)
    dropped = generations.discard_generation(session.workspace, collection_id)
    if as_json:
        output.data(_as_dict(dropped))
        return
    output.line(f"generation {dropped.number} of collection {collection_id} is dropped")


def _compare(session: Session, collection_id: str, options: dict[str, Any]) -> None:
    from ingest_tui.services.comparison import compare_generations, compared_generations
    from ingest_tui.services.documents.evaluation import text_of_file

    lines = [line.strip() for line in text_of_file(options["compare"]).splitlines()]
    queries = [line for line in lines if line]
    if not queries:
        raise _usage("there is no query in the file", "write one a line")
    pair = compared_generations(session.workspace, collection_id)
    compared = compare_generations(session.workspace, pair, collection_id, queries, limit=options["limit"])
    if options["as_json"]:
        before, after = map(_as_dict, pair)
        output.data({"before": before, "after": after, "queries": [one.as_dict() for one in compared]})
        return
    names = [f"{one.number} · {one.embedder.embedder_id} ({one.state})" for one in pair]
    for one in compared:
        most = max(len(one.before), len(one.after))
        output.line(f"{one.query}   [{one.shared} of {most} in both]")
        sides = ([*(hit.title for hit in found), *[""] * (most - len(found))] for found in (one.before, one.after))
        rows = [(rank, *titles) for rank, titles in enumerate(zip(*sides, strict=True), 1)]
        output.table(("", *names), rows, empty="nothing found by either")
        output.line()


def _show(found: tuple[Generation, ...], *, as_json: bool) -> None:
    if as_json:
        output.data([_as_dict(one) for one in found])
        return
    output.table(
        ("GENERATION", "STATE", "EMBEDDER", "MODEL", "BEGUN", "ANSWERED UNTIL"),
        [
            (
                one.number,
                one.state,
                one.embedder.embedder_id,
                one.space.model,
                one.created_at[:19],
                one.answered_until[:19] or "-",
            )
            for one in found
        ],
        empty="no vectors yet; 'ingest-tui embed COLLECTION' makes them",
    )


def _as_dict(one: Generation) -> dict[str, Any]:
    whole: dict[str, Any] = one.model_dump(mode="json", exclude={"embedder"})
    return whole | {"embedder": one.embedder.embedder_id, "space_id": one.space.space_id}
