// The buttons beside a run: its link and its run.json.

import { getRun } from "./api.js";
import { byId, h } from "./dom.js";
import { toFragment } from "./link.js";
import { fail, say } from "./notice.js";

/** Let the buttons hand out the run that `shown` returns. */
export function offer(shown) {
  byId("copy-link").addEventListener("click", () => copyLink(shown()));
  byId("save-run").addEventListener("click", () => saveRun(shown()));
}

async function copyLink(run) {
  const address = new URL(toFragment(run.form), location.href).href;
  try {
    await navigator.clipboard.writeText(address);
    say("Link copied. It repeats this run, on any server with the same model.");
  } catch {
    const field = h("input", { readonly: true, "aria-label": "Link to this run" });
    field.value = address;
    say("Copy this link; it repeats the run:", field);
    field.select();
  }
}

async function saveRun(run) {
  try {
    const address = URL.createObjectURL(await getRun(run.id));
    h("a", { href: address, download: "run.json" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  } catch (error) {
    fail(error, () => saveRun(run));
  }
}
