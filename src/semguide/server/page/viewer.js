// A picture as large as the window allows, with its trajectory; the keyboard, a swipe or two buttons step through all.

import { byId, h, svg } from "./dom.js";

const SWIPE = 40; // pixels
const SMALL = 128; // pictures up to this width are shown with hard pixels
const BACK = "M12.5 4L6 10l6.5 6";
const ON = "M7.5 4L14 10l-6.5 6";

/** The viewer: a dialog in front of the page. The trajectory moves into it while it is open. */
export class Viewer {
  #run = null;
  #key = null;
  #touched = null;
  #byHand = true; // whether it is a person who closes it
  #image = h("img", { alt: "", tabindex: -1, onload: () => this.#image.classList.toggle("small", this.#image.naturalWidth <= SMALL) });
  #title = h("h2");
  #place = h("p", { class: "hint", role: "status" });
  #prompt = h("p", { class: "viewer-prompt", dir: "auto" });
  #save = h("a", { class: "button" }, "Download");
  #side = h("div", { class: "viewer-side" });
  #dialog;

  /**
   * @param {(key: string) => void} onSelect called with the picture that is looked at.
   * @param {(key: string, byHand: boolean) => void} onClose called with the last one, and whether a person closed it.
   */
  constructor(onSelect, onClose) {
    this.onSelect = onSelect;
    this.onClose = onClose;
    const stage = h(
      "div",
      { class: "stage", ontouchstart: (event) => (this.#touched = event.touches[0].clientX), ontouchend: (event) => this.#swipe(event) },
      arrow("Previous picture", BACK, () => this.#step(-1)),
      this.#image,
      arrow("Next picture", ON, () => this.#step(1)),
    );
    this.#dialog = h(
      "dialog",
      { id: "viewer", "aria-label": "Enlarged picture", onkeydown: (event) => this.#press(event), onclose: () => this.#closed(), onclick: (event) => event.target === this.#dialog && this.#dialog.close() },
      h("header", {}, h("div", {}, this.#title, this.#place), this.#save, h("button", { type: "button", id: "viewer-close", onclick: () => this.#dialog.close() }, "Close")),
      h("div", { class: "viewer-body" }, stage, this.#side),
      this.#prompt,
    );
    document.body.append(this.#dialog);
  }

  get open() {
    return this.#dialog.open;
  }

  /** Show a picture of a run. */
  show(run, key) {
    this.#run = run;
    this.#side.append(byId("trajectory"));
    this.#dialog.showModal();
    this.#look(key);
    this.#image.focus();
  }

  close() {
    this.#byHand = false;
    this.#dialog.close();
  }

  /** Take in what changed of a run: the picture that is shown may have a new preview. */
  update(run) {
    if (this.open && run === this.#run) this.#draw();
  }

  #look(key) {
    this.#key = key;
    this.onSelect(key);
    this.#draw();
  }

  #draw() {
    const run = this.#run;
    const picture = run.pictures.get(this.#key);
    const source = picture.url ?? picture.preview;
    this.#image.hidden = !source;
    if (source && this.#image.getAttribute("src") !== source) this.#image.src = source;
    this.#image.alt = `${picture.method.toUpperCase()}, seed ${picture.seed}: ${run.form.prompt}`;
    this.#title.textContent = `${picture.method.toUpperCase()}, seed ${picture.seed}`;
    const state = { waiting: ", not made yet", running: `, step ${picture.step} of ${picture.steps}`, done: "", stopped: ", stopped" }[picture.state];
    this.#place.textContent = `Picture ${keys(run).indexOf(this.#key) + 1} of ${run.order.length}${state}`;
    this.#prompt.textContent = run.form.prompt;
    this.#save.hidden = !picture.url;
    if (picture.url) Object.assign(this.#save, { href: picture.url, download: fileName(picture) });
  }

  #step(by) {
    const all = keys(this.#run);
    this.#look(all[(all.indexOf(this.#key) + by + all.length) % all.length]);
  }

  /** Go to the same seed of another method. */
  #compare(by) {
    const { methods } = this.#run;
    const { method, seed } = this.#run.pictures.get(this.#key);
    this.#look(`${methods[(methods.indexOf(method) + by + methods.length) % methods.length]}:${seed}`);
  }

  #press(event) {
    if (event.target.closest(".chart, input") || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = keys(this.#run);
    const does = {
      ArrowRight: () => this.#step(1),
      ArrowLeft: () => this.#step(-1),
      ArrowDown: () => this.#compare(1),
      ArrowUp: () => this.#compare(-1),
      Home: () => this.#look(all[0]),
      End: () => this.#look(all.at(-1)),
    }[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  }

  #swipe(event) {
    const by = this.#touched - event.changedTouches[0].clientX;
    if (Math.abs(by) > SWIPE) this.#step(Math.sign(by));
  }

  #closed() {
    byId("board").append(byId("trajectory"));
    this.onClose(this.#key, this.#byHand);
    this.#byHand = true;
  }
}

/** Return the keys of a run's pictures as they are read: method by method, seed by seed. */
const keys = (run) => run.methods.flatMap((method) => run.seeds.map((seed) => `${method}:${seed}`));

/** Return what the file of a picture is called. */
export const fileName = (picture) => `semguide-${picture.method}-seed${picture.seed}.png`;

function arrow(label, path, onclick) {
  const line = { d: path, fill: "none", stroke: "currentColor", "stroke-width": 1.8, "stroke-linecap": "round", "stroke-linejoin": "round" };
  return h("button", { type: "button", class: "turn", "aria-label": label, onclick }, svg("svg", { viewBox: "0 0 20 20", width: 22, height: 22, "aria-hidden": "true" }, svg("path", line)));
}
