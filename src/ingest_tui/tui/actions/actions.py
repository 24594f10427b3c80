"""Every action of the screens, once: key bindings, the footer, help, the palette and the command lines come from here.

An action is a method of the screens it belongs to; a test holds each screen to that.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from textual.binding import Binding

from ingest_tui.model.safe_text import safe_display
from ingest_tui.tui.navigation.views import VIEW_NAMES, VIEWS

_MARKED = ("jobs", "job", "sources", "documents", "errors", "credentials")
_LISTS = (*_MARKED, "audit", "collections")
_RANGES = tuple(view for view in _MARKED if view != "job")  # there, v wraps the log
_JOBS = ("jobs", "job")
_JOB_LOG = "job_log"
"""The log on the page of a job, while it has the focus: its keys are those of a log."""
_JOBS_AND_LOG = (*_JOBS, _JOB_LOG)
_DOCUMENTS = ("documents", "document")
_SOURCES = ("sources", "source")
_COLLECTIONS = ("collections", "collection")
NO_KEY = "no_key"  # nothing sends it; so that a keymap can give a key to an action that has none
_NAMES = ("job", "source", "document", "folder", "query", "credential", "level", "collection")
_SYMBOLS = {
    "slash": "/",
    "question_mark": "?",
    "number_sign": "#",
    "ampersand": "&",
    "asterisk": "*",
    "escape": "esc",
    "ctrl+p": "^p",
    "ctrl+z": "^z",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "colon": ":",
}


@dataclass(frozen=True, slots=True)
class Action:
    """Something a person can do. ``keys`` as Textual names them; ``hint``: its word in the footer, if it is there.

    ``views``: where it can be done, empty for everywhere. ``command``: the equivalent command line with ``{job}``,
    ``{source}``, ``{document}`` … to be filled in. ``menu``: offered by ``x``. ``changes``: it changes
    something in the workspace, so it is left out with ``--read-only``. ``arguments`` go to the method.
    ``names``: what else the ``:`` line calls it; ``takes``: what may follow the name there, ``needs_argument``:
    must.
    """

    id: str
    title: str
    keys: str
    method: str
    views: tuple[str, ...] = ()
    hint: str = ""
    command: str = ""
    menu: bool = False
    changes: bool = False
    arguments: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    takes: str = ""
    needs_argument: bool = False

    @property
    def shown_keys(self) -> str:
        """The keys as people know them."""
        return " ".join(_SYMBOLS.get(key, key) for key in self.keys.split(",") if key)

    def belongs_to(self, view: str) -> bool:
        """Tell whether the action can be done in a view."""
        return not self.views or view in self.views

    def run(self, screen: Any, argument: str = "") -> None:
        """Do it on a screen; ``argument`` is what stood after its name on the ``:`` line."""
        getattr(screen, self.method)(*self.arguments, *([argument] if self.takes else []))


ACTIONS: tuple[Action, ...] = (
    Action("open", "Open", "enter", "open_selected",
           ("overview", "source", "collection", *_LISTS, "logs", _JOB_LOG), "open"),
    Action("overview.more", "Throughput and collections, or sources and jobs again", "m", "toggle_more", ("overview",),
           "more"),
    Action("back", "Back, or clear the filter", "escape", "go_back"),
    Action("source.add", "Add a source", "a", "add_source", ("sources", "jobs"), "add",
           "ingest-tui source add TYPE NAME …", changes=True),
    Action("source.sync", "Sync the source now", "s", "sync_sources", _SOURCES, "sync",
           "ingest-tui sync {source} --detach", menu=True, changes=True),
    Action("source.force", "Sync and read everything again, changed or not", "S", "force_sync", _SOURCES, "",
           "ingest-tui sync {source} --force --detach", menu=True, changes=True),
    Action("source.plan", "Plan: what a sync would do, and why", "p", "plan_source", _SOURCES, "plan",
           "ingest-tui plan {source}", menu=True),
    Action("source.test", "Test the source", "t", "test_source", _SOURCES, "test",
           "ingest-tui source test {source}", menu=True),
    Action("source.documents", "Documents of the source", "d", "show_documents", _SOURCES, "documents",
           "ingest-tui doc list --source {source}"),
    Action("source.edit", "Change the settings of the source", "c", "edit_source", _SOURCES, "change",
           "ingest-tui source edit {source} …", menu=True, changes=True),
    Action("source.preview", "Preview: items taken and left out", "P", "preview_source", _SOURCES, "",
           "ingest-tui source preview {source}", menu=True),
    Action("source.show", "Settings and outcomes of the source", "", "open_selected", ("sources",), "",
           "ingest-tui source show {source}"),
    Action("source.enable", "Enable or disable the source", "E", "toggle_enabled", _SOURCES, "",
           "ingest-tui source disable {source}", menu=True, changes=True),
    Action("source.watch", "Watch the source, or stop watching", "u", "toggle_watch", _SOURCES, "",
           "ingest-tui source edit {source} --watch", menu=True, changes=True),
    Action("source.remove", "Remove the source and retire its documents", "D", "remove_sources", _SOURCES, "",
           "ingest-tui source remove {source}", menu=True, changes=True),
    Action("source.upload", "Upload files, to the collection of the source", "A", "upload_files", _SOURCES, "",
           "ingest-tui upload FILE --collection {collection}", menu=True, changes=True),
    Action("credential.add", "Add a credential", "a", "add_credential", ("credentials",), "add",
           "ingest-tui credential add NAME --type TYPE", changes=True),
    Action("credential.test", "Test the credential", "t", "test_credential", ("credentials",), "test",
           "ingest-tui credential test {credential}", menu=True),
    Action("credential.rotate", "Rotate: another secret or reference", "R", "rotate_credential", ("credentials",),
           "rotate", "ingest-tui credential set {credential} --ask FIELD", menu=True, changes=True),
    Action("credential.edit", "Change description, expiry and plain fields", "c", "edit_credential",
           ("credentials",), "change", "ingest-tui credential set {credential} --set FIELD=VALUE", menu=True,
           changes=True),
    Action("credential.remove", "Remove the credential", "D", "remove_credentials", ("credentials",), "",
           "ingest-tui credential remove {credential}", menu=True, changes=True),
    Action("filter", "Filter (!word leaves out)", "slash", "start_filter", _LISTS, "filter"),
    Action("find", "Find in the text", "slash", "start_find", ("document", "logs", _JOB_LOG), "find"),
    Action("find.next", "To the next place that was found", "n", "find_next", ("document", "logs", _JOB_LOG)),
    Action("find.previous", "To the place before", "N", "find_previous", ("document", "logs", _JOB_LOG)),
    Action("log.filter", "Filter the lines (!word leaves out)", "ampersand", "start_filter", ("logs",), "filter"),
    Action("document.search", "Search in the text of the documents", "s", "start_search", ("documents",), "search",
           "ingest-tui search {query}"),
    Action("mark", "Mark", "space", "toggle_mark", _MARKED),
    Action("mark.range", "Mark from here to where you go", "v", "toggle_range", _RANGES),
    Action("mark.all", "Mark all that are shown", "asterisk", "mark_all", _MARKED),
    Action("menu", "Actions for what is marked or under the cursor", "x", "open_menu",
           (*_MARKED, *_COLLECTIONS), "actions"),
    Action("sort", "Sort by …", "o", "choose_sort", _LISTS),
    Action("sort.reverse", "Reverse the order", "O", "reverse_sort", _LISTS),
    Action("job.cancel", "Cancel the job", "D", "cancel_jobs", _JOBS_AND_LOG, "", "ingest-tui job cancel {job}",
           menu=True, changes=True),
    Action("job.pause", "Pause the job, or resume it", "p", "pause_jobs", _JOBS_AND_LOG, "",
           "ingest-tui job pause {job}", menu=True, changes=True),
    Action("job.resume", "Resume the job", "", "resume_jobs", _JOBS_AND_LOG, "", "ingest-tui job resume {job}",
           menu=True, changes=True),
    Action("job.retry", "Do the job again", "R", "retry_jobs", _JOBS_AND_LOG, "", "ingest-tui job retry {job}",
           menu=True, changes=True),
    Action("job.retry_failed", "Do again what failed", "F", "retry_failed", _JOBS_AND_LOG, "",
           "ingest-tui job retry {job} --failed-only", menu=True, changes=True),
    Action("job.approve", "Approve the deletions that are held", "A", "approve_jobs", _JOBS_AND_LOG, "",
           "ingest-tui job approve {job}", menu=True, changes=True),
    Action("job.refuse", "Refuse the deletions that are held: keep the documents", "N", "refuse_jobs", _JOBS, "",
           "ingest-tui job refuse {job}", menu=True, changes=True),
    Action("job.held", "List the deletions that are held", "H", "show_held", _JOBS_AND_LOG, "",
           "ingest-tui job items {job} --held", menu=True),
    Action("job.priority", "Change the priority", "P", "set_priority", _JOBS_AND_LOG, "",
           "ingest-tui job priority {job} PRIORITY", menu=True, changes=True),
    Action("job.manifest", "The manifest, to read", "m", "show_manifest", _JOBS_AND_LOG, "",
           "ingest-tui job show {job} --json", menu=True),
    Action("job.reasons", "Errors by reason", "b", "show_reasons", ("job",), "reasons",
           "ingest-tui job errors {job} --by-reason"),
    Action("job.outcome", "Show only one outcome …", "c", "choose_outcome", ("job",), "outcomes",
           "ingest-tui job items {job}"),
    Action("job.log", "Log of the job", "l", "show_log", _JOBS_AND_LOG, "log", "ingest-tui job logs {job} -f"),
    Action("job.find", "Find in the log; / there does, too", "", "find_in_log", ("job",)),
    Action("job.items", "Outcome of every document", "", "show_items", ("job", _JOB_LOG), "",
           "ingest-tui job items {job}"),
    Action("job.show", "The job as JSON", "", "edit_record", _JOBS_AND_LOG, "", "ingest-tui job show {job} --json"),
    Action("follow", "Follow the log, or stop following", "f", "toggle_follow", ("job", "logs", _JOB_LOG), "follow"),
    Action("document.render", "Markdown as it is meant, or as it is written", "r", "toggle_rendered", ("document",),
           "render"),
    Action("numbers", "Number the lines, or do not", "number_sign", "toggle_numbers", ("document",)),
    Action("wrap", "Wrap long lines, or cut them", "v", "toggle_wrap", ("job", "document", "logs", _JOB_LOG)),
    Action("log.timestamps", "Show or hide the times", "t", "toggle_timestamps", ("logs", "job", _JOB_LOG), "times"),
    Action("log.level", "Show only from a level on …", "L", "choose_level", ("logs", "job", _JOB_LOG), "level",
           "ingest-tui job logs --level {level}", names=("level",), takes="LEVEL"),
    Action("audit.export", "Export what is shown to a file", "X", "export_audit", ("audit",), "export",
           "ingest-tui audit export FILE --contains {query}", changes=True),
    Action("document.text", "Text of the document", "", "open_selected", ("documents",), "",
           "ingest-tui doc text {document}"),
    Action("document.explain", "Why is it (not) here?", "i", "explain",
           (*_DOCUMENTS, "job", "errors", "logs", _JOB_LOG), "why", "ingest-tui doc explain {document}", menu=True),
    Action("document.explain_typed", "Why is … (not) here? Type a name", "I", "explain_typed", (*_DOCUMENTS, "errors"),
           "", "ingest-tui doc explain {document}"),
    Action("document.narrow", "Narrow down by source, type, outcome, date", "f", "narrow", ("documents",), "narrow",
           "ingest-tui doc list --source {source}"),
    Action("document.collection", "Choose the collection", "c", "choose_collection", ("documents",), "",
           "ingest-tui collection list"),
    Action("document.folders", "By source and folder, or all in one list", "b", "toggle_folders", ("documents",),
           "folders", "ingest-tui doc folders {folder}", names=("folders",)),
    Action("document.columns", "Choose the columns of the list", "K", "choose_columns", ("documents",), "",
           "ingest-tui doc list", names=("columns",)),
    Action("collection.preferences", "Preferences of the collection", "P", "edit_preferences",
           ("documents", *_COLLECTIONS), "preferences", "ingest-tui collection prefs {collection}", menu=True,
           changes=True, names=("prefs",)),
    Action("collection.add", "Add a collection", "C", "add_collection", ("documents", "collections"), "new",
           "ingest-tui collection add NAME", changes=True),
    Action("document.upload", "Upload files", "a", "upload_files", ("documents", *_COLLECTIONS), "upload",
           "ingest-tui upload FILE --collection {collection}", menu=True, changes=True),
    Action("collection.documents", "Documents of the collection", "d", "show_documents", _COLLECTIONS, "documents",
           "ingest-tui doc list --collection {collection}", menu=True),
    Action("collection.embedder", "Choose what the collection is embedded with", "m", "choose_embedder", _COLLECTIONS,
           "", "ingest-tui embedder use NAME --collection {collection}", menu=True, changes=True),
    Action("collection.reranker", "Choose what ranks the best hits again", "M", "choose_reranker", _COLLECTIONS, "",
           "ingest-tui collection prefs {collection} --set reranker=NAME", menu=True, changes=True),
    Action("collection.embed", "Embed what has changed", "E", "embed_collection", _COLLECTIONS, "embed",
           "ingest-tui embed {collection} --detach", menu=True, changes=True),
    Action("collection.reembed", "Embed again: a collection, a source, a document", "R", "reembed", _COLLECTIONS,
           "again", "ingest-tui reembed {collection} --detach", menu=True, changes=True),
    Action("generation.compare", "Compare two generations of vectors", "b", "compare_generations", ("collection",), "",
           "ingest-tui reembed {collection} --compare QUERIES.txt"),
    Action("generation.switch", "Let the next vectors answer", "n", "switch_generation", ("collection",), "",
           "ingest-tui reembed {collection} --switch", changes=True),
    Action("generation.revert", "Go back to the vectors of before", "B", "revert_generation", ("collection",), "",
           "ingest-tui reembed {collection} --revert", changes=True),
    Action("generation.discard", "Drop the vectors that do not answer", "X", "discard_generation", ("collection",), "",
           "ingest-tui reembed {collection} --discard", changes=True),
    Action("collection.show", "What is known of the collection", "", "open_selected", ("collections",), "",
           "ingest-tui collection show {collection}"),
    Action("collection.edit", "Change name and description of the collection", "c", "edit_collection", _COLLECTIONS,
           "", "ingest-tui collection edit {collection} --name TEXT", menu=True, changes=True),
    Action("collection.use", "Use the collection: Documents opens with it", "u", "use_collection", _COLLECTIONS, "",
           "ingest-tui collection use {collection}", menu=True, changes=True),
    Action("collection.prune", "Delete earlier versions that need not be kept any more", "V", "prune_versions",
           _COLLECTIONS, "", "ingest-tui prune --kind versions --collection {collection}", menu=True, changes=True),
    Action("collection.remove", "Remove the collection", "D", "remove_collection", _COLLECTIONS, "",
           "ingest-tui collection remove {collection}", menu=True, changes=True),
    Action("collection.restore", "Restore a removed collection", "T", "restore_collection", ("collections",), "",
           "ingest-tui collection restore NAME", changes=True),
    Action("document.remove", "Remove the document", "D", "remove_documents", _DOCUMENTS, "",
           "ingest-tui doc remove {document}", menu=True, changes=True),
    Action("document.trash", "Show the trash, or go back", "T", "toggle_trash", ("documents",), "",
           "ingest-tui doc list --retired"),
    Action("document.restore", "Restore from the trash", "u", "restore_documents", ("documents",), "",
           "ingest-tui doc restore {document}", menu=True, changes=True),
    Action("document.export", "Export the marked, or all that pass the filters", "X", "export_documents", _DOCUMENTS,
           "", "ingest-tui export --document {document} --to FILE", menu=True, changes=True),
    Action("document.original", "Open the original", "E", "open_original", _DOCUMENTS, "",
           "ingest-tui doc show {document}", menu=True),
    Action("document.part_text", "Its text", "t", "show_part", ("document",), "text",
           "ingest-tui doc text {document}", arguments=("text",)),
    Action("document.part_metadata", "What is known of it", "m", "show_part", ("document",), "metadata",
           "ingest-tui doc show {document}", arguments=("metadata",)),
    Action("document.part_chunks", "Its chunks", "c", "show_part", ("document",), "chunks",
           "ingest-tui doc chunks {document}", arguments=("chunks",)),
    Action("document.part_links", "Its links, and those that lead to it", "l", "show_part", ("document",), "links",
           "ingest-tui doc links {document}", arguments=("links",)),
    Action("document.part_versions", "Its versions", "h", "show_part", ("document",), "versions",
           "ingest-tui doc versions {document}", arguments=("versions",)),
    Action("document.rollback", "Go back to an earlier version", "B", "roll_back", ("document",), "",
           "ingest-tui doc rollback {document}", changes=True),
    Action("document.diff", "What changed between two versions", "d", "compare_versions", ("document",), "diff",
           "ingest-tui doc diff {document}"),
    Action("errors.retry", "Try the items again", "R", "retry_errors", ("errors",), "retry",
           "ingest-tui errors retry {document}", menu=True, changes=True),
    Action("errors.ignore", "Ignore until it changes, or show again", "n", "ignore_errors", ("errors",), "ignore",
           "ingest-tui errors ignore {document}", menu=True, changes=True),
    Action("errors.ignored", "Show what is ignored, or go back", "H", "toggle_ignored", ("errors",), "",
           "ingest-tui errors list --ignored"),
    Action("undo", "Undo what was done last here, where that is possible", "U", "undo", changes=True),
    Action("workspace.verify", "Verify the workspace, and repair what is found", "", "verify_workspace", (), "",
           "ingest-tui verify", names=("verify",)),
    Action("embedders", "Embedders: list and test them", "", "show_embedders", (), "", "ingest-tui embedder list",
           names=("embedders",)),
    Action("worker.start", "Start a worker", "w", "start_worker", (), "", "ingest-tui worker start", changes=True),
    Action("worker.stop", "Stop the workers", "W", "stop_workers", (), "", "ingest-tui worker stop", changes=True),
    Action("copy", "Copy: id, path, error, JSON, equivalent command line", "y", "show_copies"),
    Action("edit", "Open the JSON in $EDITOR", "e", "edit_record"),
    Action("reload", "Look again", "r", "reload", (*VIEW_NAMES, "job", _JOB_LOG, "source", "collection")),
    *(
        Action(f"view.{view.name}", f"Go to {view.title}", key, "go_to", (), "", view.command,
               arguments=(view.name,), names=(view.name, *view.other_names), takes=view.takes)
        for key, view in VIEWS.items()
    ),
    Action("job.go", "Open a job", "", "open_job", (), "", "ingest-tui job show {job}", names=("job",), takes="JOB",
           needs_argument=True),
    Action("source.go", "Open a source", "", "open_named_source", (), "", "ingest-tui source show {source}",
           names=("source",), takes="SOURCE", needs_argument=True),
    Action("collection.go", "Open a collection", "", "open_named_collection", (), "",
           "ingest-tui collection show {collection}", names=("collection",), takes="COLLECTION", needs_argument=True),
    Action("jump", "Jump to a view, a job, a source or a collection", "f2", "jump"),
    Action("history.back", "Back to where you were", "left_square_bracket", "history_back"),
    Action("history.forward", "Forward again", "right_square_bracket", "history_forward"),
    Action("zoom", "Zoom the pane, or show all again", "z", "toggle_zoom"),
    Action("theme", "Theme …", "", "choose_theme", names=("theme",), takes="THEME"),
    Action("command", "Type a command", "colon", "start_command"),
    Action("help", "Help", "question_mark", "show_help", (), "help", names=("help", "h")),
    Action("palette", "All actions", "ctrl+p", "show_palette", (), "all"),
    Action("suspend", "Suspend; fg in the shell comes back", "ctrl+z", "suspend"),
    Action("quit", "Quit; jobs keep running", "q", "leave", (), "quit", names=("q", "quit")),
    Action("down", "Down", "j", "move_down"),
    Action("up", "Up", "k", "move_up"),
    Action("top", "To the first", "g", "move_top"),
    Action("bottom", "To the last", "G", "move_bottom"),
)  # fmt: skip
OF_DOCUMENTS = frozenset(
    {"document.text", "document.explain", "document.remove", "document.restore", "document.original"}
)
"""What the list of documents does with documents alone, not with folders."""
BY_ID = {action.id: action for action in ACTIONS}


def actions_of(view: str) -> list[Action]:
    """Return the actions of a view, in the order of the registry."""
    return [action for action in ACTIONS if action.belongs_to(view)]


def bindings_of(view: str) -> list[Binding]:
    """Return the key bindings of a view. Each has the id of its action, so that keymaps can change it."""
    return [
        Binding(
            action.keys or NO_KEY,
            f"perform('{action.id}')",
            action.title,
            show=bool(action.hint),
            id=f"{view}.{action.id}",
        )
        for action in actions_of(view)
    ]


def command_lines(view: str, values: Mapping[str, str]) -> Iterator[tuple[Action, str]]:
    """Yield the actions of a view with their command lines, the names filled in where they are known."""
    for action in actions_of(view):
        if action.command:
            filled = {name: shell_word(values[name]) if values.get(name) else name.upper() for name in _NAMES}
            yield action, action.command.format(**filled)


def in_workspace(line: str, workspace: str) -> str:
    """Return a command line that acts on ``workspace`` wherever it is pasted; "" is the default one."""
    return line.replace("ingest-tui", f"ingest-tui -w {shell_word(workspace)}", 1) if workspace else line


def shell_word(text: str) -> str:
    """Return ``text`` as one word of bash or zsh, made of characters that may be pasted into a terminal.

    A paste is typed: a line feed in it is Enter, and an escape sequence can end the bracketed paste that holds it back.
    """
    if safe_display(text) == text:
        return shlex.quote(text)
    return "$'" + "".join(_shell_letter(letter) for letter in text) + "'"


def _shell_letter(letter: str) -> str:
    if letter in "\\'":
        return f"\\{letter}"
    if safe_display(letter) == letter:
        return letter
    return f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else f"\\U{ord(letter):08x}"  # noqa: PLR2004
