// The view of searches: hits with what was found in marks, filters, and the newest documents where nothing is asked.

import { json } from "./server.js";
import { addressOf, at, element, foreign, say, viewLink, visible } from "./text.js";
import { goTo, offer, submitted } from "./view.js";

const SNIPPET = 300;
const BEFORE_MATCH = 60;
const FIRST_HITS = 20;
const MOST_HITS = 200;
const FILTERS = ["collection", "source", "type", "after", "before"];

export async function showSearch(values, signal) {
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
  const { items, suggestions, unknown_filters } = await json("/search", { ...sent, signal });
  at("hits-title").textContent = "Hits";
  at("hits").replaceChildren(...items.map(hitRow));
  at("more-hits").hidden = items.length < limit || limit >= MOST_HITS;
  const meant = Object.entries(suggestions).map(([word, near]) => `${word}: did you mean ${near}?`);
  const unknown = unknown_filters.map((one) => `${one.message}.`);
  say([`${items.length || "No"} ${items.length === 1 ? "hit" : "hits"}.`, ...meant, ...unknown].join(" "));
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

submitted("search-form", () => goTo(searchAddress("")));
at("more-hits").addEventListener("click", () => goTo(searchAddress(at("hits").children.length * 2)));
