// The settings: the few that matter as sliders, the rest folded away, all of them made from what the server says it has.

import { byId, h } from "./dom.js";
import { choice, seeds, slider, text, tick } from "./fields.js";
import { parameterField, read, write } from "./parameters.js";
import { samplerName } from "./samplers.js";
import { Size } from "./sizes.js";

export const PLAIN = "cfg";
const UNGUIDED = "No guidance, for models of a few steps; sgt-balanced only.";
const GUIDANCE = { least: 1, most: 100, slide: 15, hint: (scale) => (scale === 1 ? UNGUIDED : "") };
const PLAIN_COST = 2; // denoiser evaluations of a step of plain guidance; without guidance 1
const LEAST_COST = 8; // of a picture
const LENGTHS = "Evaluations: plain guidance and the method cost the same, so the method takes fewer steps. Measuring and retries come on top.";
const OWN = ""; // the model's own sampler

/** All settings but prompt and concepts. */
export class Settings {
  #fields = {};
  #parameters = {};

  /**
   * @param {object} offer the answer of `GET /v1/methods`.
   * @param {object[]} models the answer of `GET /v1/models`.
   * @param {{onModel: (id: string) => void, onMethod: () => void}} listeners called when another model or method is chosen.
   */
  constructor(offer, models, { onModel, onMethod }) {
    this.offer = offer;
    this.models = models;
    this.onModel = this.onMethod = () => {}; // nothing has changed yet
    this.#shared();
    this.#adopt(models[0].id);
    this.#showLength();
    this.#follow(this.#fields.method.get());
    this.onModel = onModel;
    this.onMethod = onMethod;
  }

  get #names() {
    return this.offer.methods.map((method) => method.name).filter((name) => name !== PLAIN);
  }

  /** The chosen method, as the server describes it. */
  get method() {
    return this.offer.methods.find((method) => method.name === this.#fields.method.get());
  }

  /** The chosen model: its defaults and ranges. */
  get model() {
    return this.models.find((model) => model.id === this.#fields.model.get()).semguide;
  }

  #shared() {
    const { limits, defaults } = this.offer;
    const most = Math.max(1, Math.floor(limits.images / 2)); // two pictures a seed: plain and steered
    const names = this.models.map((each) => each.id);
    this.#fields = {
      guidance: slider({ label: "Guidance scale", value: 7.5, step: 0.05, ...GUIDANCE }),
      steps: slider({ label: "Steps", value: 1, least: 1, most: limits.steps, step: 1 }),
      evaluations: slider({ label: "Evaluations", value: LEAST_COST, least: LEAST_COST, most: PLAIN_COST * limits.steps, step: 1 }),
      pictures: slider({ label: "Images", value: Math.min(defaults.images, most), least: 1, most, step: 1, title: "Seeds: each is drawn by plain guidance and by the method" }),
      seeds: seeds({ label: "Seed", value: [0], most, onChange: (list) => this.#showPictures(list) }),
      method: choice({ label: "Method", value: defaults.method, names: this.#names, onChange: (name) => this.#follow(name) }),
      model: choice({ label: "Model", value: names[0], names, onChange: (id) => this.#adopt(id) }),
      size: new Size(limits.side),
      scheduler: choice({ label: "Sampler", value: OWN, names: [OWN] }),
      length: choice({ label: "Length", value: "steps", names: ["steps", "evaluations"], hint: LENGTHS, onChange: () => this.#showLength() }),
      negative: text({ label: "Negative prompt", value: "", placeholder: "Negative prompt: what not to show", maxlength: limits.prompt_length }),
      more: text({ label: "More of", value: "", placeholder: `a hat, a bow: ${defaults.edit.scale + 2}`, maxlength: limits.prompt_length, hint: `Shown more, whatever the prompt says; commas between, and after a colon how much (${defaults.edit.scale}). An evaluation a step each.` }),
      less: text({ label: "Less of", value: "", placeholder: "snow: 3", maxlength: limits.prompt_length, hint: "Shown less, in the same way." }),
      most: slider({ label: "Most concepts", value: defaults.max_concepts, least: 1, most: limits.concepts, step: 1 }),
      retries: slider({ label: "Retries", value: 0, least: 0, most: limits.retries, step: 1, hint: "Seeds to try besides, where the first steps promise too little." }),
      frames: text({ label: "Frames", value: null, hint: "Of a video; empty: as many as the model makes by itself.", inputmode: "numeric", read, write }),
      watch: tick({ label: "Measure every step", value: false, hint: "Draws whole lines, the plain ones too. Costs evaluations; the pictures stay the same." }),
    };
    byId("negative").replaceChildren(this.#fields.negative.element);
  }

  /** Show the slider that says how long a picture takes: its steps, or the denoiser evaluations that these come of. */
  #showLength() {
    const { length, steps, evaluations } = this.#fields;
    steps.element.hidden = length.get() !== "steps";
    evaluations.element.hidden = !steps.element.hidden;
  }

  /** A list of seeds says itself how many pictures there are. */
  #showPictures(list) {
    this.#fields.pictures.element.hidden = list !== null && list.length > 1;
  }

  /** Make the fields of a method's parameters; its strength is the one with a slider among the main ones. */
  #follow(name) {
    const method = this.offer.methods.find((each) => each.name === name);
    const main = method.parameters.find((parameter) => parameter.strength);
    this.#parameters = Object.fromEntries(method.parameters.map((parameter) => [parameter.name, parameterField(parameter)]));
    const rest = method.parameters.filter((parameter) => parameter !== main);
    const { guidance, steps, evaluations, pictures, seeds: seed, method: which, model, size, scheduler, length, more, less, most, retries, frames, watch } = this.#fields;
    const elements = (fields) => fields.filter(Boolean).map((field) => field.element);
    byId("sliders").replaceChildren(...elements([main && this.#parameters[main.name], guidance, steps, evaluations, pictures, seed]));
    const focused = byId("more-body").contains(document.activeElement) ? document.activeElement : null;
    byId("more-body").replaceChildren(
      h("div", { class: "rows" }, ...elements([which, this.models.length > 1 && model, size, scheduler, more, less, length, most, retries, frames, watch])),
      h("p", { class: "about" }, method.summary),
      h("div", { class: "rows" }, ...elements(rest.map((parameter) => this.#parameters[parameter.name]))),
    );
    focused?.focus();
    this.onMethod();
  }

  /** Take over a model's own steps, guidance scale, sizes and samplers. */
  #adopt(id) {
    const { guidance, steps, evaluations, frames, size, scheduler } = this.#fields;
    const { num_inference_steps: own, guidance_scale: scale, scheduler: sampler, schedulers, video, ...ranges } = this.model;
    steps.set(own);
    guidance.set(scale);
    evaluations.set((scale > 1 ? PLAIN_COST : 1) * own);
    frames.element.hidden = !video;
    size.offer(ranges);
    const others = schedulers.filter((name) => name !== sampler);
    const titles = Object.fromEntries(others.map((name) => [name, samplerName(name)]));
    scheduler.offer([OWN, ...others], { ...titles, [OWN]: `${samplerName(sampler)}, the model's own` });
    this.onModel(id);
  }

  /** What of the settings cannot be asked for, in a sentence; "" where all can. */
  get problem() {
    return this.#fields.seeds.problem();
  }

  /** Go to the field that `problem` is about. */
  focus() {
    this.#fields.seeds.focus();
  }

  /** Put what was typed within its range, and draw a new seed where each run is to have one. */
  settle() {
    for (const field of [...Object.values(this.#fields), ...Object.values(this.#parameters)]) field.tidy?.();
    this.#fields.seeds.draw();
  }

  /** The values of all fields, by name; `parameters` are those of the method. `seeds` is a list, or null: `seed` and the next. */
  get values() {
    const valuesOf = (fields) => Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.get()]));
    const { length, seeds: list, ...values } = { ...valuesOf(this.#fields), parameters: valuesOf(this.#parameters) };
    const evaluations = length === "evaluations" ? values.evaluations : null;
    return {
      ...values,
      seed: list?.[0] ?? 0,
      seeds: list?.length > 1 ? list : null,
      scheduler: values.scheduler || null,
      evaluations,
      frames: this.model.video ? values.frames : null,
    };
  }

  /** Put values into their fields; those that are missing stay as they are. */
  set values({ method, model, evaluations = null, parameters = {}, seed, seeds: list, size, scheduler, ...others }) {
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
    if (list ?? seed !== undefined) this.#fields.seeds.set(list ?? [seed]);
    if (size) this.#fields.size.set(size);
    if (scheduler !== undefined) this.#fields.scheduler.set(scheduler ?? OWN);
    for (const [name, value] of Object.entries(others)) this.#fields[name]?.set(value);
    for (const [name, value] of Object.entries(parameters)) this.#parameters[name]?.set(value);
  }
}
