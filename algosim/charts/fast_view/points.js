// The newest ticks of a market, kept from what the kernel or a server sends: one snapshot, then appends.

const COLUMNS = ["time", "price", "equity", "peak"];

// While somebody looks at an older stretch, it is kept this long before it scrolls out of memory.
const MOST_HELD = 50_000;

export class Points {
  constructor() {
    this.ready = false;
    this.ended = false;
    this.heard = performance.now(); // when the last message came, at first: when one was expected [ms]
    this.moved = -Infinity; // when the last tick came [ms]
    this.lacking = () => {}; // called when ticks are missing; asks for a snapshot
    this.listeners = new Set();
    this.holders = new Set(); // who looks at an older stretch
    this.clear();
  }

  clear() {
    this.first = 1; // number of the tick at index 0
    for (const name of COLUMNS) this[name] = [];
    this.lines = new Map(); // label -> {order, beside, values}
    this.trades = []; // {tick, time, price, buy, text}
    this.marks = []; // {tick, kind, text}
  }

  get length() {
    return this.time.length;
  }

  listen(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  // Take one message: its header, and its numbers as a DataView or ArrayBuffer.
  receive(header, bytes) {
    this.heard = performance.now();
    this.ended = header.kind === "ended";
    if (header.kind === "snapshot") {
      this.begin(header);
      this.extend(header, floats(bytes));
    } else if (header.kind === "append" && this.ready) {
      if (header.first > this.first + this.length) this.skip(header.first);
      if (header.first === this.first + this.length) this.extend(header, floats(bytes));
    }
    for (const listener of this.listeners) listener();
  }

  begin(header) {
    this.clear();
    this.ready = true;
    this.first = header.first;
    this.window = header.window;
    this.look = header.look;
  }

  // Nothing is drawn across ticks that never arrived: begin anew after them, and ask for the rest.
  skip(first) {
    this.clear();
    this.first = first;
    this.lacking();
  }

  extend(header, numbers) {
    const before = this.length;
    const n = header.count;
    const column = (i) => numbers.subarray(i * n, (i + 1) * n);
    COLUMNS.forEach((name, i) => append(this[name], column(i)));
    header.lines.forEach(([label, order, beside], i) => {
      if (!this.lines.has(label)) this.lines.set(label, { order, beside, values: [] });
      const { values } = this.lines.get(label);
      while (values.length < before) values.push(null);
      append(values, column(COLUMNS.length + i));
    });
    for (const { values } of this.lines.values()) while (values.length < this.length) values.push(null);
    for (const [tick, time, price, buy, text] of header.trades) this.trades.push({ tick, time, price, buy, text });
    for (const [tick, kind, text] of header.marks) this.marks.push({ tick, kind, text });
    if (n > 0 && header.kind === "append") this.moved = this.heard;
    this.trim();
  }

  trim() {
    const excess = this.length - (this.holders.size ? Math.max(MOST_HELD, this.window) : this.window);
    if (!(excess > 0)) return;
    for (const name of COLUMNS) this[name].splice(0, excess);
    for (const [label, { values }] of this.lines) {
      values.splice(0, excess);
      if (values.every((value) => value === null)) this.lines.delete(label);
    }
    this.first += excess;
    this.trades = this.trades.filter((trade) => trade.tick >= this.first);
    this.marks = this.marks.filter((mark) => mark.tick >= this.first);
  }

  // When a mark was made: what is done in a pause belongs to the tick that is still to come.
  timeOf(mark) {
    return this.time[Math.min(Math.max(mark.tick - this.first, 0), this.length - 1)];
  }
}

// A view into a network message may start anywhere; numbers must be aligned, so they are copied out.
function floats(bytes) {
  if (bytes instanceof ArrayBuffer) return new Float64Array(bytes);
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

// uPlot knows a gap as null; a NaN would make its scale NaN.
function append(values, numbers) {
  for (const number of numbers) values.push(Number.isNaN(number) ? null : number);
}
