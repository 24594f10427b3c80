"""Arguments and options that name what a workspace has (sources, jobs, documents, …); shells complete them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click

from ingest_tui.cli.global_options import LATE_CREDENTIALS, LATE_ROOT
from ingest_tui.cli.session import Session

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from ingest_tui.services.completion import NameKind


def workspace_of_completion(ctx: click.Context) -> Path | None:
    """Return the workspace that a line which is being typed names; None for a server: no shell waits for a network."""
    given = ctx.find_root().params
    return None if given.get("server") else ctx.meta.get(LATE_ROOT) or given.get("root") or Path("workspace")


class _Name(click.ParamType[str]):
    """A name as people type it; completed by the names that the workspace has."""

    kind: ClassVar[NameKind]

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG002
        """Return the names that begin like this, of the workspace that the call names."""
        from click.shell_completion import CompletionItem

        from ingest_tui.services.completion import credentials_next_to, names_beginning

        root = workspace_of_completion(ctx)
        if root is None:
            return []
        given = ctx.find_root().params
        credentials = ctx.meta.get(LATE_CREDENTIALS) or given.get("credentials_path") or credentials_next_to(root)
        names = names_beginning(root, self.kind, incomplete, credentials=credentials)
        return [CompletionItem(name) for name in names]


class SourceName(_Name):
    """A source; the value is its identifier. What names none stays as it is: the command reports that."""

    name = "source"
    kind = "source"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002
        """Return the identifier."""
        session = ctx.find_object(Session) if ctx else None
        return session.client.sources.id_of(value) if session and value else value


class CollectionName(_Name):
    """A collection; the value is its identifier. What names none stays as it is: the command reports that."""

    name = "collection"
    kind = "collection"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002
        """Return the identifier."""
        session = ctx.find_object(Session) if ctx else None
        return session.client.collections.id_of(value) if session and value else value


class JobName(_Name):
    """A job, as it was typed: the services resolve it."""

    name = "job"
    kind = "job"


class FolderName(_Name):
    """A folder of documents; the value is a `Folder`. One that no document is in is refused."""

    name = "folder"
    kind = "folder"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002
        """Return the folder."""
        session = ctx.find_object(Session) if ctx else None
        return session.client.documents.folder_named(value) if session and isinstance(value, str) else value


class DocumentName(_Name):
    """A document, as it was typed: the services resolve it."""

    name = "document"
    kind = "document"


class RetiredDocumentName(_Name):
    """A document in the trash, as it was typed: the services resolve it."""

    name = "document"
    kind = "retired document"


class TypeName(_Name):
    """An ending or a media type, or the beginning of one; refused where neither a format nor a document has it."""

    name = "text"
    kind = "type"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002
        """Return it as it was typed."""
        session = ctx.find_object(Session) if ctx else None
        return session.client.documents.checked_type(value) if session and value.strip() else value


class EmbeddedName(click.ParamType[str]):
    """A collection, a source or a document, as it was typed: the services resolve it."""

    name = "name"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """Return the names of all three that begin like this."""
        return [item for one in (COLLECTION, SOURCE, DOCUMENT) for item in one.shell_complete(ctx, param, incomplete)]


class KindName(click.ParamType[str]):
    """A type of sources or of credentials, as it was typed; completed by those that ``known`` returns."""

    name = "type"

    def __init__(self, known: Callable[[], list[str]]) -> None:
        self._known = known

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG002
        """Return the types that begin like this."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(name) for name in self._known() if name.startswith(incomplete)]


def _source_types() -> list[str]:
    from ingest_tui.services.sources.sources import source_types

    return source_types()


def _credential_types() -> list[str]:
    from ingest_tui.services.credentials.forms import credential_types

    return [declared.name for declared in credential_types()]


class CredentialName(_Name):
    """An entry of the credentials file, as it was typed: the services look it up."""

    name = "credential"
    kind = "credential"


class EmbedderName(_Name):
    """An embedder, as it was typed: the services look it up."""

    name = "embedder"
    kind = "embedder"


class RerankerName(_Name):
    """A reranker, as it was typed: the services look it up."""

    name = "reranker"
    kind = "reranker"


SOURCE = SourceName()
COLLECTION = CollectionName()
JOB = JobName()
DOCUMENT = DocumentName()
RETIRED_DOCUMENT = RetiredDocumentName()
FOLDER = FolderName()
TYPE = TypeName()
SOURCE_TYPE = KindName(_source_types)
EMBEDDED = EmbeddedName()
CREDENTIAL_TYPE = KindName(_credential_types)
CREDENTIAL = CredentialName()
EMBEDDER = EmbedderName()
RERANKER = RerankerName()
