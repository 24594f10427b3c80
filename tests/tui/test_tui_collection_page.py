"""The page of a collection: its sources and documents with the states of their vectors, and what is done with these."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import pytest
from textual.widgets import Input

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.cli.collection import collection as collection_group
from ingest_tui.cli.embedder import use as use_embedder
from ingest_tui.cli.embedding import embed
from ingest_tui.cli.reembedding import reembed
from ingest_tui.model.collection import CollectionPreferences
from ingest_tui.model.embedder import Embedder, VectorSpace
from ingest_tui.model.generation import Generation, GenerationState
from ingest_tui.model.job import JobState, Manifest
from ingest_tui.services.client import Client
from ingest_tui.services.collections.collections import CollectionSummary
from ingest_tui.services.collections.page import CollectionPage, SourceOfCollection
from ingest_tui.services.documents.documents import DocumentPage
from ingest_tui.services.generations import list_generations
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.tui.actions.actions import ACTIONS
from ingest_tui.tui.dialogs.ask import Ask
from ingest_tui.tui.dialogs.dialogs import Choose, Confirm
from ingest_tui.tui.dialogs.report import LinesReport
from ingest_tui.tui.views.collections.collection_screen import CollectionScreen
from ingest_tui.tui.views.collections.preferences_form import SECTIONS, fields_in_sections
from ingest_tui.tui.views.documents.documents_screen import DocumentsScreen
from ingest_tui.tui.widgets.text import TextLines
from ingest_tui.tui.wording import state_word
from tests.tui.stories import HOSTILE_NAMES, NOW_TEXT, let_answer, run_story, said, screen_text, until
from tests.unit.pipeline.embed.embedding_lab import EmbeddingLab

STATES = ("queued", "running", "succeeded", "failed", "cancelled")


def page_of(workspace_page: CollectionPage, **changes: Any) -> CollectionPage:
    """Return a page with other values."""
    known = {name: getattr(workspace_page, name) for name in ("summary", "to_embed", "sources", "generations", "jobs")}
    return CollectionPage(**(known | changes))


async def open_default(app: Any, pilot: Any) -> CollectionScreen:
    """Open the page of the default collection, and wait until it is filled."""
    await pilot.press("8")
    await until(pilot, lambda: app.screen.view == "collections" and app.screen.row_key == "default")
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, CollectionScreen) and app.screen._page is not None)
    page: CollectionScreen = app.screen
    return page


async def take(app: Any, pilot: Any, title: str, name: str) -> None:
    """Take an option of the chooser of a title, by its name."""
    await until(pilot, lambda: isinstance(app.screen, Choose) and title in app.screen._title)
    names = [one for one, _text in app.screen._options]
    await pilot.press(*["down"] * names.index(name), "enter")


def notices(app: Any) -> str:
    """Return all notices."""
    return "\n".join(one.message for one in app._notifications)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
def test_each_state_of_the_vectors_of_a_source_is_shown(root: Path, size: tuple[int, int]) -> None:
    """Queued, running, succeeded, failed, cancelled: as glyph and word, in the vectors that answer and in the next."""
    client = Client(root)
    known = client.collections.page("default")
    sources = tuple(SourceOfCollection(state, 3, "succeeded", state) for state in STATES)  # type: ignore[arg-type]
    jobs = tuple(
        Manifest(job_id=f"20261121-11580{number}-embed-7k3q", kind="embed", source_id="embedding",
                 collection_id="default", created_at=NOW_TEXT, updated_at=NOW_TEXT, state=state)
        for number, state in enumerate(JobState)
    )  # fmt: skip
    let_answer(client.collections, page=lambda _name: page_of(known, sources=sources, to_embed=12, jobs=jobs))

    async def story(app: Any, pilot: Any) -> None:
        page = await open_default(app, pilot)
        await until(pilot, lambda: len(page.board("sources").rows) == 5)
        lines = page.query_one("#collection-about", TextLines)
        await until(pilot, lambda: all(f"embed            {state_word(state)}" in lines.plain for state in JobState))
        for state in STATES:
            page.board("sources").select(state)
            shown = f"+ succeeded  {state_word(state)} "
            await until(pilot, lambda shown=shown: shown in screen_text(app))  # type: ignore[misc]
        assert "NEXT VECTORS" in screen_text(app)

    run_story(root, story, client=client, size=size)


def test_a_collection_without_anything_says_what_to_do(root: Path) -> None:
    """Each panel has the next key, and Esc leads back to the row."""

    async def story(app: Any, pilot: Any) -> None:
        await open_default(app, pilot)
        await until(pilot, lambda: "No source feeds this collection." in screen_text(app))
        assert "m chooses an embedder" in screen_text(app)
        await until(pilot, lambda: "No documents yet: a uploads files." in screen_text(app))
        await pilot.press("m")
        await until(pilot, lambda: "there is no embedder yet" in notices(app))
        await pilot.press("M")
        await until(pilot, lambda: "there is no reranker yet" in notices(app))
        await pilot.press("V")
        await until(pilot, lambda: "no earlier version of collection default is to be deleted" in notices(app))
        await pilot.press("D")
        await until(pilot, lambda: "is always there" in notices(app))
        await pilot.press("R")
        await until(pilot, lambda: "has no embedder" in notices(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.view == "collections" and app.screen.row_key == "default")

    run_story(root, story)


def test_what_cannot_be_read_is_said(root: Path) -> None:
    """A collection that is gone is no empty page."""

    async def story(app: Any, pilot: Any) -> None:
        app.open_collection_here("nowhere")
        await until(pilot, lambda: isinstance(app.screen, CollectionScreen))
        await until(pilot, lambda: "! " in screen_text(app) and "nowhere" in said(app, "hint"))

    run_story(root, story)


def test_names_that_act_on_a_terminal_are_text(root: Path) -> None:
    """Sources, descriptions and preferences with control characters and markup are shown, escaped."""
    client = Client(root)
    known = client.collections.page("default")
    sources = tuple(SourceOfCollection(name, 1, "failed") for name in HOSTILE_NAMES)
    preferences = CollectionPreferences(tokenizer="/\x1b]0;x\x07b[/]")
    hostile = known.summary.collection.model_copy(update={"description": HOSTILE_NAMES[0], "preferences": preferences})
    summary = CollectionSummary(hostile, 1, 1, 0, tuple(HOSTILE_NAMES), (), False)
    let_answer(client.collections, page=lambda _name: page_of(known, sources=sources, summary=summary))
    let_answer(client.documents, page=lambda **_choice: DocumentPage([], 0))

    async def story(app: Any, pilot: Any) -> None:
        page = await open_default(app, pilot)
        await until(pilot, lambda: len(page.board("sources").rows) == len(HOSTILE_NAMES))
        assert not [letter for letter in screen_text(app) if ord(letter) < 32 and letter != "\n"]
        await pilot.press("x")
        await until(pilot, lambda: "Actions for Default" in screen_text(app))

    run_story(root, story, client=client, size=(160, 40))


def test_name_and_description_are_changed_in_a_form(root: Path) -> None:
    """``c`` saves what was entered; a name that is taken is said in the form, which stays."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("8")
        await until(pilot, lambda: app.screen.view == "collections" and app.screen.row_key == "default")
        await pilot.press("c")
        await until(pilot, lambda: bool(app.screen.query("#field-description")) and app.focused is not None)
        await until(pilot, lambda: app.focused.id == "field-name")
        await pilot.press("tab", *"all of it", "enter")
        await until(pilot, lambda: app.screen.view == "collections" and "all of it" in screen_text(app))

    run_story(root, story, size=(120, 30))
    with closing(open_workspace_at(root)) as workspace:
        assert workspace.collections.get("default").description == "all of it"


def test_the_overview_opens_the_collection_of_its_row(root: Path) -> None:
    """Not all documents: the page of that collection, from where ``d`` shows its documents, and Esc leads back."""

    async def story(app: Any, pilot: Any) -> None:
        app.show_view("overview")
        await until(pilot, lambda: len(app.screen.board("collections").rows) == 1)
        app.screen.board("collections").focus()
        await until(pilot, lambda: app.screen.board("collections").has_focus)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, CollectionScreen) and app.screen._page is not None)
        assert app.screen.collection_id == "default"
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, DocumentsScreen))
        await until(pilot, lambda: app.screen.narrowed.collection_id == "default")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, CollectionScreen) and app.screen._page is not None)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.view == "overview")

    run_story(root, story, size=(140, 40))


# The command line has it, too


def options_of(command: click.Command) -> set[str]:
    """Return the long options of a command, without those that every command takes once it was called."""
    shown = (one for one in command.params if not getattr(one, "hidden", False))
    return {name for one in shown for name in one.opts if name.startswith("--")}


def shown_options() -> Iterator[str]:
    """Yield what the commands of actions on collections say after their program."""
    return (one.command.removeprefix("ingest-tui ") for one in ACTIONS if one.command)


def test_whatever_the_command_line_does_with_a_collection_an_action_does() -> None:
    """Each command on collections and their vectors, with each option that is another act, is that of an action."""
    lines = list(shown_options())
    for name in collection_group.commands:
        assert any(line.startswith(f"collection {name}") for line in lines), name
    assert any(line.startswith("embed ") for line in lines)
    assert any(line.startswith("embedder use") for line in lines)
    # The page itself is the list, `R` asks for embedder and switch, and a question says what would be dropped.
    not_acts = {"--embedder", "--no-switch", "--limit", "--list", "--yes", "--dry-run", "--json", "--output"}
    for option in options_of(reembed) - not_acts:
        assert any(line.startswith("reembed ") and option in line for line in lines), option


def test_whatever_an_action_does_with_a_collection_the_command_line_does() -> None:
    """Each option that an action names is one of the command."""
    commands = {"embed": embed, "reembed": reembed, "embedder use": use_embedder}
    commands |= {f"collection {name}": one for name, one in collection_group.commands.items()}
    checked = 0
    for line in shown_options():
        for name, command in commands.items():
            if line.startswith(f"{name} "):
                assert set(re.findall(r"--[a-z-]+", line)) <= options_of(command), line
                checked += 1
    assert checked > 10


# With a model


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddingLab]:
    """A workspace with two embedded documents. No worker is started: the test runs what is queued."""
    monkeypatch.setattr("ingest_tui.services.workers.ensure_worker", lambda _workspace: None)
    lab = EmbeddingLab(tmp_path)
    lab.put("fox.md", "The lazy fox and water.")
    lab.put("rain.md", "The lazy rain and water.")
    lab.embed()
    yield lab
    lab.workspace.close()


def generations(lab: EmbeddingLab) -> list[tuple[int, str]]:
    """Return number and state of each."""
    return [(one.number, str(one.state)) for one in list_generations(lab.workspace, "default")]


def queued(lab: EmbeddingLab) -> list[Manifest]:
    """Return the jobs that wait."""
    return [job for job in lab.workspace.jobs.readable(lab.workspace.jobs.queued_ids()) if not job.ended]


@pytest.mark.slow
def test_vectors_are_made_again_compared_switched_and_gone_back_to(lab: EmbeddingLab) -> None:
    """All of it from the page; while the next ones are queued, and once they are there, each source says so."""

    async def story(app: Any, pilot: Any) -> None:
        page = await open_default(app, pilot)
        await until(pilot, lambda: [row.state for row in page.board("documents").rows] == ["succeeded", "succeeded"])
        await pilot.press("R")
        await take(app, pilot, "Embed what again?", "collection:default")
        await take(app, pilot, "again with", "tiny")
        await take(app, pilot, "until then", "build")
        await until(pilot, lambda: len(queued(lab)) == 1)
        await until(pilot, lambda: "queued" in screen_text(app))
        lab.run(queued(lab)[0].job_id)
        assert generations(lab) == [(1, "answering"), (2, "ready")]
        app.feed.look_now()
        await until(pilot, lambda: [str(one.state) for one in page.board("generations").rows] == ["ready", "answering"])
        await until(pilot, lambda: [row.next_embedding for row in page.board("sources").rows] == ["succeeded"])

        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press(*"lazy fox;rain", "enter")
        await until(pilot, lambda: isinstance(app.screen, LinesReport) and "[2 of 2 in both]" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is page)

        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: len(queued(lab)) == 1)
        lab.run(queued(lab)[0].job_id)
        assert generations(lab) == [(1, "kept"), (2, "answering")]
        await until(pilot, lambda: app.screen is page)

        await pilot.press("B")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: generations(lab) == [(1, "answering"), (2, "kept")])
        await until(pilot, lambda: "generation 1 of collection default answers again" in notices(app))

        await pilot.press("X")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and "generation 2, kept" in screen_text(app))
        await pilot.press("y")
        await until(pilot, lambda: generations(lab) == [(1, "answering")])

    run_story(lab.workspace.root, story, size=(140, 40))


@pytest.mark.slow
def test_a_document_alone_is_embedded_again(lab: EmbeddingLab) -> None:
    """What is under the cursor is offered besides the whole collection."""

    async def story(app: Any, pilot: Any) -> None:
        page = await open_default(app, pilot)
        await until(pilot, lambda: len(page.board("documents").rows) == 2)
        chosen = page.board("documents").current_key
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        assert [name for name, _text in app.screen._options] == ["collection:default", chosen]
        await take(app, pilot, "Embed what again?", chosen)
        await take(app, pilot, "until then", "switch")
        await until(pilot, lambda: [job.options.get("documents") for job in queued(lab)] == [[chosen]])

    run_story(lab.workspace.root, story)


@pytest.mark.slow
def test_the_embedder_is_chosen_and_what_is_due_is_embedded(lab: EmbeddingLab) -> None:
    """None, then the same again for when somebody asks; ``E`` asks."""

    async def story(app: Any, pilot: Any) -> None:
        await open_default(app, pilot)
        await pilot.press("m")
        await take(app, pilot, "Embed collection", "")
        await until(pilot, lambda: not lab.workspace.collections.get("default").preferences.embedder)
        await until(pilot, lambda: isinstance(app.screen, CollectionScreen))
        await pilot.press("m")
        await take(app, pilot, "Embed collection", "tiny")
        await take(app, pilot, "Embed with", "manual")
        await until(pilot, lambda: lab.workspace.collections.get("default").preferences.embedder == "tiny")
        assert lab.workspace.collections.get("default").preferences.embed == "manual"
        await until(pilot, lambda: isinstance(app.screen, CollectionScreen))
        await pilot.press("E")
        await until(pilot, lambda: [job.kind for job in queued(lab)] == ["embed"])

    run_story(lab.workspace.root, story)


def test_a_generation_reads_by_its_state() -> None:
    """Each state has a glyph and a word."""
    from ingest_tui.tui.views.collections.collection_words import generation_columns

    space = VectorSpace(backend="static", model="m", revision="r", dimensions=2)
    embedder = Embedder(embedder_id="e", name="e", backend="static", settings={}, space=space)
    columns = {column.name: column for column in generation_columns(lambda: 0.0)}
    shown = {
        columns["state"]
        .cell(Generation(number=1, key=space.space_id, embedder=embedder, state=state, created_at=""))
        .text
        for state in GenerationState
    }
    assert shown == {"+ answering", "> building", "* ready", "= kept", "x discarded"}


def test_every_preference_is_in_one_section_of_the_form() -> None:
    """Models that are registered are chosen from; where none is, their name can be typed."""
    fields = fields_in_sections({"embedder": ["tiny"], "reranker": []})
    assert sorted(field.name for field in fields) == sorted(CollectionPreferences.model_fields)
    assert [field.group for field in fields if field.group] == list(SECTIONS)
    kinds = {field.name: (field.kind, field.choices) for field in fields}
    assert (kinds["embedder"], kinds["reranker"][0]) == (("choice", ("tiny",)), "text")


def test_chunks_are_shown_next_to_the_form_as_they_would_be(root: Path) -> None:
    """On a wide screen, while one types; a value that cannot be is said in the form."""
    with open_workspace(root) as handle:
        words = "A sentence of some words. " * 40
        handle.register("default", IngestedDocument(content=words, unique_id="long.md", source_type="api"))

    async def story(app: Any, pilot: Any) -> None:
        await open_default(app, pilot)
        await until(pilot, lambda: len(app.screen.board("documents").rows) == 1)
        await pilot.press("P")
        await until(pilot, lambda: "1 chunk of long.md" in screen_text(app))
        assert "Text in pictures" in screen_text(app)
        app.screen.query_one("#field-chunk_size", Input).focus()
        await pilot.press(*"300")
        await until(pilot, lambda: re.search(r"[2-9] chunks of long.md", screen_text(app)) is not None)
        assert "#0  " in screen_text(app)

    run_story(root, story, size=(200, 50))
