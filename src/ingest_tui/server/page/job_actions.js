// What can be asked of a job: buttons for who may change something, each confirmed before it is done.

import { json } from "./server.js";
import { addressOf, at, element, say } from "./text.js";
import { attempt, goTo } from "./view.js";

export const ENDED = new Set(["succeeded", "partial", "failed", "cancelled"]);
const isOver = (job) => ENDED.has(job.state);
// Of an upload only a failed one keeps its files.
const canBeRedone = ({ kind, state }) => ["sync", "embed", "rechunk"].includes(kind) || (kind === "upload" && state === "failed");
const waits = ({ held }) => held?.documents > 0 && !held.answered_by_job && !held.refused_by && !held.closed;

// `path`: of its endpoint; `isOffered`: for which jobs; `means`: what a person is told before; `said`: and after, where the
// same job goes on.
const ACTIONS = [
  {
    path: "pause", label: "Pause", isOffered: (job) => !isOver(job) && job.state !== "paused",
    means: () => "It waits until it is resumed.", said: "The job is to pause.",
  },
  {
    path: "resume", label: "Resume", isOffered: (job) => job.state === "paused",
    means: () => "A worker takes it up again.", said: "The job is to go on.",
  },
  {
    path: "cancel", label: "Cancel the job", isOffered: (job) => !isOver(job),
    means: () => "It ends where it is. What it has brought in stays.", said: "The job is to end.",
  },
  {
    path: "approve", label: "Approve the deletions", isOffered: waits,
    means: ({ held }) => `Of ${held.known} documents ${held.documents} go to the trash, if they are still gone at the source.`,
  },
  {
    path: "refuse", label: "Refuse the deletions", isOffered: waits,
    means: ({ held }) => `The ${held.documents} documents stay.`, said: "The documents stay.",
  },
  {
    path: "retry", label: "Do it again", body: { failed_only: false },
    isOffered: (job) => isOver(job) && canBeRedone(job),
    means: () => "A new job does all of it again.",
  },
  {
    path: "retry", label: "Do again what failed", body: { failed_only: true },
    isOffered: (job) => isOver(job) && job.kind === "sync" && job.counters.items_failed > 0,
    means: (job) => `A new job does again what failed: ${job.counters.items_failed}.`,
  },
];

let latest; // the job that is shown, as it was told last

/** Forget the buttons of a job that was shown before. */
export function clearActions() {
  at("job-actions").replaceChildren();
  delete at("job-actions").dataset.labels;
}

/**
 * Offer what can be done with a job as it is now. `take` gets what the server answers of the same job; a new one is shown.
 * Buttons that are there stay, with the focus.
 */
export function showActions(job, signal, take) {
  latest = job;
  const box = at("job-actions");
  const offered = ACTIONS.filter((one) => one.isOffered(job));
  const labels = offered.map((one) => one.label).join();
  if (box.dataset.labels === labels) return;
  const hadFocus = box.contains(document.activeElement);
  box.dataset.labels = labels;
  box.replaceChildren(...offered.map((action) => {
    const button = element("button", { type: "button" }, action.label);
    button.addEventListener("click", () => attempt(() => confirmAndDo(action, latest, signal, take)));
    return button;
  }));
  if (hadFocus) at("job-title").focus();
}

async function confirmAndDo(action, job, signal, take) {
  at("problem").textContent = "";
  if (!(await isConfirmed(action.label, action.means(job), signal))) return;
  const sent = action.body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(action.body) };
  const answer = await json(`/jobs/${encodeURIComponent(job.job_id)}/${action.path}`, { method: "POST", ...sent });
  if (answer.job_id === job.job_id) {
    take(answer);
    say(action.said);
  } else {
    goTo(addressOf("job", { id: answer.job_id }));
    at("job-title").focus();
  }
}

/** Ask the person; what is safe has the focus, and leaving the view or Esc is a no. */
function isConfirmed(label, means, signal) {
  return new Promise((resolve) => {
    const dialog = at("confirm-dialog");
    at("confirm-title").textContent = `${label}?`;
    at("confirm-text").textContent = means;
    at("confirm-yes").textContent = label;
    const chosen = new AbortController();
    const once = { signal: chosen.signal };
    const answer = (value) => () => dialog.close(value);
    at("confirm-yes").addEventListener("click", answer("yes"), once);
    at("confirm-no").addEventListener("click", answer(""), once);
    signal.addEventListener("abort", answer(""), once);
    dialog.addEventListener("close", () => {
      chosen.abort();
      resolve(dialog.returnValue === "yes");
    }, once);
    dialog.returnValue = "";
    dialog.showModal();
  });
}
