"""The names of the themes of the TUI, for those who do not load it."""

from __future__ import annotations

AUTO = "auto"
OWN_THEMES = (AUTO, "dark", "light", "high-contrast", "ansi", "none")
"""Those whose contrast is measured."""
TEXTUAL_THEMES = (
    "textual-dark", "textual-light", "nord", "gruvbox", "catppuccin-mocha", "dracula", "tokyo-night", "monokai",
    "flexoki", "catppuccin-latte", "catppuccin-frappe", "catppuccin-macchiato", "solarized-light", "solarized-dark",
    "rose-pine", "rose-pine-moon", "rose-pine-dawn", "atom-one-dark", "atom-one-light", "ansi-dark", "ansi-light",
)  # fmt: skip
"""Those that come with Textual, as it names them."""
THEME_NAMES = OWN_THEMES + TEXTUAL_THEMES
