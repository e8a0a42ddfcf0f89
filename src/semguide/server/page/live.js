// Live mode: the pictures follow the form while it changes. What was asked for before the last change is stopped, and
// what still comes of it is dropped.

import { ApiError } from "./api.js";
import { byId, debounce } from "./dom.js";
import { coloursOf } from "./form.js";
import { clear, fail, list } from "./notice.js";
import { over, Runner, toRequest } from "./run.js";

const KEY = "semguide.live";
const DELAY = 20; // milliseconds: for keys struck as one; more would only wait, as the server stops within a step
const LATER = 10_000; // milliseconds until pictures that were replaced are let go
const PACE = 100; // milliseconds between two looks at a picture in the making: drawing takes time from making

/** The switch, and the one run that follows the form. */
export class Live {
  #box = byId("live");
  #soon = debounce(() => this.#ask(), DELAY);
  #runner = new Runner((run, picture) => this.#take(run, picture), { previews: false });
  #wanted; // the request that the page is to show, as JSON; null: it cannot be asked for; undefined: any
  #turn = 0; // counts what is asked for: an answer to an earlier turn is dropped
  #asking = false;
  #due = false; // to be asked once that is answered
  #run = null; // of this turn, once the server has it
  #following = null; // ends the following of it
  #whole = null; // the latest run with all its pictures
  #earlier = []; // runs whose pictures may still be on the page
  #looked = 0;
  #said = "";

  /**
   * @param {() => object | null} toAsk returns the values of the form; null where it cannot be asked for.
   * @param {{onSwitch: (on: boolean, whole: object | null) => void, onStale: () => void, onRun: (run: object) => void,
   *   onChange: (run: object, picture: object | null) => void}} listeners called when it was switched, with the latest run
   *   that has all its pictures; when the pictures on the page are not of the form; when there is a run; when that changed.
   */
  constructor(toAsk, listeners) {
    this.toAsk = toAsk;
    this.listeners = listeners;
    this.#box.checked = remembered();
    this.#box.addEventListener("change", () => this.#switch());
  }

  get on() {
    return this.#box.checked;
  }

  /** The run of the present form, if it has all its pictures. */
  get made() {
    return this.#run?.status === "done" ? this.#run : null;
  }

  /** Take note that the form may have changed: stop what was asked for, and ask anew. */
  refresh() {
    if (!this.on) return;
    const request = this.#request();
    if (request === this.#wanted) return;
    this.stop();
    this.#wanted = request;
    this.listeners.onStale();
    if (request !== null) this.#soon();
  }

  /** Take what the page shows, or will, for that of the present form: nothing is asked for before that changes. */
  hold() {
    this.stop();
    this.#wanted = this.#request();
  }

  /** Stop what was asked for. */
  stop() {
    this.#turn += 1;
    this.#due = false;
    this.#soon.cancel();
    if (this.#run) {
      if (!over(this.#run)) this.#cancel(this.#run);
      this.#earlier.push(this.#run);
    }
    this.#following?.abort();
    this.#run = null;
  }

  /** Give up what is in the making, until the form changes. */
  cancel() {
    if (this.#run ? over(this.#run) : !this.#asking) return;
    this.stop();
    this.listeners.onStale();
  }

  #request() {
    const values = this.toAsk();
    return values && JSON.stringify(toRequest(values));
  }

  #switch() {
    remember(this.on);
    this.stop();
    this.#wanted = undefined;
    this.listeners.onSwitch(this.on, this.#whole);
    this.refresh();
  }

  /** Ask for the pictures of the form, once the question before this one is answered. */
  async #ask() {
    this.#due = this.#asking;
    const [turn, values] = [this.#turn, this.toAsk()];
    if (this.#asking || values === null) return;
    this.#asking = true;
    try {
      const run = await this.#runner.begin(values, coloursOf(values));
      if (turn === this.#turn) this.#follow({ ...withOwnChips(run), live: true });
      else this.#cancel(run);
    } catch (error) {
      if (turn === this.#turn) this.#fail(error);
    } finally {
      this.#asking = false;
    }
    if (this.#due) this.#ask();
  }

  async #follow(run) {
    this.#run = run;
    this.#following = new AbortController();
    this.listeners.onRun(run);
    try {
      await this.#runner.follow(run, this.#following.signal);
      if (run.status === "failed") throw new ApiError(run.error ?? "The pictures failed", 500);
      if (run.status === "done") this.#finish(run);
    } catch (error) {
      if (error.name !== "AbortError") this.#fail(error);
    }
  }

  #take(run, picture) {
    if (run !== this.#run) return;
    if (picture?.state === "running") {
      if (performance.now() < this.#looked + PACE) return;
      this.#looked = performance.now();
    }
    this.listeners.onChange(run, picture);
  }

  #finish(run) {
    this.#whole = run;
    setTimeout(release, LATER, this.#earlier);
    this.#earlier = [];
    this.#say(run.warnings.join("\n"), () => list(run.warnings));
  }

  #fail(error) {
    this.#wanted = undefined; // the same may be asked for again
    const asked = error instanceof ApiError && error.status === 400; // the line of the cost says the same
    this.#say(asked ? "" : error.message, () => fail(error, () => this.refresh()));
  }

  /** Say something in the place of what was said before, but nothing twice. */
  #say(words, say) {
    if (words === this.#said) return;
    this.#said = words;
    clear();
    if (words) say();
  }

  #cancel(run) {
    this.#runner.cancel(run).catch(() => {}); // nobody waits for it
  }
}

/** Return a run with the chips of its concepts, which the server may have found before the page knew them. */
function withOwnChips(run) {
  const { form } = run;
  if (!form.automatic || form.chips.some((chip) => chip.muted)) return run;
  const chips = run.concepts.map((text) => ({ text, muted: false }));
  return { ...run, form: { ...form, chips }, colours: coloursOf({ chips }) };
}

/** Let go of the pictures of runs that were not kept. */
function release(runs) {
  const pictures = runs.filter((run) => run.live).flatMap((run) => run.order);
  for (const { url } of pictures) if (url) URL.revokeObjectURL(url);
}

function remembered() {
  try {
    return localStorage.getItem(KEY) === "1";
  } catch {
    return false; // storage is switched off
  }
}

function remember(on) {
  try {
    localStorage.setItem(KEY, on ? "1" : "0");
  } catch {
    // not remembered, that is all
  }
}
