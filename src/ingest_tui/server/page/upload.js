// The view of uploads: files are chosen or dropped, and what is wrong with one is shown at it.

import { Problem, json } from "./server.js";
import { addressOf, at, element, foreign, say, visible } from "./text.js";
import { goTo, offer, showProblem, submitted } from "./view.js";

let chosenFiles = [];

export async function showUpload(_values, signal) {
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

submitted("upload-form", async () => {
  at("send").disabled = true;
  await upload().finally(() => (at("send").disabled = false));
});
at("files").addEventListener("change", () => {
  choose(at("files").files);
  at("files").value = "";
});
addEventListener("dragover", (event) => {
  event.preventDefault();
  at("drop").classList.toggle("over", at("drop").contains(event.target));
});
addEventListener("drop", takeDropped);
