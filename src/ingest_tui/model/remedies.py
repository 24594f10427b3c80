"""What to do about an item that failed, was refused or had no text: one answer for each reason, wherever it is shown.

Pure. What an error itself said when it happened takes precedence: it knows more.
"""

from __future__ import annotations

from ingest_tui.model.ocr import NEEDS_OCR, OCR_FOUND_NOTHING
from ingest_tui.model.plan import ARCHIVED, PERMANENT_FAILURES
from ingest_tui.model.source import UPLOAD_SOURCE

_NEXT_SYNC = "the next sync tries again by itself"
_BY_REASON = {
    "encrypted": "remove the password and put the file in place again",
    "archive_bomb": "if the file is genuine, unpack it and ingest the folder instead",
    "unsafe_xml": "entities can read files and grow without end; replace them by their text",
    "unsupported_type": "save it in a format that can be read; 'ingest-tui doctor' lists them",
    "malformed": "the file may be damaged or cut short; open it with its program and save it again",
    "schema_violation": "correct it at the source, or the schema of the source",
    "wrong_type": "its name promises another type than its bytes are; rename it, or save it again with its program",
    "empty": "nothing to do: there is no text in it; a scan needs OCR",
    OCR_FOUND_NOTHING: "nothing to do if it shows no text; other --ocr-languages of its source may find some",
    ARCHIVED: "restore it at the source; the next sync takes it then",
    "special_file": "only regular files are read; nothing to do",
    "symlink_outside": "put the file itself there, or add the folder that the link leads to as a source of its own",
    "invalid_name": "rename it at the source",
    "forbidden": "let the user that runs ingest-tui read it; the next sync tries again",
    "locked": "close it in the program that has it open; the next sync tries again",
    "changed_while_read": "the next sync takes it, once it is not being written any more",
}
_OF_SETTINGS = {
    "too_large": "'ingest-tui source edit {source} --max-size SIZE' takes larger files; or split the file",
    "too_old": "'ingest-tui source edit {source} --since DATE' takes older ones, --since '' all",
    "many_members_gone": (
        "put back what was there; or let them go:"
        " 'ingest-tui source edit {source} --hold-share 1 --hold-always-share 1', then sync"
    ),
    "type_not_allowed": "'ingest-tui source edit {source} --any-type' takes all; --allow-type and --deny-type choose",
}
OF_PARSERS = frozenset({"timeout", "memory", "crashed"})
"""Reasons that may be due to the machine, and what else runs on it."""
KNOWN_REASONS = frozenset({*_BY_REASON, *_OF_SETTINGS, *OF_PARSERS, *PERMANENT_FAILURES, NEEDS_OCR})
"""Why items fail, are refused or have no text, as this program has it; connectors and validators may have others."""
_UPLOAD_AGAIN = "upload it again"


def remedy_for(outcome: str, reason: str, *, source_id: str, said: str = "", quarantined: bool = False) -> str:
    """Return what to do about an item of ``source_id`` whose last look came to an outcome with a reason.

    ``said``: what the error itself said to do; ``quarantined``: it has killed its parser too often.
    """
    is_upload = source_id == UPLOAD_SOURCE
    if reason in _OF_SETTINGS:
        return "split the file, then upload the parts" if is_upload else _OF_SETTINGS[reason].format(source=source_id)
    if reason == NEEDS_OCR:
        switch = f"'ingest-tui source edit {source_id} --ocr auto' and a sync read it by OCR"
        said = 'set "ocr": "auto" in workspace.json' if is_upload else switch
    if reason in OF_PARSERS:
        return _of_parsers(reason, source_id, is_upload=is_upload, quarantined=quarantined)
    best = said or _BY_REASON.get(reason) or (_BY_REASON["empty"] if outcome == "empty" else "")
    if outcome == "empty" or not best:
        return best or (_UPLOAD_AGAIN if is_upload else _NEXT_SYNC)
    if is_upload:
        return f"{best}; then {_UPLOAD_AGAIN}"
    if reason in PERMANENT_FAILURES and outcome == "failed":
        return f"{best}; it is read again when it has changed, or by 'ingest-tui errors retry --source {source_id}'"
    return best


def _of_parsers(reason: str, source_id: str, *, is_upload: bool, quarantined: bool) -> str:
    limit = {"memory": "parser_memory", "timeout": "parser_total_seconds"}.get(reason)
    about = f"a higher {limit} in workspace.json may help" if limit else "another --backend of its source may read it"
    if is_upload:
        return f"{about}; then {_UPLOAD_AGAIN}"
    again = f"'ingest-tui errors retry --source {source_id}' tries it again"
    return f"{about}; {again}" if quarantined else f"{_NEXT_SYNC}; {about}"
