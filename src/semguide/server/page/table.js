// The numbers behind the plot, for those who read rather than look.

import { h } from "./dom.js";
import { number } from "./plot.js";

/** Fill an opened `details` element with one row per step and concept; a closed one is left empty. */
export function drawTable(details, trace) {
  const place = details.querySelector("div");
  if (!details.open) {
    place.replaceChildren();
    return;
  }
  const names = ["step", "concept", "similarity", "gate", "weight"];
  const rows = trace.similarity.flatMap((row, step) =>
    trace.concepts.map((concept, k) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, String(step + 1)),
        h("td", { class: "words" }, h("bdi", {}, concept)),
        ...[row[k], trace.gate[step]?.[k], trace.weight[step]?.[k]].map((value) => h("td", {}, number(value))),
      ),
    ),
  );
  place.replaceChildren(
    h(
      "table",
      { class: "numbers" },
      h("caption", { class: "visually-hidden" }, "Similarity, gate and weight of each concept at each step"),
      h("thead", {}, h("tr", {}, ...names.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...rows),
    ),
  );
}
