// The few numbers that are read from the back row, and the newest tick. No width changes with a digit.

const DIGITS = new Map();

const WRITE = {
  price: (now) => fixed(now.price, now.price < 1000 ? 4 : 2),
  equity: (now) => fixed(now.equity, 2),
  pnl: (now) => signed(now.pnl, 2),
  drawdown: (now) => (known(now.drawdown) ? `${fixed(100 * Math.abs(now.drawdown), 1)} %` : "–"),
  position: (now) => (known(now.position) ? plain(now.position) : "–"),
  fills: (now) => fixed(now.fills, 0),
};

export class Numbers {
  constructor(root) {
    this.places = [...root.querySelectorAll("[data-now]")];
    this.newest = root.querySelector(".tick");
    this.price = null;
  }

  show(now) {
    for (const place of this.places) {
      const name = place.dataset.now;
      const text = WRITE[name](now);
      write(place, text);
      this.makeRoom(place, text.length);
      if (name === "pnl") place.className = now.pnl > 0 ? "good" : now.pnl < 0 ? "bad" : "";
      if (name === "position") place.className = now.position > 0 ? "buy" : now.position < 0 ? "sell" : "";
    }
  }

  // What gets longer is written smaller from then on, so that it never leaves its place.
  makeRoom(place, length) {
    if (length <= (place.longest ?? 0)) return;
    place.longest = length;
    place.style.setProperty("--longest", length);
  }

  tick({ seq, time, price, gaps }) {
    const way = this.price === null || price === this.price ? "" : price > this.price ? "buy" : "sell";
    if (way) this.newest.dataset.way = way;
    this.price = price;
    const missed = known(gaps) ? ` · gaps ${fixed(gaps, 0)}` : ""; // a socket that keeps only one cannot know
    write(this.newest, `tick ${fixed(seq, 0)} · ${fixed(time, 2)} s · ${fixed(price, 4)}${missed}`);
  }
}

function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

function known(value) {
  return typeof value === "number" && Number.isFinite(value);
}

function fixed(value, decimals) {
  return known(value) ? minus(digits(decimals, decimals).format(value)) : "–";
}

function signed(value, decimals) {
  return value > 0 ? `+${fixed(value, decimals)}` : fixed(value, decimals);
}

function plain(value) {
  return minus(digits(0, 6).format(value));
}

function minus(text) {
  return text.replace("-", "\u2212");
}

function digits(least, most) {
  const name = `${least} ${most}`;
  if (!DIGITS.has(name)) {
    const options = { minimumFractionDigits: least, maximumFractionDigits: most };
    DIGITS.set(name, new Intl.NumberFormat("en-US", options));
  }
  return DIGITS.get(name);
}
