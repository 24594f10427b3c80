"""Embedding, building a generation with its switch, and going back: each system call is hit with SIGKILL, EIO, ENOSPC.

Whoever searches next has a generation that answers, whole; what a person does next brings the work to its end, once.
By default a sample of the points is tried; every point, with a report for each command, by:

    INGEST_TUI_WHOLE=1 pytest -n 0 -s tests/faults/test_embedding_syscall_points.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ingest_tui.model.document import Document
from ingest_tui.model.embedder import embedding_text, text_digest
from ingest_tui.model.generation import Generation, GenerationState
from ingest_tui.pipeline.embed.due import is_embedding_due
from ingest_tui.pipeline.embed.generations import known_generations
from ingest_tui.services.verify.vector_checks import check_vector_logs
from ingest_tui.store.vector_files import read_vectors
from ingest_tui.store.vector_rows import read_rows
from ingest_tui.store.workspace import Workspace, open_workspace_at
from tests.faults.crash_lab import new_workspace
from tests.faults.syscall_lab import command_line, run, sync_docs
from tests.faults.syscall_trial import SYSTEM_CALL_MARKS, Documents, Scenario, check_points, sampled
from tests.made_models import make_static_model

SAMPLE = 6
WORDS = ("weather", "alpha", "beta", "gamma", "delta")

pytestmark = SYSTEM_CALL_MARKS


def _words(*words: str) -> Callable[[Path], list[str]]:
    return lambda root: command_line(root, *words)


def _add(name: str) -> Callable[[Path], list[str]]:
    return lambda root: command_line(root, "embedder", "add", "static", name, "--path", str(root.parent / name))


def _without_vectors(documents: Documents) -> Documents:
    """Leave out the files of vectors: a generation that is begun again has another number."""
    return replace(documents, folders=[name for name in documents.folders if "vectors-" not in name])


EMBED = _words("embed", "default")
REEMBED = _words("reembed", "default", "--embedder", "other", "--yes")


@dataclass(frozen=True)
class Command:
    """A command, what is done before it, what a person does after it was killed, and which embedder answers then."""

    command: Callable[[Path], list[str]]
    before: tuple[Callable[[Path], list[str]], ...]
    again: Callable[[Path], list[str]]
    answers_then: tuple[str, ...]


COMMANDS = {
    "embed": Command(EMBED, (), EMBED, ("tiny",)),
    "reembed": Command(REEMBED, (EMBED,), REEMBED, ("other",)),
    "revert": Command(_words("reembed", "default", "--revert", "--yes"), (EMBED, REEMBED), EMBED, ("tiny", "other")),
}


def _is_whole(workspace: Workspace, generation: Generation, document: Document) -> bool:
    """Whether each chunk of a document has its vector in a generation, next to the document and for search."""
    chunks = workspace.catalogue.full_text.chunks_of(document.document_id)
    wanted = {text_digest(embedding_text(chunk.heading, chunk.text)) for chunk in chunks}
    folder = workspace.layout.version("default", document.document_id, document.version)
    stored = read_vectors(folder, generation.space, generation.key)
    rows = read_rows(workspace.layout.vector_log("default", generation.key), generation.space)
    in_rows = [] if rows is None else [(entry.tobytes(), entry["digest"].tobytes()) for entry in rows.entries]
    is_once = len({entry for entry, _digest in in_rows}) == len(in_rows)
    return is_once and stored is not None and wanted <= set(stored.by_digest()) & {digest for _entry, digest in in_rows}


def _checked(told: Command) -> Callable[[Path, bool], Iterator[str]]:
    """Return what yields that nothing answers whole: after the fault for what was embedded before it, then for all."""

    def check(root: Path, is_end: bool) -> Iterator[str]:
        with closing(open_workspace_at(root)) as workspace:
            yield from map(str, check_vector_logs(workspace, deep=True))
            known = known_generations(workspace, "default").generations
            answering = [one for one in known if one.state is GenerationState.ANSWERING]
            if len(answering) != 1:
                yield f"{len(answering)} generations answer"
                return
            [generation] = answering
            changed = {"alpha.md", "delta.md"} if not is_end and told.command is EMBED else set()
            for document in workspace.catalogue.all_documents():
                if document.file_name not in changed and not _is_whole(workspace, generation, document):
                    yield f"{document.file_name} lacks vectors in generation {generation.number}"
            if is_end:
                yield from _problems_of_the_end(workspace, told, generation)

    return check


def _problems_of_the_end(workspace: Workspace, told: Command, generation: Generation) -> Iterator[str]:
    chosen = workspace.collections.get("default").preferences.embedder
    if generation.embedder.embedder_id not in told.answers_then or chosen != generation.embedder.embedder_id:
        yield f"{generation.embedder.embedder_id} answers, and {chosen} is chosen"
    if is_embedding_due(workspace, "default", generation):
        yield "something is still due"
    known = known_generations(workspace, "default").generations
    if unfinished := [one.number for one in known if one.state in {GenerationState.BUILDING, GenerationState.READY}]:
        yield f"generations {unfinished} were not completed"
    keys = {one.key for one in known}
    named = {path.stem.removeprefix("vectors-") for path in workspace.layout.documents.rglob("vectors-*")}
    if not named <= keys:
        yield f"files of generations that nobody knows: {sorted(named - keys)}"


@pytest.fixture(scope="module", params=COMMANDS)
def scenario(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """Four documents, embedded and then changed, and what the command needs."""
    told = COMMANDS[request.param]
    base = tmp_path_factory.mktemp(request.param)
    workspace = new_workspace(base / "prepared", base / "source")
    workspace.settings.parser_processes = 1
    workspace.layout.settings.write_text(workspace.settings.model_dump_json())
    workspace.close()
    make_static_model(base / "tiny")
    make_static_model(base / "other", seed=3)
    for name in ("alpha", "beta", "gamma"):
        (base / "source" / f"{name}.md").write_text(f"# {name}\n\nThe quick weather.\n\n## More\n\nThe lazy {name}.\n")
    before = (_add("tiny"), _add("other"), _words("collection", "prefs", "default", "--set", "embedder=tiny", "--set",
              "embed=manual"), sync_docs, EMBED)  # fmt: skip
    for command in before:
        ending = run(command(base / "prepared"), base)
        assert ending.code == 0, ending
    (base / "source" / "alpha.md").write_text("# alpha\n\nThe quick weather.\n\n## More\n\nAnother alpha fox.\n")
    (base / "source" / "delta.md").write_text("# delta\n\nThe delta rain gauge.\n")
    for command in (sync_docs, *told.before):
        ending = run(command(base / "prepared"), base)
        assert ending.code == 0, ending
    found = Scenario(
        base / "prepared", base, WORDS, told.command, plain=_without_vectors, again=told.again, check=_checked(told)
    )
    found.run_undisturbed()
    return found


def test_vectors_are_whole_after_a_fault_at_any_call(scenario: Scenario) -> None:
    """After a death or an error at any call one generation answers, and what comes next ends the work, once."""
    assert scenario.lesson is not None
    calls = [call for call in scenario.lesson.mutating if call.role != "ticker"]
    assert len(calls) > 30
    check_points(scenario, sampled(scenario.points(calls), SAMPLE), scenario.strike_coordinator)
