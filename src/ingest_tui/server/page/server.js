// Asking the server: requests with the token of this tab, problems, and events that are followed.

import { at, say, visible } from "./text.js";

const AGAIN_MS = 2_000;
export const TOKEN = "ingest-tui-token";

/** A request that the server refused: its problem details. */
export class Problem extends Error {
  constructor({ detail, title, hint = "", status = 0, errors = [] }) {
    super(detail || title || "the server gave no answer that can be read");
    Object.assign(this, { hint, status, errors });
  }
}

/** Ask the server, with the token of this tab if there is one; asks the person for one where it is needed. */
export async function ask(path, options = {}) {
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

export const json = async (path, options) => (await ask(path, options)).json();

let asking = null;

/** Let the person give a token; one dialog for all requests that wait for it. Rejects when they would rather not. */
export function askForToken(problem) {
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

export function keepToken(token) {
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
export async function follow(path, signal, take) {
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
