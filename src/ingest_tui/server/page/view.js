// What every view shares: problems that are shown, titles, choices, forms, and going to an address.

import { Problem, json } from "./server.js";
import { at, element, foreign, visible } from "./text.js";

export function showProblem(error) {
  const fields = (error.errors ?? []).map((one) => `${one.field}: ${one.message}`).filter((one) => !one.includes(error.message));
  const hint = error.hint ? [`What to do: ${error.hint}`] : [];
  at("problem").textContent = visible([error.message, ...fields, ...hint].join("\n"));
}

/** Run what answers a person, and show what went wrong; what is for a view that was left is let go. */
export async function attempt(act) {
  try {
    await act();
  } catch (error) {
    if (error.name !== "AbortError") showProblem(error);
  }
}

export function entitle(view, text) {
  at(`${view}-title`).replaceChildren(foreign(text));
  document.title = `${visible(text)} – ingest-tui`;
}

/** Offer what there is in a choice. What is chosen stays chosen; at first that is `wanted`. */
export async function offer(select, wanted, anyLabel, idOf, path, signal) {
  const { items } = await json(path, { signal });
  const chosen = select.options.length ? select.value : wanted;
  const options = items.map((one) => element("option", { value: idOf(one), dir: "auto" }, one.name ?? idOf(one)));
  select.replaceChildren(...(anyLabel ? [element("option", { value: "" }, anyLabel)] : []), ...options);
  if (items.some((one) => idOf(one) === chosen)) select.value = chosen;
}

/** Go to an address; to the same one again, too. */
export function goTo(address) {
  if (location.hash === address) dispatchEvent(new Event("hashchange"));
  else location.hash = address;
}

export function submitted(form, act) {
  at(form).addEventListener("submit", (event) => {
    event.preventDefault();
    at("problem").textContent = "";
    attempt(act);
  });
}

