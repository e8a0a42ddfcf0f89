// Prompts to try, under the form: those that come with the model, with how many of their pictures are right, else some of ours.

import { byId, h } from "./dom.js";
import { methodTitle } from "./grid.js";

const OURS = ["a red car and a blue apple", "a green frog and a yellow bird", "a purple cat, an orange ball and a blue star"];

/** Return the prompts that a model is tried with. */
export const prompts = ({ examples }) => (examples.examples.length ? examples.examples.map((example) => example.prompt) : OURS);

/**
 * Show the examples of a model; a press on one calls `onUse` with its prompt.
 *
 * @param {object} model what the server says of the model.
 */
export function showExamples(model, onUse) {
  const { examples, seeds, best_scale: best, chosen } = model.examples;
  const button = (prompt) => h("button", { type: "button", class: "quiet", dir: "auto", onclick: () => onUse(prompt) }, prompt);
  const head = h("h2", { class: "label", id: "examples-label" }, "Examples");
  if (examples.length === 0) {
    byId("examples").replaceChildren(head, h("div", { class: "tries" }, ...OURS.map(button)));
    return;
  }
  const methods = Object.keys(examples[0].right);
  const share = (right) => h("td", {}, `${right} of ${seeds}`);
  const rows = examples.map((example) =>
    h("tr", {}, h("th", { scope: "row" }, button(example.prompt)), ...methods.map((name) => share(example.right[name] ?? 0)), share(example.right_at_best_scale)),
  );
  const names = ["Every concept right", ...methods.map(methodTitle), `CFG at its best scale, ${best}`];
  byId("examples").replaceChildren(
    head,
    h("table", {}, h("thead", {}, h("tr", {}, ...names.map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, ...rows)),
    h("p", { class: "hint" }, `Chosen because plain guidance fails on them. ${chosen} Judged by a detector; the pictures of seeds 0 to 3 are what Generate makes first.`),
  );
}
