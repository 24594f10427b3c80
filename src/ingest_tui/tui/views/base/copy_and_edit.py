"""Carrying things away from a view: ``y`` copies, ``e`` opens an editor."""

from __future__ import annotations

from functools import partial
from operator import itemgetter
from pathlib import Path

from ingest_tui.model.errors import IngestError
from ingest_tui.tui import wording
from ingest_tui.tui.actions.actions import command_lines, in_workspace
from ingest_tui.tui.client.conflicts import Conflict
from ingest_tui.tui.client.editable_records import Record
from ingest_tui.tui.terminal import clipboard
from ingest_tui.tui.views.base.general_actions import Everywhere

_SHOWN_CHARACTERS = 200


class Carrying(Everywhere):
    """A view names what it has with `copies` and `record`; the rest is the same for all."""

    def command_values(self) -> dict[str, str]:
        """What the command lines of this view can be filled with, by name: ``job``, ``source``, ``document``, …."""
        return {}

    def shown_commands(self) -> dict[str, str]:
        """The command lines that give what is shown, with every filter that is set, by the action they are those of.

        The first gives just what is shown. Empty where the command line has no option for a filter.
        """
        return {}

    def copies(self) -> dict[str, str]:
        """What can be copied, by its label; a view adds paths and errors to the ids that its command lines use."""
        return {name: value for name, value in self.command_values().items() if value}

    def record(self) -> Record | None:
        """What is under the cursor as JSON, or None where there is no record of it."""
        return None

    # y

    def show_copies(self) -> None:
        """Offer what can be copied."""
        from ingest_tui.tui.dialogs.copy_menu import Chosen, CopyMenu

        record, registry = self.record(), self.ingest.registry
        offered = [(label, text[:_SHOWN_CHARACTERS]) for label, text in self.copies().items()]
        texts = list(self.copies().values())
        if record is not None:
            offered.append(("JSON", record.name))
        shown = self.shown_commands()
        commands = [
            (not action.views, shown.get(action.id, line))
            for action, line in command_lines(self.view, self.command_values())
            if registry.allows(action)
        ]
        first = [line for action_id, line in shown.items() if registry.allows(registry.get(action_id))]
        lines = dict.fromkeys([*first, *(line for _is_general, line in sorted(commands, key=itemgetter(0)))])
        offered += [("command", line) for line in lines]

        def chosen(choice: Chosen | None) -> None:
            if choice is None:
                return
            take = self.ask_for_file if choice.to_file else self.send
            if choice.number < len(texts):
                take(texts[choice.number])
            elif record is not None and choice.number == len(texts):
                self.ask(record.read, take, group="record", opens_dialog=True)
            else:
                take(in_workspace(offered[choice.number][1], workspace))

        workspace = self.ingest.workspace_to_name
        note = f"command lines are copied with -w {workspace}" if workspace else ""
        self.app.push_screen(CopyMenu(offered, note=note), chosen)

    def send(self, text: str) -> None:
        """Send a text to the terminal's clipboard, or say that it is too long for it."""
        if not self.ingest.send_to_clipboard(text):
            most = wording.size(clipboard.MOST_BYTES * 3 // 4)
            self.show_notice(
                f"too long for the terminal's clipboard, which takes {most}", "y and then w writes it to a file"
            )

    def ask_for_file(self, text: str) -> None:
        """Ask for the name of a file, and write a text into it."""
        from ingest_tui.tui.dialogs.ask import Ask

        client = self.ingest.client

        def named(name: str | None) -> None:
            if name:
                self.ask(
                    lambda: client.records.write(Path(name), text),
                    lambda place: self.show_notice(f"written to {place}"),
                    group="write",
                )

        self.app.push_screen(Ask("Write to which file?", note="a new file; relative to where you started"), named)

    # e

    def edit_record(self) -> None:
        """Open the JSON of what is under the cursor in an editor."""
        record = self.record()
        if record is None:
            self.show_notice("there is no JSON of this", "e works on jobs, sources and documents")
            return
        self.ask(record.read, partial(self._edit, record), group="record", opens_dialog=True)

    def _edit(self, record: Record, before: str, *, text: str | None = None) -> None:
        """Open the editor; ``text`` is what was written there before and could not be saved."""
        from ingest_tui.tui.terminal import editor

        try:
            with self.app.suspend():
                after = editor.edited(before if text is None else text, "record.json")
        except IngestError as error:
            self.show_notice(error.message, error.hint, bad=True)
            return
        if after == before:
            return
        if record.save is None or self.ingest.registry.read_only:
            self.show_notice("this was a copy: nothing is changed by editing it")
            return
        save = record.save
        self.ask(
            lambda: save(after, before),
            lambda saved: self._saved(record, after, saved),
            group="save",
            opens_dialog=True,
            otherwise=lambda message, hint: self._not_saved(record, before, after, f"{message} {hint}".strip()),
        )

    def _saved(self, record: Record, text: str, saved: object) -> None:
        if isinstance(saved, Conflict):
            self._ask_who_wins(record, text, saved)
            return
        self.show_notice(f"saved: {record.name}")
        self.ingest.feed.look_now()

    def _ask_who_wins(self, record: Record, text: str, conflict: Conflict) -> None:
        """Nothing is lost: somebody else has saved the record while it was in the editor."""
        from ingest_tui.tui.dialogs.dialogs import Choose

        def chosen(way: str | None) -> None:
            if way == "theirs":
                self._edit(record, conflict.theirs)
            elif way == "mine":
                self._edit(record, conflict.theirs, text=text)
            else:
                self.show_notice(f"left as it is now: {record.name}")

        ways = [
            ("theirs", "Edit it as it is now; my text is lost"),
            ("mine", "Edit my text again; when saved it takes the place of theirs"),
            ("drop", "Leave it as it is now; my text is lost"),
        ]
        title = "Somebody else has changed it meanwhile; nothing is saved yet"
        self.app.push_screen(Choose(title, ways, lines=conflict.lines), chosen)

    def _not_saved(self, record: Record, before: str, text: str, reason: str) -> None:
        """Nothing is lost: the text can be corrected, or thrown away."""
        from ingest_tui.tui.dialogs.dialogs import Choose

        def chosen(way: str | None) -> None:
            if way == "again":
                self._edit(record, before, text=text)
            else:
                self.show_notice(f"left as it was: {record.name}")

        self.show_notice("not saved", reason, bad=True)
        ways = [("again", "Correct it in the editor"), ("drop", "Leave it as it was")]
        self.app.push_screen(Choose(f"Not saved: {reason}", ways), chosen)
