"""What can be done with jobs, wherever they are shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ingest_tui.tui import wording
from ingest_tui.tui.actions import undo
from ingest_tui.tui.views.base.view_screen import ViewScreen

if TYPE_CHECKING:
    from ingest_tui.model.job import Manifest

_DONE = {
    "cancel": "asked to cancel",
    "pause": "asked to pause",
    "resume": "asked to resume",
    "retry": "queued again",
    "retry_failed": "queued what failed",
    "approve": "approved",
    "refuse": "refused: the documents stay",
}
_HELD_QUESTIONS = {
    "approve": ("Approve the deletion of {}?", "They go to the trash if a new listing still misses them."),
    "refuse": ("Keep {}?", "The jobs ask no more; a later sync that still misses them asks again."),
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
        from ingest_tui.tui.dialogs.dialogs import Confirm

        job_ids = [job_id for job_id in self.target_jobs() if not wording.is_ended(self.job_state(job_id))]
        if not job_ids:
            self.show_notice("nothing to cancel: the job has ended", "R does it again")
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
        """Resume paused jobs."""
        self._change(self.target_jobs(), "resume")

    def retry_jobs(self) -> None:
        """Do ended jobs again."""
        self._change(self.target_jobs(), "retry")

    def retry_failed(self) -> None:
        """Do again what failed in ended jobs."""
        self._change(self.target_jobs(), "retry_failed")

    def set_priority(self) -> None:
        """Ask for a priority, and let the jobs run sooner (lower) or later than others."""
        from ingest_tui.tui.dialogs.ask import Ask, is_whole_number

        job_ids = [job_id for job_id in self.target_jobs() if not wording.is_ended(self.job_state(job_id))]
        if not job_ids:
            self.show_notice("the job has ended: it has no place in the queue any more", "R does it again")
            return
        row = self.ingest.model.rows.get(job_ids[0])
        question = f"Priority of {job_ids[0] if len(job_ids) == 1 else wording.plural(len(job_ids), 'job')}"
        note = "0 to 1000, lower runs first; most jobs have 100"
        value = "" if row is None else str(row.priority)

        def asked(answer: str | None) -> None:
            if answer is not None:
                client, priority = self.ingest.client, int(answer)
                self._each(job_ids, lambda job_id: client.jobs.set_priority(job_id, priority), f"priority {priority}")

        self.app.push_screen(Ask(question, value=value, note=note, check=is_whole_number(0, 1000)), asked)

    def approve_jobs(self) -> None:
        """Approve held deletions after a question that lists them."""
        self._answer_held("approve")

    def refuse_jobs(self) -> None:
        """Refuse held deletions: the documents stay."""
        self._answer_held("refuse")

    def show_held(self) -> None:
        """List the deletions that are held, and offer the answers."""
        self._answer_held("")

    def _answer_held(self, verb: str) -> None:
        """One job's deletions are listed and answered there; those of several are answered after a question."""
        from ingest_tui.tui.dialogs.dialogs import Confirm
        from ingest_tui.tui.views.jobs.held_screen import Held

        rows = self.ingest.model.rows
        held = {job_id: rows[job_id].held for job_id in self.target_jobs() if job_id in rows and rows[job_id].held}
        if not held:
            self.show_notice("no deletions are held here")
            return
        if len(held) == 1 or not verb:
            job_id = next(iter(held))
            may_answer = not self.ingest.client.read_only
            self.app.push_screen(
                Held(self.ingest.client, job_id, may_answer=may_answer),
                lambda answer: self._change([job_id], answer) if answer else None,
            )
            return

        def answered(confirmed: bool | None) -> None:
            if confirmed:
                self._change(list(held), verb)

        documents = wording.plural(sum(held.values()), "document")
        names = [f"{job_id}: {wording.plural(number, 'document')}" for job_id, number in held.items()]
        question, consequence = _HELD_QUESTIONS[verb]
        self.app.push_screen(
            Confirm(question.format(documents), names, verb.capitalize(), consequence=consequence), answered
        )

    def show_manifest(self) -> None:
        """Show the manifest as it is on disk, to read."""
        from ingest_tui.tui.client.editable_records import job_record
        from ingest_tui.tui.dialogs.report import RecordReport

        job_ids = self.target_jobs()
        if job_ids:
            self.app.push_screen(RecordReport(job_record(self.ingest.client, job_ids[0])))

    def _change(self, job_ids: list[str], verb: str) -> None:
        jobs = self.ingest.client.jobs
        calls: dict[str, Callable[[str], Manifest]] = {
            "cancel": jobs.cancel,
            "pause": jobs.pause,
            "resume": jobs.resume,
            "retry": jobs.retry,
            "retry_failed": partial(jobs.retry, failed_only=True),
            "approve": jobs.approve,
            "refuse": jobs.refuse,
        }
        undoes = self._can_withdraw if verb == "approve" else None
        self._each(job_ids, calls[verb], _DONE[verb], queues=verb in _QUEUEING, undoes=undoes)

    def _can_withdraw(self, queued: list[Manifest]) -> None:
        """Approvals can be taken back until a worker begins."""
        client, approved = self.ingest.client, [str(one.options.get("approves", "")) for one in queued]
        self.ingest.undo_stack.add(
            "the deletions are held again", lambda: [client.jobs.withdraw(job_id) for job_id in approved]
        )

    def _each(
        self,
        job_ids: list[str],
        work: Callable[[str], Manifest],
        done: str,
        *,
        queues: bool = False,
        undoes: Callable[[list[Manifest]], None] | None = None,
    ) -> None:
        if not job_ids:
            return

        def asked(answers: list[Manifest]) -> None:
            if answers and undoes is not None:
                undoes(answers)
            if answers and queues:
                self.ensure_worker()
            self.ingest.feed.look_now()

        hint = "" if undoes is None else f"{undo.HINT} until a worker begins"
        self.ask_each(job_ids, work, done=done, say=self.say_hint, then=asked, hint=hint)
