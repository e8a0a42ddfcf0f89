// Elements in one expression. Text is always text: nothing here parses HTML.

const SVG = "http://www.w3.org/2000/svg";

/** Find the element with an id. */
export const byId = (id) => document.getElementById(id);

/** Make an HTML element: functions are listeners, `false` and `null` leave an attribute out. */
export const h = (tag, attributes = {}, ...children) => filled(document.createElement(tag), attributes, children);

/** Make an SVG element. */
export const svg = (tag, attributes = {}, ...children) =>
  filled(document.createElementNS(SVG, tag), attributes, children);

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.replace(/^on/, ""), value);
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SHAPES = [
  "M8 3a5 5 0 1 0 .01 0z", // circle
  "M3.5 3.5h9v9h-9z", // square
  "M8 2.6l5.6 10.4H2.4z", // triangle
  "M8 1.8L14.2 8 8 14.2 1.8 8z", // diamond
];

/** How many concepts have a colour of their own; further ones begin again. */
export const COLOURS = 8;

/** Draw the mark of the concept with number `k`: a colour and a shape, so that neither is needed to tell them apart. */
export function mark(k) {
  return svg(
    "svg",
    { viewBox: "0 0 16 16", width: 12, height: 12, class: `mark c${k % COLOURS}`, "aria-hidden": "true" },
    svg("path", { d: shape(k), fill: "currentColor" }),
  );
}

/** Return the path of the mark of concept `k` in a 16 by 16 box. */
export const shape = (k) => SHAPES[k % SHAPES.length];

/** Return a function that calls `f` once, `delay` milliseconds after the last call. */
export function debounce(f, delay) {
  let timer;
  const later = (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => f(...values), delay);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}
