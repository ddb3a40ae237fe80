// Plotly's figures: drawn into places that stay, with newer data about once a second. Plotly is loaded once.

const LATEST = 1_500; // when plotly is loaded however busy the page is [ms]

let loading = null;

// It has five megabytes: the price comes first.
function plotly() {
  loading ??= new Promise((free) => requestIdleCallback(free, { timeout: LATEST })).then(load);
  return loading;
}

// Without it, as where the server ends just now, the next figure tries again.
function load() {
  return new Promise((loaded) => {
    const script = document.createElement("script");
    script.src = new URL("../plotly.js", import.meta.url);
    script.onload = () => loaded(window.Plotly);
    script.onerror = () => loaded((loading = null));
    document.head.append(script);
  });
}

export class Figures {
  constructor(root) {
    this.root = root;
    this.theme = "light";
    this.held = new Map(); // name -> the newest figure: light, and where the dark one differs
    this.due = new Set();
    this.busy = false;
    this.touching = new Set(); // places somebody drags over: drawing would end that
    this.observer = new ResizeObserver(() => this.all());
    this.released = this.released.bind(this);
    for (const place of root.querySelectorAll("[data-figure]")) {
      place.addEventListener("pointerdown", () => this.touching.add(place), { capture: true });
      this.observer.observe(place);
    }
    window.addEventListener("pointerup", this.released, { capture: true });
  }

  released() {
    this.touching.clear();
    this.run();
  }

  look(theme) {
    if (theme === this.theme) return;
    this.theme = theme;
    this.all();
  }

  all() {
    for (const name of this.held.keys()) this.due.add(name);
    this.run();
  }

  // However many come while one is drawn, only the newest of each name follows.
  draw(name, figure) {
    this.held.set(name, figure);
    this.due.add(name);
    this.run();
  }

  async run() {
    if (this.busy) return;
    this.busy = true;
    try {
      for (const name of [...this.due]) {
        const place = this.root.querySelector(`[data-figure="${name}"]`);
        if (!place || !place.clientWidth) continue; // the projector has none of them, and needs no plotly
        const Plotly = await plotly();
        if (!Plotly) return;
        if (this.touching.has(place) || !place.clientWidth) continue;
        this.due.delete(name);
        await this.put(Plotly, place, this.held.get(name));
      }
    } finally {
      this.busy = false;
    }
  }

  put(Plotly, place, figure) {
    const { data, layout } = this.theme === "dark" ? changed(figure.light, figure.dark) : figure.light;
    const size = { width: place.clientWidth, height: place.clientHeight, autosize: false };
    return Plotly.react(place, data, { ...layout, ...size }, { displayModeBar: false, responsive: false });
  }

  destroy() {
    this.observer.disconnect();
    window.removeEventListener("pointerup", this.released, { capture: true });
    for (const place of this.root.querySelectorAll("[data-figure]")) window.Plotly?.purge(place);
  }
}

// A figure with other values at some paths. It is a copy: plotly holds on to what it draws.
function changed(figure, differences) {
  const copy = structuredClone(figure);
  for (const [path, value] of differences) {
    const last = path.at(-1);
    path.slice(0, -1).reduce((part, key) => part[key], copy)[last] = value;
  }
  return copy;
}
