"""Entra ID, as `credential test` tries it: sign in, then look which application permissions the token holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from importlib.util import find_spec
from typing import Any

from ingest_tui.credentials.contract import Credential
from ingest_tui.credentials.providers.entra_clouds import GUIDE
from ingest_tui.credentials.steps import Step
from ingest_tui.model.errors import IngestError, MissingDependencyError
from ingest_tui.model.safe_text import safe_display

# https://learn.microsoft.com/graph/permissions-reference: what lets an application find a site and read in it.
READS_EVERYTHING = ("Sites.Read.All", "Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All")
READS_WHAT_IS_CHOSEN = (
    "Sites.Selected",
    "Lists.SelectedOperations.Selected",
    "ListItems.SelectedOperations.Selected",
    "Files.SelectedOperations.Selected",
)
_PACKAGES = {"msal": "msal", "requests": "requests"}


def check_packages(packages: Mapping[str, str], what: str) -> None:
    """Raise `MissingDependencyError` for the first module that is not there. Imports nothing.

    ``packages`` maps modules to what they are installed as; ``what`` needs them.
    """
    for module, package in packages.items():
        if find_spec(module) is None:
            raise MissingDependencyError(
                f"{what} needs the package {package!r}, which is not installed",
                hint='pip install "ingest-tui[sharepoint]"',
            )


def authenticate(credential: Credential, _uses: Sequence[Mapping[str, Any]]) -> Iterator[Step]:
    """Yield the steps sign-in and permission; whether a site was granted is seen by the sources that use it.

    Raises `MissingDependencyError` without msal.
    """
    check_packages(_PACKAGES, "signing in to Entra ID")
    from ingest_tui.credentials.providers.entra_signin import SignIn

    try:
        with closing(SignIn(credential)) as sign_in:
            sign_in.token()
    except IngestError as error:
        yield Step("sign-in", False, error.message, error.hint)
        return
    yield Step("sign-in", True, "Entra ID gave a token for Microsoft Graph")
    yield _permission(sign_in.roles)


def _permission(roles: list[str] | None) -> Step:
    if roles is None:
        return Step("permission", True, "the token does not show them; 'ingest-tui source test SOURCE' tries to read")
    everything = [role for role in roles if role in READS_EVERYTHING]
    if everything:
        return Step("permission", True, f"granted: {', '.join(everything)}")
    chosen = [role for role in roles if role in READS_WHAT_IS_CHOSEN]
    if chosen:
        note = "each site has to be granted, too; 'ingest-tui source test SOURCE' shows whether it is"
        return Step("permission", True, f"granted: {', '.join(chosen)}; {note}")
    return Step(
        "permission", False, f"missing: Sites.Selected or Sites.Read.All; {_held(roles)}", missing_permission(roles)
    )


def missing_permission(roles: Sequence[str] | None) -> str:
    """Return what to do about a token that lets nobody read a site; nothing when one of its permissions does."""
    if roles is None or any(role in (*READS_EVERYTHING, *READS_WHAT_IS_CHOSEN) for role in roles):
        return ""
    return (
        "add the application permission Sites.Selected (or Sites.Read.All) of Microsoft Graph to the app and grant "
        f"admin consent, see {GUIDE}#permissions"
    )


def _held(roles: Sequence[str]) -> str:
    held = f"the application has only {', '.join(roles)}" if roles else "the application has none at all"
    return safe_display(held, limit=200)
