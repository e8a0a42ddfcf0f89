// More of this, less of that: a line of text as the edits of a request, as the command takes them, with commas between.

const PARTS = /(?:"(?:[^"]|"")*"|[^,])+/g; // what is in quotes may hold commas
const WHAT = /^(?:"((?:[^"]|"")*)"|(.*?))\s*(?::\s*([+-]?\d+(?:\.\d+)?))?\s*$/;
const PLAIN = /^[^",:;]+$/;

/**
 * Read `a hat, snow: 3; stop=0.6` as edits of a direction, "more" or "less": a number after a colon is the scale, and
 * after semicolons stand other settings. What makes no sense is left for the server to refuse.
 */
export function parseEdits(line, direction) {
  const parts = (line.match(PARTS) ?? []).map((part) => part.trim());
  return parts.filter(Boolean).map((part) => {
    const [what, ...settings] = part.startsWith('"') ? quoted(part) : part.split(";");
    const [, text, bare, scale] = WHAT.exec(what.trim());
    const found = { text: text?.replaceAll('""', '"') ?? bare, direction, ...(scale ? { scale: Number(scale) } : {}) };
    for (const setting of settings) {
      const [name, value = ""] = setting.split("=").map((word) => word.trim());
      found[name] = value === "" || Number.isNaN(Number(value)) ? value : Number(value);
    }
    return found;
  });
}

function quoted(part) {
  const end = part.indexOf(";", part.lastIndexOf('"'));
  return end < 0 ? [part] : [part.slice(0, end), ...part.slice(end + 1).split(";")];
}

/** Write edits of a direction as `parseEdits` reads them, without what is as in `usual`. */
export function writeEdits(edits, direction, usual) {
  const write = ({ text, scale, ...edit }) => {
    const what = PLAIN.test(text) ? text : `"${text.replaceAll('"', '""')}"`;
    const others = Object.keys(usual).filter((name) => name !== "scale" && name in edit && edit[name] !== usual[name]);
    return [scale === undefined || scale === usual.scale ? what : `${what}: ${scale}`, ...others.map((name) => `${name}=${edit[name]}`)].join("; ");
  };
  return edits.filter((edit) => edit.direction === direction).map(write).join(", ");
}
