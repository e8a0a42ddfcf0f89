// The concepts of the prompt as chips: edit in place, mute, remove, add, and back to the automatic ones.

import { byId, COLOURS, debounce, h, mark, svg } from "./dom.js";

const QUIET = 500; // milliseconds without new concepts before they are read aloud

/**
 * The list of concepts, and its editor.
 *
 * A chip is `{text, muted}`. As long as nothing was edited (`automatic`) the chips follow the prompt; muting keeps them
 * automatic, because a muted phrase stays muted while it stays in the prompt.
 */
export class Chips {
  #list = byId("chips");
  #status = byId("chips-status");
  #chips = [];
  #editing = null;
  #note = "";
  #tell = debounce((text) => this.#say(text), QUIET);

  /**
   * @param {() => void} onAutomatic called when the chips are to follow the prompt again: answer with `decomposed`.
   * @param {(count: number) => string} advise asked what to say of so many concepts that are steered; "": nothing.
   * @param {() => void} onChange called when a person changed them.
   */
  constructor(onAutomatic, advise, onChange) {
    this.onAutomatic = onAutomatic;
    this.advise = advise;
    this.onChange = onChange;
    this.automatic = true;
    this.#draw();
  }

  /** All chips, muted ones too. */
  get all() {
    return this.#chips.map((chip) => ({ ...chip }));
  }

  /** How many concepts are steered. */
  get steered() {
    return this.#chips.filter((chip) => !chip.muted).length;
  }

  /** Say again what is to be said of them, as another method was chosen. */
  refresh() {
    if (this.#editing === null) this.#draw();
  }

  /** Take the phrases found in the prompt, and why others are left out; shown unless the list was edited by hand. */
  decomposed(texts, note) {
    this.#note = note;
    if (!this.automatic || this.#editing !== null) return;
    const muted = new Set(this.#chips.filter((chip) => chip.muted).map((chip) => chip.text));
    const before = this.#chips.map((chip) => chip.text).join("\n");
    this.#chips = texts.map((text) => ({ text, muted: muted.has(text) }));
    if (before !== texts.join("\n")) this.#tell(texts.length ? `Concepts: ${texts.join(", ")}` : note || "No concept found");
    this.#draw();
  }

  /** Show given chips, as a link or an earlier run had them. */
  restore(chips, automatic) {
    this.#chips = chips.map((chip) => ({ ...chip }));
    this.automatic = automatic;
    this.#editing = null;
    this.#draw();
  }

  /** Keep what is being typed into a chip, as leaving its field would. */
  commit() {
    const field = this.#list.querySelector("input");
    if (field) this.#finish(field.value, true);
  }

  #change(say, focus) {
    this.#draw();
    this.#say(say);
    this.#focus(focus);
    this.onChange();
  }

  #mute(k) {
    const chip = this.#chips[k];
    chip.muted = !chip.muted;
    this.#change(`${chip.text}: ${chip.muted ? "muted, not steered" : "steered"}`, [k, ".mute"]);
  }

  #remove(k) {
    const [chip] = this.#chips.splice(k, 1);
    this.automatic = false;
    this.#change(`${chip.text} removed`, this.#chips.length ? [Math.min(k, this.#chips.length - 1), ".text"] : "add");
  }

  #edit(k) {
    this.#editing = k;
    this.#draw();
    this.#list.querySelector("input").select();
  }

  #finish(text, keep) {
    const k = this.#editing;
    if (k === null) return; // the blur that follows Enter or Escape
    this.#editing = null;
    const clean = text.replace(/\s+/g, " ").trim();
    const added = k === this.#chips.length;
    const focus = added ? "add" : [k, ".text"];
    if (!keep || (added && !clean) || clean === this.#chips[k]?.text) {
      this.#draw();
      this.#focus(focus);
    } else if (!clean) this.#remove(k);
    else {
      this.#chips[k] = { text: clean, muted: this.#chips[k]?.muted ?? false };
      this.automatic = false;
      this.#change(`${clean} ${added ? "added" : "changed"}`, focus);
    }
  }

  #automatic() {
    this.automatic = true;
    this.#chips = [];
    this.#change("Concepts follow the prompt again", "add");
    this.onAutomatic();
  }

  #say(text) {
    this.#tell.cancel();
    this.#status.textContent = text;
  }

  #focus(target) {
    const found = Array.isArray(target)
      ? this.#list.children[target[0]]?.querySelector(target[1])
      : this.#list.querySelector(`.${target}`);
    found?.focus();
  }

  #draw() {
    const chips = this.#chips.map((chip, k) => (k === this.#editing ? this.#field(k, chip.text) : this.#chip(chip, k)));
    if (this.#editing === this.#chips.length) chips.push(this.#field(this.#editing, ""));
    this.#list.replaceChildren(...chips, this.#tools());
  }

  #chip(chip, k) {
    const press = (event) => {
      if (event.key !== "Delete" && event.key !== "Backspace") return;
      event.preventDefault();
      this.#remove(k);
    };
    return h(
      "li",
      { class: `chip c${k % COLOURS}${chip.muted ? " muted" : ""}`, onkeydown: press },
      mark(k),
      h("button", { type: "button", class: "text", dir: "auto", title: "Edit", "aria-label": `Edit concept ${chip.text}`, onclick: () => this.#edit(k) }, chip.text),
      h(
        "button",
        {
          type: "button",
          class: "mute",
          title: chip.muted ? "Steer again" : "Mute: keep, but do not steer",
          "aria-label": `Mute concept ${chip.text}`,
          "aria-pressed": String(chip.muted),
          onclick: () => this.#mute(k),
        },
        eye(chip.muted),
      ),
      h("button", { type: "button", class: "remove", title: "Remove", "aria-label": `Remove concept ${chip.text}`, onclick: () => this.#remove(k) }, cross()),
    );
  }

  #field(k, text) {
    const press = (event) => {
      if (event.ctrlKey || event.metaKey || !["Enter", "Escape"].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      this.#finish(event.target.value, event.key === "Enter");
    };
    const input = h("input", {
      "aria-label": text ? `Concept ${text}, Enter to keep, Escape to leave` : "New concept, Enter to add, Escape to leave",
      placeholder: "a green frog",
      dir: "auto",
      maxlength: 200,
      onkeydown: press,
      onblur: (event) => this.#finish(event.target.value, true),
      oninput: (event) => this.#widen(event.target),
    });
    input.value = text;
    this.#widen(input);
    return h("li", { class: `chip editing c${k % COLOURS}` }, mark(k), input);
  }

  /** Say what the prompt's own concepts leave open, and what is to be known of so many. */
  get #hint() {
    const found = this.#note || (this.#chips.length ? "" : "none found: type a prompt, or");
    return [this.automatic ? found : "", this.advise(this.steered)].filter(Boolean).join(" ");
  }

  #widen(input) {
    input.size = Math.max(10, input.value.length + 1);
  }

  #tools() {
    return h(
      "li",
      { class: "chip-tools" },
      this.#hint ? h("span", { class: "hint", role: "status", dir: "auto" }, `${this.#hint} `) : null,
      h("button", { type: "button", class: "quiet add", onclick: () => this.#edit(this.#chips.length) }, "+ Add"),
      this.automatic
        ? null
        : h("button", { type: "button", class: "quiet restore", onclick: () => this.#automatic() }, "Follow the prompt again"),
    );
  }
}

function eye(closed) {
  const line = { fill: "none", stroke: "currentColor", "stroke-width": 1.5, "stroke-linecap": "round" };
  return svg(
    "svg",
    { viewBox: "0 0 16 16", width: 15, height: 15, "aria-hidden": "true" },
    svg("path", { d: "M1.5 8S4 3.6 8 3.6 14.5 8 14.5 8 12 12.4 8 12.4 1.5 8 1.5 8z", ...line }),
    svg("circle", { cx: 8, cy: 8, r: 1.9, fill: "currentColor" }),
    closed ? svg("path", { d: "M3 13.5L13 2.5", ...line }) : null,
  );
}

function cross() {
  return svg(
    "svg",
    { viewBox: "0 0 16 16", width: 13, height: 13, "aria-hidden": "true" },
    svg("path", { d: "M4 4l8 8M12 4l-8 8", stroke: "currentColor", "stroke-width": 1.6, "stroke-linecap": "round" }),
  );
}
