"""Sources and collections over HTTP: what is changed, and by whom it was changed meanwhile."""

from __future__ import annotations

from typing import Any

from tests.made_images import drawn, saved
from tests.servers.served import Served


def test_a_change_that_rests_on_what_is_no_more_is_refused(own: Served) -> None:
    """If-Match names the record as it was read: 412 once somebody has changed it; without, both changes hold."""
    with own.asking() as asking:
        read = asking.get("/sources/papers")
        mine = {"If-Match": read.headers["etag"]}
        own.client.sources.edit("papers", priority=7)
        late = asking.patch("/sources/papers", json={"watch": True}, headers=mine)
        assert (late.status_code, late.json()["exit_code"]) == (412, 5)
        assert asking.delete("/sources/papers", headers=mine).status_code == 412
        both = asking.patch("/sources/papers", json={"watch": True})
        assert (both.json()["settings"]["watch"], both.json()["settings"]["priority"]) == (True, 7)
        again = asking.patch("/sources/papers", json={"watch": False}, headers={"If-Match": both.headers["etag"]})
        assert again.status_code == 200


def test_a_source_is_added_edited_and_removed(own: Served) -> None:
    """Wrong settings name their field; what is left out stays as it is."""
    with own.asking() as asking:
        body = {"name": "Notes", "source_config": {"path": str(own.documents)}, "priority": 3}
        made = asking.post("/sources", json=body)
        assert (made.status_code, made.headers["location"]) == (201, "/sources/notes")
        assert asking.post("/sources", json=body).status_code == 400
        edited = asking.patch("/sources/notes", json={"enabled": False, "collection_id": None}).json()["settings"]
        assert (edited["enabled"], edited["priority"], edited["collection_id"]) == (False, 3, "default")
        assert asking.patch("/sources/notes", json={"priority": "3"}).json()["errors"][0]["field"] == "body.priority"
        assert asking.post("/sources/notes/sync", json={}).status_code == 400
        assert asking.delete("/sources/notes").json() == {"source_id": "notes", "retired": 0}
        assert asking.get("/sources/notes").status_code == 404


def test_a_source_is_told_what_a_command_line_can_tell_it(own: Served) -> None:
    """OCR, attachments, archives and held deletions, when it is added and later; null is as the workspace has it."""
    chosen = {
        "ocr": "auto", "ocr_languages": "deu", "ocr_engine": "tesseract", "attachments": "inline",
        "containers": "refuse", "hold_items": 3, "hold_share": 0.2, "hold_always_share": 0.4,
    }  # fmt: skip
    with own.asking() as asking:
        body = {"name": "Scans", "source_config": {"path": str(own.documents)}, **chosen}
        made = asking.post("/sources", json=body).json()["settings"]
        assert {name: made[name] for name in chosen} == chosen
        cleared = {name: None for name in chosen if name not in {"ocr_languages", "containers"}} | {"ocr_languages": ""}
        edited = asking.patch("/sources/scans", json=cleared).json()["settings"]
        assert {name: edited[name] for name in cleared} == cleared
        wrong = asking.patch("/sources/scans", json={"ocr": "always?"})
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "body.ocr")


def test_the_old_form_of_a_folder_still_works(own: Served) -> None:
    """A bare source_path is a folder; source_config takes precedence, with a warning; the same again is the same."""
    folder = str(own.documents)
    with own.asking() as asking:
        old = asking.post("/ingest", json={"source_path": folder})
        assert (old.status_code, old.headers["location"]) == (202, f"/ingest/{old.json()['job_id']}")
        assert "warning" not in old.headers
        same = asking.post("/ingest", json={"source_path": folder})
        assert same.json()["source_id"] == old.json()["source_id"]
        both = asking.post("/ingest", json={"source_path": "/nowhere", "source_config": {"path": folder}})
        assert (both.status_code, "source_config is used" in both.headers["warning"]) == (202, True)
        assert asking.post("/ingest", json={"source_id": "papers"}).json()["source_id"] == "papers"
        wrongs: list[dict[str, Any]] = [{}, {"source_id": "papers", "source_path": folder}, {"documents": []}]
        for wrong in wrongs:
            assert asking.post("/ingest", json=wrong).status_code == 422, wrong
        assert asking.post("/ingest", json={"source_type": "nothing", "source_config": {}}).status_code == 400


def test_a_language_that_ocr_lacks_is_said_when_it_is_chosen(own: Served) -> None:
    """By a source, a collection and an upload: a warning in the answer, next to what was saved; no other is warned."""
    lacks = "on the machine of the server OCR lacks the language data of Tesseract for tlh"
    body = {"name": "Scans", "source_config": {"path": str(own.documents)}, "preferences": {"ocr_languages": "tlh"}}
    with own.asking() as asking:
        added = asking.post("/sources", json=body)
        assert lacks in added.headers.get("warning", ""), added.text
        assert "warning" not in asking.patch("/sources/scans", json={"priority": 3}).headers
        changed = asking.patch("/sources/scans", json={"preferences": {"ocr_languages": "tlh_frak"}})
        assert "tlh_frak" in changed.headers["warning"]
        path = "/collections/default/preferences"
        chosen = asking.patch(path, json={"values": {"ocr_languages": "tlh", "ocr": "auto"}})
        assert lacks in chosen.headers["warning"]
        picture, text = {"files": ("scan.png", saved(drawn(), "png"))}, {"files": ("notes.txt", b"words")}
        assert "tlh" in asking.post("/collections/default/files", files=picture).headers["warning"]
        assert "warning" not in asking.post("/collections/default/files", files=text).headers
        assert "warning" not in asking.patch(path, json={"unset": ["ocr_languages", "ocr"]}).headers


def test_preferences_are_changed_as_they_were_read(own: Served) -> None:
    """They have an ETag of their own; a value that cannot be is refused, and named."""
    path = "/collections/default/preferences"
    with own.asking() as asking:
        read = asking.get(path)
        changed = asking.patch(path, json={"values": {"chunk_size": 400}}, headers={"If-Match": read.headers["etag"]})
        assert changed.json()["preferences"]["chunk_size"] == 400
        assert changed.json()["job"]["kind"] == "rechunk"
        late = asking.patch(path, json={"unset": ["chunk_size"]}, headers={"If-Match": read.headers["etag"]})
        assert late.status_code == 412
        assert asking.patch(path, json={"values": {"chunk_size": "many"}}).status_code == 422
