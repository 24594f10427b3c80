"""How the screen is coloured: the names of the themes, and what each of them is to Textual."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.theme import Theme

AUTO, NO_COLOUR = "auto", "none"
_LIGHT_BACKGROUNDS = {"7", "15"}
_NAMES_IN_TEXTUAL = {
    "dark": "textual-dark",
    "light": "textual-light",
    "high-contrast": "high-contrast",
    "ansi": "ansi-dark",
    NO_COLOUR: "ansi-dark",  # and every colour is taken out of what is painted
}
THEMES = {
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
    """Return what Textual calls a resolved theme."""
    return _NAMES_IN_TEXTUAL[name]


def high_contrast() -> Theme:
    """Return the theme of ours: every text at least 7:1 against its background (WCAG 2.2, 1.4.6)."""
    from textual.theme import Theme

    return Theme(
        name="high-contrast",
        primary="#66ccff",
        secondary="#ffffff",
        warning="#ffff00",
        error="#ff9999",
        success="#00ff66",
        accent="#ffcc00",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#003366",
        boost="#222222",
        dark=True,
        variables={
            "text-muted": "#ffffff",
            "text-primary": "#66ccff",
            "text-success": "#00ff66",
            "text-warning": "#ffff00",
            "text-error": "#ff9999",
            "text-accent": "#ffcc00",
            "primary-muted": "#003366",
        },
    )
