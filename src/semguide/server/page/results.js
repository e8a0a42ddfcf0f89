// What a run shows: its state in words, the grid of pictures, and the trajectory of the picture that is looked at.

import { byId } from "./dom.js";
import { Grid, methodTitle } from "./grid.js";
import { PLAIN } from "./settings.js";
import { Plot } from "./plot.js";
import { count, seconds } from "./words.js";

/** The results of one run at a time; while it runs, the trajectory follows the picture in the making. */
export class Results {
  #grid = new Grid((key) => this.#select(key, true));
  #plot = new Plot();
  #selected = null;
  #chosen = false;
  shown = null;

  /** Show a run: a new one, or an earlier one again. */
  show(run) {
    this.shown = run;
    this.#chosen = false;
    this.#selected = null;
    byId("results").hidden = false;
    this.#grid.show(run);
    this.#select(run.status === "done" ? mostSteered(run).key : beside(run, run.seeds[0]), false);
    this.#state(run);
  }

  /** Show what changed in a run, if it is the one on the page. */
  update(run, picture) {
    if (run !== this.shown) return;
    this.#state(run);
    if (!picture && run.status === "done" && !this.#chosen) this.#select(mostSteered(run).key, false);
    for (const each of picture ? [picture] : run.order) this.#grid.update(run, each);
    if (!picture) return;
    const key = beside(run, picture.seed);
    if (!this.#chosen && picture.state === "running" && key !== this.#selected) this.#select(key, false);
    else if (picture.key === this.#selected || key === this.#selected) this.#draw();
  }

  #select(key, chosen) {
    this.#chosen ||= chosen;
    this.#selected = key;
    this.#grid.select(key);
    this.#draw();
  }

  #draw() {
    const run = this.shown;
    const picture = run.pictures.get(this.#selected);
    byId("trajectory").hidden = run.concepts.length === 0;
    if (run.concepts.length === 0) return;
    const unsteered = picture.method === PLAIN ? null : run.pictures.get(`${PLAIN}:${picture.seed}`);
    const plain = unsteered?.steps === picture.steps ? unsteered.trace : null; // step by step, so of as many steps
    this.#plot.show({
      title: `${methodTitle(picture.method)}, seed ${picture.seed}`,
      steps: picture.steps,
      trace: picture.trace,
      plain: plain?.similarity.flat().some((value) => value !== null) ? plain : null,
      colours: run.colours,
    });
  }

  #state(run) {
    byId("result-title").textContent = run.form.prompt;
    set(byId("status"), words(run));
    byId("tools").hidden = ["queued", "running"].includes(run.status);
    const bar = byId("progress");
    bar.classList.toggle("finished", !["queued", "running"].includes(run.status));
    bar.max = run.order.reduce((sum, picture) => sum + picture.steps, 0);
    bar.value = run.order.reduce((sum, picture) => sum + picture.step, 0);
  }
}

/** Return the key of the steered picture of a seed, which is what its trajectory is about. */
const beside = (run, seed) => `${run.methods.at(-1)}:${seed}`;

/** Return the picture whose concepts were steered to most: the one that shows what the method does. */
function mostSteered(run) {
  const total = (picture) => picture.trace.weight.flat().reduce((sum, weight) => sum + Math.abs(weight ?? 0), 0);
  const steered = run.order.filter((picture) => picture.method === run.methods.at(-1));
  return steered.reduce((most, picture) => (total(picture) > total(most) ? picture : most));
}

/** Change a text that is read aloud only when it differs. */
function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function words(run) {
  const done = run.order.filter((picture) => picture.state === "done").length;
  const all = run.order.length;
  switch (run.status) {
    case "queued":
      return run.position ? `Waiting: ${count(run.position, "job")} before this one` : "Waiting for its turn";
    case "running":
      return `Picture ${Math.min(done + 1, all)} of ${all}`;
    case "done":
      return [`${count(all, "picture")} in ${seconds(run.seconds ?? 0)}`, evaluations(run)].filter(Boolean).join(" · ");
    case "cancelled":
      return `Cancelled: ${done} of ${count(all, "picture")} made`;
    default:
      return `Stopped: ${done} of ${count(all, "picture")} made`;
  }
}

function evaluations(run) {
  const each = run.methods.map((method) => {
    const made = run.order.filter((picture) => picture.method === method && picture.evaluations);
    return made.length ? `${methodTitle(method)} ${made[0].evaluations} in ${count(made[0].steps, "step")}` : null;
  });
  return each.every(Boolean) ? `denoiser evaluations a picture: ${each.join(", ")}` : null;
}
