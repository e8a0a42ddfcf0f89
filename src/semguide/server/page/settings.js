// The settings: the few that matter as sliders, the rest folded away, all of them made from what the server says it has.

import { byId, h } from "./dom.js";
import { choice, seed, slider, text, tick } from "./fields.js";

export const PLAIN = "cfg";
const FIRST = "sgt-balanced"; // the method shown first, where the server has it
const GUIDANCE = { least: 1.05, most: 100, slide: 15 }; // more than 1: 1 would turn the guidance off
const PICTURES = 4;
const MOST = 8; // concepts found in a prompt that are kept
const PLAIN_COST = 2; // denoiser evaluations of a step of plain guidance
const LEAST_COST = 8; // of a picture
const LENGTHS = "Evaluations: plain guidance and the method cost the same, so the method takes fewer steps. Measuring and retries come on top.";

/** All settings but prompt and concepts. */
export class Settings {
  #fields = {};
  #parameters = {};

  /**
   * @param {object} offer the answer of `GET /v1/methods`.
   * @param {object[]} models the answer of `GET /v1/models`.
   * @param {(id: string) => void} onModel called when another model is chosen.
   */
  constructor(offer, models, onModel) {
    this.offer = offer;
    this.models = models;
    this.onModel = onModel;
    this.#shared();
    this.#fields.frames.element.hidden = !this.#video;
    this.#showLength();
    this.#follow(this.#fields.method.get());
  }

  get #names() {
    return this.offer.methods.map((method) => method.name).filter((name) => name !== PLAIN);
  }

  /** Whether the chosen model makes videos. */
  get #video() {
    return Boolean(this.models.find((model) => model.id === this.#fields.model.get()).semguide.video);
  }

  #shared() {
    const { limits } = this.offer;
    const model = this.models[0];
    const seeds = Math.max(1, Math.floor(limits.images / 2)); // two pictures each: plain and steered
    const start = this.#names.includes(FIRST) ? FIRST : this.#names[0];
    const names = this.models.map((each) => each.id);
    this.#fields = {
      guidance: slider({ label: "Guidance", value: model.semguide.guidance_scale, step: 0.05, ...GUIDANCE }),
      steps: slider({ label: "Steps", value: model.semguide.num_inference_steps, least: 1, most: limits.steps, step: 1 }),
      evaluations: slider({ label: "Evaluations", value: PLAIN_COST * model.semguide.num_inference_steps, least: LEAST_COST, most: PLAIN_COST * limits.steps, step: 1 }),
      pictures: slider({ label: "Seeds", value: Math.min(PICTURES, seeds), least: 1, most: seeds, step: 1 }),
      seed: seed({ label: "First seed", value: 0, most: Number.MAX_SAFE_INTEGER - limits.images }),
      method: choice({ label: "Method", value: start, names: this.#names, onChange: (name) => this.#follow(name) }),
      model: choice({ label: "Model", value: model.id, names, onChange: (id) => this.#adopt(id) }),
      length: choice({ label: "Length", value: "steps", names: ["steps", "evaluations"], hint: LENGTHS, onChange: () => this.#showLength() }),
      negative: text({ label: "Negative prompt", value: "", hint: "What the pictures should not show.", maxlength: limits.prompt_length }),
      most: slider({ label: "Most concepts", value: Math.min(MOST, limits.concepts), least: 1, most: limits.concepts, step: 1 }),
      retries: slider({ label: "Retries", value: 0, least: 0, most: limits.retries, step: 1, hint: "Seeds to try besides, where the first steps promise too little." }),
      frames: text({ label: "Frames", value: null, hint: "Of a video; empty: as many as the model makes by itself.", inputmode: "numeric", read, write }),
      watch: tick({ label: "Measure every step", value: true, hint: "Draws whole lines, the plain ones too. Slower; the pictures stay the same." }),
    };
  }

  /** Show the slider that says how long a picture takes: its steps, or the denoiser evaluations that these come of. */
  #showLength() {
    const { length, steps, evaluations } = this.#fields;
    steps.element.hidden = length.get() !== "steps";
    evaluations.element.hidden = !steps.element.hidden;
  }

  /** Make the fields of a method's parameters; its strength is the one with a slider among the main ones. */
  #follow(name) {
    const method = this.offer.methods.find((each) => each.name === name);
    const main = method.parameters.find((parameter) => parameter.strength);
    const fieldOf = (parameter) => parameterField(parameter === main ? { ...parameter, meaning: "" } : parameter);
    this.#parameters = Object.fromEntries(method.parameters.map((parameter) => [parameter.name, fieldOf(parameter)]));
    const rest = method.parameters.filter((parameter) => parameter !== main);
    const { guidance, steps, evaluations, pictures, seed: first, method: which, model, length, negative, most, retries, frames, watch } = this.#fields;
    byId("sliders").replaceChildren(
      ...[main && this.#parameters[main.name], guidance, steps, evaluations, pictures, first].filter(Boolean).map((field) => field.element),
    );
    const focused = byId("more-body").contains(document.activeElement) ? document.activeElement : null;
    byId("more-body").replaceChildren(
      h("div", { class: "rows" }, which.element, this.models.length > 1 ? model.element : null, length.element, negative.element, most.element, retries.element, frames.element, watch.element),
      h("p", { class: "about" }, method.summary),
      h("div", { class: "rows" }, ...rest.map((parameter) => this.#parameters[parameter.name].element)),
    );
    focused?.focus();
  }

  /** Take over a model's own steps and guidance scale. */
  #adopt(id) {
    const { semguide } = this.models.find((model) => model.id === id);
    this.#fields.steps.set(semguide.num_inference_steps);
    this.#fields.guidance.set(semguide.guidance_scale);
    this.#fields.evaluations.set(PLAIN_COST * semguide.num_inference_steps);
    this.#fields.frames.element.hidden = !this.#video;
    this.onModel(id);
  }

  /** The values of all fields, by name; `parameters` are those of the method. */
  get values() {
    const read = (fields) => Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.get()]));
    const { length, ...values } = { ...read(this.#fields), parameters: read(this.#parameters) };
    const evaluations = length === "evaluations" ? values.evaluations : null;
    return { ...values, evaluations, frames: this.#video ? values.frames : null };
  }

  /** Put values into their fields; those that are missing stay as they are. */
  set values({ method, model, evaluations = null, parameters = {}, ...others }) {
    if (model && this.models.some((each) => each.id === model)) {
      this.#fields.model.set(model);
      this.#adopt(model);
    }
    const known = this.offer.methods.find((each) => each.name === method || each.aliases.includes(method))?.name;
    if (this.#names.includes(known)) {
      this.#fields.method.set(known);
      this.#follow(known);
    }
    this.#fields.length.set(evaluations === null ? "steps" : "evaluations");
    this.#showLength();
    if (evaluations !== null) this.#fields.evaluations.set(evaluations);
    for (const [name, value] of Object.entries(others)) this.#fields[name]?.set(value);
    for (const [name, value] of Object.entries(parameters)) this.#parameters[name]?.set(value);
  }
}

function parameterField({ name, type, default: value, minimum, maximum, choices, meaning }) {
  const label = name.replaceAll("_", " ").replace(/^./, (letter) => letter.toUpperCase());
  if (type === "boolean") return tick({ label, value, hint: meaning });
  if (type === "string" && choices) return choice({ label, value, names: choices.map(String), hint: meaning });
  if (type === "string" || choices || value === null) return text({ label, value, hint: meaning, read, write });
  const whole = type === "integer";
  const least = minimum ?? Math.min(0, -4 * Math.abs(value));
  const slide = Math.min(maximum ?? Infinity, Math.max(whole ? 10 : 2, 4 * Math.abs(value)));
  return slider({ label, value, least, most: maximum, slide, step: whole ? 1 : fine(slide - least), hint: meaning });
}

/** Return a step of 1, 2 or 5 times a power of ten that cuts a range into 50 parts or more. */
function fine(range) {
  const power = 10 ** Math.floor(Math.log10(range / 50));
  return [5, 2, 1].map((digit) => digit * power).find((step) => step <= range / 50 + 1e-9) ?? power;
}

/** Read a parameter that takes words beside numbers; an empty line is null. */
const read = (line) => (line === "" ? null : Number.isNaN(Number(line)) ? line : Number(line));
const write = (value) => (value === null ? "" : String(value));
