"""completion: what bash, zsh and fish need to complete commands, options, values and names."""

from __future__ import annotations

import click

from ingest_tui.cli import output

SHELLS = ("bash", "zsh", "fish")
COMPLETE_VARIABLE = "_INGEST_TUI_COMPLETE"
"""Set by the scripts: the program then answers with completions and does nothing else."""

_QUOTED = ("COMPREPLY+=($value)", 'COMPREPLY+=("$(printf \'%q\' "$value")")')
"""Has bash write a name with spaces as one word, which zsh and fish do by themselves."""


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script by which SHELL completes commands, options, values and names of this program.

    Write it to ~/.local/share/bash-completion/completions/ingest-tui, to _ingest-tui in a folder of zsh's fpath, or to
    ~/.config/fish/completions/ingest-tui.fish.
    """
    from click.shell_completion import get_completion_class

    maker = get_completion_class(shell)
    assert maker is not None, "click knows these shells"  # noqa: S101
    script = maker(ctx.find_root().command, {}, "ingest-tui", COMPLETE_VARIABLE).source()
    output.raw_text(f"{script.strip()}\n".replace(*_QUOTED))
