// The size of the pictures: shapes of as many pixels as the model's own, or width and height by hand.

import { h } from "./dom.js";
import { choice, slider } from "./fields.js";

const SHAPES = [[1, 1], [4, 3], [3, 4], [3, 2], [2, 3], [16, 9], [9, 16]];
const OWN = "auto";
const OTHER = "other";

/** Width and height of a model, as one field: "auto", or "640x512". It hides where the model has one size only. */
export class Size {
  #side;
  #shape;
  #sides = {};
  #byHand = h("div", { class: "sides" });
  element;

  /** @param {number} side the largest width and height at this server, pixels. */
  constructor(side) {
    this.#side = side;
    this.#shape = choice({ label: "Size", value: OWN, names: [OWN], onChange: () => this.#show() });
    this.element = h("div", { class: "size" }, this.#shape.element, this.#byHand);
  }

  /** Offer what a model can make, and begin with its own size. */
  offer({ width, height, smallest, largest, size_multiple: multiple }) {
    const most = Math.floor(Math.min(largest, this.#side) / multiple) * multiple;
    const fit = (length) => Math.min(Math.max(Math.round(length / multiple) * multiple, smallest), most);
    const titles = { [OWN]: `${width} × ${height}, the model's own`, [OTHER]: "Other" };
    for (const [across, up] of SHAPES) {
      const [wide, high] = [Math.sqrt((width * height * across) / up), Math.sqrt((width * height * up) / across)].map(fit);
      if (wide !== width || high !== height) titles[`${wide}x${high}`] ??= `${wide} × ${high}, ${across}:${up}`;
    }
    const names = [OWN, ...Object.keys(titles).filter((name) => name !== OWN && name !== OTHER), OTHER];
    this.#shape.offer(smallest < most ? names : [OWN], titles);
    const range = { least: smallest, most, step: multiple };
    this.#sides = { width: slider({ label: "Width", value: width, ...range }), height: slider({ label: "Height", value: height, ...range }) };
    this.#byHand.replaceChildren(this.#sides.width.element, this.#sides.height.element);
    this.element.hidden = this.#shape.element.hidden;
    this.set(OWN);
  }

  get() {
    if (this.#shape.get() !== OTHER) return this.#shape.get();
    return `${this.#sides.width.get()}x${this.#sides.height.get()}`;
  }

  tidy() {
    for (const side of Object.values(this.#sides)) side.tidy();
  }

  set(size) {
    this.#shape.set(size);
    if (this.#shape.get() !== size) {
      const [width, height] = size.split("x");
      this.#sides.width.set(width);
      this.#sides.height.set(height);
      this.#shape.set(OTHER);
    }
    this.#show();
  }

  #show() {
    this.#byHand.hidden = this.#shape.get() !== OTHER;
  }
}
