// The page: joins prompt, concepts, settings, run and history. Each of them knows only itself.

import { ApiError, getMethods, getModels } from "./api.js";
import { byId, h } from "./dom.js";
import { Estimate } from "./estimate.js";
import { prompts, showExamples } from "./examples.js";
import { coloursOf, EMPTY, Form } from "./form.js";
import { History } from "./history.js";
import { fromFragment, toFragment } from "./link.js";
import { Live } from "./live.js";
import { clear, fail, list, say } from "./notice.js";
import { takePictures, toForm } from "./picture.js";
import { watchServer } from "./presence.js";
import { Results } from "./results.js";
import { over, Runner, toRequest } from "./run.js";
import { Settings } from "./settings.js";
import { offer } from "./share.js";

let running = null; // the run in the making
let starting = false;
let warned = 0; // how many warnings of it have been shown

const form = new Form(changed);
const results = new Results({ onEnlarge, onShrink: () => history.back() });
const past = new History(restore);
const runner = new Runner(onChange);
const estimate = new Estimate(askable);
const live = new Live(() => form.firstSeed, {
  onSwitch,
  onStale: () => results.outdate(),
  onRun: (run) => results.follow(run),
  onChange: (run, picture) => results.update(run, picture),
});

/** Take note that the form may have changed. */
function changed() {
  estimate.refresh();
  if (form.settings && !starting) live.refresh();
}

/** Let going back lead out of an enlarged picture. */
function onEnlarge(key) {
  keep(results.shown);
  history.pushState({ ...history.state, picture: key }, "");
}

/** Return what the cost is to be told of; a sentence where it cannot be asked for. */
function askable() {
  return form.request || (live.on && form.settings && !form.prompt.text ? EMPTY : "");
}

async function generate() {
  if (running || starting || !form.settings) return;
  form.chips.commit();
  clear();
  const found = form.obstacle;
  if (found) {
    say(found[0]);
    found[1].focus();
    return;
  }
  form.settings.settle();
  if (live.made && JSON.stringify(toRequest(live.made.form)) === JSON.stringify(form.request)) {
    keep(live.made); // these are its pictures
    say("These pictures are kept: they are in this session's list.");
    return;
  }
  busy(true);
  try {
    if (form.chips.automatic && !form.prompt.isSplit) await form.prompt.split();
    live.hold();
    const { values } = form;
    const run = await runner.start(values, coloursOf(values));
    if (run.status === "failed") fail(new ApiError(run.error ?? "The run failed", 500), generate);
  } catch (error) {
    fail(error, generate);
  } finally {
    if (running) await past.add(running, running === results.shown);
    running = null;
    busy(false);
    changed();
  }
}

/** Make a run of live mode one of the session's. */
function keep(run) {
  if (!run.live || !over(run)) return;
  run.live = false;
  past.add(run, true);
  remember(run);
}

/** Where live mode was switched off, show what is whole, unmarked. */
function onSwitch(on, whole) {
  estimate.refresh();
  if (on || !results.shown) return;
  const run = results.shown.live ? whole : results.shown;
  if (run) results.show(run);
  else results.hide();
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
    live.cancel();
    if (running) await runner.cancel(running);
  } catch (error) {
    fail(error, cancel);
  }
}

/** Fill the form with earlier values. */
function fill(values) {
  form.values = values;
  changed();
}

/** Fill the form with what a picture was made with. */
function recall(made, name) {
  const { settings } = form;
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
  live.hold();
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
  const { model } = form.settings.values;
  if (values.model && values.model !== model) say(`The link asks for the model ${values.model}, which this server does not have.`);
  else {
    const button = h("button", { type: "button", class: "primary", id: "repeat", onclick: generate }, "Repeat this run");
    say("This link describes a run: same prompt, seeds and settings, so the same pictures.", button);
    button.focus();
  }
  return true;
}

/** Generate with Enter, stop with Escape. */
function press(event) {
  if (event.isComposing || event.defaultPrevented || results.enlarged) return;
  if (event.key === "Escape") cancel();
  const send = event.key === "Enter" && (event.ctrlKey || event.metaKey);
  const plain = event.key === "Enter" && !event.shiftKey && event.target.id === "prompt";
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
  byId("prompt").addEventListener("input", () => {
    form.prompt.grow();
    if (live.on && form.settings) form.prompt.split();
    else form.prompt.splitSoon();
  });
  for (const change of ["input", "change", "click", "focusout"]) byId("composer").addEventListener(change, changed);
  byId("more-body").addEventListener("change", () => form.prompt.splitSoon()); // the model, or the most concepts
  byId("cancel").addEventListener("click", cancel);
  addEventListener("popstate", travel);
  addEventListener("pagehide", () => {
    live.stop();
    if (running) runner.cancel(running).catch(() => {}); // nobody would look at it
  });
}

function use(text) {
  form.use(text);
  form.prompt.focus();
}

function showModel(id) {
  const { semguide } = form.settings.models.find((model) => model.id === id);
  byId("model").textContent = `${id}, ${semguide.width} × ${semguide.height}${semguide.video ? ", videos" : ""}`;
  byId("model").hidden = false;
  showExamples(semguide, use);
}

async function start() {
  clear();
  try {
    const [offer, models] = await Promise.all([getMethods(), getModels()]);
    form.settings = new Settings(offer, models, { onModel: showModel, onMethod: () => form.chips.refresh() });
  } catch (error) {
    fail(error, start);
    return;
  }
  byId("prompt").maxLength = form.settings.offer.limits.prompt_length;
  showModel(form.settings.values.model);
  if (!arrive() && !open()) form.use(form.prompt.text || prompts(form.settings.model)[0]);
}

if (/Mac|iP(hone|ad)/.test(navigator.platform)) byId("keys").querySelector("kbd").textContent = "⌘";
listen();
offer(() => results.shown);
takePictures(recall, say);
watchServer((there) => there && !form.settings && start());
start();
