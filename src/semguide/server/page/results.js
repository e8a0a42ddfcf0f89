// What a run shows: its state in words, the grid of pictures, and the trajectory of the picture that is looked at.

import { byId, h } from "./dom.js";
import { Grid, methodTitle } from "./grid.js";
import { over } from "./run.js";
import { PLAIN } from "./settings.js";
import { Plot } from "./plot.js";
import { Viewer } from "./viewer.js";
import { count, roughly, seconds, short } from "./words.js";

/** The results of one run at a time; while it runs, the trajectory follows the picture in the making. */
export class Results {
  #grid = new Grid((key) => {
    this.enlarge(key);
    this.onEnlarge(key);
  });
  #viewer = new Viewer((key) => this.#select(key, true), (key, byHand) => {
    this.#grid.focus(key);
    if (byHand) this.onShrink();
  });
  #plot = new Plot();
  #selected = null;
  #chosen = false;
  shown = null;

  /** @param {{onEnlarge: (key: string) => void, onShrink: () => void}} listeners called when a person enlarged a picture, and when one closed it. */
  constructor({ onEnlarge, onShrink }) {
    this.onEnlarge = onEnlarge;
    this.onShrink = onShrink;
  }

  /** Enlarge a picture of the run that is shown; null: none. */
  enlarge(key) {
    if (!this.#viewer.open && this.shown.pictures.has(key)) this.#viewer.show(this.shown, key);
    else if (this.#viewer.open && key === null) this.#viewer.close();
  }

  /** Whether a picture is enlarged. */
  get enlarged() {
    return this.#viewer.open;
  }

  /** Show no run, as before the first one. */
  hide() {
    if (this.#viewer.open) this.#viewer.close();
    this.shown = null;
    byId("results").hidden = true;
  }

  /** Show a run: a new one, or an earlier one again. */
  show(run) {
    if (this.#viewer.open) this.#viewer.close();
    this.shown = run;
    this.#chosen = false;
    this.#selected = null;
    byId("results").hidden = false;
    this.#grid.show(run);
    this.#select(run.status === "done" ? mostSteered(run).key : beside(run, run.seeds[0]), false);
    this.#state(run);
  }

  /** Show a run of live mode: what is on the page stays, marked as stale, until its own pictures take its place. */
  follow(run) {
    if (!this.shown || this.#viewer.open || !this.#grid.fits(run)) {
      this.show(run);
      return;
    }
    this.shown = run;
    this.#grid.follow(run);
    this.outdate();
    this.#state(run);
  }

  /** Mark all that is shown as not being what is asked for. */
  outdate() {
    if (!this.shown) return;
    this.#grid.outdate();
    this.#plot.outdate();
    byId("results").setAttribute("aria-busy", "true");
    byId("tools").hidden = true;
    byId("progress").classList.add("finished");
    set(byId("status"), "");
  }

  /** Show what changed in a run, if it is the one on the page. */
  update(run, picture) {
    if (run !== this.shown) return;
    this.#state(run);
    if (!picture && run.status === "done" && !this.#chosen) this.#select(mostSteered(run).key, false);
    for (const each of picture ? [picture] : run.order) this.#grid.update(run, each);
    this.#viewer.update(run);
    if (!picture) {
      this.#draw(); // all that is left of it is stopped
      return;
    }
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
    if (this.#plot.stale && !over(run) && picture.trace.similarity.length === 0) return; // until there is something to draw
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
      why: why(run, picture),
    });
  }

  #state(run) {
    const title = byId("result-title");
    title.textContent = run.form.prompt;
    title.classList.toggle("long", run.form.prompt.length > LONG);
    set(byId("status"), words(run));
    showCost(run);
    byId("results").setAttribute("aria-busy", String(Boolean(run.live) && !over(run)));
    byId("tools").hidden = !over(run);
    const bar = byId("progress");
    bar.classList.toggle("finished", over(run));
    bar.max = run.order.reduce((sum, picture) => sum + picture.steps, 0);
    bar.value = run.order.reduce((sum, picture) => sum + picture.step, 0);
  }
}

const LONG = 90; // letters of a prompt that is shown small

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
  if (run.live && !over(run)) return ""; // read aloud at every letter else
  const done = run.order.filter((picture) => picture.state === "done").length;
  const all = run.order.length;
  switch (run.status) {
    case "queued":
      return run.position ? `Waiting: ${count(run.position, "job")} before this one` : "Waiting for its turn";
    case "running":
      return [`Picture ${Math.min(done + 1, all)} of ${all}`, timeLeft(run)].filter(Boolean).join(" · ");
    case "done":
      return `${count(all, "picture")} in ${seconds(run.seconds ?? 0)}`;
    case "lost":
      return `The server is gone: ${done} of ${count(all, "picture")} made`;
    case "cancelled":
      return `Cancelled: ${done} of ${count(all, "picture")} made`;
    default:
      return `Stopped: ${done} of ${count(all, "picture")} made`;
  }
}

/** Say how long the rest will take, going by what is done; nothing before there is something to go by. */
function timeLeft(run) {
  const total = run.order.reduce((sum, picture) => sum + picture.steps, 0);
  const made = run.order.reduce((sum, picture) => sum + picture.step, 0);
  if (run.began === null || made < 3) return null;
  return `about ${roughly(((performance.now() - run.began) / 1000) * (total / made - 1))} left`;
}

/** Say why there is no trajectory of a picture. */
function why(run, picture) {
  if (picture.state === "waiting" || picture.state === "running") return "Nothing measured yet.";
  if (picture.method !== PLAIN) return "Nothing was measured.";
  return "Plain guidance does not look at the concepts, so nothing was measured. “Measure every step”, under Advanced settings, draws its lines.";
}

/** Say what a picture really cost, method by method: all evaluations that were made for it, and its seconds. */
function showCost(run) {
  const costs = run.methods.map((method) => cost(run, method)).filter(Boolean);
  const place = byId("cost");
  place.hidden = costs.length === 0;
  if (place.hidden) return;
  const plain = costs.find(({ method }) => method === PLAIN);
  const lines = costs.map(({ method, evaluations, steps, seconds: each }) => {
    const times = plain && method !== PLAIN ? `, ${short(evaluations / plain.evaluations)} times plain guidance` : "";
    return h("li", {}, h("b", {}, methodTitle(method)), ` ${short(evaluations)} in ${count(steps, "step")}, ${seconds(each)}${times}`);
  });
  place.replaceChildren(h("span", {}, "Denoiser evaluations a picture:"), h("ul", {}, ...lines));
}

function cost(run, method) {
  const made = run.order.filter((picture) => picture.method === method && picture.evaluations);
  if (made.length === 0) return null;
  const mean = (name) => made.reduce((sum, picture) => sum + picture[name], 0) / made.length;
  return { method, evaluations: mean("evaluations"), steps: made[0].steps, seconds: mean("seconds") };
}
