// The parameters of a method as fields, made from what the server says of them.

import { choice, slider, text, tick } from "./fields.js";

/** Make the field of a parameter; the one that says how much the method corrects has its value explained in a word. */
export function parameterField(parameter) {
  const { name, type, default: value, minimum, maximum, choices, meaning } = parameter;
  const label = name.replaceAll("_", " ").replace(/^./, (letter) => letter.toUpperCase());
  if (type === "boolean") return tick({ label, value, hint: meaning });
  if (type === "string" && choices) return choice({ label, value, names: choices.map(String), hint: meaning });
  if (type === "string" || choices || value === null) return text({ label, value, hint: meaning, read, write });
  const whole = type === "integer";
  const least = minimum ?? Math.min(0, -4 * Math.abs(value));
  const slide = Math.min(maximum ?? Infinity, Math.max(whole ? 10 : 2, 4 * Math.abs(value)));
  const explained = parameter.strength ? { hint: (now) => `Corrects: ${strengthWord(now, parameter)}`, title: meaning } : { hint: meaning };
  return slider({ label, value, least, most: maximum, slide, step: whole ? 1 : fine(slide - least), ...explained });
}

/** Say how strong a strength is. */
export function strengthWord(value, { default: usual, off }) {
  if (value === off) return "not at all, plain guidance";
  const times = value / usual;
  if (times < 0.7) return "gently";
  if (times < 1.5) return "as usual";
  return times < 2.5 ? "strongly" : "very strongly, may distort";
}

/** Return a step of 1, 2 or 5 times a power of ten that cuts a range into 50 parts or more. */
function fine(range) {
  const power = 10 ** Math.floor(Math.log10(range / 50));
  return [5, 2, 1].map((digit) => digit * power).find((step) => step <= range / 50 + 1e-9) ?? power;
}

/** Read a value that takes words beside numbers; an empty line is null. */
export const read = (line) => (line === "" ? null : Number.isNaN(Number(line)) ? line : Number(line));
export const write = (value) => (value === null ? "" : String(value));
