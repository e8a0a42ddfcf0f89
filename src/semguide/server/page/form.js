// The form as a whole, prompt, concepts and settings: what it asks for, and what is in the way of it.

import { Chips } from "./chips.js";
import { byId } from "./dom.js";
import { Prompt } from "./prompt.js";
import { toRequest } from "./run.js";
import { count } from "./words.js";

/** Said where there is nothing to draw. */
export const EMPTY = "Type a prompt first: what should the picture show?";

/** The form; its `settings` are null until the server has said what there is to choose from. */
export class Form {
  settings = null;

  /** @param {() => void} onChange called when it may have changed by itself: new concepts, or edited ones. */
  constructor(onChange) {
    this.prompt = new Prompt(
      () => this.settings.values,
      (texts, note) => {
        this.chips.decomposed(texts, note);
        onChange();
      },
    );
    this.chips = new Chips(() => this.prompt.split(), (steered) => this.#advise(steered), onChange);
  }

  /** Everything on the form, as a link or a run keeps it; setting it leaves out what is missing. */
  get values() {
    return { prompt: this.prompt.text, chips: this.chips.all, automatic: this.chips.automatic, ...this.settings.values };
  }

  set values(values) {
    this.settings.values = values;
    this.use(values.prompt, values.chips, values.automatic);
  }

  /** Put a prompt into the form; its concepts are found anew unless they are given. */
  use(text, chips = null, automatic = true) {
    this.prompt.fill(text, chips !== null);
    this.chips.restore(chips ?? [], automatic);
    if (chips === null) this.prompt.split();
  }

  /** Return what is in the way of a run, as a sentence and the element to go to; null where nothing is. */
  get obstacle() {
    if (!this.prompt.text) return [EMPTY, this.prompt];
    if (this.settings.problem) return [this.settings.problem, this.settings];
    const many = this.#tooMany(this.chips.steered);
    return many ? [many, byId("chips").querySelector(".mute")] : null;
  }

  /** The request of the form; a sentence where it cannot be asked for, "" where that is plain to see. */
  get request() {
    if (!this.prompt.text || !this.settings) return "";
    return this.settings.problem || (this.#tooMany(this.chips.steered) ? "" : toRequest(this.values));
  }

  /** The values of the first seed alone, which live mode draws; null while the form cannot be asked for. */
  get firstSeed() {
    const { chips } = this;
    const chosen = chips.all.some((chip) => chip.muted); // by their texts, which are to be of the present prompt
    if (typeof this.request === "string" || (chips.automatic && chosen && !this.prompt.isSplit)) return null;
    return { ...this.values, pictures: 1, seeds: null };
  }

  /** Say why so many concepts cannot be asked for; "" where they can. */
  #tooMany(steered) {
    const most = this.settings.offer.limits.concepts;
    return steered > most ? `${steered} concepts are more than the ${most} that this server takes: mute or remove ${count(steered - most, "concept")}.` : "";
  }

  /** Say what is to be known of so many concepts before anything is made. */
  #advise(steered) {
    if (!this.settings) return "";
    const plain = steered > 0 && steered < this.settings.method.min_concepts; // both pictures of a seed would be the same
    if (plain) return "One concept has no other to be balanced with: this is plain guidance, drawn once.";
    return this.#tooMany(steered);
  }
}

/** Return the numbers of the colours of the concepts that are steered. */
export const coloursOf = ({ chips }) => chips.flatMap((chip, k) => (chip.muted ? [] : [k]));
