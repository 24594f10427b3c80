// The page of the server: which view is shown. Views are chosen by what follows # in the address.

import { showDocument } from "./document.js";
import { showJob, showJobs } from "./jobs.js";
import { showSearch } from "./search.js";
import { TOKEN, askForToken, keepToken } from "./server.js";
import { at, say } from "./text.js";
import { showUpload } from "./upload.js";
import { attempt } from "./view.js";

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

at("token-button").addEventListener("click", () => attempt(async () => {
  if (sessionStorage.getItem(TOKEN)) keepToken("");
  else await askForToken("");
  route();
}));
at("skip").addEventListener("click", (event) => {
  event.preventDefault();
  at("main").focus();
});
// A tab that nobody sees follows nothing: a browser has six connections to a server, for all of its tabs.
document.addEventListener("visibilitychange", () => {
  if (at("jobs").hidden && at("job").hidden) return;
  if (document.hidden) shown.abort();
  else route();
});
addEventListener("hashchange", route);
keepToken(sessionStorage.getItem(TOKEN));
route();
