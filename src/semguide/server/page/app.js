// The page: joins prompt, concepts, settings, run and history. Each of them knows only itself.

import { ApiError, getConcepts, getMethods, getModels } from "./api.js";
import { Chips } from "./chips.js";
import { byId, debounce, h } from "./dom.js";
import { Estimate } from "./estimate.js";
import { prompts, showExamples } from "./examples.js";
import { History } from "./history.js";
import { fromFragment, toFragment } from "./link.js";
import { clear, fail, list, say } from "./notice.js";
import { takePictures, toForm } from "./picture.js";
import { watchServer } from "./presence.js";
import { Results } from "./results.js";
import { Runner, toRequest } from "./run.js";
import { Settings } from "./settings.js";
import { offer } from "./share.js";
import { count } from "./words.js";

const DELAY = 250; // milliseconds of silence before a prompt is split
const LONG = 90; // letters of a prompt that is shown small

let settings = null;
let running = null; // the run in the making
let starting = false;
let warned = 0; // how many warnings of it have been shown
let splitFor = null; // the prompt the chips were made from
let splitting = null; // cancels the split under way

const prompt = byId("prompt");
const results = new Results({
  onEnlarge: (key) => history.pushState({ ...history.state, picture: key }, ""), // so that going back leads out of it
  onShrink: () => history.back(),
});
const chips = new Chips(() => split(), advise);
const past = new History(restore);
const runner = new Runner(onChange);
const estimate = new Estimate(askable);
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
    estimate.refresh();
  } catch (error) {
    if (error.name !== "AbortError") fail(error, split);
  }
}

/** Say why so many concepts cannot be asked for; "" where they can. */
function tooMany(steered) {
  const most = settings.offer.limits.concepts;
  return steered > most ? `${steered} concepts are more than the ${most} that this server takes: mute or remove ${count(steered - most, "concept")}.` : "";
}

/** Whether the method corrects nothing with so few concepts, so that both pictures of a seed would be the same. */
const isPlain = (steered) => steered > 0 && steered < settings.method.min_concepts;

/** Say what is to be known of so many concepts before anything is made. */
function advise(steered) {
  if (!settings) return "";
  if (isPlain(steered)) return "One concept has no other to be balanced with: this is plain guidance, drawn once.";
  return tooMany(steered);
}

/** Everything on the form, as a link or a run keeps it. */
const form = () => ({ prompt: prompt.value.trim(), chips: chips.all, automatic: chips.automatic, ...settings.values });

/** Return what is in the way of a run, as a sentence and the element to go to; null where nothing is. */
function obstacle() {
  if (!prompt.value.trim()) return ["Type a prompt first: what should the picture show?", prompt];
  if (settings.problem) return [settings.problem, settings];
  const many = tooMany(chips.steered);
  return many ? [many, byId("chips").querySelector(".mute")] : null;
}

/** Return the request of the form; a sentence where it cannot be asked for, "" where that is plain to see. */
function askable() {
  if (!prompt.value.trim() || !settings) return "";
  return settings.problem || (tooMany(chips.steered) ? "" : toRequest(form()));
}

async function generate() {
  if (running || starting || !settings) return;
  chips.commit();
  clear();
  const found = obstacle();
  if (found) {
    say(found[0]);
    found[1].focus();
    return;
  }
  settings.settle();
  busy(true);
  try {
    if (chips.automatic && splitFor !== prompt.value.trim()) await split();
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
    remember(run);
    warned = 0;
    byId("results").scrollIntoView({ block: "start", behavior: calm() ? "auto" : "smooth" });
  }
  if (run.warnings.length > warned) list(run.warnings);
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
  estimate.refresh();
}

/** Fill the form with what a picture was made with. */
function recall(made, name) {
  if (!settings) return;
  const values = toForm(made, settings.models, settings.offer.defaults.edit);
  fill(values);
  const told = values.model ? "Generate makes it again." : `The model ${made.model} is not at this server: the others are in the form.`;
  say(`These are the settings of ${name}. ${told}`);
  byId("generate").focus({ preventScroll: true });
}

/** Make a run the page's present address, so that going back leads to what was there before. */
function remember(run) {
  const fragment = toFragment(run.form);
  const state = { run: run.id };
  if (history.state?.run === run.id || location.hash === fragment) history.replaceState(state, "", fragment);
  else {
    if (!history.state) history.replaceState({ form: run.form }, "");
    history.pushState(state, "", fragment);
  }
}

/** Show an earlier run, and the form that it was made with. */
function bringBack(run) {
  clear();
  fill(run.form);
  results.show(run);
  past.select(run);
}

function restore(run) {
  bringBack(run);
  remember(run);
}

/** Show what the history says is shown: a run that is still known, and its enlarged picture; say whether there is one. */
function arrive() {
  const { run: id, picture = null } = history.state ?? {};
  const run = id === undefined ? null : id === running?.id ? running : past.find(id);
  if (!run) return false;
  if (run !== results.shown) bringBack(run);
  results.enlarge(picture);
  return true;
}

/** Follow the browser's own back and forward: to a run, a link, or the form before the first run. */
function travel() {
  if (arrive()) return;
  const { form: values } = history.state ?? {};
  results.hide();
  past.select(null);
  clear();
  if (values) fill(values);
  else open();
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

/** Show a long prompt small; let its field grow with it, where the style sheet alone cannot. */
function grow() {
  prompt.classList.toggle("long", prompt.value.length > LONG);
  if (CSS.supports("field-sizing", "content")) return;
  prompt.style.height = "auto";
  prompt.style.height = `${prompt.scrollHeight}px`;
}

/** Generate with Enter, stop with Escape. */
function press(event) {
  if (event.isComposing || event.defaultPrevented || results.enlarged) return;
  if (event.key === "Escape" && running) cancel();
  const send = event.key === "Enter" && (event.ctrlKey || event.metaKey);
  const plain = event.key === "Enter" && !event.shiftKey && event.target === prompt;
  if (!send && !plain) return;
  event.preventDefault();
  generate();
}

function listen() {
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    generate();
  });
  document.addEventListener("keydown", press);
  prompt.addEventListener("input", () => {
    grow();
    splitSoon();
  });
  for (const change of ["input", "change", "click", "focusout"]) byId("composer").addEventListener(change, () => estimate.refresh());
  byId("more-body").addEventListener("change", splitSoon); // the model, or the most concepts
  byId("cancel").addEventListener("click", cancel);
  addEventListener("popstate", travel);
  addEventListener("pagehide", () => running && runner.cancel(running).catch(() => {})); // nobody would look at it
}

function use(text) {
  prompt.value = text;
  grow();
  chips.restore([], true);
  split();
  prompt.focus();
}

function showModel(id) {
  const { semguide } = settings.models.find((model) => model.id === id);
  byId("model").textContent = `${id}, ${semguide.width} × ${semguide.height}${semguide.video ? ", videos" : ""}`;
  byId("model").hidden = false;
  showExamples(semguide, use);
}

async function start() {
  clear();
  try {
    const [offer, models] = await Promise.all([getMethods(), getModels()]);
    settings = new Settings(offer, models, { onModel: showModel, onMethod: () => chips.refresh() });
  } catch (error) {
    fail(error, start);
    return;
  }
  prompt.maxLength = settings.offer.limits.prompt_length;
  showModel(settings.values.model);
  if (!arrive() && !open()) {
    prompt.value ||= prompts(settings.model)[0];
    grow();
    split();
  }
}

if (/Mac|iP(hone|ad)/.test(navigator.platform)) byId("keys").querySelector("kbd").textContent = "⌘";
listen();
offer(() => results.shown);
takePictures(recall, say);
watchServer((there) => there && !settings && start());
start();
