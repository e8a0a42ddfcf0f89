// What went wrong, or what to know, said where the person is looking: under the button that was pressed.

import { ApiError, useKey } from "./api.js";
import { byId, h } from "./dom.js";

const place = byId("notice");
let timer = null;

/** Take away what is said. */
export function clear() {
  clearInterval(timer);
  place.replaceChildren();
}

/** Say something; `buttons` are elements beside it. */
export function say(text, ...buttons) {
  clear();
  place.append(h("div", { class: "notice", role: "status" }, h("span", { dir: "auto" }, text), ...buttons));
}

/** Say several things, as a list where there is more than one. */
export function list(texts) {
  if (texts.length < 2) {
    texts.forEach((text) => say(text));
    return;
  }
  clear();
  place.append(h("ul", { class: "notice", role: "status" }, ...texts.map((text) => h("li", { dir: "auto" }, text))));
}

/** Say why something failed, and offer to try again where that can help. */
export function fail(error, retry) {
  clear();
  if (!(error instanceof ApiError)) console.error(error); // ours to mend; but say it all the same
  const words = h("span", { dir: "auto" }, error.message);
  const box = h("div", { class: "notice error", role: "alert" }, words);
  place.append(box);
  if (error.status === 401) box.append(...askForKey(retry));
  else if (error.status === 429 || error.status === 503) box.append(waitingButton(error.retryAfter ?? 5, retry));
  else if (!(error.status < 500)) box.append(h("button", { type: "button", onclick: retry }, "Try again"));
}

/** A button that counts down the seconds the server asked to wait. */
function waitingButton(wait, retry) {
  const button = h("button", { type: "button", onclick: retry, disabled: true });
  let left = Math.ceil(wait);
  const show = () => {
    button.disabled = left > 0;
    button.textContent = left > 0 ? `Try again in ${left} s` : "Try again";
    if (left <= 0) clearInterval(timer);
    left -= 1;
  };
  show();
  timer = setInterval(show, 1000);
  return button;
}

function askForKey(retry) {
  const input = h("input", { type: "password", "aria-label": "API key", placeholder: "API key", autocomplete: "off" });
  const use = () => {
    useKey(input.value.trim());
    retry();
  };
  const press = (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    use();
  };
  input.addEventListener("keydown", press);
  return [input, h("button", { type: "button", onclick: use }, "Use key")];
}
