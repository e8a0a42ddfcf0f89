// Seeds as the command takes them: a number, or a list such as 3,5 or 3..6.

const PART = /^\s*(\d{1,16})\s*(?:(?:\.\.|-)\s*(\d{1,16})\s*)?$/;

/** Read a seed or a list of seeds; null where it is neither, or is of more than `most`. */
export function parseSeeds(text, most) {
  const seeds = [];
  for (const part of text.split(",")) {
    const found = PART.exec(part);
    if (!found) return null;
    const [first, last] = [Number(found[1]), Number(found[2] ?? found[1])];
    if (!Number.isSafeInteger(last + most) || last < first || last - first >= most - seeds.length) return null;
    for (let seed = first; seed <= last; seed += 1) seeds.push(seed);
  }
  return new Set(seeds).size === seeds.length ? seeds : null;
}

/** Return a seed that nobody chose. */
export const randomSeed = () => Math.floor(Math.random() * 2 ** 31);
