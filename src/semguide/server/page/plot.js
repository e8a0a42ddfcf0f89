// The trajectory of one picture: similarity of each concept over the steps, shaded where the gate is open.

import { byId, COLOURS, h, mark, shape, svg } from "./dom.js";
import { drawTable } from "./table.js";

const HEIGHT = 250;
const MARGIN = { left: 34, right: 10, top: 12, bottom: 26 };
const STRIP = 7; // height of the gate strip of one concept, under the axis

/** Write a number of a trace for people: two decimals, a dash where nothing was measured. */
export const number = (value) => (value === null || value === undefined ? "–" : value.toFixed(2).replace("-", "−"));

/**
 * The plot, its legend (which reads out the step under the cursor) and the table behind it.
 *
 * What it shows is `{title, steps, trace, plain, colours}`: `trace` and `plain` are `{concepts, similarity, gate, weight}`
 * with one row per step done so far; `plain` may be null; `colours` numbers the concepts as the chips do. Where nothing is
 * measured, `why` says it in the place of an empty plot.
 */
export class Plot {
  #root = byId("trajectory");
  #shown = null;
  #cursor = null;
  #waiting = false;
  stale = false;
  #title;
  #chart;
  #legend;
  #values;
  #about;

  constructor() {
    this.#title = h("h3");
    this.#chart = h("div", {
      class: "chart",
      tabindex: 0,
      role: "slider",
      "aria-label": "Step of the trajectory, arrow keys move",
      "aria-valuemin": 1,
      onpointermove: (event) => this.#point(event),
      onpointerdown: (event) => this.#point(event),
      onpointerleave: () => this.#move(null),
      onkeydown: (event) => this.#key(event),
      onblur: () => this.#move(null),
    });
    this.#legend = h("table", { class: "legend" });
    this.#values = h("details", { class: "values", ontoggle: () => this.#table() }, h("summary", {}, "Values as a table"), h("div"));
    this.#about = h("p", { class: "hint" });
    this.#root.replaceChildren(this.#title, this.#chart, this.#legend, this.#about, this.#values);
    new ResizeObserver(() => this.#later()).observe(this.#chart);
  }

  /** Show a picture's trajectory, as far as it is known. */
  show(shown) {
    if (shown.title !== this.#shown?.title) this.#cursor = null;
    this.#shown = shown;
    this.stale = false;
    this.#later();
  }

  /** Mark what is shown as not being what is asked for. */
  outdate() {
    this.stale = true;
    this.#root.setAttribute("aria-busy", "true");
  }

  #later() {
    if (this.#waiting || !this.#shown) return;
    this.#waiting = true;
    requestAnimationFrame(() => {
      this.#waiting = false;
      this.#draw();
    });
  }

  #draw() {
    const { title, steps, trace, plain, why } = this.#shown;
    this.#root.setAttribute("aria-busy", String(this.stale));
    const empty = measured(trace) < 0 && !plain;
    for (const part of [this.#chart, this.#legend, this.#values]) part.hidden = empty;
    this.#title.textContent = title;
    if (empty) {
      this.#about.textContent = why;
      return;
    }
    const box = { width: Math.max(220, this.#chart.clientWidth), height: HEIGHT + STRIP * trace.concepts.length };
    const scale = scales(box, steps, [trace, plain]);
    this.#chart.replaceChildren(
      svg(
        "svg",
        { width: box.width, height: box.height, viewBox: `0 0 ${box.width} ${box.height}`, "aria-hidden": "true" },
        ...axes(box, scale, steps),
        ...trace.concepts.flatMap((_, k) => this.#concept(k, scale)),
        svg("line", { class: "cursor", y1: MARGIN.top, y2: box.height - MARGIN.bottom, visibility: "hidden" }),
      ),
    );
    this.scale = scale;
    this.#about.textContent = plain
      ? "Cosine of the picture's guidance and each concept's. Shaded: the gate is open, the concept is steered to. Dashed: plain guidance, same seed."
      : "Cosine of the picture's guidance and each concept's. Shaded: the gate is open, the concept is steered to.";
    this.#read();
    this.#table();
  }

  #concept(k, scale) {
    const { trace, plain, colours } = this.#shown;
    const colour = `c${colours[k] % COLOURS}`;
    const parts = [svg("g", { class: `gate ${colour}` }, ...shades(trace.gate, k, scale))];
    if (plain) parts.push(svg("path", { class: `line plain ${colour}`, d: path(plain.similarity, k, scale) }));
    parts.push(svg("path", { class: `line ${colour}`, "data-concept": trace.concepts[k], d: path(trace.similarity, k, scale) }));
    if (scale.band >= 6) parts.push(svg("g", { class: colour }, ...points(trace.similarity, k, colours[k], scale)));
    return parts;
  }

  #point(event) {
    const x = event.clientX - this.#chart.getBoundingClientRect().left;
    this.#move(this.scale ? Math.floor((x - MARGIN.left) / this.scale.band) : null);
  }

  #key(event) {
    const last = this.#last();
    const from = this.#cursor ?? last;
    const to = { ArrowLeft: from - 1, ArrowDown: from - 1, ArrowRight: from + 1, ArrowUp: from + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#move(to);
  }

  #move(step) {
    this.#cursor = step === null || !this.#shown ? null : Math.min(Math.max(step, 0), this.#last());
    if (this.scale) this.#read();
  }

  #last() {
    const { trace, plain } = this.#shown ?? {};
    return Math.max(1, trace?.similarity.length ?? 0, plain?.similarity.length ?? 0) - 1;
  }

  /** Show the step under the cursor, or the last one that was measured, in the legend. */
  #read() {
    const { trace, plain, steps, colours } = this.#shown;
    const step = this.#cursor ?? (measured(trace) < 0 ? Math.max(0, measured(plain)) : measured(trace));
    const line = this.#chart.querySelector(".cursor");
    line.setAttribute("visibility", this.#cursor === null ? "hidden" : "visible");
    for (const end of ["x1", "x2"]) line.setAttribute(end, this.scale.x(step));
    const row = (values) => values?.[step] ?? [];
    const said = [];
    const head = h("tr", {}, h("th", { scope: "col" }, `step ${step + 1} of ${steps}`), ...COLUMNS(plain).map((name) => h("th", { scope: "col" }, name)));
    const rows = trace.concepts.map((concept, k) => {
      const cells = [row(trace.similarity)[k], row(trace.gate)[k], row(trace.weight)[k]].map(number);
      if (plain) cells.splice(1, 0, number(row(plain.similarity)[k]));
      said.push(`${concept}: similarity ${cells[0]}, gate ${cells.at(-2)}`);
      return h("tr", {}, h("th", { scope: "row" }, mark(colours[k]), h("bdi", {}, concept)), ...cells.map((cell) => h("td", {}, cell)));
    });
    this.#legend.replaceChildren(h("thead", {}, head), h("tbody", {}, ...rows));
    const state = { valuemax: Math.max(1, this.#last() + 1), valuenow: step + 1, valuetext: `Step ${step + 1}. ${said.join(". ")}` };
    for (const [name, value] of Object.entries(state)) this.#chart.setAttribute(`aria-${name}`, value);
  }

  #table() {
    if (this.#shown) drawTable(this.#values, this.#shown.trace);
  }
}

/** Return the last step at which something was measured, -1 where there is none. */
const measured = (trace) => trace?.similarity.findLastIndex((row) => row.some((value) => value !== null)) ?? -1;

const COLUMNS = (plain) => (plain ? ["similarity", "plain", "gate", "weight"] : ["similarity", "gate", "weight"]);

/** Return how a step and a similarity become pixels; -1 to 1 is shown as far down as is needed. */
function scales(box, steps, traces) {
  const values = traces.flatMap((trace) => trace?.similarity.flat() ?? []).filter((value) => value !== null);
  const low = Math.min(0, ...values.map((value) => Math.floor(value * 5) / 5));
  const strips = STRIP * traces[0].concepts.length;
  const bottom = box.height - MARGIN.bottom - strips;
  const band = (box.width - MARGIN.left - MARGIN.right) / steps;
  return {
    band,
    low,
    bottom,
    x: (step) => MARGIN.left + (step + 0.5) * band,
    y: (value) => bottom - ((value - low) / (1 - low)) * (bottom - MARGIN.top),
    strip: (k) => bottom + 2 + STRIP * k,
  };
}

function axes(box, scale, steps) {
  const right = box.width - MARGIN.right;
  const parts = [];
  for (const value of [-1, -0.5, 0, 0.5, 1].filter((each) => each >= scale.low)) {
    const y = scale.y(value);
    parts.push(svg("line", { class: value ? "rule" : "rule zero", x1: MARGIN.left, x2: right, y1: y, y2: y }));
    parts.push(svg("text", { class: "tick", x: MARGIN.left - 7, y: y + 4, "text-anchor": "end" }, number(value).slice(0, -1)));
  }
  for (const step of new Set([0, Math.floor((steps - 1) / 2), steps - 1])) {
    parts.push(svg("text", { class: "tick", x: scale.x(step), y: box.height - 8, "text-anchor": "middle" }, String(step + 1)));
  }
  return parts;
}

/** Shade each step by how far the gate is open: the whole height faintly, and a strip of its own clearly. */
function shades(gate, k, scale) {
  return gate.flatMap((row, step) => {
    const open = Math.min(1, Math.abs(row[k] ?? 0));
    if (open === 0) return [];
    const x = scale.x(step) - scale.band / 2;
    return [
      svg("rect", { x, y: MARGIN.top, width: scale.band, height: scale.bottom - MARGIN.top, opacity: 0.05 + 0.15 * open }),
      svg("rect", { class: "strip", x, y: scale.strip(k), width: scale.band, height: STRIP - 2, opacity: 0.25 + 0.75 * open }),
    ];
  });
}

/** Return the path through the measured steps; it breaks where nothing was measured. */
function path(similarity, k, scale) {
  let drawing = false;
  const parts = similarity.map((row, step) => {
    const value = row[k] ?? null;
    const command = value === null ? "" : `${drawing ? "L" : "M"}${scale.x(step).toFixed(1)} ${scale.y(value).toFixed(1)}`;
    drawing = value !== null;
    return command;
  });
  return parts.join("") || "M0 0";
}

function points(similarity, k, colour, scale) {
  return similarity.flatMap((row, step) => {
    const value = row[k] ?? null;
    if (value === null) return [];
    const at = `translate(${scale.x(step).toFixed(1)} ${scale.y(value).toFixed(1)}) scale(.44) translate(-8 -8)`;
    return [svg("path", { class: "point", d: shape(colour), transform: at })];
  });
}
