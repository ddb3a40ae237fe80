// Lines of many points, drawn fast without a graphics card too: a software canvas takes 20 to 100 times as long
// for a long line that is wider than a pixel as for one of just a pixel (measured: 2,000 points, 87 ms and 1 ms).

const BUCKET = 2; // of more points in so many pixels only the lowest and highest are drawn [css px]
const SHARP = 1.5; // from so many device pixels to a css pixel on there is a graphics card

// A path builder for uPlot. Up to `SHARP`, a line two pixels wide is hairlines side by side.
export function trace(view, { bold = false } = {}) {
  return (u, index, from, to) => {
    const xs = u.data[0];
    const ys = u.data[index];
    const kept = thinned(ys, from, to, view.points.first, (BUCKET * (to - from)) / u.over.clientWidth);
    const line = new Path2D();
    let open = false;
    for (const i of kept) {
      if (ys[i] === null) open = false;
      else {
        const [x, y] = [u.valToPos(xs[i], "x", true), u.valToPos(ys[i], u.series[index].scale, true)];
        if (open) line.lineTo(x, y);
        else line.moveTo(x, y);
        open = true;
      }
    }
    return { stroke: devicePixelRatio < SHARP ? broad(line, bold) : line, fill: null, clip: null, flags: 0 };
  };
}

// How wide uPlot is to stroke what `trace` made [css px].
export function widthOf(width) {
  return devicePixelRatio < SHARP ? 1 / devicePixelRatio : width;
}

function broad(line, bold) {
  const path = new Path2D();
  const places = [[0, 0], [1, 0], [0, 1], ...(bold ? [[1, 1]] : [])];
  for (const [e, f] of places) path.addPath(line, { e, f });
  return path;
}

// Return which points to draw. Groups are counted from the first tick of the run, so that a point which is
// drawn stays drawn as the window moves on, and nothing shimmers.
export function thinned(values, from, to, first, group) {
  const size = Math.max(1, Math.round(group));
  const kept = [];
  for (let start = from; start <= to; ) {
    const end = Math.min(to + 1, start + size - ((first + start) % size));
    if (end - start === 1) kept.push(start);
    else keepExtremes(values, start, end, kept);
    start = end;
  }
  if (kept.at(-1) !== to) kept.push(to);
  return kept;
}

function keepExtremes(values, start, end, kept) {
  let low = start;
  let high = start;
  for (let i = start; i < end; i++) {
    if (values[i] === null) {
      kept.push(i); // a gap stays one
      return;
    }
    if (values[i] < values[low]) low = i;
    if (values[i] > values[high]) high = i;
  }
  kept.push(Math.min(low, high));
  if (low !== high) kept.push(Math.max(low, high));
}
