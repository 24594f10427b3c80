"""The names of these functions until the last import of this module is gone."""

from ingest_tui.model.file_names import export_name, safe_extension
from ingest_tui.model.identifiers import check_identifier, slug
from ingest_tui.model.keys import bytes_from_key, file_name_of, file_uri, key_from_bytes, opaque_key, path_of_uri
from ingest_tui.model.safe_text import safe_block, safe_cell, safe_display, safe_json

__all__ = [
    "bytes_from_key", "check_identifier", "export_name", "file_name_of", "file_uri", "key_from_bytes", "opaque_key",
    "path_of_uri", "safe_block", "safe_cell", "safe_display", "safe_extension", "safe_json", "slug",
]  # fmt: skip
