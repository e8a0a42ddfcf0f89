// The runs of this session: kept in memory, and in sessionStorage as far as that holds them, so that a reload keeps them.

import { byId, h } from "./dom.js";
import { seconds } from "./words.js";

const KEY = "semguide.history";
const MOST = 12;
const THUMBS = 4;
const ROOM = 4e6; // bytes of pictures, about what sessionStorage holds; a video alone may have more

/** The strip of earlier runs; a click brings one back. */
export class History {
  #runs = [];
  #current = null;

  /** @param {(run: object) => void} onRestore called with the run that was clicked. */
  constructor(onRestore) {
    this.onRestore = onRestore;
    this.#runs = load();
    this.#draw();
  }

  /** Keep a run that ended; the newest stands first. `shown` says whether it is the one on the page. */
  async add(run, shown) {
    if (!run.order.some((picture) => picture.url)) return; // nothing was made
    this.#runs = [run, ...this.#runs].slice(0, MOST);
    if (shown) this.#current = run.id;
    this.#draw();
    await store(this.#runs);
  }

  /** Mark the run that is shown; null: none. */
  select(run) {
    this.#current = run?.id ?? null;
    this.#draw();
  }

  /** Find a run by its id; null where it is not kept. */
  find(id) {
    return this.#runs.find((run) => run.id === id) ?? null;
  }

  #draw() {
    byId("history").hidden = this.#runs.length === 0;
    byId("history-list").replaceChildren(...this.#runs.map((run) => h("li", {}, this.#item(run))));
  }

  #item(run) {
    const shown = run.order.filter((picture) => picture.url);
    const steered = shown.filter((picture) => picture.method === run.methods.at(-1));
    const thumbs = (steered.length ? steered : shown).slice(0, THUMBS).map((picture) => h("img", { src: picture.url, alt: "" }));
    const note = [`${run.methods.at(-1).toUpperCase()}, seed ${run.seeds[0]}`, run.status === "done" ? seconds(run.seconds) : run.status];
    return h(
      "button",
      { type: "button", "aria-current": String(run.id === this.#current), title: run.form.prompt, onclick: () => this.onRestore(run) },
      h("span", { class: "thumbs" }, ...thumbs),
      h("span", { class: "words", dir: "auto" }, run.form.prompt),
      h("span", { class: "hint" }, note.join(", ")),
    );
  }
}

const toData = (blob) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });

/** Write as many of the newest runs as the browser has room for. */
async function store(runs) {
  const plain = await Promise.all(fitting(runs).map(flat));
  for (let kept = plain.length; kept >= 0; kept -= 1) {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(plain.slice(0, kept)));
      return;
    } catch {
      // too large: try with one run fewer
    }
  }
}

/** Leave out the runs whose pictures are too large beside those of the newer ones. */
function fitting(runs) {
  let room = ROOM;
  return runs.filter(({ order }) => {
    const size = order.reduce((sum, picture) => sum + (picture.blob?.size ?? 0), 0);
    const fits = size <= room;
    if (fits) room -= size;
    return fits;
  });
}

async function flat({ pictures, order, ...run }) {
  const images = order.map(async ({ blob, url, preview, ...picture }) => ({ ...picture, data: blob ? await toData(blob) : null }));
  return { ...run, order: await Promise.all(images) };
}

function load() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "[]").map(revived);
  } catch {
    return []; // written by another version of the page
  }
}

function revived(run) {
  const order = run.order.map(({ data, ...picture }) => {
    const blob = data ? toBlob(data) : null;
    return blob ? { ...picture, blob, url: URL.createObjectURL(blob) } : picture;
  });
  return { ...run, order, pictures: new Map(order.map((picture) => [picture.key, picture])) };
}

function toBlob(data) {
  const [, type, base64] = /^data:([^;]*);base64,(.*)$/.exec(data);
  return new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], { type });
}
