"""The one face over the services that faces share: by subject, each call with the workspace open for its own thread.

A subject names the services that it offers and adds nothing to them. What the client adds is the same for all of them:
a workspace is opened and closed again, nothing is changed through a client that only reads, and a catalogue that cannot
be used is named as the cause of what failed. The services are loaded when the first of them is called, because a
screen is painted before that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, Generic, ParamSpec, TypeVar

from ingest_tui.model.errors import RefusedError

if TYPE_CHECKING:
    from ingest_tui.services import record_texts, workers, workspaces
    from ingest_tui.services.credentials import credentials
    from ingest_tui.services.credentials import forms as credential_forms
    from ingest_tui.services.documents import documents, explain, export, search
    from ingest_tui.services.jobs import audit_trail, error_inbox, jobs, logs, plan_preview
    from ingest_tui.services.sources import sources, trials
    from ingest_tui.store.catalogue.rebuild_progress import RebuildProgress
    from ingest_tui.store.workspace import Workspace
else:

    class _Module:
        """A module that is loaded when something of it is asked for."""

        def __init__(self, name: str) -> None:
            self._name = f"ingest_tui.services.{name}"

        def __getattr__(self, name: str) -> Any:
            return getattr(import_module(self._name), name)

    record_texts, workers, workspaces = map(_Module, ("record_texts", "workers", "workspaces"))
    credentials, credential_forms = map(_Module, ("credentials.credentials", "credentials.forms"))
    documents, explain, export, search = (
        _Module(f"documents.{name}") for name in ("documents", "explain", "export", "search")
    )
    audit_trail, error_inbox, jobs, logs, plan_preview = (
        _Module(f"jobs.{name}") for name in ("audit_trail", "error_inbox", "jobs", "logs", "plan_preview")
    )
    sources, trials = map(_Module, ("sources.sources", "sources.trials"))

Given = ParamSpec("Given")
Result = TypeVar("Result")
Item = TypeVar("Item")
Service = Callable[Concatenate["Workspace", Given], Result]


class ServiceCall(Generic[Given, Result]):
    """A service as a method of a subject. ``service()`` returns it; ``changes``: it changes something."""

    changes: ClassVar[bool] = False

    def __init__(self, service: Callable[[], Callable[..., Any]]) -> None:
        self.service = service

    def __get__(self, subject: _Subject, owner: type | None = None) -> Callable[Given, Result]:
        def call(*args: Given.args, **kwargs: Given.kwargs) -> Result:
            result: Result = self.answer(subject.client, self.service(), *args, **kwargs)
            return result

        return call

    def answer(self, client: Client, service: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call the service."""
        with client.opened() as workspace:
            return service(workspace, *args, **kwargs)


class _ServiceChange(ServiceCall[Given, Result]):
    """A service that changes something, which a client that only reads refuses."""

    changes: ClassVar[bool] = True

    def answer(self, client: Client, service: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call the service, unless nothing may be changed."""
        client.refuse_when_read_only()
        return super().answer(client, service, *args, **kwargs)


class _ServiceStream(ServiceCall[Given, Iterator[Item]]):
    """A service that yields; the workspace stays open until it has ended, or is closed."""

    def answer(self, client: Client, service: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Yield what the service yields."""
        with client.opened() as workspace:
            yield from service(workspace, *args, **kwargs)


class _PlainCall(ServiceCall[Given, Result]):
    """A service that needs no workspace."""

    def answer(self, client: Client, service: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call the service; nothing is opened for it."""
        del client
        return service(*args, **kwargs)


def _reads(find: Callable[[], Service[Given, Result]]) -> ServiceCall[Given, Result]:
    return ServiceCall(find)


def _changes(find: Callable[[], Service[Given, Result]]) -> _ServiceChange[Given, Result]:
    return _ServiceChange(find)


def _streams(find: Callable[[], Service[Given, Iterator[Item]]]) -> _ServiceStream[Given, Item]:
    return _ServiceStream(find)


def _offers(find: Callable[[], Callable[Given, Result]]) -> _PlainCall[Given, Result]:
    return _PlainCall(find)


class _Subject:
    """What there is to do with one kind of thing."""

    def __init__(self, client: Client) -> None:
        self.client = client


class _Sources(_Subject):
    list = _reads(lambda: sources.list_sources)
    has_any = _reads(lambda: sources.has_sources)
    kinds = _offers(lambda: sources.source_kinds)
    config_model = _offers(lambda: sources.connector_config_model)
    settings_of_place = _offers(lambda: trials.settings_of_place)
    places = _streams(lambda: trials.browse_for_settings)
    draft_of = _reads(lambda: trials.draft_of)
    draft_from = _offers(lambda: trials.draft_from)
    problems = _reads(lambda: trials.source_problems)
    preview = _streams(lambda: trials.preview_draft)
    test_draft = _streams(lambda: trials.test_draft)
    test = _streams(lambda: sources.test_source)
    plan = _streams(lambda: plan_preview.plan_source)
    save = _changes(lambda: trials.save_draft)
    set_watched = _changes(lambda: sources.set_watched)
    set_enabled = _changes(lambda: sources.set_enabled)
    sync = _changes(lambda: jobs.enqueue_sync)
    remove = _changes(lambda: sources.remove_source)


class _Collections(_Subject):
    list = _reads(lambda: workspaces.list_collections)
    names = _reads(lambda: workspaces.collection_names)


class _Credentials(_Subject):
    file = _reads(lambda: credentials.credentials_file)
    list = _reads(lambda: credentials.list_credentials)
    names = _reads(lambda: credential_forms.credential_names)
    types = _offers(lambda: credential_forms.credential_types)
    type_called = _offers(lambda: credentials.type_called)
    problems = _reads(lambda: credential_forms.draft_problems)
    describe_given = _offers(lambda: credentials.describe_given)
    test = _streams(lambda: credentials.test_credential)
    save = _changes(lambda: credential_forms.save_draft)
    remove = _changes(lambda: credentials.remove_credential)


class _Documents(_Subject):
    page = _reads(lambda: documents.page_of_documents)
    search = _reads(lambda: search.search)
    media_types = _reads(lambda: documents.media_types)
    get = _reads(lambda: documents.get_document)
    text = _reads(lambda: documents.document_text)
    record = _reads(lambda: documents.ingestion_record)
    remarks = _reads(lambda: documents.document_remarks)
    chunks = _reads(lambda: documents.document_chunks)
    versions = _reads(lambda: documents.document_versions)
    diff = _reads(lambda: documents.document_diff)
    original = _reads(lambda: documents.original_of)
    explain = _reads(lambda: explain.explain)
    remove = _changes(lambda: documents.remove_documents)
    restore = _changes(lambda: documents.restore_document)
    export = _changes(lambda: export.export_documents)


class _Jobs(_Subject):
    get = _reads(lambda: jobs.get_job)
    items = _streams(lambda: jobs.job_items)
    log = _streams(lambda: jobs.job_log)
    held_deletions = _reads(lambda: jobs.held_deletions)
    cancel = _changes(lambda: jobs.cancel_job)
    pause = _changes(lambda: jobs.pause_job)
    resume = _changes(lambda: jobs.resume_job)
    retry = _changes(lambda: jobs.retry_job)
    approve = _changes(lambda: jobs.approve_job)
    refuse = _changes(lambda: jobs.refuse_job)
    set_priority = _changes(lambda: jobs.set_priority)
    follow_logs = _reads(lambda: logs.follow_logs)


class _Errors(_Subject):
    grouped = _reads(lambda: error_inbox.grouped_issues)
    retry = _changes(lambda: error_inbox.retry_issues)
    ignore = _changes(lambda: error_inbox.ignore_issues)


class _Audit(_Subject):
    lines_from = _reads(lambda: audit_trail.audit_lines_from)
    export = _changes(lambda: audit_trail.export_audit)


class _Records(_Subject):
    text = _reads(lambda: record_texts.record_text)
    text_of = _offers(lambda: record_texts.text_of)
    save_source = _changes(lambda: record_texts.save_source_text)
    write = _reads(lambda: record_texts.write_text)


class _Workers(_Subject):
    list = _reads(lambda: workers.worker_status)
    start = _changes(lambda: workers.start_worker)
    ensure = _changes(lambda: workers.ensure_worker)
    stop = _changes(lambda: workers.stop_workers)


class _Settings(_Subject):
    set_theme = _changes(lambda: workspaces.set_theme)


class Client:
    """The services on one workspace, for any thread. ``read_only``: what changes something raises `RefusedError`."""

    def __init__(self, root: Path, *, read_only: bool = False) -> None:
        self.root = root
        self.read_only = read_only
        self.on_rebuild: Callable[[RebuildProgress], None] | None = None
        """Hears, in the thread of a call, of a catalogue that was lost and is made again for it."""
        self.sources = _Sources(self)
        self.collections = _Collections(self)
        self.credentials = _Credentials(self)
        self.documents = _Documents(self)
        self.jobs = _Jobs(self)
        self.errors = _Errors(self)
        self.audit = _Audit(self)
        self.records = _Records(self)
        self.workers = _Workers(self)
        self.settings = _Settings(self)

    def check(self) -> None:
        """Open the workspace; raises what is wrong with it."""
        with self.opened():
            return

    @contextmanager
    def opened(self) -> Iterator[Workspace]:
        """Open the workspace for one call."""
        from ingest_tui.store.workspace import open_workspace_at

        workspace = open_workspace_at(self.root)
        workspace.is_read_only = self.read_only
        if self.on_rebuild is not None:
            workspace.on_rebuild = self.on_rebuild
        try:
            yield workspace
        except Exception as error:
            cause = workspaces.failure_of_catalogue(workspace, error)
            if cause is None:
                raise
            raise cause from error
        finally:
            workspace.close()

    def refuse_when_read_only(self) -> None:
        """Raise `RefusedError` where nothing may be changed."""
        if self.read_only:
            raise RefusedError("this was opened with --read-only", hint="start it without, to change something")
