"""The one face over the services that faces share: by subject, each call with the workspace open for its own thread.

A subject names the services that it offers and adds nothing to them. What the client adds is the same for all of them:
a workspace is opened and closed again, nothing is changed through a client that only reads, and a catalogue that cannot
be used is named as the cause of what failed. The services are loaded when the first of them is called, because a
screen is painted before that.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ingest_tui.model.errors import RefusedError
from ingest_tui.services.opened_for_calls import OpenedForCalls
from ingest_tui.services.service_calls import (
    ServiceCall,
    Subject,
    change_streams,
    changes,
    offers,
    reads,
    streams,
)

if TYPE_CHECKING:
    from ingest_tui.services import (
        access_tokens,
        attention,
        backup,
        comparison,
        embedders,
        embedding,
        embedding_states,
        generations,
        job_end_trials,
        metrics,
        monitoring,
        name_lookup,
        overview,
        record_texts,
        rerankers,
        service_units,
        settings,
        similar,
        stats,
        workers,
        workspace_prune,
        workspaces,
    )
    from ingest_tui.services.collections import collections, overrides, preferences, removal
    from ingest_tui.services.collections import page as collection_pages
    from ingest_tui.services.credentials import credentials
    from ingest_tui.services.credentials import forms as credential_forms
    from ingest_tui.services.documents import (
        documents,
        erasure,
        evaluation,
        explain,
        export,
        folders,
        links,
        pruning,
        registration,
        rollback,
        search,
        selection,
        tables,
        text_pages,
        trace,
        trash,
        uploads,
        version_details,
    )
    from ingest_tui.services.jobs import (
        audit_check,
        audit_trail,
        error_inbox,
        holds,
        job_status,
        jobs,
        logs,
        plan_preview,
    )
    from ingest_tui.services.sources import choice, health, kinds, many, ocr_data, outcomes, sources, trials
    from ingest_tui.services.verify import repair, verify
else:

    class _Module:
        """A module that is loaded when something of it is asked for."""

        def __init__(self, name: str) -> None:
            self._name = f"ingest_tui.services.{name}"

        def __getattr__(self, name: str) -> Any:
            return getattr(import_module(self._name), name)

    attention, backup, comparison, embedders, embedding, embedding_states, generations = map(
        _Module, ("attention", "backup", "comparison", "embedders", "embedding", "embedding_states", "generations")
    )
    access_tokens, job_end_trials, overview = map(_Module, ("access_tokens", "job_end_trials", "overview"))
    name_lookup, record_texts, rerankers, workspace_prune, similar, workers, workspaces = map(
        _Module, ("name_lookup", "record_texts", "rerankers", "workspace_prune", "similar", "workers", "workspaces")
    )
    collections, collection_pages, overrides, preferences, removal = (
        _Module(f"collections.{name}") for name in ("collections", "page", "overrides", "preferences", "removal")
    )
    credentials, credential_forms = map(_Module, ("credentials.credentials", "credentials.forms"))
    documents, erasure, evaluation, explain, export, folders, links, pruning, registration = (
        _Module(f"documents.{name}")
        for name in (
            "documents",
            "erasure",
            "evaluation",
            "explain",
            "export",
            "folders",
            "links",
            "pruning",
            "registration",
        )
    )
    rollback, search, selection, tables, text_pages = (
        _Module(f"documents.{name}") for name in ("rollback", "search", "selection", "tables", "text_pages")
    )
    trace, trash, uploads, version_details = (
        _Module(f"documents.{name}") for name in ("trace", "trash", "uploads", "version_details")
    )
    audit_check, audit_trail, error_inbox, holds, job_status, jobs, logs, plan_preview = (
        _Module(f"jobs.{name}")
        for name in ("audit_check", "audit_trail", "error_inbox", "holds", "job_status", "jobs", "logs", "plan_preview")
    )
    choice, health, kinds, many, ocr_data, outcomes, sources, trials = (
        _Module(f"sources.{name}")
        for name in ("choice", "health", "kinds", "many", "ocr_data", "outcomes", "sources", "trials")
    )
    metrics, monitoring, stats = map(_Module, ("metrics", "monitoring", "stats"))
    repair, service_units, settings, verify = map(
        _Module, ("verify.repair", "service_units", "settings", "verify.verify")
    )


class _Sources(Subject):
    list = reads(lambda: sources.list_sources)
    get = reads(lambda: sources.get_source)
    id_of = reads(lambda: name_lookup.source_id_of)
    unreadable = reads(lambda: sources.unreadable_sources)
    has_any = reads(lambda: sources.has_sources)
    types = reads(lambda: sources.types_of_sources)
    kinds = offers(lambda: kinds.source_kinds)
    config_model = offers(lambda: sources.connector_config_model)
    settings_of_place = offers(lambda: trials.settings_of_place)
    places = streams(lambda: trials.browse_for_settings)
    browse = streams(lambda: sources.browse_source)
    browse_settings = streams(lambda: sources.browse_settings)
    draft_of = reads(lambda: trials.draft_of)
    draft_from = offers(lambda: trials.draft_from)
    problems = reads(lambda: trials.source_problems)
    preview = streams(lambda: trials.preview_draft)
    test_draft = streams(lambda: trials.test_draft)
    test = streams(lambda: sources.test_source)
    plan = streams(lambda: plan_preview.plan_source)
    to_sync = reads(lambda: choice.sources_to_sync)
    takes_otherwise = reads(lambda: sources.takes_otherwise)
    next_run_at = reads(lambda: health.next_run_at)
    last_complete_looks = reads(lambda: health.last_complete_looks)
    outcomes = reads(lambda: outcomes.outcomes_of_source)
    scheduled_runs = reads(lambda: workers.scheduled_runs)
    preferences = reads(lambda: overrides.source_preferences)
    number_cut_otherwise = reads(lambda: overrides.number_cut_otherwise)
    missing_for_ocr = reads(lambda: ocr_data.missing_for_ocr)
    missing_for_ocr_languages = offers(lambda: ocr_data.missing_for_ocr_languages)
    missing_for_ocr_preferences = offers(lambda: ocr_data.missing_for_ocr_preferences)
    add = changes(lambda: sources.add_source)
    check_many = reads(lambda: many.check_many)
    add_many = change_streams(lambda: many.add_many)
    export = reads(lambda: many.export_sources)
    edit = changes(lambda: sources.edit_source)
    save = changes(lambda: trials.save_draft)
    set_watched = changes(lambda: sources.set_watched)
    set_enabled = changes(lambda: sources.set_enabled)
    sync = changes(lambda: jobs.enqueue_sync)
    request_sync = changes(lambda: jobs.request_source_sync)
    remove = changes(lambda: sources.remove_source)
    count_documents_to_retire = reads(lambda: sources.count_documents_to_retire)


class _Collections(Subject):
    list = reads(lambda: collections.list_collections)
    get = reads(lambda: collections.get_collection)
    id_of = reads(lambda: name_lookup.collection_id_of)
    unreadable = reads(lambda: collections.unreadable_collections)
    names = reads(lambda: collections.collection_names)
    show = reads(lambda: collections.show_collection)
    page = reads(lambda: collection_pages.collection_page)
    pages = reads(lambda: collection_pages.list_pages)
    in_use = reads(lambda: collections.collection_in_use)
    use = changes(lambda: collections.use_collection)
    add = changes(lambda: collections.add_collection)
    edit = changes(lambda: collections.edit_collection)
    plan_preferences = reads(lambda: preferences.plan_preferences)
    overriding_sources = reads(lambda: overrides.overriding_sources)
    waiting_rechunking = reads(lambda: overrides.waiting_rechunking)
    unknown_columns = reads(lambda: preferences.unknown_columns)
    save_preferences = changes(lambda: preferences.save_preferences)
    preview_chunks = reads(lambda: preferences.preview_chunks)
    rechunk = changes(lambda: preferences.rechunk_collection)
    what_would_go = reads(lambda: removal.what_would_go)
    remove = changes(lambda: removal.remove_collection)
    in_trash = reads(lambda: removal.removed_collections)
    restore = changes(lambda: removal.restore_collection)


class _Credentials(Subject):
    file = reads(lambda: credentials.credentials_file)
    list = reads(lambda: credentials.list_credentials)
    get = reads(lambda: credentials.get_credential)
    names = reads(lambda: credential_forms.credential_names)
    types = offers(lambda: credential_forms.credential_types)
    type_called = offers(lambda: credentials.type_called)
    problems = reads(lambda: credential_forms.draft_problems)
    describe_given = offers(lambda: credentials.describe_given)
    test = streams(lambda: credentials.test_credential)
    add = changes(lambda: credentials.add_credential)
    change = changes(lambda: credentials.change_credential)
    save = changes(lambda: credential_forms.save_draft)
    remove = changes(lambda: credentials.remove_credential)


class _Embedders(Subject):
    types = offers(lambda: embedders.backend_types)
    settings_model = offers(lambda: embedders.settings_model)
    list = reads(lambda: embedders.list_embedders)
    unreadable = reads(lambda: embedders.unreadable_embedders)
    id_of = reads(lambda: embedders.embedder_id_of)
    test = streams(lambda: embedders.test_embedder)
    removal_in_words = reads(lambda: embedders.removal_in_words)
    add = changes(lambda: embedders.add_embedder)
    remove = changes(lambda: embedders.remove_embedder)


class _Rerankers(Subject):
    types = offers(lambda: rerankers.reranker_types)
    settings_model = offers(lambda: rerankers.settings_model)
    list = reads(lambda: rerankers.list_rerankers)
    id_of = reads(lambda: rerankers.reranker_id_of)
    test = streams(lambda: rerankers.test_reranker)
    add = changes(lambda: rerankers.add_reranker)
    remove = changes(lambda: rerankers.remove_reranker)


class _Vectors(Subject):
    choose_embedder = changes(lambda: embedding.choose_embedder)
    chosen_embedder = reads(lambda: embedding.chosen_embedder)
    embed = changes(lambda: embedding.enqueue_embedding)
    waiting = reads(lambda: embedding.waiting_embedding)
    states = reads(lambda: embedding_states.states_of_documents)
    scope_of = reads(lambda: generations.scope_of)
    generations = reads(lambda: generations.list_generations)
    generation = reads(lambda: generations.generation_numbered)
    reembed = changes(lambda: generations.reembed)
    switch = changes(lambda: generations.switch_generation)
    revert = changes(lambda: generations.revert_generation)
    discardable = reads(lambda: generations.discardable_generation)
    discard = changes(lambda: generations.discard_generation)
    compared = reads(lambda: comparison.compared_generations)
    compare = reads(lambda: comparison.compare_generations)


class _Trash(Subject):
    list = streams(lambda: trash.list_trash)
    chosen_to_empty = reads(lambda: trash.chosen_to_empty)
    empty = changes(lambda: trash.empty_trash)


class _Documents(Subject):
    page = reads(lambda: documents.page_of_documents)
    folder = reads(lambda: folders.page_of_folder)
    folder_named = reads(lambda: folders.folder_named)
    list = reads(lambda: documents.list_documents)
    count = reads(lambda: documents.count_documents)
    details = reads(lambda: version_details.details_by_id)
    details_of_versions = reads(lambda: version_details.details_of)
    removal_in_words = reads(lambda: version_details.removal_in_words)
    preferences = reads(lambda: overrides.document_preference_rows)
    trace = streams(lambda: trace.trace)
    tables = reads(lambda: tables.document_tables)
    hint_without_hits = reads(lambda: similar.hint_without_hits)
    register = changes(lambda: registration.register_and_note)
    raw_file = reads(lambda: documents.raw_file)
    search = reads(lambda: search.search)
    suggestions = reads(lambda: search.suggestions)
    unknown_filters = reads(lambda: search.unknown_filters)
    vectors_missing = reads(lambda: search.vectors_missing)
    similar_to = reads(lambda: similar.similar_to_document)
    similar_to_text = reads(lambda: similar.similar_to_text)
    evaluate_searches = reads(lambda: evaluation.evaluate)
    media_types = reads(lambda: documents.media_types)
    checked_type = reads(lambda: name_lookup.checked_type)
    get = reads(lambda: documents.get_document)
    text = reads(lambda: documents.document_text)
    text_page = reads(lambda: text_pages.document_text_page)
    record = reads(lambda: documents.ingestion_record)
    embedding = reads(lambda: embedding_states.state_of_document)
    remarks = reads(lambda: documents.document_remarks)
    chunks = reads(lambda: documents.document_chunks)
    links = reads(lambda: links.document_links)
    incoming_links = reads(lambda: links.incoming_links)
    broken_links = reads(lambda: links.broken_links)
    versions = reads(lambda: documents.document_versions)
    diff = reads(lambda: documents.document_diff)
    original = reads(lambda: documents.original_of)
    explain = reads(lambda: explain.explain)
    remove = changes(lambda: documents.remove_documents)
    restore = changes(lambda: documents.restore_document)
    select = reads(lambda: selection.select_documents)
    plan_erasure = reads(lambda: erasure.plan_erasure)
    erase = changes(lambda: erasure.erase_documents)
    upload = changes(lambda: uploads.upload_files)
    prunable_versions = reads(lambda: pruning.versions_to_prune)
    deleted_versions = streams(lambda: pruning.versions_deleted_by)
    prune_versions = changes(lambda: pruning.prune_documents)
    planned_rollback = reads(lambda: rollback.planned_rollback)
    roll_back = changes(lambda: rollback.roll_back_document)
    export = changes(lambda: export.export_documents)
    export_one = reads(lambda: export.export_document)
    content = reads(lambda: export.document_content)
    note_export = reads(lambda: export.note_document_export)


class _Jobs(Subject):
    list = reads(lambda: jobs.list_jobs)
    get = reads(lambda: jobs.get_job)
    status = reads(lambda: job_status.status)
    page = reads(lambda: job_status.page_of_statuses)
    watched = reads(lambda: job_status.watched_statuses)
    reasons = reads(lambda: jobs.job_reasons)
    queue_positions = reads(lambda: jobs.queue_positions)
    items = streams(lambda: jobs.job_items)
    log = streams(lambda: jobs.job_log)
    held_deletions = reads(lambda: holds.held_deletions)
    before_change = reads(lambda: jobs.job_before_change)
    cancel = changes(lambda: jobs.cancel_job)
    pause = changes(lambda: jobs.pause_job)
    resume = changes(lambda: jobs.resume_job)
    retry = changes(lambda: jobs.retry_job)
    approve = changes(lambda: holds.approve_job)
    withdraw = changes(lambda: holds.withdraw_approval)
    refuse = changes(lambda: holds.refuse_job)
    set_priority = changes(lambda: jobs.set_priority)
    follow_logs = reads(lambda: logs.follow_logs)


class _Errors(Subject):
    grouped = reads(lambda: error_inbox.grouped_issues)
    list = reads(lambda: error_inbox.list_open_issues)
    find = reads(lambda: error_inbox.find_issues)
    with_hints = reads(lambda: error_inbox.groups_with_hints)
    retry = changes(lambda: error_inbox.retry_issues)
    ignore = changes(lambda: error_inbox.ignore_issues)


class _Audit(Subject):
    entries_from = streams(lambda: audit_trail.audit_from)
    lines_from = reads(lambda: audit_trail.audit_lines_from)
    export = changes(lambda: audit_trail.export_audit)
    check = reads(lambda: audit_check.check_export)


class _Records(Subject):
    text = reads(lambda: record_texts.record_text)
    source_text = offers(lambda: record_texts.source_text)
    save_source = changes(lambda: record_texts.save_source_text)
    write = reads(lambda: record_texts.write_text)


class _Workers(Subject):
    list = reads(lambda: workers.worker_status)
    log = reads(lambda: workers.worker_log)
    is_worked_on = reads(lambda: workers.is_worked_on)
    follow = changes(lambda: workers.follow_job)
    wait_for = reads(lambda: workers.wait_for_job)
    start = changes(lambda: workers.start_worker)
    ensure = changes(lambda: workers.ensure_worker)
    stop = changes(lambda: workers.stop_workers)


class _Monitoring(Subject):
    stats = reads(lambda: stats.workspace_stats)
    health = reads(lambda: monitoring.check_health)
    metrics = reads(lambda: metrics.metrics_text)
    write_metrics = reads(lambda: metrics.write_metrics)


class _Service(Subject):
    unit = reads(lambda: service_units.service_unit)
    status = reads(lambda: service_units.service_status)
    install = changes(lambda: service_units.install_service)
    uninstall = changes(lambda: service_units.uninstall_service)


class _Maintenance(Subject):
    attention = reads(lambda: attention.list_attention)
    overview = reads(lambda: overview.overview)
    rebuild = changes(lambda: workspaces.rebuild)
    verify = streams(lambda: verify.verify)
    repair = change_streams(lambda: repair.verify_and_repair)
    back_up = reads(lambda: backup.back_up)
    stream_backup = reads(lambda: backup.stream_backup)
    check_backup = offers(lambda: backup.check_backup)
    prunable = reads(lambda: workspace_prune.prunable)
    last_prune = reads(lambda: workspace_prune.last_prune)
    prune = changes(lambda: workspace_prune.prune_workspace)


class _Tokens(Subject):
    list = reads(lambda: access_tokens.list_tokens)
    has_any = reads(lambda: access_tokens.has_tokens)
    of_secret = reads(lambda: access_tokens.valid_token)
    machine_places = reads(lambda: access_tokens.machine_places)
    add = changes(lambda: access_tokens.add_token)
    revoke = changes(lambda: access_tokens.revoke_token)


class _Settings(Subject):
    set_theme = changes(lambda: workspaces.set_theme)
    list = reads(lambda: settings.list_settings)
    get = reads(lambda: settings.get_setting)
    set = changes(lambda: settings.set_setting)
    unset = changes(lambda: settings.unset_setting)
    try_job_end_hook = reads(lambda: job_end_trials.try_job_end_hook)


class Client(OpenedForCalls):
    """The services on one workspace, for any thread. ``read_only``: what changes something raises `RefusedError`.

    ``is_remote``: the workspace is that of a server, whose workers do its jobs.
    """

    is_remote: ClassVar[bool] = False

    def __init__(self, root: Path, *, read_only: bool = False) -> None:
        super().__init__(root, read_only=read_only)
        self.sources = _Sources(self)
        self.collections = _Collections(self)
        self.credentials = _Credentials(self)
        self.embedders = _Embedders(self)
        self.rerankers = _Rerankers(self)
        self.vectors = _Vectors(self)
        self.trash = _Trash(self)
        self.documents = _Documents(self)
        self.jobs = _Jobs(self)
        self.errors = _Errors(self)
        self.audit = _Audit(self)
        self.records = _Records(self)
        self.workers = _Workers(self)
        self.monitoring = _Monitoring(self)
        self.service = _Service(self)
        self.maintenance = _Maintenance(self)
        self.settings = _Settings(self)
        self.tokens = _Tokens(self)

    def answered(self, call: ServiceCall[Any, Any], *args: Any, **kwargs: Any) -> Any:
        """Answer a call of a subject with its service."""
        return call.answer(self, call.service(), *args, **kwargs)

    def refuse_when_read_only(self) -> None:
        """Raise `RefusedError` where nothing may be changed."""
        if self.read_only:
            raise RefusedError("this was opened with --read-only", hint="start it without, to change something")
