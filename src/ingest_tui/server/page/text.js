// Text of others, and elements. Whatever a document, a source or the server says is untrusted: it becomes text, with all that
// acts on a screen made visible, and never markup, style or script.

export const at = (id) => document.getElementById(id);

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
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.map((one) => (one instanceof Node ? one : visible(one))));
  return made;
}

/** Return what somebody else has named, which may run from right to left: it does not reorder what is around it. */
export const foreign = (text, attributes = {}) => element("bdi", attributes, text);

export function time(value) {
  const moment = new Date(value);
  return Number.isNaN(moment.getTime()) ? "" : element("time", { datetime: moment.toISOString() }, moment.toLocaleString());
}

/** Return a link to a view; values that are empty are left out of it. */
export function viewLink(view, values, label) {
  return element("a", { href: addressOf(view, values) }, label instanceof Node ? label : foreign(label));
}

export function addressOf(view, values) {
  const given = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "" && value != null));
  return given.size ? `#${view}?${given}` : `#${view}`;
}

export function fillFacts(list, facts) {
  list.replaceChildren(
    ...facts.filter(([, value]) => value).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
  );
}

/** Tell what has changed, also to a screen reader. */
export function say(text) {
  at("status").textContent = visible(text);
}

