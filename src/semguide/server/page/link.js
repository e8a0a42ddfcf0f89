// A run as a link: everything that decides its pictures stands in the fragment, which no server ever sees.

import { parseSeeds } from "./seeds.js";

const TEXTS = ["negative", "more", "less"];
const CHIPS = new Set(["concept", "muted"]);
const NUMBERS = { pictures: "n", steps: "steps", guidance: "scale", most: "most", retries: "retries", frames: "frames", evaluations: "evaluations" };
const MOST_SEEDS = 1000;
const SIZE = /^(auto|\d{1,5}x\d{1,5})$/;

/**
 * Write a form's values as the fragment of a link.
 *
 * @param {object} form `{prompt, negative, more, less, chips, automatic, method, model, seed, seeds, pictures, size, scheduler, steps,
 *   evaluations, guidance, most, retries, frames, watch, parameters}`.
 */
export function toFragment(form) {
  const fields = new URLSearchParams({ prompt: form.prompt, method: form.method, model: form.model });
  for (const name of TEXTS) if (form[name]) fields.set(name, form[name]);
  for (const chip of form.chips) fields.append(chip.muted ? "muted" : "concept", chip.text);
  fields.set("automatic", form.automatic ? "1" : "0");
  fields.set("watch", form.watch ? "1" : "0");
  fields.set("seed", (form.seeds ?? [form.seed]).join(","));
  if (form.size !== "auto") fields.set("size", form.size);
  if (form.scheduler) fields.set("sampler", form.scheduler);
  for (const [name, key] of Object.entries(NUMBERS)) if (form[name] !== null) fields.set(key, String(form[name]));
  for (const [name, value] of Object.entries(form.parameters)) fields.set(`set.${name}`, JSON.stringify(value));
  return `#${fields}`;
}

/** Read a fragment back; null where it is none of ours. Values that make no sense are left out, and so at their defaults. */
export function fromFragment(fragment) {
  const fields = new URLSearchParams(fragment.replace(/^#/, ""));
  const prompt = fields.get("prompt");
  if (!prompt) return null;
  const form = { prompt, ...Object.fromEntries(TEXTS.map((name) => [name, fields.get(name) ?? ""])), scheduler: fields.get("sampler"), parameters: {} };
  for (const name of ["method", "model"]) if (fields.get(name)) form[name] = fields.get(name);
  for (const [name, key] of Object.entries(NUMBERS)) {
    const value = Number(fields.get(key) ?? NaN);
    if (Number.isFinite(value)) form[name] = value;
  }
  const seeds = parseSeeds(fields.get("seed") ?? "", MOST_SEEDS);
  if (seeds) form.seeds = seeds;
  const size = fields.get("size") ?? "auto";
  if (SIZE.test(size)) form.size = size;
  if (fields.has("watch")) form.watch = fields.get("watch") === "1";
  if (fields.has("automatic")) {
    form.automatic = fields.get("automatic") !== "0";
    form.chips = [...fields].filter(([key, text]) => CHIPS.has(key) && text).map(([key, text]) => ({ text, muted: key === "muted" }));
  }
  for (const [key, value] of fields) if (key.startsWith("set.")) form.parameters[key.slice(4)] = parsed(value);
  return form;
}

function parsed(value) {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
