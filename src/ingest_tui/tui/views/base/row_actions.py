"""What is done with the rows of a list, whatever they are: moving, marking, ordering, and the menu of actions."""

from __future__ import annotations

from textual import on

from ingest_tui.model.safe_text import safe_display
from ingest_tui.tui.actions.actions import Action
from ingest_tui.tui.views.base.filter_field import FilterField
from ingest_tui.tui.widgets.table import VirtualTable


class RowActions(FilterField):
    """Actions on the rows of the main table, or on those of the panel that has the focus."""

    def move_down(self) -> None:
        """Go one down."""
        self.target.move(1)

    def move_up(self) -> None:
        """Go one up."""
        self.target.move(-1)

    def move_top(self) -> None:
        """Go to the first."""
        self.target.move_to_end(first=True)

    def move_bottom(self) -> None:
        """Go to the last."""
        self.target.move_to_end(first=False)

    def toggle_mark(self) -> None:
        """Mark the row under the cursor."""
        self.main_table.toggle_mark()
        self.rows_changed()

    def toggle_range(self) -> None:
        """Mark every row that the cursor passes from here on, or end that."""
        begins = self.main_table.toggle_range()
        self.say_hint("marking: move, then v ends it" if begins else "")
        self.rows_changed()

    def mark_all(self) -> None:
        """Mark all rows that are shown."""
        self.main_table.mark_all()
        self.rows_changed()

    def choose_sort(self) -> None:
        """Let a person choose the order."""
        from ingest_tui.tui.dialogs.dialogs import Choose

        def chosen(name: str | None) -> None:
            if name:
                self._sort_by(name)

        self.app.push_screen(Choose("Sort by", list(self.sorts.items())), chosen)

    @on(VirtualTable.HeadClicked)
    def sort_by_head(self, event: VirtualTable.HeadClicked) -> None:
        """Sort by the column whose head was clicked, or turn the order around where it is that of the column."""
        name = self.sorts_of_heads.get(event.key, event.key)
        if name not in self.sorts or event.table is not self.main_table:
            return
        if name == self.sort:
            self.reverse_sort()
        else:
            self._sort_by(name)

    def _sort_by(self, name: str) -> None:
        self.sort, self.reversed = name, False
        self.main_table.start_over()
        self.rows_changed()

    def reverse_sort(self) -> None:
        """Turn the order around."""
        self.reversed = not self.reversed
        self.main_table.start_over()
        self.rows_changed()

    def menu_targets(self) -> list[str]:
        """The keys of what the menu is for: the marked rows, or the one under the cursor."""
        return self.main_table.chosen_keys

    def menu_name(self, key: str) -> str:
        """What the title of the menu calls the row of a key."""
        return key

    def offers(self, action: Action) -> bool:
        """Tell whether the menu offers an action for what it is opened for."""
        del action
        return True

    def open_menu(self) -> None:
        """Offer what can be done with the marked rows."""
        from ingest_tui.tui.dialogs.dialogs import Choose

        chosen = self.menu_targets()
        if not chosen:
            return
        actions = [
            one
            for one in self.ingest.registry.of(self.view)
            if one.menu and self.offers(one) and self.why_not(one) is None
        ]
        offered = [(action.id, f"{action.title}   {action.shown_keys}") for action in actions]
        keys = {key: action.id for action in actions for key in action.keys.split(",")}
        what = safe_display(self.menu_name(chosen[0]), limit=40) if len(chosen) == 1 else f"{len(chosen)} marked"

        def picked(action_id: str | None) -> None:
            if action_id and self.menu_targets() != chosen:
                self.show_notice("not done: other rows are here now", f"the actions were for {what}", bad=True)
            elif action_id:
                self.perform(action_id)

        self.app.push_screen(Choose(f"Actions for {what}", offered, keys=keys), picked)
