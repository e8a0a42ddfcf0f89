// The settings of a picture: semguide writes into each PNG file what made it, and the form takes it back.

import { byId } from "./dom.js";
import { writeEdits } from "./edits.js";

const SIGNATURE = "\x89PNG\r\n\x1a\n";
const RECORD = "semguide\0"; // keyword of the text chunk
const LARGEST = 2 ** 28; // bytes

/** Why a file says nothing of how it was made, as a sentence. */
class Refused extends Error {}

/**
 * Let a picture be chosen, or dropped anywhere on the page.
 *
 * @param {(parameters: object, name: string) => void} onRead called with what made it, and its file's name.
 * @param {(sentence: string) => void} onRefused called with why there is nothing to read.
 */
export function takePictures(onRead, onRefused) {
  const field = byId("picture-file");
  const take = async (file) => {
    try {
      onRead(await readParameters(file), file.name);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      onRefused(error.message);
    }
  };
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  const mark = (over) => document.body.classList.toggle("dropping", over);
  byId("from-picture").addEventListener("click", () => field.click());
  field.addEventListener("change", () => {
    if (field.files.length) take(field.files[0]);
    field.value = ""; // the same one again is a change
  });
  addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    mark(true);
  });
  addEventListener("dragleave", (event) => event.relatedTarget ?? mark(false));
  addEventListener("drop", (event) => {
    mark(false);
    if (!holdsFiles(event)) return;
    event.preventDefault();
    if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
  });
}

/** Read what a picture was made with; throws a sentence where its file does not say. */
async function readParameters(file) {
  if (file.size > LARGEST) throw new Refused(`${file.name} is too large to be a picture of semguide.`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (latin(bytes.subarray(0, 8)) !== SIGNATURE) throw new Refused(`${file.name} is no PNG file: choose one that semguide made.`);
  const texts = [...chunks(bytes)].filter(({ type }) => type === "tEXt").map(({ data }) => latin(data));
  const record = texts.find((text) => text.startsWith(RECORD));
  const found = record === undefined ? null : parsed(record.slice(RECORD.length))?.parameters;
  if (!found) throw new Refused(`${file.name} holds no settings of semguide: choose a picture as semguide wrote it.`);
  if (!readable(found)) throw new Refused(`The settings in ${file.name} are not as semguide writes them: choose another picture.`);
  return found;
}

const latin = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""); // TextDecoder has Windows' own

/** Give the chunks of a PNG file, up to the first that is broken off; see its specification, section 5.3. */
function* chunks(bytes) {
  const view = new DataView(bytes.buffer);
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 8 + view.getUint32(at);
    if (end > bytes.length) return;
    yield { type: latin(bytes.subarray(at + 4, at + 8)), data: bytes.subarray(at + 8, end) };
    at = end + 4;
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const isText = (value) => typeof value === "string";
const isObject = (value) => typeof value === "object" && value !== null;

function readable({ prompt, negative_prompt: negative, concepts, method, seed, sampling, model, edits }) {
  const numbers = [sampling?.num_inference_steps, sampling?.guidance_scale, sampling?.width, sampling?.height];
  return (
    [prompt, negative, model, method?.name].every(isText) &&
    isObject(method.parameters) &&
    Array.isArray(concepts) &&
    concepts.every((concept) => isText(concept?.text)) &&
    Number.isSafeInteger(seed) &&
    numbers.every(Number.isFinite) &&
    (edits === undefined || (Array.isArray(edits?.each) && edits.each.every((edit) => isText(edit?.text))))
  );
}

/**
 * Write what a picture was made with as the values of the form, for that picture alone.
 *
 * @param {object} made what `takePictures` read.
 * @param {object[]} models those of the server; where the picture's is none of them, the form keeps its own.
 * @param {object} usual the defaults of an edit.
 */
export function toForm(made, models, usual) {
  const { width, height, num_inference_steps: steps, guidance_scale: guidance, num_frames: frames = null } = made.sampling;
  const model = models.find(({ id }) => id === made.model || id === made.model.split(/[\\/]/).at(-1));
  const own = model && model.semguide.width === width && model.semguide.height === height;
  const edits = made.edits?.each ?? [];
  return {
    prompt: made.prompt,
    chips: made.concepts.map(({ text }) => ({ text, muted: false })),
    automatic: false,
    negative: made.negative_prompt,
    more: writeEdits(edits, "more", usual),
    less: writeEdits(edits, "less", usual),
    method: made.method.name,
    parameters: made.method.parameters,
    ...(model ? { model: model.id } : {}),
    seeds: [made.seed],
    pictures: 1,
    size: own ? "auto" : `${width}x${height}`,
    scheduler: made.loading?.scheduler ?? null,
    steps,
    guidance,
    frames,
    retries: made.retries ?? 0,
    watch: made.full_trace === true,
  };
}
