"""What lists and questions say of the versions of documents."""

from __future__ import annotations

from pathlib import Path

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.services.documents.documents import list_documents, remove_documents
from ingest_tui.services.documents.version_details import details_by_id, removal_in_words
from ingest_tui.services.workspaces import init


def test_a_removal_names_the_versions_that_go(tmp_path: Path) -> None:
    """Where there are earlier versions they are counted; a document that is named twice goes once."""
    init(tmp_path)[0].close()
    with open_workspace(tmp_path) as handle:
        for name, text in (("a.csv", "city\nBonn\n"), ("b.csv", "city\nUlm\n"), ("a.csv", "city\nKiel\n")):
            handle.register("default", IngestedDocument(content=text, unique_id=name, source_type="api"))
        workspace = handle.workspace
        first, second = list_documents(workspace)
        assert removal_in_words(workspace, [second]) == "1 document"
        assert removal_in_words(workspace, [first, first]) == "1 document with its 2 versions"
        assert removal_in_words(workspace, [first, second]) == "2 documents with all 3 versions"


def test_details_have_the_status_of_each_document(tmp_path: Path) -> None:
    """What is retired, without text, or was not read at the last look says so; an id that is gone has no details."""
    init(tmp_path)[0].close()
    with open_workspace(tmp_path) as handle:
        for name, text in (("a.csv", "city\nBonn\n"), ("b.md", ""), ("c.md", "a heron"), ("d.md", "an otter")):
            handle.register("default", IngestedDocument(content=text, unique_id=name, source_type="api"))
        workspace = handle.workspace
        ids = {document.title: document.document_id for document in list_documents(workspace)}
        remove_documents(workspace, [ids["c.md"]])
        [place] = workspace.catalogue.locations_of(ids["d.md"])
        with workspace.catalogue.transaction():
            workspace.catalogue.put_locations([place._replace(outcome="failed")])
        details = details_by_id(workspace, [*ids.values(), "gone"])
        statuses = {name: details[document_id].status for name, document_id in ids.items()}
        assert statuses == {"a.csv": "searchable", "b.md": "empty", "c.md": "in trash", "d.md": "failed"}
        assert len(details) == 4
        assert (details[ids["a.csv"]].columns, details[ids["a.csv"]].given_label) == ([], "")
