// The page: joins prompt, concepts, settings, run and history. Each of them knows only itself.

import { ApiError, getConcepts, getMethods, getModels, getRun } from "./api.js";
import { Chips } from "./chips.js";
import { byId, debounce, h } from "./dom.js";
import { History } from "./history.js";
import { fromFragment, toFragment } from "./link.js";
import { clear, fail, say } from "./notice.js";
import { Results } from "./results.js";
import { Runner } from "./run.js";
import { Settings } from "./settings.js";

const EXAMPLES = ["a red car and a blue apple", "a green frog and a yellow bird", "a purple cat, an orange ball and a blue star"];
const DELAY = 250; // milliseconds of silence before a prompt is split

const prompt = byId("prompt");
const results = new Results();
const chips = new Chips(() => split());
const past = new History(restore);
const runner = new Runner(onChange);
let settings = null;
let running = null; // the run in the making
let starting = false;
let warned = 0; // how many warnings of it have been shown
let splitFor = null; // the prompt the chips were made from
let splitting = null; // cancels the split under way

const splitSoon = debounce(() => split(), DELAY);

/** Ask the server for the concepts of the prompt, and show them as chips. */
async function split() {
  splitSoon.cancel();
  splitting?.abort();
  splitting = new AbortController();
  const text = prompt.value.trim();
  try {
    const { model, most } = settings.values;
    const { texts, note } = text ? await getConcepts(text, model, most, splitting.signal) : { texts: [], note: "" };
    splitFor = text;
    chips.decomposed(texts, note);
  } catch (error) {
    if (error.name !== "AbortError") fail(error, split);
  }
}

/** Everything on the form, as a link or a run keeps it. */
const form = () => ({ prompt: prompt.value.trim(), chips: chips.all, automatic: chips.automatic, ...settings.values });

async function generate() {
  if (running || starting || !settings) return;
  chips.commit();
  clear();
  const text = prompt.value.trim();
  if (!text) {
    say("Type a prompt first: what should the picture show?");
    prompt.focus();
    return;
  }
  busy(true);
  try {
    if (chips.automatic && splitFor !== text) await split();
    const values = form();
    const colours = values.chips.flatMap((chip, k) => (chip.muted ? [] : [k]));
    const run = await runner.start(values, colours);
    if (run.status === "failed") fail(new ApiError(run.error ?? "The run failed", 500), generate);
  } catch (error) {
    fail(error, generate);
  } finally {
    if (running) await past.add(running, running === results.shown);
    running = null;
    busy(false);
  }
}

/** Take in a change of the run in the making; the first one is that it exists. */
function onChange(run, picture) {
  if (run !== running) {
    running = run;
    byId("cancel").hidden = false;
    results.show(run);
    past.select(null);
    history.replaceState(null, "", toFragment(run.form));
    warned = 0;
    byId("results").scrollIntoView({ block: "start", behavior: calm() ? "auto" : "smooth" });
  }
  if (run.warnings.length > warned) say(run.warnings.join(" "));
  warned = run.warnings.length;
  results.update(run, picture);
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

function busy(is) {
  starting = is;
  const button = byId("generate");
  button.setAttribute("aria-disabled", String(is)); // not disabled: that would take the focus away
  button.textContent = is ? "Generating" : "Generate";
  const cancel = byId("cancel");
  const focused = document.activeElement === cancel;
  cancel.hidden = true;
  if (focused) button.focus({ preventScroll: true });
}

async function cancel() {
  try {
    if (running) await runner.cancel(running);
  } catch (error) {
    fail(error, cancel);
  }
}

/** Fill the form with earlier values. */
function fill(values) {
  prompt.value = values.prompt;
  grow();
  settings.values = values;
  splitSoon.cancel();
  if (values.chips) {
    chips.restore(values.chips, values.automatic);
    splitFor = values.prompt;
  } else {
    chips.restore([], true);
    split();
  }
}

function restore(run) {
  clear();
  fill(run.form);
  results.show(run);
  past.select(run);
  if (run !== running) history.replaceState(null, "", toFragment(run.form));
}

/** Fill the form from the link the page was opened with, and offer to repeat its run; say whether there was one. */
function open() {
  const values = fromFragment(location.hash);
  if (!values) return false;
  fill(values);
  const model = settings.values.model;
  if (values.model && values.model !== model) say(`The link asks for the model ${values.model}, which this server does not have.`);
  else {
    const button = h("button", { type: "button", class: "primary", id: "repeat", onclick: generate }, "Repeat this run");
    say("This link describes a run: same prompt, seeds and settings, so the same pictures.", button);
    button.focus();
  }
  return true;
}

async function copyLink() {
  const address = new URL(toFragment(results.shown.form), location.href).href;
  try {
    await navigator.clipboard.writeText(address);
    say("Link copied. It repeats this run, on any server with the same model.");
  } catch {
    const field = h("input", { readonly: true, "aria-label": "Link to this run" });
    field.value = address;
    say("Copy this link; it repeats the run:", field);
    field.select();
  }
}

async function saveRun() {
  try {
    const address = URL.createObjectURL(await getRun(results.shown.id));
    h("a", { href: address, download: "run.json" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  } catch (error) {
    fail(error, saveRun);
  }
}

/** Let the prompt's field grow with its text, where the style sheet alone cannot. */
function grow() {
  if (CSS.supports("field-sizing", "content")) return;
  prompt.style.height = "auto";
  prompt.style.height = `${prompt.scrollHeight}px`;
}

function listen() {
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    generate();
  });
  document.addEventListener("keydown", (event) => {
    const send = event.key === "Enter" && !event.isComposing && (event.ctrlKey || event.metaKey);
    const plain = event.key === "Enter" && !event.isComposing && !event.shiftKey && event.target === prompt;
    if (!send && !plain) return;
    event.preventDefault();
    generate();
  });
  prompt.addEventListener("input", () => {
    grow();
    splitSoon();
  });
  byId("more-body").addEventListener("change", splitSoon); // the model, or the most concepts
  byId("cancel").addEventListener("click", cancel);
  byId("copy-link").addEventListener("click", copyLink);
  byId("save-run").addEventListener("click", saveRun);
  addEventListener("hashchange", open);
  addEventListener("pagehide", () => running && runner.cancel(running).catch(() => {})); // nobody would look at it
}

function showExamples() {
  const use = (text) => {
    prompt.value = text;
    grow();
    chips.restore([], true);
    split();
    prompt.focus();
  };
  byId("examples").append(...EXAMPLES.map((text) => h("button", { type: "button", class: "quiet", onclick: () => use(text) }, text)));
}

function showModel(id) {
  const { semguide } = settings.models.find((model) => model.id === id);
  byId("model").textContent = `${id}, ${semguide.width} × ${semguide.height}${semguide.video ? ", videos" : ""}`;
  byId("model").hidden = false;
}

async function start() {
  clear();
  try {
    const [offer, models] = await Promise.all([getMethods(), getModels()]);
    settings = new Settings(offer, models, showModel);
  } catch (error) {
    fail(error, start);
    return;
  }
  prompt.maxLength = settings.offer.limits.prompt_length;
  showModel(settings.values.model);
  if (open()) return;
  prompt.value ||= EXAMPLES[0];
  split();
}

if (/Mac|iP(hone|ad)/.test(navigator.platform)) byId("keys").querySelector("kbd").textContent = "⌘";
listen();
showExamples();
start();
