// Numbers and states in words.

/** Write a share as a percentage without decimals. */
export const percent = (share) => `${Math.round(share * 100)} %`;

/** Write "1 picture", "2 pictures". */
export const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

/** Write seconds for people. */
export const seconds = (value) => (value < 10 ? `${value.toFixed(1)} s` : `${Math.round(value)} s`);
