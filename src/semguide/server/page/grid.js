// The pictures: a row for each method, a column for each seed, filled while they are made. On a phone the two change places.

import { byId, h, mark, svg } from "./dom.js";
import { fileName } from "./viewer.js";
import { percent } from "./words.js";

const SMALL = 128; // pixels; pictures up to this width are shown with hard pixels

/** What a method is called on the page. */
export const methodTitle = (name) => name.toUpperCase();
const methodNote = (name) => (name === "cfg" ? "plain guidance" : "steered");

/** The grid of pictures; a click on one enlarges it. */
export class Grid {
  #root = byId("grid");
  #cells = new Map();

  /** @param {(key: string) => void} onSelect called with the key of the picture that was clicked. */
  constructor(onSelect) {
    this.onSelect = onSelect;
  }

  /** Give the focus to a picture. */
  focus(key) {
    this.#cells.get(key)?.button.focus({ preventScroll: true });
  }

  /** Whether the pictures of a run have the places that are there. */
  fits(run) {
    return [...this.#cells.keys()].join() === [...places(run)].join();
  }

  /** Take in a run that fits: what is there stays until its own pictures take its place. */
  follow(run) {
    this.#root.querySelector(".grid").setAttribute("aria-label", label(run));
    this.outdate();
    for (const picture of run.order) this.update(run, picture);
  }

  /** Mark all pictures as not being what is asked for. */
  outdate() {
    for (const cell of this.#cells.values()) this.#mark(cell, true);
  }

  #mark(cell, stale) {
    cell.stale = stale;
    cell.awaited = null;
    cell.button.setAttribute("aria-busy", String(stale));
  }

  /** Lay out the places of a run's pictures. */
  show(run) {
    this.#cells.clear();
    const seeds = run.seeds;
    const head = h("div", { role: "row" }, h("span", { role: "columnheader", class: "corner" }, "Seed"), ...seeds.map((seed) => h("span", { role: "columnheader", class: "seed" }, `seed ${seed}`)));
    const rows = run.methods.map((method) =>
      h(
        "div",
        { role: "row" },
        h("span", { role: "rowheader", class: "method" }, h("b", {}, methodTitle(method)), " ", h("small", {}, methodNote(method))),
        ...seeds.map((seed) => this.#cell(run, method, seed)),
      ),
    );
    const table = h("div", { class: `grid${seeds.length === 1 ? " pair" : ""}`, role: "table", "aria-label": label(run) }, head, ...rows);
    table.style.setProperty("--seeds", seeds.length);
    table.style.setProperty("--methods", run.methods.length);
    this.#root.replaceChildren(table);
    for (const picture of run.pictures.values()) this.update(run, picture);
  }

  #cell(run, method, seed) {
    const key = `${method}:${seed}`;
    const image = h("img", { alt: "", hidden: true, onload: () => this.#loaded(cell) });
    const bar = h("progress", { max: 1, value: 0, "aria-hidden": "true" });
    const count = h("span", { class: "count" });
    const button = h("button", { type: "button", class: "picture", "aria-current": "false", "aria-busy": "false", onclick: () => this.onSelect(key) }, image, count, bar);
    const scores = h("ul", { class: "scores", "aria-label": "Alignment: how likely the concept is right" });
    const save = h("a", { class: "save", hidden: true, title: "Download the picture", "aria-label": `Download the picture of ${methodTitle(method)}, seed ${seed}` }, arrow());
    const cell = { image, bar, count, button, scores, save, stale: false, awaited: null };
    this.#cells.set(key, cell);
    return h("div", { role: "cell", class: "cell" }, button, h("div", { class: "under" }, scores, save));
  }

  /** Take note that a picture is on the page: only now is the one before it gone. */
  #loaded(cell) {
    cell.image.classList.toggle("small", cell.image.naturalWidth <= SMALL);
    if (cell.awaited !== null && cell.image.getAttribute("src") === cell.awaited) this.#mark(cell, false);
    cell.image.hidden = false;
  }

  /** Show the state of one picture. */
  update(run, picture) {
    const cell = this.#cells.get(picture.key);
    if (!cell) return;
    const source = picture.url ?? picture.preview;
    if (source && cell.image.getAttribute("src") !== source) {
      cell.image.src = source;
      if (cell.stale) cell.awaited = source;
    }
    if (!cell.stale) cell.image.hidden = !source;
    const done = picture.state === "done";
    cell.bar.hidden = done || picture.state === "stopped";
    cell.bar.value = picture.steps ? picture.step / picture.steps : 0;
    cell.count.textContent = { waiting: "", running: `${picture.step} / ${picture.steps}`, done: "", stopped: source ? "stopped" : "not made" }[picture.state];
    cell.button.dataset.state = picture.state;
    cell.button.setAttribute("aria-label", this.#label(run, picture));
    cell.save.hidden = !picture.url;
    if (picture.url) {
      cell.save.href = picture.url;
      cell.save.download = fileName(picture);
    }
    this.#scores(run, picture, cell.scores);
  }

  /** What the place of a picture says: nothing of a seed alone, and only the order where no probability is fitted. */
  #rank(run, picture) {
    if (!picture.rank || run.seeds.length < 2) return null;
    return { text: `${picture.rank} of ${run.seeds.length}`, title: `Place ${picture.rank} of ${run.seeds.length} seeds: 1 is most likely to be right` };
  }

  #label(run, picture) {
    const rank = this.#rank(run, picture);
    const state = { waiting: "waiting", running: `step ${picture.step} of ${picture.steps}`, done: "finished", stopped: "stopped" };
    const scores = (picture.alignment ?? []).map((value, k) => `${run.concepts[k]} ${percent(value)}`);
    return [`${methodTitle(picture.method)}, seed ${picture.seed}, ${state[picture.state]}`, ...scores, ...(rank ? [rank.title] : []), "enlarge"].join("; ");
  }

  #scores(run, picture, place) {
    const scores = picture.alignment ?? [];
    const rank = this.#rank(run, picture);
    place.hidden = scores.length === 0 && !rank;
    place.replaceChildren(
      ...scores.map((value, k) =>
        h("li", { title: `${run.concepts[k]}: ${percent(value)} sure that it is right` }, mark(run.colours[k]), h("span", { class: "visually-hidden" }, `${run.concepts[k]} `), percent(value)),
      ),
      ...(rank ? [h("li", { class: "rank", title: rank.title }, rank.text)] : []),
    );
  }

  /** Mark the picture whose trajectory is shown. */
  select(key) {
    for (const [other, cell] of this.#cells) cell.button.setAttribute("aria-current", String(other === key));
  }
}

const label = (run) => `Pictures of ${run.form.prompt}`;
const places = (run) => run.methods.flatMap((method) => run.seeds.map((seed) => `${method}:${seed}`));

function arrow() {
  const line = { fill: "none", stroke: "currentColor", "stroke-width": 1.6, "stroke-linecap": "round", "stroke-linejoin": "round" };
  return svg("svg", { viewBox: "0 0 16 16", width: 14, height: 14, "aria-hidden": "true" }, svg("path", { d: "M8 2.5v7.6M4.8 7L8 10.2 11.2 7M3 13.2h10", ...line }));
}
