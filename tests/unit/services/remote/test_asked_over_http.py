"""What is asked of a server comes to the same as asked of the workspace: meaning, and held deletions."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_tui import open_workspace
from ingest_tui.services.workers import follow_job
from tests.made_models import SENTENCE, make_static_model
from tests.servers.served import Served


@pytest.fixture
def own(tmp_path: Path) -> Served:
    """A workspace of its own."""
    return Served(tmp_path, weather=SENTENCE)


def work_off(served: Served, job_id: str) -> None:
    """Do a queued job, as a worker would."""
    with open_workspace(served.root) as handle:
        follow_job(handle.workspace, job_id, lambda _manifest: None, run_here=True)


def test_what_is_similar_is_the_same(own: Served, tmp_path: Path) -> None:
    """To a document and to a text, and what a search by meaning finds: the same hits with the same scores."""
    client = own.client
    client.embedders.add(backend="static", name="tiny", settings={"path": str(make_static_model(tmp_path / "model"))})
    client.vectors.choose_embedder("default", "tiny")
    work_off(own, client.vectors.embed("default").job_id)
    document_id = own.document_id()
    with own.asking() as asking:
        remote = own.remote(asking)
        for here, there in (
            (client.documents.similar_to(document_id), remote.documents.similar_to(document_id)),
            (client.documents.similar_to_text(SENTENCE), remote.documents.similar_to_text(SENTENCE)),
            (client.documents.search(SENTENCE, mode="vector"), remote.documents.search(SENTENCE, mode="vector")),
            (client.documents.search(SENTENCE, mode="hybrid"), remote.documents.search(SENTENCE, mode="hybrid")),
        ):
            assert [one.as_dict() for one in there] == [one.as_dict() for one in here]
        assert client.documents.similar_to_text(SENTENCE)


def test_deletions_are_held_approved_withdrawn_and_refused(own: Served) -> None:
    """What a job holds is shown; approved and taken back, refused, and in the end approved and carried out."""
    own.client.settings.set("hold_items", "0")
    (own.documents / "tide.txt").unlink()
    with own.asking() as asking:
        remote = own.remote(asking)

        def held_by_a_sync() -> str:
            job_id = remote.sources.request_sync("papers").manifest.job_id
            work_off(own, job_id)
            assert [one.key for one in remote.jobs.held_deletions(job_id)] == ["tide.txt"]
            return str(job_id)

        job_id = held_by_a_sync()
        remote.jobs.approve(job_id)
        withdrawn = remote.jobs.withdraw(job_id).held
        assert withdrawn is not None
        assert withdrawn.waits
        refused = remote.jobs.refuse(job_id).held
        assert refused is not None
        assert refused.refused_by
        approved = remote.jobs.approve(held_by_a_sync())
        work_off(own, approved.job_id)
        assert remote.jobs.get(approved.job_id).counters.items_retired == 1
    actions = [line["action"] for line in own.client.audit.lines_from(None)[0]]
    answers = [one for one in actions if one in {"job.approve", "job.withdraw", "job.refuse"}]
    assert answers == ["job.approve", "job.withdraw", "job.refuse", "job.approve"]
