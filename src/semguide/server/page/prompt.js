// The prompt's field: it grows with its text, and the server is asked for its concepts when it changes.

import { getConcepts } from "./api.js";
import { byId, debounce } from "./dom.js";
import { fail } from "./notice.js";

const DELAY = 250; // milliseconds of silence before a prompt is split
const LONG = 90; // letters of a prompt that is shown small

/** The prompt, and the splitting of it. */
export class Prompt {
  #field = byId("prompt");
  #splitFor = null; // the prompt whose concepts are known
  #splitting = null; // cancels the split under way
  #later = debounce(() => this.split(), DELAY);

  /**
   * @param {() => {model: string, most: number}} asked returns for which model, and how many concepts are wanted.
   * @param {(texts: string[], note: string) => void} onSplit called with the concepts, and why others are left out.
   */
  constructor(asked, onSplit) {
    this.asked = asked;
    this.onSplit = onSplit;
  }

  get text() {
    return this.#field.value.trim();
  }

  /** Put a text into the field; its concepts are asked for unless they are `known`. */
  fill(text, known) {
    this.#field.value = text;
    this.grow();
    this.#later.cancel();
    if (known) this.#splitFor = text;
  }

  /** Whether the concepts are those of the present text. */
  get isSplit() {
    return this.#splitFor === this.text;
  }

  focus() {
    this.#field.focus();
  }

  /** Ask the server for the concepts, in a moment: further letters may come. */
  splitSoon() {
    this.#later();
  }

  /** Ask the server for the concepts. */
  async split() {
    this.#later.cancel();
    this.#splitting?.abort();
    this.#splitting = new AbortController();
    const { text } = this;
    try {
      const { model, most } = this.asked();
      const { texts, note } = text ? await getConcepts(text, model, most, this.#splitting.signal) : { texts: [], note: "" };
      this.#splitFor = text;
      this.onSplit(texts, note);
    } catch (error) {
      if (error.name !== "AbortError") fail(error, () => this.split());
    }
  }

  /** Show a long prompt small; let its field grow with it, where the style sheet alone cannot. */
  grow() {
    const field = this.#field;
    field.classList.toggle("long", field.value.length > LONG);
    if (CSS.supports("field-sizing", "content")) return;
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  }
}
