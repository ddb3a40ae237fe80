// Numbers as people read them: fixed decimals, thousands separators, a real minus sign.

const formats = new Map();

export function fixed(value, decimals) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (!formats.has(decimals)) {
    const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    formats.set(decimals, new Intl.NumberFormat("en-US", digits));
  }
  return formats.get(decimals).format(value).replace("-", "−");
}

// Steps of an axis whose labels need as many decimals as the step has: 1, 2 and 5 times a power of ten.
export const STEPS = [];
for (let power = -6; power <= 9; power++) for (const digit of [1, 2, 5]) STEPS.push(Number(`${digit}e${power}`));

// Decimals that tell neighbouring labels of an axis apart, at least `least`.
export function decimalsOf(step, least) {
  return Math.max(least, -Math.floor(Math.log10(step) + 1e-9));
}
