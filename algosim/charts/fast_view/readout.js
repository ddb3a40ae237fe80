// The numbers above the plots. Widths only ever grow, so that nothing jumps.

import { fixed } from "./numbers.js";
import { colourOfLine } from "./plots.js";

export class Readout {
  constructor() {
    this.time = tag("b", "time");
    this.element = tag("div", "readout");
    this.entries = new Map();
  }

  // Write what stands at a tick, or what is newest if `index` is null.
  write(view, index) {
    const { points, look } = view;
    const at = index ?? points.length - 1;
    const value = (values) => (at >= 0 ? values[at] : null);
    const time = `${fixed(value(points.time), 1)} s`;
    if (this.time.textContent !== time) this.time.textContent = time;
    const below = value(points.peak) > 0 ? value(points.equity) / value(points.peak) - 1 : 0;
    this.put("price", look.price, fixed(value(points.price), 4));
    for (const { label, order, values } of view.lines) {
      this.put(label, colourOfLine(look, order), fixed(value(values), 4));
    }
    this.put("equity", look.equity, fixed(value(points.equity), 2));
    this.put("drawdown", look.loss, `${fixed(100 * below, 2)} %`);
  }

  // Begin anew when other lines are shown, as their order is that of the plot.
  clear() {
    this.element.replaceChildren();
    this.entries.clear();
  }

  put(label, colour, text) {
    if (!this.entries.has(label)) {
      const entry = { box: tag("span", "entry"), swatch: tag("i", ""), value: tag("b", ""), length: 0 };
      entry.box.dataset.name = label;
      entry.box.append(entry.swatch, label, entry.value);
      this.element.append(entry.box);
      this.entries.set(label, entry);
    }
    const entry = this.entries.get(label);
    if (entry.text !== text) entry.value.textContent = entry.text = text;
    if (entry.colour !== colour) entry.swatch.style.background = entry.colour = colour;
    if (text.length > entry.length) entry.value.style.minWidth = `${(entry.length = text.length)}ch`;
  }
}

export function tag(name, kind) {
  const element = document.createElement(name);
  element.className = kind;
  return element;
}
