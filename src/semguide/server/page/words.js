// Numbers and states in words.

/** Write a share as a percentage without decimals. */
export const percent = (share) => `${Math.round(share * 100)} %`;

/** Write "1 picture", "2 pictures". */
export const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

/** Write a number with at most one decimal. */
export const short = (value) => String(Math.round(value * 10) / 10);

/** Write seconds for people. */
export function seconds(value) {
  if (value < 10) return `${value.toFixed(1)} s`;
  const whole = Math.round(value);
  return whole < 100 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Write about how long something will take. */
export const roughly = (value) => (value < 100 ? `${Math.max(1, Math.round(value))} s` : `${Math.round(value / 60)} min`);
