// What a run will cost, beside the button that makes it: the server counts, as it knows what each method evaluates.

import { ApiError, getCost } from "./api.js";
import { byId, debounce } from "./dom.js";
import { methodTitle } from "./grid.js";
import { count } from "./words.js";

const DELAY = 300; // milliseconds of silence before the server is asked

/** The line that says what the present form costs, or why it cannot be made. */
export class Estimate {
  #place = byId("estimate");
  #asked = null; // the request that the line is about, or will be
  #asking = null; // cancels the question under way
  #soon = debounce(() => this.#ask(), DELAY);

  /** @param {() => object | string} toAsk returns the request of the present form; a sentence where it cannot be asked for. */
  constructor(toAsk) {
    this.toAsk = toAsk;
  }

  /** Take note that the form may have changed. */
  refresh() {
    this.#soon();
  }

  async #ask() {
    const request = this.toAsk();
    const asked = JSON.stringify(request);
    if (asked === this.#asked) return;
    this.#asking?.abort();
    this.#asked = asked;
    if (typeof request === "string") {
      this.#show(request, true);
      return;
    }
    this.#asking = new AbortController();
    try {
      this.#show(words(await getCost(request, this.#asking.signal)), false);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      if (error.status !== 400) this.#asked = null; // another try may be answered
      this.#show(error.status === 400 ? error.message : "", true);
    }
  }

  #show(text, refused) {
    this.#place.textContent = text;
    this.#place.classList.toggle("refused", refused);
  }
}

/** Write "8 pictures, 472 denoiser evaluations: CFG 50, SGT-BALANCED 68 each". */
function words({ images, evaluations, most, methods }) {
  const range = (cost) => (cost.most > cost.evaluations ? `${cost.evaluations} to ${cost.most}` : String(cost.evaluations));
  const each = methods.map((cost) => `${methodTitle(cost.method)} ${range(cost)}`).join(", ");
  return `${count(images, "picture")}, ${range({ evaluations, most })} denoiser evaluations${images > 1 ? `: ${each} each` : ""}`;
}
