"""Documents that a person names by their file name alone."""

from __future__ import annotations

import os

from ingest_tui.model.document import Document
from ingest_tui.model.unicode import as_unicode
from ingest_tui.services.documents.addresses import absolute_path_bytes
from ingest_tui.store.catalogue import queries
from ingest_tui.store.workspace import Workspace


def documents_named(workspace: Workspace, name: str) -> list[Document]:
    """Return the documents of a file name, those that are here, else those in the trash; by address.

    None where it is a path, or the name of a file in the folder where it is asked: that one is meant then.
    """
    if not name or "/" in name or "\0" in name or os.path.lexists(absolute_path_bytes(name)):
        return []
    addresses = queries.addresses_ending_in(workspace.reading, f"/{as_unicode(name)}")
    found = {one.document_id: one for address in addresses for one in queries.documents_at(workspace.reading, address)}
    active = [one for one in found.values() if one.state == "active"]
    return sorted(active or found.values(), key=lambda one: one.uri)
