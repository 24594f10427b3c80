"""The rules that a plan follows: from a source, the settings of its workspace, and the options of a job."""

from __future__ import annotations

from typing import Any

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.extraction.backends import versions
from ingest_tui.extraction.schemas.schema_file import SourceSchema
from ingest_tui.model.attachments import mark_of
from ingest_tui.model.clock import posix_ns
from ingest_tui.model.hashing import short_digest
from ingest_tui.model.holding import HoldRules
from ingest_tui.model.plan import RULES_VERSION, PlanRules
from ingest_tui.model.source import Source
from ingest_tui.pipeline.job.attachments import attachments_of, may_have_attachments
from ingest_tui.pipeline.job.ocr import digest_of, ocr_of
from ingest_tui.pipeline.job.parse_limits import limits_of
from ingest_tui.store.records.settings import Settings


def rules_of(
    source: Source,
    schema: SourceSchema | None,
    options: dict[str, Any],
    settings: Settings,
    hold: HoldRules,
    *,
    watched: bool = False,
) -> PlanRules:
    """Return the planner's rules for a source, from its settings and the job's options.

    A sync that a watch started leaves alone what changed within the stability wait: it may be half written.
    """
    moment = posix_ns()
    unsettled = (moment - int(settings.stable_seconds * 1e9), moment) if watched else None
    return PlanRules(
        ruleset_of(source, schema, settings),
        bool(options.get("force")),
        hold,
        unsettled_ns=unsettled,
        may_have_attachments=may_have_attachments,
    )


def may_be_half_written(connector: BaseConnector | None) -> bool:
    """Whether the items of a source can be seen while they are still being written; elsewhere they appear whole."""
    return connector is not None and connector.capabilities.watches_paths


def ruleset_of(source: Source, schema: SourceSchema | None, settings: Settings) -> str:
    """Return a short digest of everything that decides what is let in and how it is read.

    One of the settings of OCR follows after a plus, and one of the schema after a colon, where there are any. What
    becomes of attachments is before it.
    """
    extraction = source.extraction
    parts = [str(int(source.max_size)), str(extraction.backend), repr(sorted(extraction.by_type.items()))]
    if source.allow_types or source.deny_types:
        parts.append(repr((sorted(source.allow_types), sorted(source.deny_types))))
    if source.containers != "documents":
        parts.append(f"containers {source.containers}")
    if source.since is not None:
        parts.append(str(source.since))
    ruleset = mark_of(attachments_of(source, settings)) + short_digest(RULES_VERSION, *parts, length=12)
    ocr = digest_of(ocr_of(source, settings))
    ruleset = f"{ruleset}+{ocr}" if ocr else ruleset
    return ruleset if schema is None else f"{ruleset}:{schema.digest}"


def parsers_of(source: Source, settings: Settings) -> str:
    """Return what stands for the parsers as they are now: their versions, and the limits they work under."""
    limits = limits_of(settings, source.extraction)
    by_type = repr(sorted(settings.parser_limits_by_type.items()))
    parts = [versions(), repr(limits), by_type, str(source.extraction.backend)]
    if ocr_of(source, settings).is_on:
        parts.append(repr(settings.ocr_total_seconds))
    return short_digest(*parts, length=12)
