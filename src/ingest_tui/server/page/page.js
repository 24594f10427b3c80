// The page of the server. Whatever a document, a source or the server says is untrusted: it becomes text, with all that
// acts on a screen made visible, and never markup, style or script. Views are chosen by what follows # in the address.

const PART = 100_000; // characters of a text that are shown at once
const BEFORE_PASSAGE = 2_000;
const SNIPPET = 300;
const BEFORE_MATCH = 60;
const FIRST_HITS = 20;
const MOST_HITS = 200;
const AGAIN_MS = 2_000;
const TOKEN = "ingest-tui-token";
const ENDED = new Set(["succeeded", "partial", "failed", "cancelled"]);
const at = (id) => document.getElementById(id);

// -- Text -------------------------------------------------------------------------------------------------------------

// As `safe_block` of model/safe_text.py: lines and tabs stay. A test compares the two.
const ACTING =
  /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\u{e0000}-\u{e007f}]/gu;

/** Return text in which what acts on a screen, or reorders what is next to it, is a visible escape. */
export function visible(text) {
  return String(text ?? "").replace(ACTING, (one) => {
    const code = one.codePointAt(0);
    const [letter, digits] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8];
    return `\\${letter}${code.toString(16).padStart(digits, "0")}`;
  });
}

/** Return an element; children that are no elements become safe text. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.map((one) => (one instanceof Node ? one : visible(one))));
  return made;
}

/** Return what somebody else has named, which may run from right to left: it does not reorder what is around it. */
const foreign = (text, attributes = {}) => element("bdi", attributes, text);

function time(value) {
  const moment = new Date(value);
  return Number.isNaN(moment.getTime()) ? "" : element("time", { datetime: moment.toISOString() }, moment.toLocaleString());
}

/** Return a link to a view; values that are empty are left out of it. */
function viewLink(view, values, label) {
  return element("a", { href: addressOf(view, values) }, label instanceof Node ? label : foreign(label));
}

function addressOf(view, values) {
  const given = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "" && value != null));
  return given.size ? `#${view}?${given}` : `#${view}`;
}

function fillFacts(list, facts) {
  list.replaceChildren(
    ...facts.filter(([, value]) => value).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
  );
}

/** Return a part of a text as nodes, with what matches in marks. Offsets are in code points, as the server counts. */
function marked(points, matches, from, to) {
  const nodes = [];
  let place = from;
  for (const [start, end] of matches) {
    if (start < place || end > to) continue;
    nodes.push(visible(points.slice(place, start).join("")));
    nodes.push(element("mark", {}, points.slice(start, end).join("")));
    place = end;
  }
  return [...nodes, visible(points.slice(place, to).join(""))];
}

/** Return the part of a hit that shows why it was found. */
function snippet(hit) {
  const points = Array.from(hit.text);
  const first = hit.matches[0]?.[0] ?? 0;
  let from = Math.max(0, first - BEFORE_MATCH);
  while (from > 0 && from < first && points[from - 1].trim()) from += 1; // begins with a word
  const to = Math.min(points.length, from + SNIPPET);
  const shown = element("p", { class: "snippet", dir: "auto" });
  shown.append(from ? "…" : "", ...marked(points, hit.matches, from, to), to < points.length ? "…" : "");
  return shown;
}

// -- The server -------------------------------------------------------------------------------------------------------

/** A request that the server refused: its problem details. */
class Problem extends Error {
  constructor({ detail, title, hint = "", status = 0, errors = [] }) {
    super(detail || title || "the server gave no answer that can be read");
    Object.assign(this, { hint, status, errors });
  }
}

/** Ask the server, with the token of this tab if there is one; asks the person for one where it is needed. */
async function ask(path, options = {}) {
  for (;;) {
    const token = sessionStorage.getItem(TOKEN);
    const headers = new Headers(options.headers);
    if (token) headers.set("Authorization", `Bearer ${token}`);
    let answer;
    try {
      answer = await fetch(path, { ...options, headers, credentials: "omit", redirect: "error" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Problem({ detail: "the server cannot be reached", hint: "is it still running?" });
    }
    if (answer.ok) return answer;
    const problem = new Problem(await answer.json().catch(() => ({ title: `status ${answer.status}` })));
    if (answer.status !== 401) throw problem;
    if (sessionStorage.getItem(TOKEN) === token) await askForToken(token ? problem.message : "");
  }
}

const json = async (path, options) => (await ask(path, options)).json();

let asking = null;

/** Let the person give a token; one dialog for all requests that wait for it. Rejects when they would rather not. */
function askForToken(problem) {
  asking ??= new Promise((resolve, reject) => {
    at("token-problem").textContent = visible(problem);
    at("token").value = "";
    const dialog = at("token-dialog");
    const chosen = new AbortController();
    const once = { signal: chosen.signal };
    at("token-cancel").addEventListener("click", () => dialog.close(), once);
    at("token-form").addEventListener("submit", (event) => {
      event.preventDefault();
      keepToken(at("token").value.trim());
      resolve();
      dialog.close();
    }, once);
    dialog.addEventListener("close", () => {
      chosen.abort();
      asking = null;
      at("token").value = "";
      reject(new Problem({ status: 401, detail: "a token is needed", hint: "the button 'Use a token' asks for one" }));
    }, once);
    dialog.showModal();
  });
  return asking;
}

function keepToken(token) {
  if (token) sessionStorage.setItem(TOKEN, token);
  else sessionStorage.removeItem(TOKEN);
  at("token-button").textContent = token ? "Forget the token" : "Use a token";
}

/** Yield the server-sent events of an answer: name, id and data of each. */
async function* eventsOf(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const whole = (rest + value).split("\n\n");
    rest = whole.pop();
    for (const block of whole) {
      const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s, 2)));
      if (fields.data) yield { name: fields.event, id: fields.id, data: JSON.parse(fields.data) };
    }
  }
}

/** Call `take` with what each event says, again after a break, until the stream ends by itself or the view is left. */
async function follow(path, signal, take) {
  let last = "";
  let isLost = false;
  while (!signal.aborted) {
    try {
      const answer = await ask(path, { signal, headers: last ? { "Last-Event-ID": last } : {} });
      if (isLost) say("The connection is back.");
      isLost = false;
      if (answer.status === 204) return;
      for await (const event of eventsOf(answer)) {
        last = event.id;
        if (take(event.data)) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && error.status) throw error;
      if (!isLost) say("The connection is lost; trying again.");
      isLost = true;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

// -- What every view shares -------------------------------------------------------------------------------------------

function say(text) {
  at("status").textContent = visible(text);
}

function showProblem(error) {
  const fields = (error.errors ?? []).map((one) => `${one.field}: ${one.message}`).filter((one) => !one.includes(error.message));
  const hint = error.hint ? [`What to do: ${error.hint}`] : [];
  at("problem").textContent = visible([error.message, ...fields, ...hint].join("\n"));
}

/** Run what answers a person, and show what went wrong; what is for a view that was left is let go. */
async function attempt(act) {
  try {
    await act();
  } catch (error) {
    if (error.name !== "AbortError") showProblem(error);
  }
}

let shown = new AbortController();
const VIEWS = { search: showSearch, document: showDocument, jobs: showJobs, job: showJob, upload: showUpload };

/** Show the view that the address names, and end what the one before still waits for. */
function route() {
  const [name, query = ""] = location.hash.slice(1).split(/\?(.*)/s);
  const view = Object.hasOwn(VIEWS, name) ? name : "search";
  shown.abort();
  shown = new AbortController();
  const isOther = at(view).hidden;
  for (const other of Object.keys(VIEWS)) at(other).hidden = other !== view;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  at("problem").textContent = "";
  say("");
  const title = at(`${view}-title`);
  document.title = `${title.textContent} – ingest-tui`;
  if (isOther && document.body.dataset.ready) title.focus();
  document.body.dataset.ready = "yes";
  attempt(() => VIEWS[view](new URLSearchParams(query), shown.signal));
}

function entitle(view, text) {
  at(`${view}-title`).replaceChildren(foreign(text));
  document.title = `${visible(text)} – ingest-tui`;
}

/** Offer what there is in a choice. What is chosen stays chosen; at first that is `wanted`. */
async function offer(select, wanted, anyLabel, idOf, path, signal) {
  const { items } = await json(path, { signal });
  const chosen = select.options.length ? select.value : wanted;
  const options = items.map((one) => element("option", { value: idOf(one), dir: "auto" }, one.name ?? idOf(one)));
  select.replaceChildren(...(anyLabel ? [element("option", { value: "" }, anyLabel)] : []), ...options);
  if (items.some((one) => idOf(one) === chosen)) select.value = chosen;
}

// -- Search -----------------------------------------------------------------------------------------------------------

const FILTERS = ["collection", "source", "type", "after", "before"];

async function showSearch(values, signal) {
  const given = (name) => values.get(name) ?? "";
  at("words").value = given("q");
  for (const name of FILTERS) at(name).value = given(name);
  await Promise.all([
    offer(at("collection"), given("collection"), "any", (one) => one.collection_id, "/collections", signal),
    offer(at("source"), given("source"), "any", (one) => one.source_id, "/sources", signal),
  ]);
  const limit = Math.min(Number(values.get("limit")) || FIRST_HITS, MOST_HITS);
  const query = [given("q"), ...FILTERS.map((name) => filterOf(name, given(name)))].filter(Boolean).join(" ");
  at("hits").replaceChildren();
  at("more-hits").hidden = true;
  if (!query.trim()) return showNewest(limit, signal);
  const sent = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ query, limit }) };
  const { items, suggestions } = await json("/search", { ...sent, signal });
  at("hits-title").textContent = "Hits";
  at("hits").replaceChildren(...items.map(hitRow));
  at("more-hits").hidden = items.length < limit || limit >= MOST_HITS;
  const meant = Object.entries(suggestions).map(([word, near]) => `${word}: did you mean ${near}?`);
  say([`${items.length || "No"} ${items.length === 1 ? "hit" : "hits"}.`, ...meant].join(" "));
}

/** Return a filter as the syntax of queries has it; a space would begin a word. */
function filterOf(name, value) {
  const plain = value.replace(/\s/g, "");
  return plain ? `${name}:${plain}` : "";
}

async function showNewest(limit, signal) {
  const { items, total } = await json(`/documents?sort=newest&limit=${limit}`, { signal });
  at("hits-title").textContent = "Newest documents";
  at("hits").replaceChildren(...items.map((one) => hitRow({ ...one, text: "", matches: [] })));
  at("more-hits").hidden = items.length < limit || limit >= MOST_HITS;
  say(`${total} ${total === 1 ? "document" : "documents"}.`);
}

function hitRow(hit) {
  const { document_id: id, version, start, end } = hit;
  const place = start == null ? { id } : { id, version, start, end };
  const facts = [hit.collection_id, `v${version}`, hit.page && `page ${hit.page}`].filter(Boolean).join(" · ");
  const row = element("li", {}, viewLink("document", place, hit.title || hit.uri));
  row.append(element("p", { class: "address" }, foreign(hit.uri)), element("p", { class: "quiet" }, facts));
  if (hit.heading_path) row.append(element("p", { class: "quiet" }, foreign(hit.heading_path)));
  if (hit.text) row.append(snippet(hit));
  return row;
}

function searchAddress(limit) {
  const filters = Object.fromEntries(FILTERS.map((name) => [name, at(name).value]));
  return addressOf("search", { q: at("words").value, ...filters, limit });
}

/** Go to an address; to the same one again, too. */
function goTo(address) {
  if (location.hash === address) route();
  else location.hash = address;
}

// -- A document -------------------------------------------------------------------------------------------------------

async function showDocument(values, signal) {
  const id = encodeURIComponent(values.get("id") ?? "");
  const version = Number(values.get("version")) || null;
  for (const name of ["document-facts", "text", "versions", "verdict", "events"]) at(name).replaceChildren();
  const { document: found, ingestion } = await json(`/documents/${id}${version ? `?version=${version}` : ""}`, { signal });
  entitle("document", found.title || found.file_name);
  fillFacts(at("document-facts"), [
    ["Address", foreign(found.uri)],
    ["Source", foreign(found.source_id)],
    ["Collection", foreign(found.collection_id)],
    ["Version", `${version ?? found.version}${version && version !== found.version ? ` (the current one is ${found.version})` : ""}`],
    ["State", found.state === "active" ? "" : found.state],
    ["Type", ingestion.mime_type ?? found.media_type],
    ["Bytes", Number(ingestion.file_size ?? found.bytes).toLocaleString()],
    ["Language", ingestion.language],
    ["Changed", time(found.updated_at)],
    ["Warnings", (ingestion.warnings ?? []).join("; ")],
  ]);
  const passage = values.has("start") ? [Number(values.get("start")), Number(values.get("end"))] : null;
  at("download").onclick = () => attempt(() => download(`/documents/${id}/raw?version=${version ?? found.version}`, found.file_name));
  await Promise.all([
    attempt(() => showText(id, version ?? found.version, Math.max(0, (passage?.[0] ?? 0) - BEFORE_PASSAGE), passage, signal)),
    attempt(() => showVersions(id, version ?? found.version, signal)),
    attempt(() => showWhy(id, signal)),
  ]);
}

async function showText(id, version, offset, passage, signal) {
  const part = await json(`/documents/${id}/text?version=${version}&offset=${offset}&limit=${PART}`, { signal });
  const points = Array.from(part.text);
  const last = offset + points.length;
  const box = at("text");
  box.replaceChildren();
  const [start, end] = (passage ?? [0, 0]).map((place) => Math.min(Math.max(place - offset, 0), points.length));
  const found = element("span", { class: "passage" }, points.slice(start, end).join(""));
  box.append(visible(points.slice(0, start).join("")), ...(end > start ? [found] : []), visible(points.slice(end).join("")));
  if (end > start) box.scrollTop = found.offsetTop - box.offsetTop - 40;
  else box.scrollTop = 0;
  const count = (number) => number.toLocaleString();
  at("text-place").textContent = last - offset < part.characters
    ? `Characters ${count(offset + 1)} to ${count(last)} of ${count(part.characters)}`
    : `${count(part.characters)} characters`;
  leadTo(at("text-before"), offset > 0, () => showText(id, version, Math.max(0, offset - PART), null, signal));
  leadTo(at("text-after"), part.next_offset != null, () => showText(id, version, part.next_offset, null, signal));
}

/** Let a button lead to another part, whose beginning has the focus then. */
function leadTo(button, isThere, show) {
  button.hidden = !isThere;
  button.onclick = () => attempt(async () => {
    await show();
    at("text").focus();
  });
}

async function showVersions(id, version, signal) {
  const { items } = await json(`/documents/${id}/versions`, { signal });
  at("versions").replaceChildren(...items.map((one) => {
    const link = viewLink("document", { id, version: one.version }, `v${one.version}`);
    if (one.version === version) link.setAttribute("aria-current", "true");
    const label = one.current ? " current, " : " ";
    return element("li", {}, link, label, time(one.ingested_at), ` ${one.bytes.toLocaleString()} bytes`);
  }));
}

async function showWhy(id, signal) {
  const why = await json(`/documents/${id}/explain`, { signal });
  at("verdict").textContent = visible([why.verdict, why.hint].filter(Boolean).join(". "));
  at("events").replaceChildren(...why.events.map((one) => {
    const said = [one.what, one.reason && `(${one.reason})`, one.detail, one.hint].filter(Boolean).join(" ");
    const job = /^\d{8}-/.test(one.job_id) ? viewLink("job", { id: one.job_id }, one.job_id) : "";
    return element("li", {}, time(one.at), " ", foreign(said), " ", job);
  }));
}

/** Save an original as a file: through this page, since a link could not send the token. */
async function download(path, name) {
  const bytes = await (await ask(path)).blob();
  const address = URL.createObjectURL(bytes);
  element("a", { href: address, download: visible(name) }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // until it is surely being saved
}

// -- Jobs -------------------------------------------------------------------------------------------------------------

async function showJobs(_values, signal) {
  at("job-rows").replaceChildren();
  at("no-jobs").hidden = false;
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

async function showJob(values, signal) {
  const id = values.get("id") ?? "";
  entitle("job", `Job ${id}`);
  for (const name of ["job-facts", "wrong", "items"]) at(name).replaceChildren();
  at("more-items").hidden = true;
  const path = `/jobs/${encodeURIComponent(id)}`;
  let before = "";
  const take = (job) => {
    showJobFacts(job);
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

// -- Upload -----------------------------------------------------------------------------------------------------------

let chosenFiles = [];

async function showUpload(_values, signal) {
  await offer(at("into"), "default", "", (one) => one.collection_id, "/collections", signal);
}

/** Add files to those that are chosen. */
function choose(files) {
  chosenFiles.push(...files);
  listChosen();
  say(`${chosenFiles.length} ${chosenFiles.length === 1 ? "file is" : "files are"} chosen.`);
}

/** List the chosen files; `problems`: what the server says of each, by its number. */
function listChosen(problems = new Map()) {
  at("chosen").replaceChildren(...chosenFiles.map((file, number) => {
    const remove = element("button", { type: "button", "aria-label": `Remove ${visible(file.name)}` }, "Remove");
    remove.addEventListener("click", () => {
      chosenFiles.splice(number, 1);
      listChosen();
      (at("chosen").querySelectorAll("button")[number] ?? at("files")).focus();
    });
    const row = element("li", {}, foreign(file.name), ` ${file.size.toLocaleString()} bytes`, remove);
    if (problems.has(number)) row.append(element("p", { class: "wrong" }, foreign(problems.get(number))));
    return row;
  }));
}

async function upload() {
  if (!chosenFiles.length) throw new Problem({ detail: "no file is chosen", hint: "choose files, or drop them here" });
  const form = new FormData();
  for (const file of chosenFiles) form.append("files", file, file.name);
  say("Uploading…");
  try {
    const job = await json(`/collections/${encodeURIComponent(at("into").value)}/files`, { method: "POST", body: form });
    chosenFiles = [];
    listChosen();
    goTo(addressOf("job", { id: job.job_id }));
  } catch (error) {
    say("");
    const numbered = (error.errors ?? []).map((one) => [Number(/^files\.(\d+)$/.exec(one.field)?.[1] ?? -1), one.message]);
    listChosen(new Map(numbered));
    const rest = error.errors?.filter((_one, number) => numbered[number][0] < 0);
    throw Object.assign(error, { errors: rest });
  }
}

/** Take what is dropped, anywhere on the page: the browser would leave the page to show it. */
function takeDropped(event) {
  event.preventDefault();
  at("drop").classList.remove("over");
  const entries = [...event.dataTransfer.items].filter((one) => one.kind === "file");
  const files = entries.filter((one) => !one.webkitGetAsEntry()?.isDirectory).map((one) => one.getAsFile());
  if (!entries.length) return;
  if (location.hash !== "#upload") goTo("#upload");
  choose(files);
  if (files.length < entries.length) {
    showProblem(new Problem({ detail: "a folder cannot be dropped", hint: "drop its files, or add a source for it" }));
  }
}

// -- Start ------------------------------------------------------------------------------------------------------------

function submitted(form, act) {
  at(form).addEventListener("submit", (event) => {
    event.preventDefault();
    at("problem").textContent = "";
    attempt(act);
  });
}

submitted("search-form", () => goTo(searchAddress("")));
at("more-hits").addEventListener("click", () => goTo(searchAddress(at("hits").children.length * 2)));
submitted("upload-form", async () => {
  at("send").disabled = true;
  await upload().finally(() => (at("send").disabled = false));
});
at("files").addEventListener("change", () => {
  choose(at("files").files);
  at("files").value = "";
});
at("token-button").addEventListener("click", () => attempt(async () => {
  if (sessionStorage.getItem(TOKEN)) keepToken("");
  else await askForToken("");
  route();
}));
at("skip").addEventListener("click", (event) => {
  event.preventDefault();
  at("main").focus();
});
addEventListener("dragover", (event) => {
  event.preventDefault();
  at("drop").classList.toggle("over", at("drop").contains(event.target));
});
addEventListener("drop", takeDropped);
// A tab that nobody sees follows nothing: a browser has six connections to a server, for all of its tabs.
document.addEventListener("visibilitychange", () => {
  if (at("jobs").hidden && at("job").hidden) return;
  if (document.hidden) shown.abort();
  else route();
});
addEventListener("hashchange", route);
keepToken(sessionStorage.getItem(TOKEN));
route();
