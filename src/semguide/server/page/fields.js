// Form fields: a slider with its number, a tick, a choice, a line of text. Each is `{element, get, set}`; some have a
// `tidy`, which puts what was typed within its range.

import { h } from "./dom.js";
import { parseSeeds, randomSeed } from "./seeds.js";

let counter = 0;
const fresh = (name) => `${name}-${(counter += 1)}`;

/**
 * A slider beside a number that says the same; the number may leave the slider's range where `most` allows it.
 *
 * @param {object} range `{label, value, least, most, slide, step, hint, title}`: `slide` is the end of the slider, `most`
 *   of the number; a `hint` that is a function is asked for its words whenever the value changes.
 */
export function slider({ label, value, least, most, slide, step, hint, title }) {
  const id = fresh("slider");
  const number = h("input", { type: "number", id, min: least, max: most ?? false, step: "any", required: true });
  const range = h("input", { type: "range", min: least, max: slide ?? most, step, "aria-label": label });
  const words = typeof hint === "function" ? h("p", { class: "hint" }) : note(hint);
  const tell = () => typeof hint === "function" && (words.textContent = hint(number.valueAsNumber));
  const set = (given) => {
    number.value = String(given);
    range.value = String(given);
    tell();
  };
  const get = () => {
    const typed = number.valueAsNumber;
    const kept = Number.isFinite(typed) ? Math.min(Math.max(typed, least), most ?? Infinity) : value;
    return Number.isInteger(step) ? Math.round(kept) : kept;
  };
  const tidy = () => set(get());
  const follow = (to, from) => {
    to.value = from.value;
    tell();
  };
  range.addEventListener("input", () => follow(number, range));
  number.addEventListener("input", () => follow(range, number));
  number.addEventListener("change", tidy);
  set(value);
  return {
    element: h("div", { class: "field", title }, h("label", { for: id }, label), number, range, words),
    get,
    set,
    tidy,
  };
}

/** A box to tick. */
export function tick({ label, value, hint }) {
  const id = fresh("tick");
  const input = h("input", { type: "checkbox", id });
  input.checked = value;
  return {
    element: h("div", { class: "field tick" }, input, h("label", { for: id }, label), note(hint)),
    get: () => input.checked,
    set: (given) => (input.checked = Boolean(given)),
  };
}

/**
 * A choice of names, shown as they are or by their `titles`; `offer` changes what there is to choose from, and the
 * field hides where that is not more than one.
 */
export function choice({ label, value, names, titles = {}, hint, onChange }) {
  const id = fresh("choice");
  const input = h("select", { id, onchange: () => onChange?.(input.value) });
  const element = h("div", { class: "field wide" }, h("label", { for: id }, label), input, note(hint));
  const known = () => [...input.options].map((option) => option.value);
  const offer = (given, shown = {}) => {
    input.replaceChildren(...given.map((name) => h("option", { value: name }, shown[name] ?? name)));
    element.hidden = given.length < 2;
  };
  offer(names, titles);
  element.hidden = false;
  input.value = value;
  const set = (given) => {
    if (known().includes(given)) input.value = given;
  };
  return { element, get: () => input.value, set, offer };
}

/** A line of text; `read` and `write` turn it into a value and back. */
export function text({ label, value, hint, read = (line) => line, write = (given) => given, ...attributes }) {
  const id = fresh("text");
  const input = h("input", { type: "text", id, dir: "auto", ...attributes });
  input.value = write(value);
  return {
    element: h("div", { class: "field wide" }, h("label", { for: id }, label), input, note(hint)),
    get: () => read(input.value.trim()),
    set: (given) => (input.value = write(given)),
  };
}

/**
 * A seed or a list of seeds, and a box that draws a new one for each run. Its value is an array, null where what stands
 * there is none; `most` is how many seeds there may be.
 *
 * @param {(seeds: number[] | null) => void} onChange called whenever the seeds may have changed.
 */
export function seeds({ label, value, most, onChange }) {
  const [id, box] = [fresh("seed"), fresh("random")];
  const input = h("input", { type: "text", id, inputmode: "numeric", spellcheck: "false", title: "A seed, or a list: 3,5 or 3..6" });
  const random = h("input", { type: "checkbox", id: box });
  const get = () => parseSeeds(input.value, most);
  const tell = () => {
    input.setCustomValidity(get() ? "" : `Seeds must be a whole number, or up to ${most} different ones as in 3,5 or 3..6.`);
    onChange(get());
  };
  const setOne = (seed) => {
    input.value = String(seed);
    tell();
  };
  const set = (given) => {
    input.value = given.join(",");
    random.checked = false;
    tell();
  };
  input.addEventListener("input", tell);
  random.addEventListener("change", () => random.checked && get()?.length > 1 && setOne(get()[0])); // a new seed is one
  input.value = value.join(",");
  const beside = h("div", { class: "beside" }, input, h("span", { class: "tick" }, random, h("label", { for: box, title: "A new seed for each run" }, "Random")));
  return {
    element: h("div", { class: "field seed-field" }, h("label", { for: id }, label), beside),
    get,
    set,
    draw: () => random.checked && setOne(randomSeed()),
    problem: () => input.validationMessage,
    focus: () => input.focus(),
  };
}

const note = (hint) => (hint ? h("p", { class: "hint" }, hint) : null);
