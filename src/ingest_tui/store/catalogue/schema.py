"""The tables of the catalogue, and what brings an older catalogue to them.

Triggers fill the change feed: whatever writes a row of ``documents``, its change is appended to ``changes`` in the same
transaction, so no caller can forget it.
"""

from __future__ import annotations

from ingest_tui.index import document_names, earlier_words, full_text

SCHEMA_VERSION = 10

_KILLS = """
CREATE TABLE kills (
    source_id TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, reason TEXT NOT NULL,
    kills INTEGER NOT NULL, parsers TEXT NOT NULL, PRIMARY KEY (source_id, key)
) WITHOUT ROWID;
"""

# AUTOINCREMENT: a sequence number is never used twice in an epoch, even when the feed is cut.
# A document that comes back with a new version is one change, "restored": a follower reads the current version.
_CHANGE_FEED = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('epoch', lower(hex(randomblob(16))));
CREATE TABLE changes (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, document_id TEXT NOT NULL,
    collection_id TEXT NOT NULL, version INTEGER NOT NULL, at TEXT NOT NULL
);
CREATE TRIGGER document_added AFTER INSERT ON documents BEGIN
    INSERT INTO changes (kind, document_id, collection_id, version, at) VALUES (
        CASE NEW.state WHEN 'active' THEN 'added' ELSE 'retired' END,
        NEW.document_id, NEW.collection_id, NEW.version, NEW.updated_at
    );
END;
CREATE TRIGGER document_changed AFTER UPDATE ON documents
WHEN (OLD.state, OLD.version, OLD.content_hash, OLD.source_id, OLD.key, OLD.uri)
    IS NOT (NEW.state, NEW.version, NEW.content_hash, NEW.source_id, NEW.key, NEW.uri)
BEGIN
    INSERT INTO changes (kind, document_id, collection_id, version, at) VALUES (
        CASE
            WHEN OLD.state IS NOT NEW.state THEN CASE NEW.state WHEN 'active' THEN 'restored' ELSE 'retired' END
            WHEN (OLD.version, OLD.content_hash) IS NOT (NEW.version, NEW.content_hash) THEN 'updated'
            ELSE 'moved'
        END,
        NEW.document_id, NEW.collection_id, NEW.version, NEW.updated_at
    );
END;
CREATE TRIGGER document_purged AFTER DELETE ON documents BEGIN
    INSERT INTO changes (kind, document_id, collection_id, version, at) VALUES (
        'purged', OLD.document_id, OLD.collection_id, OLD.version, strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
    );
END;
"""

_ADDRESSES = """
CREATE INDEX documents_by_uri ON documents (uri);
CREATE INDEX documents_retired ON documents (updated_at, document_id) WHERE state = 'retired';
CREATE INDEX locations_by_uri ON locations (uri);
"""

# The lists of a collection: shown at once, however many documents it has. The first has all that a list is narrowed
# down and ordered by: looking each document up for that costs ten times as much.
_LIST_BY_ADDRESS = """
CREATE INDEX documents_by_address
    ON documents (collection_id, state, uri, document_id, key, title, updated_at, bytes);
"""
_LISTS = f"""
{_LIST_BY_ADDRESS}
CREATE INDEX documents_by_time ON documents (collection_id, state, updated_at, document_id);
"""

# What is in a folder of a source, however far below: documents, their bytes, and the last change, from the index alone.
_FOLDERS = """
CREATE INDEX documents_by_source
    ON documents (source_id, key, state, collection_id, bytes, updated_at, document_id);
"""

# The content that a person removed from a place, so that it does not come back unasked.
_REMOVALS = """
CREATE INDEX locations_by_removed_raw ON locations (collection_id, removed_sha256) WHERE removed_sha256 <> '';
CREATE INDEX locations_by_removed_content ON locations (collection_id, removed_content_hash)
    WHERE removed_content_hash <> '';
"""

SCHEMA = f"""
CREATE TABLE documents (
    document_id TEXT PRIMARY KEY, collection_id TEXT NOT NULL, source_id TEXT NOT NULL, source_type TEXT NOT NULL,
    uri TEXT NOT NULL, key TEXT NOT NULL, title TEXT NOT NULL, file_name TEXT NOT NULL, media_type TEXT NOT NULL,
    version INTEGER NOT NULL, raw_sha256 TEXT NOT NULL, content_hash TEXT NOT NULL, bytes INTEGER NOT NULL,
    chunks INTEGER NOT NULL, backend TEXT NOT NULL, state TEXT NOT NULL, created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL, job_id TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX documents_by_raw ON documents (collection_id, raw_sha256);
CREATE INDEX documents_by_content ON documents (collection_id, content_hash);
{_FOLDERS}
CREATE TABLE versions (
    document_id TEXT NOT NULL, version INTEGER NOT NULL, raw_sha256 TEXT NOT NULL, content_hash TEXT NOT NULL,
    bytes INTEGER NOT NULL, media_type TEXT NOT NULL, backend TEXT NOT NULL, uri TEXT NOT NULL, job_id TEXT NOT NULL,
    ingested_at TEXT NOT NULL, PRIMARY KEY (document_id, version)
) WITHOUT ROWID;
CREATE TABLE locations (
    source_id TEXT NOT NULL, key TEXT NOT NULL, uri TEXT NOT NULL, collection_id TEXT NOT NULL, document_id TEXT,
    fingerprint TEXT NOT NULL, size INTEGER, modified_ns INTEGER, outcome TEXT NOT NULL, reason TEXT NOT NULL,
    detail TEXT NOT NULL, ruleset TEXT NOT NULL, job_id TEXT NOT NULL, at TEXT NOT NULL, version INTEGER,
    parsers TEXT NOT NULL DEFAULT '', removed_sha256 TEXT NOT NULL DEFAULT '',
    removed_content_hash TEXT NOT NULL DEFAULT '', container TEXT NOT NULL DEFAULT '', PRIMARY KEY (source_id, key)
) WITHOUT ROWID;
CREATE INDEX locations_by_document ON locations (document_id) WHERE document_id IS NOT NULL;
{_REMOVALS}
{_KILLS}
{full_text.TABLES}
{_ADDRESSES}
{_LISTS}
{_CHANGE_FEED}
"""

UPGRADES = {
    1: _KILLS,
    2: f"""
ALTER TABLE locations ADD COLUMN parsers TEXT NOT NULL DEFAULT '';
ALTER TABLE locations ADD COLUMN removed_sha256 TEXT NOT NULL DEFAULT '';
ALTER TABLE locations ADD COLUMN removed_content_hash TEXT NOT NULL DEFAULT '';
UPDATE locations SET (removed_sha256, removed_content_hash) = (d.raw_sha256, d.content_hash) FROM documents d
WHERE outcome = 'retired' AND reason = 'removed'
AND d.source_id = locations.source_id AND d.key = locations.key AND d.state = 'retired';
{_REMOVALS}{_ADDRESSES}{_CHANGE_FEED}
""",
    3: full_text.UPGRADE_TO_OFFSETS,
    4: "ALTER TABLE locations ADD COLUMN container TEXT NOT NULL DEFAULT '';",
    5: full_text.UPGRADE_TO_WORDS + _LISTS,
    6: f"DROP INDEX IF EXISTS documents_by_address; {_LIST_BY_ADDRESS}",
    7: f"DROP INDEX IF EXISTS documents_by_source; {_FOLDERS}",
    8: document_names.UPGRADE,
    9: earlier_words.UPGRADE,
}
"""What brings a catalogue from the version that is its key to the next one."""
