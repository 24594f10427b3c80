"""What clients learn of jobs over HTTP."""

from __future__ import annotations

from starlette.testclient import TestClient

from tests.servers.served import Served

UNKNOWN = "20200101-000000-none-0000"


def test_the_state_of_a_job_is_given_by_its_id(served: Served, asking: TestClient) -> None:
    """Both addresses give the manifest as an IngestionStatusResponse, with its transitions."""
    for path in ("/ingest", "/jobs"):
        found = asking.get(f"{path}/{served.job_id}").json()
        assert (found["job_id"], found["state"]) == (served.job_id, "partial")
        assert [one["to"] for one in found["transitions"]] == ["queued", "running", "partial"]
        assert found["counters"]["items_ingested"] == 2


def test_a_job_that_is_not_there_is_another_problem_than_an_id_that_is_none(asking: TestClient) -> None:
    """404 for the one, 422 for the other; both are problem details with code, hint and exit code."""
    for job_id, status, code, exit_code in ((UNKNOWN, 404, "not_found", 4), ("..%2Fx", 404, "not_found", 4)):
        answer = asking.get(f"/ingest/{job_id}")
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["exit_code"]) == (status, code, exit_code)
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["hint"]
    assert asking.get("/ingest/not-a-job").status_code == 422
    assert asking.get("/ingest/not-a-job").json()["errors"][0]["field"] == "job_id"


def test_lists_come_in_parts(served: Served, asking: TestClient) -> None:
    """Each part but the last has a cursor for the next one; all parts together are the whole."""
    whole = asking.get(f"/jobs/{served.job_id}/items").json()
    assert len(whole["items"]) == 3
    assert whole["next_cursor"] is None
    parts, cursor = [], ""
    while cursor is not None:
        part = asking.get(f"/jobs/{served.job_id}/items", params={"limit": 1, "cursor": cursor}).json()
        parts += part["items"]
        cursor = part["next_cursor"]
    assert parts == whole["items"]
    assert [one["job_id"] for one in asking.get("/jobs", params={"limit": 1}).json()["items"]] == [served.job_id]
    for wrong in ("!", "bnVsbA", "e30"):
        assert asking.get("/jobs", params={"cursor": wrong}).status_code == 422


def test_what_went_wrong_has_its_reason_and_what_to_do(served: Served, asking: TestClient) -> None:
    """Errors come by reason; items and the log can be narrowed."""
    (group,) = asking.get(f"/jobs/{served.job_id}/errors").json()["groups"]
    assert group["number"] == 1
    assert group["hint"]
    failed = asking.get(f"/jobs/{served.job_id}/items", params={"outcome": group["outcome"]}).json()["items"]
    assert [one["key"] for one in failed] == ["broken.docx"]
    log = asking.get(f"/jobs/{served.job_id}/log", params={"level": "info"}).json()["items"]
    assert log[0]["message"] == "job started"


def test_actions_on_a_job_answer_its_state(own: Served) -> None:
    """A waiting job is paused, moved, resumed and cancelled; one that has ended cannot be."""
    with own.asking() as asking:
        job_id = own.client.sources.sync("papers").job_id
        assert asking.post(f"/jobs/{job_id}/pause").json()["state"] == "paused"
        assert asking.post(f"/jobs/{job_id}/priority", json={"priority": 7}).status_code == 200
        assert asking.post(f"/jobs/{job_id}/priority", json={"priority": "no"}).status_code == 422
        assert asking.post(f"/jobs/{job_id}/resume").json()["state"] == "interrupted"
        assert asking.post(f"/jobs/{job_id}/cancel").json()["state"] == "cancelled"
        assert asking.post(f"/jobs/{job_id}/cancel").status_code == 400
        again = asking.post(f"/jobs/{job_id}/retry", json={"failed_only": False})
        assert again.status_code == 202
        assert again.json()["job_id"] != job_id
        assert asking.post(f"/jobs/{job_id}/approve").status_code == 400


def test_a_server_that_only_reads_refuses_changes(own: Served) -> None:
    """With --read-only nothing is changed: 403, with the exit code of a refusal."""
    job_id = own.client.sources.sync("papers").job_id
    with own.asking(read_only=True) as asking:
        answer = asking.post(f"/jobs/{job_id}/cancel")
        assert (answer.status_code, answer.json()["exit_code"]) == (403, 6)
        assert asking.get(f"/jobs/{job_id}").json()["state"] == "queued"
