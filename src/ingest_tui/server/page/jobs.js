// The views of jobs: all of them as they change, and one with what it did.

import { ENDED, clearActions, showActions } from "./job_actions.js";
import { follow, json } from "./server.js";
import { at, element, fillFacts, foreign, say, time, viewLink, visible } from "./text.js";
import { attempt, entitle } from "./view.js";

export async function showJobs(_values, signal) {
  at("job-rows").replaceChildren();
  at("no-jobs").hidden = true;
  const { items } = await json("/jobs?limit=1", { signal });
  at("no-jobs").hidden = items.length > 0;
  await follow("/events", signal, showJobRow);
}

/** Put what an event says into the row of its job. Identifiers sort by time; the newest is first. */
function showJobRow(job) {
  const rows = at("job-rows");
  at("no-jobs").hidden = true;
  const known = rows.querySelector(`[data-job="${CSS.escape(job.job_id)}"]`);
  if (known && known.dataset.state !== job.state) say(`Job ${job.job_id} is ${job.state}.`);
  const row = known ?? newJobRow(job);
  row.dataset.state = job.state;
  const [state, bar, changed] = ["state", "bar", "changed"].map((name) => row.querySelector(`[data-cell="${name}"]`));
  state.textContent = visible(stateOf(job));
  state.dataset.state = job.state;
  bar.replaceChildren(progressOf(job.job_id, job.percent));
  changed.replaceChildren(time(job.updated_at));
  if (!known) {
    const older = [...rows.children].find((one) => one.dataset.job < job.job_id);
    rows.insertBefore(row, older ?? null);
  }
}

function newJobRow(job) {
  const link = viewLink("job", { id: job.job_id }, job.job_id);
  return element("tr", { "data-job": job.job_id },
    element("td", {}, link),
    element("td", { class: "wide" }, job.kind),
    element("td", { class: "wide" }, foreign(job.source_id)),
    element("td", { class: "wide" }, foreign(job.collection_id)),
    element("td", { "data-cell": "state" }),
    element("td", { "data-cell": "bar" }),
    element("td", { class: "wide", "data-cell": "changed" }));
}

function stateOf(job) {
  return job.queue_position ? `${job.state}, place ${job.queue_position}` : job.state;
}

function progressOf(job, percent) {
  const label = `${Math.floor(percent)} %`;
  const bar = element("progress", { max: 100, value: percent, "aria-label": `Progress of ${job}` });
  return element("span", { class: "done" }, bar, ` ${label}`);
}

export async function showJob(values, signal) {
  const id = values.get("id") ?? "";
  entitle("job", `Job ${id}`);
  for (const name of ["job-facts", "wrong", "items"]) at(name).replaceChildren();
  clearActions();
  at("more-items").hidden = true;
  const path = `/jobs/${encodeURIComponent(id)}`;
  const { may_change: mayChange } = await json("/caller", { signal });
  let before = "";
  const take = (job) => {
    showJobFacts(job);
    if (mayChange) showActions(job, signal, take);
    if (before && before !== job.state) say(`The job is ${job.state}.`);
    before = job.state;
    return ENDED.has(job.state);
  };
  if (!take(await json(path, { signal }))) await follow(`${path}/events`, signal, take);
  await Promise.all([attempt(() => showErrors(path, signal)), attempt(() => showItems(path, "", signal))]);
}

function showJobFacts(job) {
  const state = element("span", { "data-state": job.state }, stateOf(job));
  const counted = Object.entries(job.counters).filter(([, value]) => typeof value === "number" && value > 0);
  fillFacts(at("job-facts"), [
    ["State", state],
    ["Done", progressOf(job.job_id, job.progress.percent)],
    ["Kind", job.kind],
    ["Source", foreign(job.source_id)],
    ["Collection", foreign(job.collection_id)],
    ["Made", time(job.created_at)],
    ["Ended", job.finished_at && time(job.finished_at)],
    ...counted.map(([name, value]) => [name.replaceAll("_", " "), value.toLocaleString()]),
  ]);
}

async function showErrors(path, signal) {
  const { groups } = await json(`${path}/errors`, { signal });
  at("wrong").replaceChildren(...groups.map((one) => {
    const said = [`${one.number} ${one.outcome}: ${one.reason}`, one.detail, one.hint && `what to do: ${one.hint}`];
    return element("li", {}, foreign(said.filter(Boolean).join("; ")));
  }));
  if (!groups.length) at("wrong").append(element("li", {}, "Nothing."));
}

async function showItems(path, cursor, signal) {
  const { items, next_cursor: next } = await json(`${path}/items?cursor=${encodeURIComponent(cursor)}`, { signal });
  at("items").append(...items.map((one) => {
    const name = one.document_id ? viewLink("document", { id: one.document_id }, one.key) : foreign(one.key);
    return element("li", {}, name, ` ${one.outcome} (${one.reason}) `, foreign(one.detail));
  }));
  at("more-items").hidden = !next;
  at("more-items").onclick = () => attempt(() => showItems(path, next, signal));
}
