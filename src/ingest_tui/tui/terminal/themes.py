"""How the screen is coloured: the names of the themes, and what each of them is to Textual."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ingest_tui.model.theme_names import AUTO

if TYPE_CHECKING:
    from textual.theme import Theme

NO_COLOUR = "none"
_READABLE, _OF_THE_TERMINAL = "readable-", "ansi-"
"""What the names of Textual's themes begin with once they can be read; themes that are in the terminal's colours."""
_SHARE_OF_PANELS, _SHARE_OF_CURSOR, _SHARE_OF_MUTED, _SHARE_OF_LINES = 0.5, 0.2, 0.3, 0.55
_LIGHT_BACKGROUNDS = {"7", "15"}
_NAMES_IN_TEXTUAL = {
    "dark": "ingest-dark",
    "light": "ingest-light",
    "high-contrast": "high-contrast",
    "ansi": "ansi-dark",
    NO_COLOUR: "ansi-dark",  # and every colour is taken out of what is painted
}
THEMES = {
    # As `OWN_THEMES` has them.
    AUTO: "as the terminal is; without colour where NO_COLOR is set",
    "dark": "dark",
    "light": "light",
    "high-contrast": "white on black, strong colours",
    "ansi": "the terminal's own sixteen colours; half the output of the others",
    NO_COLOUR: "no colour: bold and reverse only",
}


def resolved(name: str, environment: Mapping[str, str] | None = None, *, slow_link: bool = False) -> str:
    """Return the theme that is meant: ``auto`` looks at NO_COLOR and COLORFGBG."""
    environment = os.environ if environment is None else environment
    if name != AUTO:
        return name
    if environment.get("NO_COLOR"):
        return NO_COLOUR
    if slow_link:
        return "ansi"
    return "light" if environment.get("COLORFGBG", "").rpartition(";")[2] in _LIGHT_BACKGROUNDS else "dark"


def name_in_textual(name: str) -> str:
    """Return what Textual calls a resolved theme: ours, or one of its own as `readable_theme` makes it."""
    return _NAMES_IN_TEXTUAL.get(name, name if name.startswith(_OF_THE_TERMINAL) else f"{_READABLE}{name}")


def own_themes() -> list[Theme]:
    """Return the themes of ours, docs/tui-design.md has their colours and what each is for.

    Every text has at least 4.5:1 against its background (WCAG 2.2, 1.4.3), the row under the cursor too; of
    ``high-contrast`` at least 7:1 (1.4.6). A test computes it from rendered screens.
    """
    return [
        _theme("ingest-dark", _Colours("#101418", "#171c22", "#232b34", "#e6e8ea", "#a7b1bb", "#68b8ff", "#14395a",
                                       "#7bd88f", "#ffcf66", "#ff9aa5", "#4a5661"), dark=True),
        _theme("ingest-light", _Colours("#fafafa", "#f1f3f5", "#e3e7eb", "#1c2024", "#4d5863", "#0a54a0", "#d3e5f7",
                                        "#17612d", "#704600", "#9b1529", "#9aa5b1"), dark=False),
        _theme("high-contrast", _Colours("#000000", "#000000", "#003366", "#ffffff", "#ffffff", "#80d4ff", "#003366",
                                         "#00ff66", "#ffff00", "#ffb3b3", "#ffffff"), dark=True),
    ]  # fmt: skip


def readable_theme(name: str) -> Theme | None:
    """Return a theme of Textual with colours that can be read everywhere; None for those that need no change.

    What it is known by stays: its background, and its colours as far as they are apart from that. Texts have at least
    4.5:1 against whatever they are on, as in ours.
    """
    from textual.theme import BUILTIN_THEMES

    if name not in BUILTIN_THEMES or name.startswith(_OF_THE_TERMINAL):
        return None
    theme = BUILTIN_THEMES[name]
    return _theme(f"{_READABLE}{name}", _readable_colours(theme), dark=theme.dark)


def _readable_colours(theme: Theme) -> _Colours:
    from textual.color import Color

    from ingest_tui.tui.terminal.readable import readable

    known = theme.to_color_system().generate()

    def colour(variable: str) -> Color:
        return Color.parse(known[variable])

    background, foreground = colour("background"), colour("foreground")
    # Panels that are far from the background leave no colour that can be read on both.
    surface, panel = (background.blend(colour(one), _SHARE_OF_PANELS, alpha=1.0) for one in ("surface", "panel"))
    cursor = background.blend(colour("primary"), _SHARE_OF_CURSOR, alpha=1.0)
    grounds = [background, surface, panel, cursor]

    def text(one: Color) -> str:
        return readable(one, grounds).hex

    return _Colours(
        background=background.hex,
        surface=surface.hex,
        panel=panel.hex,
        foreground=text(foreground),
        muted=text(foreground.blend(background, _SHARE_OF_MUTED, alpha=1.0)),
        accent=text(colour("primary")),
        cursor=cursor.hex,
        good=text(colour("success")),
        warn=text(colour("warning")),
        bad=text(colour("error")),
        line=foreground.blend(background, _SHARE_OF_LINES, alpha=1.0).hex,
    )


class _Colours(NamedTuple):
    """The colours of a theme. ``muted``: what can wait; ``accent``: the one; ``cursor``: below the cursor's row.

    ``good``, ``warn``, ``bad``: the three states; ``line``: borders of panels without the focus.
    """

    background: str
    surface: str
    panel: str
    foreground: str
    muted: str
    accent: str
    cursor: str
    good: str
    warn: str
    bad: str
    line: str


def _theme(name: str, colours: _Colours, *, dark: bool) -> Theme:
    from textual.theme import Theme

    return Theme(
        name=name,
        primary=colours.accent,
        secondary=colours.accent,
        accent=colours.accent,
        success=colours.good,
        warning=colours.warn,
        error=colours.bad,
        foreground=colours.foreground,
        background=colours.background,
        surface=colours.surface,
        panel=colours.panel,
        boost=colours.panel,
        dark=dark,
        variables={
            "text": colours.foreground,
            "text-muted": colours.muted,
            "text-disabled": colours.muted,
            "text-primary": colours.accent,
            "text-accent": colours.accent,
            "text-success": colours.good,
            "text-warning": colours.warn,
            "text-error": colours.bad,
            "primary-muted": colours.cursor,
            "border": colours.accent,
            "border-blurred": colours.line,
            "block-cursor-background": colours.cursor,
            "block-cursor-foreground": colours.foreground,
            "block-cursor-text-style": "bold",
            "block-cursor-blurred-background": colours.cursor,
            "block-cursor-blurred-foreground": colours.foreground,
            "input-selection-background": colours.cursor,
            "input-selection-foreground": colours.foreground,
            "button-foreground": colours.foreground,
            "button-color-foreground": colours.background,
            "scrollbar": colours.line,
            "scrollbar-hover": colours.muted,
            "scrollbar-active": colours.accent,
            "scrollbar-background": colours.background,
            "scrollbar-background-hover": colours.background,
            "scrollbar-background-active": colours.background,
        },
    )
