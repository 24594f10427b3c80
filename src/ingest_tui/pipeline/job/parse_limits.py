"""What a workspace lets parsers use: its settings as limits, and those that single types of file have instead."""

from __future__ import annotations

from dataclasses import replace

from ingest_tui.extraction.backends import have_costs_of_their_own, runs_programs
from ingest_tui.extraction.intake.admission import known_types
from ingest_tui.extraction.intake.formats import BY_EXTENSION, extension_of
from ingest_tui.model.ocr import NO_OCR_REQUEST, OcrRequest
from ingest_tui.model.parse_limits import ParseLimits
from ingest_tui.model.source import ExtractionSettings
from ingest_tui.pipeline.job.ocr import may_need_ocr
from ingest_tui.store.records.settings import Settings, TypeLimits


def limits_of(settings: Settings, extraction: ExtractionSettings) -> ParseLimits:
    """Return the limits for the files of a source.

    They do not depend on the size of a file where a backend works through other programs or with models: what those
    need is theirs.
    """
    limits = ParseLimits(
        memory_bytes=int(settings.parser_memory),
        silence_seconds=settings.parser_silence_seconds,
        total_seconds=settings.parser_total_seconds,
        base_memory_bytes=int(settings.parser_base_memory),
        memory_bytes_per_megabyte=int(settings.parser_memory_per_megabyte),
        base_cpu_seconds=settings.parser_base_cpu_seconds,
        cpu_seconds_per_megabyte=settings.parser_cpu_seconds_per_megabyte,
    )
    chosen = {extraction.backend, *extraction.by_type.values()}
    return limits.whatever_the_size() if have_costs_of_their_own(chosen) else limits


def works_through_programs(extraction: ExtractionSettings) -> bool:
    """Whether a source has chosen a backend that works through other programs, for some type at least."""
    return runs_programs({extraction.backend, *extraction.by_type.values()})


def limits_for(
    settings: Settings, extraction: ExtractionSettings, file_name: str, *, ocr: OcrRequest = NO_OCR_REQUEST
) -> ParseLimits | None:
    """Return the limits that the settings have for the type that a name promises; None for those of all types.

    What may be read by OCR may take as long as its pages take: their number does not follow from its size.
    A limit for an extension takes precedence over one for its format. Raises `ValidationError` for an unknown type.
    """
    chosen = _chosen_for(settings, file_name)
    reads_pictures = ocr.is_on and may_need_ocr(file_name)
    if chosen is None and not reads_pictures:
        return None
    limits = limits_of(settings, extraction)
    if reads_pictures:
        limits = _with_time_for_ocr(limits, settings, ocr)
    if chosen is None:
        return limits
    total = chosen.total_seconds or limits.total_seconds
    # Who allows more time in all means the processor's, too.
    cpu = chosen.cpu_seconds or (total if chosen.total_seconds else limits.base_cpu_seconds)
    return replace(
        limits,
        silence_seconds=chosen.silence_seconds or limits.silence_seconds,
        total_seconds=total,
        base_cpu_seconds=cpu,
        cpu_seconds_per_megabyte=0 if chosen.cpu_seconds else limits.cpu_seconds_per_megabyte,
        base_memory_bytes=int(chosen.memory or limits.base_memory_bytes),
        memory_bytes_per_megabyte=0 if chosen.memory else limits.memory_bytes_per_megabyte,
    )


def _with_time_for_ocr(limits: ParseLimits, settings: Settings, ocr: OcrRequest) -> ParseLimits:
    total = max(settings.ocr_total_seconds, limits.total_seconds)
    memory = limits.memory_bytes if ocr.engine == "rapidocr" else limits.base_memory_bytes  # its models take 800 MB
    return replace(limits, total_seconds=total, base_cpu_seconds=total, base_memory_bytes=memory)


def _chosen_for(settings: Settings, file_name: str) -> TypeLimits | None:
    if not settings.parser_limits_by_type:
        return None
    by_type = {kept: limits for name, limits in settings.parser_limits_by_type.items() for kept in known_types([name])}
    extension = extension_of(file_name)
    kind = BY_EXTENSION.get(extension)
    names = (extension, kind.name, kind.media_type) if kind else ()
    return next((by_type[name] for name in names if name in by_type), None)
