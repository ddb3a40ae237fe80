// What is painted besides lines: trades as triangles, interventions as dotted lines with a flag, the drawdown.

import { thinned } from "./trace.js";

const TRIANGLE = 8; // half width of a trade, where there are few [css px]
const FEW = 60; // trades in view
const EDGE = 2; // around a triangle [device px]
const LONGEST = 44; // characters of a flag; the pointer shows the rest
export const LANE = 30; // height of the flags above the price, before zoom [css px]

export function paintTrades(u, trades, look, zoom) {
  const { min, max } = u.scales.x;
  const shown = trades.filter(({ time }) => time >= min && time <= max);
  const size = Math.round(TRIANGLE * zoom * devicePixelRatio * Math.min(1, Math.max(0.6, Math.sqrt(FEW / shown.length))));
  const pictures = { true: triangle(size, true, look), false: triangle(size, false, look) };
  inside(u, () => {
    for (const { time, price, buy } of shown) {
      const x = u.valToPos(time, "x", true) - size - EDGE;
      const y = u.valToPos(price, "y", true) - (buy ? EDGE : 1.6 * size + EDGE); // a buy points up at its price
      u.ctx.drawImage(pictures[buy], Math.round(x), Math.round(y));
    }
  });
}

// A triangle with an edge of the ground's colour, drawn once and then copied.
const pictures = new Map();
function triangle(size, up, look) {
  const name = [size, up, look.ground].join();
  if (!pictures.has(name)) {
    const height = 1.6 * size;
    const picture = new OffscreenCanvas(2 * (size + EDGE), Math.ceil(height + 2 * EDGE));
    const ctx = picture.getContext("2d");
    ctx.translate(size + EDGE, EDGE);
    const [tip, foot] = up ? [0, height] : [height, 0];
    ctx.moveTo(0, tip);
    ctx.lineTo(-size, foot);
    ctx.lineTo(size, foot);
    ctx.closePath();
    ctx.lineJoin = "round";
    ctx.lineWidth = EDGE;
    ctx.strokeStyle = look.ground;
    ctx.stroke();
    ctx.fillStyle = up ? look.buy : look.sell;
    ctx.fill();
    pictures.set(name, picture);
  }
  return pictures.get(name);
}

// The drawdown: what the equity is below its peak so far.
export function paintShade(u, points, look) {
  const [from, to] = u.series[0].idxs;
  if (from === null || to <= from) return;
  const group = (2 * (to - from)) / u.over.clientWidth;
  const shade = new Path2D();
  const through = (values, kept) => {
    for (const i of kept) shade.lineTo(u.valToPos(points.time[i], "x", true), u.valToPos(values[i], "y", true));
  };
  through(points.peak, thinned(points.peak, from, to, points.first, group));
  through(points.equity, thinned(points.equity, from, to, points.first, group).reverse());
  inside(u, () => {
    u.ctx.fillStyle = look.loss + "50";
    u.ctx.fill(shade);
  });
}

export function paintMarkLines(u, places, look) {
  const ratio = devicePixelRatio;
  inside(u, () => {
    u.ctx.lineWidth = 1.5 * ratio;
    u.ctx.setLineDash([4 * ratio, 4 * ratio]);
    for (const { x, kind } of places) {
      u.ctx.strokeStyle = colourOf(kind, look);
      u.ctx.beginPath();
      u.ctx.moveTo(x, u.bbox.top);
      u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
      u.ctx.stroke();
    }
  });
}

// The newest flag is always readable; an older one that has no room keeps only its foot.
export function paintFlags(u, places, look, zoom) {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio * zoom;
  const [height, inset, foot] = [20 * ratio, 7 * ratio, 4 * ratio];
  const top = bbox.top - height - 5 * ratio;
  let free = bbox.left + bbox.width;
  ctx.save();
  ctx.font = `600 ${13 * ratio}px ${look.font}`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  for (const { x, kind, text: whole } of [...places].reverse()) {
    const text = whole.length > LONGEST ? `${whole.slice(0, LONGEST - 1)}…` : whole;
    const width = ctx.measureText(text).width + 2 * inset;
    const left = Math.min(x - foot, free - width);
    ctx.fillStyle = colourOf(kind, look);
    if (left >= bbox.left && left + width >= x) {
      ctx.beginPath();
      ctx.roundRect(left, top, width, height, 4 * ratio);
      ctx.fill();
      ctx.fillStyle = look.ground;
      ctx.fillText(text, left + inset, top + height / 2 + ratio);
      ctx.fillStyle = colourOf(kind, look);
      free = left - 4 * ratio;
    }
    ctx.beginPath();
    ctx.moveTo(x, bbox.top + foot);
    ctx.lineTo(x - foot, bbox.top - 5 * ratio);
    ctx.lineTo(x + foot, bbox.top - 5 * ratio);
    ctx.fill();
  }
  ctx.restore();
}

export function colourOf(kind, look) {
  return kind === "fail" ? look.loss : look.mark;
}

function inside(u, paint) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  paint();
  ctx.restore();
}
