"""What can be done with jobs, wherever they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest_tui.tui import wording
from ingest_tui.tui.screens.base import ViewScreen

if TYPE_CHECKING:
    from ingest_tui.model.job import Manifest

_DONE = {
    "cancel": "asked to cancel",
    "pause": "asked to pause",
    "resume": "asked to resume",
    "retry": "queued again",
    "retry_failed": "queued what failed",
    "approve": "approved",
}
_QUEUEING = {"resume", "retry", "retry_failed", "approve"}


class JobActions(ViewScreen):
    """Actions on ``target_jobs``. Their ids are fixed when the action begins."""

    def target_jobs(self) -> list[str]:
        """The jobs that an action is for."""
        return []

    def job_state(self, job_id: str) -> str:
        """The state of a job as far as it is known here."""
        row = self.ingest.model.rows.get(job_id)
        return row.state if row is not None else ""

    def cancel_jobs(self) -> None:
        """Cancel jobs after a question."""
        from ingest_tui.tui.screens.dialogs import Confirm

        job_ids = [job_id for job_id in self.target_jobs() if not wording.is_ended(self.job_state(job_id))]
        if not job_ids:
            self.tell("nothing to cancel: the job has ended", "R does it again")
            return

        def answered(confirmed: bool | None) -> None:
            if confirmed:
                self._change(job_ids, "cancel")

        question = f"Cancel {wording.plural(len(job_ids), 'job')}?"
        consequence = "What is committed stays; the rest is not ingested."
        self.app.push_screen(Confirm(question, job_ids, "Cancel the job", consequence=consequence), answered)

    def pause_jobs(self) -> None:
        """Pause what runs; let go on what is paused."""
        job_ids = self.target_jobs()
        paused = [job_id for job_id in job_ids if self.job_state(job_id) == "paused"]
        if paused:
            self._change(paused, "resume")
        else:
            self._change(job_ids, "pause")

    def resume_jobs(self) -> None:
        """Let paused jobs go on."""
        self._change(self.target_jobs(), "resume")

    def retry_jobs(self) -> None:
        """Do ended jobs again."""
        self._change(self.target_jobs(), "retry")

    def retry_failed(self) -> None:
        """Do again what failed in ended jobs."""
        self._change(self.target_jobs(), "retry_failed")

    def approve_jobs(self) -> None:
        """Approve held deletions after a question that says how many."""
        from ingest_tui.tui.screens.dialogs import Confirm

        rows = self.ingest.model.rows
        held = {job_id: rows[job_id].held for job_id in self.target_jobs() if job_id in rows and rows[job_id].held}
        if not held:
            self.tell("no deletions are held here")
            return

        def answered(confirmed: bool | None) -> None:
            if confirmed:
                self._change(list(held), "approve")

        documents = wording.plural(sum(held.values()), "document")
        names = [f"{job_id}: {wording.plural(number, 'document')}" for job_id, number in held.items()]
        consequence = "They go to the trash if a new listing still misses them."
        self.app.push_screen(
            Confirm(f"Approve the deletion of {documents}?", names, "Approve", consequence=consequence), answered
        )

    def _change(self, job_ids: list[str], verb: str) -> None:
        if not job_ids:
            return
        gateway = self.ingest.gateway

        def asked(answers: list[Manifest]) -> None:
            if answers and verb in _QUEUEING:
                self.ensure_worker()
            self.ingest.feed.look_now()

        self.ask_each(
            job_ids,
            lambda job_id: gateway.change_job(verb, job_id),
            done=_DONE[verb],
            group=f"jobs-{verb}",
            say=self.say_hint,
            then=asked,
        )
