"""What git says when a server does not give a repository, as the errors that people get."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from ingest_tui.connectors.git.address import RepositoryAddress
from ingest_tui.connectors.git.git_errors import GitFailedError, shown
from ingest_tui.model.errors import AuthenticationError, IngestError, SourceAccessError, TransientSourceError
from ingest_tui.model.safe_text import safe_display

_NOT_SIGNED_IN = ("Authentication failed", "could not read Username", "could not read Password", "Permission denied (")
_NOT_THERE = ("not found", "does not exist", "does not appear to be a git repository", "not exported")
_NO_REPOSITORY = ("is this a git repository", "dumb http transport")
_NETWORK = (
    *("Could not resolve", "Failed to connect", "Couldn't connect", "Connection", "timed out", "Timeout", "early EOF"),
    *("hung up", "unexpected disconnect", "RPC failed", "transfer closed", "Empty reply", "SSL", "TLS", "gnutls"),
    *("certificate", "unable to connect", "No route to host", "Network is unreachable", "Could not read from remote"),
    # The branch went on between the question and the fetch, at a server that gives only what its branches name.
    *("not our ref", "unadvertised object"),
)


def network_error(address: RepositoryAddress, failure: GitFailedError) -> IngestError:
    """Return the error of a server that did not give what was asked for."""
    make = next((make for is_meant, make in _ERRORS if is_meant(failure)), _not_understood)
    return make(address, failure)


def _says(*words: str) -> Callable[[GitFailedError], bool]:
    return lambda failure: any(one in failure.said for one in words)


def _is_to_wait(failure: GitFailedError) -> bool:
    is_named = failure.status == HTTPStatus.FORBIDDEN and failure.retry_after is not None
    return is_named or failure.status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


def _is_not_there(failure: GitFailedError) -> bool:
    return failure.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE} or _says(*_NOT_THERE)(failure)


def _may_pass(failure: GitFailedError) -> bool:
    is_broken = (failure.status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR
    return failure.may_pass or is_broken or _says(*_NETWORK)(failure)


def _no_room(address: RepositoryAddress, _failure: GitFailedError) -> IngestError:
    # Not waited for: what did not fit is removed, so there would be room at once, and all would be fetched again.
    return SourceAccessError(
        f"the disk has no room for what {safe_display(address.text)} sends",
        hint="make room for all files of the commit; 'ingest-tui stats' shows what there is",
        code="no_room",
    )


def _too_large(address: RepositoryAddress, failure: GitFailedError) -> IngestError:
    return SourceAccessError(
        f"git cannot fetch from {safe_display(address.text)}: {shown(failure)}",
        hint="is it the address of a repository? docs/git.md names the limits",
        code="answer_too_large",
    )


def _to_wait(address: RepositoryAddress, failure: GitFailedError) -> IngestError:
    return TransientSourceError(
        f"the server of {safe_display(address.text)} asks to wait: {shown(failure)}",
        code="throttled",
        retry_after=failure.retry_after,
    )


def _not_signed_in(address: RepositoryAddress, _failure: GitFailedError) -> IngestError:
    by_key = "'ssh -o BatchMode=yes USER@HOST', run as the user of the worker, must get in without a question"
    by_name = "name a --credential of type basic or token; one that is named may have expired"
    return AuthenticationError(
        f"access to {safe_display(address.text)} was refused", hint=by_key if address.scheme == "ssh" else by_name
    )


def _unknown_host_key(address: RepositoryAddress, _failure: GitFailedError) -> IngestError:
    return SourceAccessError(
        f"ssh does not know the key of the host of {safe_display(address.text)}",
        hint="sign in there once with ssh as the user of the worker, so that its key is among the known hosts",
        code="host_key",
    )


def _forbidden(address: RepositoryAddress, _failure: GitFailedError) -> IngestError:
    return SourceAccessError(
        f"no permission to read {safe_display(address.text)}",
        hint="may the account read this repository?",
        code="forbidden",
    )


def _not_there(address: RepositoryAddress, _failure: GitFailedError) -> IngestError:
    return SourceAccessError(
        f"there is no repository at {safe_display(address.text)}",
        hint="is the address right? Many servers answer so, too, about what the account may not see",
        code="not_found",
    )


def _no_repository(address: RepositoryAddress, _failure: GitFailedError) -> IngestError:
    return SourceAccessError(
        f"no server of git answers at {safe_display(address.text)}, or one that is too old",
        hint="name the address that 'git clone' takes",
        code="not_a_repository",
    )


def _transient(address: RepositoryAddress, failure: GitFailedError) -> IngestError:
    return TransientSourceError(f"cannot reach {safe_display(address.text)}: {shown(failure)}", code="network")


def _not_understood(address: RepositoryAddress, failure: GitFailedError) -> IngestError:
    return SourceAccessError(
        f"git cannot fetch from {safe_display(address.text)}: {shown(failure)}",
        hint="'git ls-remote ADDRESS' shows whether another git can",
    )


_ERRORS: tuple[
    tuple[Callable[[GitFailedError], bool], Callable[[RepositoryAddress, GitFailedError], IngestError]], ...
] = (
    (lambda failure: failure.lacks_room, _no_room),
    (lambda failure: failure.is_too_large, _too_large),
    (_is_to_wait, _to_wait),
    (lambda failure: failure.status == HTTPStatus.UNAUTHORIZED or _says(*_NOT_SIGNED_IN)(failure), _not_signed_in),
    (_says("Host key verification failed"), _unknown_host_key),
    (lambda failure: failure.status == HTTPStatus.FORBIDDEN, _forbidden),
    (_is_not_there, _not_there),
    (_says(*_NO_REPOSITORY), _no_repository),
    (_may_pass, _transient),
)
