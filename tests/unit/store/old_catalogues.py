"""Catalogues as earlier versions of the program made them."""

from __future__ import annotations

from pathlib import Path

import apsw

from ingest_tui.store.catalogue.schema import UPGRADES

_KILLS = """
CREATE TABLE kills (
    source_id TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, reason TEXT NOT NULL,
    kills INTEGER NOT NULL, parsers TEXT NOT NULL, PRIMARY KEY (source_id, key)
) WITHOUT ROWID;
"""
_SCHEMA = """
CREATE TABLE documents (
    document_id TEXT PRIMARY KEY, collection_id TEXT NOT NULL, source_id TEXT NOT NULL, source_type TEXT NOT NULL,
    uri TEXT NOT NULL, key TEXT NOT NULL, title TEXT NOT NULL, file_name TEXT NOT NULL, media_type TEXT NOT NULL,
    version INTEGER NOT NULL, raw_sha256 TEXT NOT NULL, content_hash TEXT NOT NULL, bytes INTEGER NOT NULL,
    chunks INTEGER NOT NULL, backend TEXT NOT NULL, state TEXT NOT NULL, created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL, job_id TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX documents_by_raw ON documents (collection_id, raw_sha256);
CREATE INDEX documents_by_content ON documents (collection_id, content_hash);
CREATE INDEX documents_by_source ON documents (source_id, key);
CREATE TABLE versions (
    document_id TEXT NOT NULL, version INTEGER NOT NULL, raw_sha256 TEXT NOT NULL, content_hash TEXT NOT NULL,
    bytes INTEGER NOT NULL, media_type TEXT NOT NULL, backend TEXT NOT NULL, uri TEXT NOT NULL, job_id TEXT NOT NULL,
    ingested_at TEXT NOT NULL, PRIMARY KEY (document_id, version)
) WITHOUT ROWID;
CREATE TABLE locations (
    source_id TEXT NOT NULL, key TEXT NOT NULL, uri TEXT NOT NULL, collection_id TEXT NOT NULL, document_id TEXT,
    fingerprint TEXT NOT NULL, size INTEGER, modified_ns INTEGER, outcome TEXT NOT NULL, reason TEXT NOT NULL,
    detail TEXT NOT NULL, ruleset TEXT NOT NULL, job_id TEXT NOT NULL, at TEXT NOT NULL, version INTEGER,
    PRIMARY KEY (source_id, key)
) WITHOUT ROWID;
CREATE INDEX locations_by_document ON locations (document_id) WHERE document_id IS NOT NULL;
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY, document_id TEXT NOT NULL, ordinal INTEGER NOT NULL, heading TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX chunks_by_document ON chunks (document_id, ordinal);
CREATE VIRTUAL TABLE chunks_fts USING fts5(
    heading, text, content='chunks', content_rowid='id', tokenize="unicode61 remove_diacritics 2"
);
"""


def make_old_catalogue(path: Path, version: int) -> None:
    """Make a catalogue of schema 1 to 8 with one active document, its version, its place and its text."""
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(_SCHEMA)
    if version > 1:
        connection.execute(_KILLS)
    connection.execute(
        "INSERT INTO documents VALUES ('d1', 'default', 'docs', 'local', 'file:///a.md', 'a.md', 'A', 'a.md',"
        " 'text/markdown', 1, 'raw', 'text', 10, 1, 'plain 1', 'active', '2026-01-01', '2026-01-01', 'job')"
    )
    connection.execute(
        "INSERT INTO versions VALUES ('d1', 1, 'raw', 'text', 10, 'text/markdown', 'plain 1', 'file:///a.md', 'job',"
        " '2026-01-01')"
    )
    connection.execute(
        "INSERT INTO locations VALUES ('docs', 'a.md', 'file:///a.md', 'default', 'd1', 'f', 10, 1, 'ingested', 'new',"
        " '', 'rules', 'job', '2026-01-01', 1)"
    )
    connection.execute("INSERT INTO chunks VALUES (1, 'd1', 0, 'heading', 'kept')")
    connection.execute("INSERT INTO chunks_fts (rowid, heading, text) VALUES (1, 'heading', 'kept')")
    for older in range(2, version):
        connection.execute(UPGRADES[older])
    if version == 6:
        connection.execute("DROP INDEX documents_by_address")
        connection.execute("CREATE INDEX documents_by_address ON documents (collection_id, state, uri, document_id)")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
