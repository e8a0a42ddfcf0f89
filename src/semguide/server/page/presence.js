// Whether the server is there: what the top of the page says of it stays true while nothing is asked for, too.

import { getHealth, tellReach } from "./api.js";
import { byId } from "./dom.js";

const IDLE = 20_000; // milliseconds between two looks while all is well
const GONE = 2_000; // while it does not answer

/** Watch the server; `onChange` is told when it goes and when it comes back. */
export function watchServer(onChange) {
  let there = true;
  let timer = null;
  const look = () => {
    if (document.hidden) later();
    else getHealth().catch(() => {}); // the listener below takes note
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(look, there ? IDLE : GONE);
  };
  tellReach((answered) => {
    const changed = answered !== there;
    there = answered;
    byId("gone").hidden = there;
    later();
    if (changed) onChange(there);
  });
  later();
}
