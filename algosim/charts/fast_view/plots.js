// The two plots: price with indicator lines, trades and marks; equity with its drawdown shaded.

import uPlot from "uplot";
import { LANE, paintFlags, paintMarkLines, paintShade, paintTrades } from "./ink.js";
import { decimalsOf, fixed, STEPS } from "./numbers.js";
import { trace, widthOf } from "./trace.js";

// The same in both plots, whatever the numbers, so that time stands above time [css px, before zoom].
const [AXIS_WIDTH, RIGHT_WIDTH, MARGIN] = [84, 64, 14];

// The part of the price plot, at its foot, that belongs to lines with a scale of their own.
const BESIDE = 0.26;

export function pricePlot(view, into) {
  const lines = view.lines.map(({ label, order, beside }) => ({
    label,
    scale: beside ? "beside" : "y",
    width: widthOf(beside ? 1.4 : 2),
    paths: trace(view, { bold: view.how.fill }),
    stroke: () => colourOfLine(view.look, order) + (beside ? "b0" : ""),
    points: { show: false },
  }));
  const hooks = {
    drawClear: [(u) => paintMarkLines(u, view.places(u), view.look)],
    draw: [
      (u) => paintTrades(u, view.points.trades, view.look, view.how.fill ? 0.8 * view.zoomed : 1),
      (u) => paintFlags(u, view.places(u), view.look, view.zoomed),
    ],
  };
  const price = { stroke: () => view.look.price, width: widthOf(2), paths: trace(view, { bold: view.how.fill }), points: { show: false } };
  const series = [{}, price, ...lines];
  return plot(view, into, { series, hooks, top: LANE, title: "price", decimals: 2, showTime: false });
}

export function equityPlot(view, into) {
  const series = [
    {},
    { paths: () => null, points: { show: false } }, // the peak: the shade hangs from it
    { stroke: () => view.look.equity, width: widthOf(2.5), paths: trace(view, { bold: true }), points: { show: false } },
  ];
  const hooks = {
    drawClear: [(u) => paintMarkLines(u, view.places(u), view.look)],
    drawSeries: [(u, index) => index === 1 && paintShade(u, view.points, view.look)],
  };
  return plot(view, into, { series, hooks, top: 10, title: "equity", decimals: 0, showTime: true });
}

export function colourOfLine(look, order) {
  return look.lines[order % look.lines.length];
}

function plot(view, into, { series, hooks, top, title, decimals, showTime }) {
  const z = (size) => Math.round(size * view.zoomed); // whole pixels: a clip between pixels makes all drawing slow
  const beside = view.lines.some((line) => line.beside); // then both plots leave room for its axis
  const parted = beside && !showTime;
  const ends = {}; // of what is drawn on a scale, which reaches further where the plot is parted
  const scale = (name, below, above) => (u, low, high) => {
    const [bottom, top] = (ends[name] = padded(low, high));
    return parted ? [bottom - below * (top - bottom), top + above * (top - bottom)] : [bottom, top];
  };
  const options = {
    width: 600,
    height: 200,
    padding: [z(top), beside ? (showTime ? z(RIGHT_WIDTH) : 0) : MARGIN, showTime ? 0 : z(8), 0],
    series,
    hooks: { ...hooks, setSelect: [view.selected], setCursor: [view.pointed] },
    legend: { show: false },
    scales: {
      x: { time: false, range: () => view.range() },
      y: { range: scale("y", BESIDE / (1 - BESIDE), 0) },
      beside: { range: scale("beside", 0, (1 - BESIDE) / BESIDE) },
    },
    axes: [
      axis(view, { show: showTime, decimals: 0, label: view.how.fill ? null : "simulated time, s", size: z(28), space: z(90) }),
      axis(view, { scale: "y", ends, decimals, label: title, size: z(AXIS_WIDTH), space: z(view.how.fill ? 26 : 32) }),
      axis(view, { scale: "beside", ends, show: parted, side: 1, decimals: 0, size: z(RIGHT_WIDTH),
        space: z(22), grid: { show: false } }),
    ],
    cursor: {
      sync: { key: view.id, setSeries: false },
      drag: { x: true, y: false, setScale: false, dist: 6 },
      bind: { dblclick: () => () => (view.follow(), null) },
      points: { size: 9 },
    },
  };
  return new uPlot(options, view.data(title), into);
}

function axis(view, { decimals, ends = {}, ...more }) {
  const outside = (value) => {
    const [low, high] = ends[more.scale] ?? [-Infinity, Infinity];
    return value < low || value > high;
  };
  return {
    stroke: () => view.look.muted,
    font: `${14 * view.zoomed}px ${view.look.font}`,
    labelFont: `${14 * view.zoomed}px ${view.look.font}`,
    labelSize: Math.round(22 * view.zoomed),
    incrs: STEPS,
    grid: { stroke: () => view.look.grid, width: 1 },
    ticks: { show: false },
    values: (u, splits, index, space, step) =>
      splits.map((value) => (outside(value) ? null : fixed(value, decimalsOf(step, decimals)))),
    ...more,
  };
}

function padded(low, high) {
  if (low === null || low === undefined) return [0, 1];
  const margin = 0.08 * (high - low) || 0.001 * Math.abs(high) || 1;
  return [low - margin, high + margin];
}
