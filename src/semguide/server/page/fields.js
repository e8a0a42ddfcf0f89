// Form fields: a slider with its number, a tick, a choice, a line of text. Each is `{element, get, set}`.

import { h } from "./dom.js";

let counter = 0;
const fresh = (name) => `${name}-${(counter += 1)}`;

/**
 * A slider beside a number that says the same; the number may leave the slider's range where `most` allows it.
 *
 * @param {object} range `{label, value, least, most, slide, step, hint}`: `slide` is the end of the slider, `most` of the number.
 */
export function slider({ label, value, least, most, slide, step, hint }) {
  const id = fresh("slider");
  const number = h("input", { type: "number", id, min: least, max: most ?? false, step: "any", required: true });
  const range = h("input", { type: "range", min: least, max: slide ?? most, step, "aria-label": label });
  const set = (given) => {
    number.value = String(given);
    range.value = String(given);
  };
  const tidy = () => {
    const typed = number.valueAsNumber;
    const kept = Number.isFinite(typed) ? Math.min(Math.max(typed, least), most ?? Infinity) : value;
    set(Number.isInteger(step) ? Math.round(kept) : kept);
    return number.valueAsNumber;
  };
  range.addEventListener("input", () => (number.value = range.value));
  number.addEventListener("input", () => (range.value = number.value));
  number.addEventListener("change", tidy);
  set(value);
  return {
    element: h("div", { class: "field" }, h("label", { for: id }, label), number, range, note(hint)),
    get: tidy,
    set,
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

/** A choice of names. */
export function choice({ label, value, names, hint, onChange }) {
  const id = fresh("choice");
  const input = h("select", { id, onchange: () => onChange?.(input.value) }, ...names.map((name) => h("option", { value: name }, name)));
  input.value = value;
  return {
    element: h("div", { class: "field wide" }, h("label", { for: id }, label), input, note(hint)),
    get: () => input.value,
    set: (given) => {
      if (names.includes(given)) input.value = given;
    },
  };
}

/** A line of text; `read` and `write` turn it into a value and back. */
export function text({ label, value, hint, read = (line) => line, write = (given) => given, ...attributes }) {
  const id = fresh("text");
  const input = h("input", { type: "text", id, ...attributes });
  input.value = write(value);
  return {
    element: h("div", { class: "field wide" }, h("label", { for: id }, label), input, note(hint)),
    get: () => read(input.value.trim()),
    set: (given) => (input.value = write(given)),
  };
}

/** A seed: a whole number, and a button for another one. */
export function seed({ label, value, most }) {
  const id = fresh("seed");
  const input = h("input", { type: "number", id, min: 0, max: most, step: 1, required: true });
  const another = () => (input.value = String(Math.floor(Math.random() * 1e6)));
  const set = (given) => (input.value = String(given));
  const tidy = () => {
    const typed = Math.round(input.valueAsNumber);
    set(Number.isFinite(typed) ? Math.min(Math.max(typed, 0), most) : value);
    return input.valueAsNumber;
  };
  input.addEventListener("change", tidy);
  set(value);
  const beside = h("div", { class: "beside" }, input, h("button", { type: "button", onclick: another, "aria-label": "Another seed" }, "Another"));
  return { element: h("div", { class: "field" }, h("label", { for: id }, label), beside), get: tidy, set };
}

const note = (hint) => (hint ? h("p", { class: "hint" }, hint) : null);
