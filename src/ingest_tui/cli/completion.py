"""completion: what bash, zsh and fish need to complete commands, options, values and names."""

from __future__ import annotations

import click

from ingest_tui.cli import output

SHELLS = ("bash", "zsh", "fish")
COMPLETE_VARIABLE = "_INGEST_TUI_COMPLETE"
"""Set by the scripts: the program then answers with completions and does nothing else."""

_BASH = r"""_ingest_tui_completion() {
    # bash ends words at colons and equals signs, too, and replaces the last piece alone
    local words=() rest=$COMP_LINE trimmed word piece before= type value
    for piece in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        trimmed=${rest#"${rest%%[![:space:]]*}"}
        if (( ${#words[@]} )) && [[ $trimmed == "$rest" ]]; then
            before=${words[-1]}
            words[-1]+=$piece
            [[ $piece == [:=] ]] && before=${words[-1]}
        else
            before=
            words+=("$piece")
        fi
        rest=${trimmed#"$piece"}
    done
    word=${words[-1]}
    while IFS=, read -r type value; do
        case $type in
            dir) COMPREPLY=(); compopt -o dirnames; return ;;
            file) COMPREPLY=(); compopt -o default; return ;;
            plain) ;;
            *) continue ;;
        esac
        case $word in  # within quotes that are open, only what ends them is written otherwise
            \'*) value=${value//\'/\'\\\'\'} ;;
            \"*) value=$(printf '%s' "$value" | sed 's/[\\"$`]/\\&/g') ;;
            *) value=$(printf '%q' "$value") ;;
        esac
        COMPREPLY+=("${value#"$before"}")
    done < <(IFS=$'\n'; COMP_WORDS="${words[*]}" COMP_CWORD=$(( ${#words[@]} - 1 )) VARIABLE=bash_complete "$1")
}
complete -o nosort -F _ingest_tui_completion ingest-tui
"""
"""In place of what click has, which breaks names with colons, and names that are begun with a quote."""

_COMMA = ('string split "," $completion', 'string split --max 1 "," $completion')
"""Has fish take a name with a comma whole."""


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script by which SHELL completes commands, options, values and names of this program.

    Write it to ~/.local/share/bash-completion/completions/ingest-tui, to _ingest-tui in a folder of zsh's fpath, or to
    ~/.config/fish/completions/ingest-tui.fish.
    """
    from click.shell_completion import get_completion_class

    if shell == "bash":
        output.raw_text(_BASH.replace("VARIABLE", COMPLETE_VARIABLE))
        return
    maker = get_completion_class(shell)
    assert maker is not None, "click knows these shells"  # noqa: S101
    script = maker(ctx.find_root().command, {}, "ingest-tui", COMPLETE_VARIABLE).source()
    output.raw_text(f"{script.strip()}\n".replace(*_COMMA))
