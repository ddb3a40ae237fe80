// The streaming panel: draws a Points into an element, and knows nothing of where they come from.

import plotStyle from "uplot/dist/uPlot.min.css";
import panelStyle from "./panel.css";
import { equityPlot, pricePlot } from "./plots.js";
import { Readout, tag } from "./readout.js";
import { currentTheme, watchTheme } from "./theme.js";

const SILENCE = 3_000; // without a message for so long, the sender has stopped [ms]
const PAUSE = 1_500; // without a tick for so long, the market stands still [ms]
const NEAR = 8; // how far a pointer may be from what it points at [css px]
const LINES = 6; // as many as can be told apart
const WIDE = 1_250; // from here on everything is written larger [css px]

let panels = 0;

// Draw `points` into `element` until `destroy()`. `theme` is "light", "dark", or that of the page; `zoom` makes
// all writing so much larger, and without it goes by the width; `fill` takes all the height there is; at most
// `lines` of what strategies draw are shown.
export function mount(element, points, how = {}) {
  const panel = new Panel(element, points);
  panel.show(how);
  return { destroy: () => panel.destroy(), follow: () => panel.follow(), show: (how) => panel.show(how) };
}

class Panel {
  constructor(element, points) {
    this.id = `algosim-fast-view-${++panels}`;
    this.points = points;
    this.how = { theme: null, zoom: null, fill: false, lines: LINES };
    this.zoom = null;
    this.lines = [];
    this.plots = [];
    this.shown = {};
    this.pointed = this.pointed.bind(this);
    this.selected = this.selected.bind(this);
    this.build(element);
    const stops = [points.listen(() => this.due()), watchTheme(() => this.restyle())];
    const observer = new ResizeObserver(() => this.resize());
    observer.observe(this.root);
    const clock = setInterval(() => this.tell(), 500);
    stops.push(() => observer.disconnect(), () => clearInterval(clock), () => cancelAnimationFrame(this.frame));
    this.stops = stops;
    this.due();
  }

  // Look otherwise from now on; what is not named stays. The plots stay, with the stretch they show.
  show(how) {
    this.how = { ...this.how, ...how };
    this.root.classList.toggle("fill", this.how.fill);
    this.restyle();
    this.resize();
    this.due();
  }

  // The colours to draw in.
  colours() {
    return this.points.look[this.how.theme ?? currentTheme()];
  }

  build(element) {
    const style = tag("style", "");
    style.textContent = plotStyle + panelStyle;
    this.badge = tag("span", "badge");
    this.note = tag("span", "note");
    this.button = tag("button", "follow");
    this.button.type = "button";
    this.button.textContent = "follow";
    this.button.title = "show the newest ticks again (or double-click the chart)";
    this.button.onclick = () => this.follow();
    this.readout = new Readout();
    const head = tag("div", "head");
    head.append(this.badge, this.readout.time, this.note, this.button);
    this.charts = tag("div", "charts");
    this.root = tag("div", "algosim-fast-view");
    this.root.append(style, head, this.readout.element, this.charts);
    element.append(this.root);
    this.tell();
  }

  destroy() {
    for (const stop of this.stops) stop();
    this.points.holders.delete(this);
    this.plots.forEach((plot) => plot.destroy());
    this.root.remove();
  }

  // However many messages come between two frames of the screen, they are drawn once.
  due() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  draw() {
    const { points } = this;
    this.tell();
    if (!points.ready || this.root.clientWidth === 0) return;
    this.look = this.colours();
    if (this.zoom && (this.zoom[1] < points.time[0] || this.zoom[0] > points.time.at(-1))) this.follow();
    const lines = [...points.lines].slice(0, this.how.lines).map(([label, line]) => ({ label, ...line }));
    this.zoomed = this.how.zoom ?? (this.root.clientWidth >= WIDE ? 1.18 : 1);
    const names = JSON.stringify([this.zoomed, this.how.fill, lines.map(({ label, order, beside }) => [label, order, beside])]);
    const dragging = this.plots.some((plot) => plot.select.width > 0);
    if (this.names !== names && dragging) return; // new plots would take the stretch away
    this.lines = lines;
    if (this.names !== names) this.rebuild(names);
    else if (this.changed()) this.redraw();
    this.write();
  }

  rebuild(names) {
    this.names = names;
    this.root.style.setProperty("--zoom", this.zoomed);
    this.plots.forEach((plot) => plot.destroy());
    this.readout.clear();
    this.plots = [pricePlot(this, this.charts), equityPlot(this, this.charts)];
    this.restyle();
    this.resize();
  }

  // Say whether a redraw would show something else: new ticks may lie to the right of what is looked at.
  changed() {
    const { points, shown } = this;
    const marks = points.marks.length !== shown.marks;
    if (this.zoom && shown.first === points.first && shown.end >= this.zoom[1]) return marks;
    return marks || points.first !== shown.first || points.length !== shown.length;
  }

  redraw() {
    const { first, length, time, marks } = this.points;
    this.shown = { first, length, end: time.at(-1), marks: marks.length };
    this.plots.forEach((plot, i) => plot.setData(this.data(["price", "equity"][i])));
  }

  data(title) {
    const { time, price, peak, equity } = this.points;
    if (title === "equity") return [time, peak, equity];
    return [time, price, ...this.lines.map(({ values }) => values)];
  }

  range() {
    const { time } = this.points;
    if (this.zoom) return this.zoom;
    const [low, high] = [time[0] ?? 0, time[time.length - 1] ?? 1];
    return [low, high + 0.012 * (high - low || 1)]; // room for the newest triangle
  }

  resize() {
    const width = Math.floor(this.charts.clientWidth);
    if (width === 0) return;
    this.due();
    const own = 1.62 * Math.min(Math.max(0.3 * width, 325), 420);
    const price = Math.round((this.how.fill ? this.charts.clientHeight : own) / 1.62);
    this.plots.forEach((plot, i) => plot.setSize({ width, height: i === 0 ? price : Math.floor(0.62 * price) }));
  }

  restyle() {
    if (!this.points.ready) return;
    this.look = this.colours();
    for (const name of ["ground", "panel", "text", "muted", "grid", "buy", "loss", "mark", "font"]) {
      this.root.style.setProperty(`--${name}`, this.look[name]);
    }
    this.plots.forEach((plot) => plot.redraw(false, true));
    this.write();
  }

  // Where the interventions stand in a plot, oldest first, those in view.
  places(u) {
    const { min, max } = u.scales.x;
    return this.points.marks
      .map((mark) => ({ ...mark, time: this.points.timeOf(mark) }))
      .filter(({ time }) => time >= min && time <= max)
      .map((mark) => ({ ...mark, x: u.valToPos(mark.time, "x", true) }));
  }

  // A stretch was dragged over: show it, and keep it while ticks arrive.
  selected(u) {
    if (u.select.width <= 0) return;
    const [low, high] = [u.select.left, u.select.left + u.select.width].map((x) => u.posToVal(x, "x"));
    this.plots.forEach((plot) => plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false));
    this.zoom = [low, high];
    this.points.holders.add(this);
    this.button.classList.add("offered");
    this.redraw();
  }

  follow() {
    this.zoom = null;
    this.points.holders.delete(this);
    this.points.trim();
    this.button.classList.remove("offered");
    this.redraw();
  }

  pointed() {
    this.write();
  }

  write() {
    if (!this.plots.length) return;
    const { idx, left } = this.plots[0].cursor;
    const hovering = left >= 0 && idx !== null && idx !== undefined;
    this.readout.write(this, hovering ? idx : null);
    const note = hovering ? this.near(left) : "";
    if (this.note.textContent !== note) this.note.textContent = note;
  }

  // What the pointer is at: an intervention or a trade.
  near(left) {
    const [u] = this.plots;
    const distance = (time) => Math.abs(u.valToPos(time, "x") - left);
    const marks = this.points.marks.map((mark) => ({ text: mark.text, time: this.points.timeOf(mark) }));
    const close = [...marks, ...this.points.trades].filter(({ time }) => distance(time) <= NEAR);
    return close.map(({ text }) => text).slice(-2).join("  ·  ");
  }

  // Say whether what is shown is live.
  tell() {
    const { points } = this;
    const now = performance.now();
    const stopped = points.ended || now - points.heard > SILENCE;
    const state = stopped ? "stopped" : !points.ready ? "waiting" : now - points.moved > PAUSE ? "no new ticks" : "live";
    if (this.badge.textContent === state) return;
    this.badge.textContent = state;
    this.root.dataset.state = state;
  }
}
