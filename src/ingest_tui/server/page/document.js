// The view of a document: its text, its versions, its original, and why it is here.

import { ask, json } from "./server.js";
import { at, element, fillFacts, foreign, time, viewLink, visible } from "./text.js";
import { attempt, entitle } from "./view.js";

const PART = 100_000; // characters of a text that are shown at once
const BEFORE_PASSAGE = 2_000;

export async function showDocument(values, signal) {
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
