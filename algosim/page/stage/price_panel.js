// The streaming chart. Where its code was not built, the server draws the price with plotly, and that is said.

const PROJECTED = 1.6; // times as large as in the board, on the smallest window that is projected
const FEWER = 500; // ticks, where they are seen from afar
const LINES = { board: 6, present: 3, leaderboard: 0 }; // of what strategies draw
const PLAIN = "the fast view is not built (pip install -e .): plotly draws instead, less often";

export class PricePanel {
  constructor(section, { asked }) {
    this.section = section;
    this.place = section.querySelector(".fast");
    this.choice = section.querySelector(".window");
    this.choice.onchange = asked;
    this.asked = asked;
    this.how = {};
    this.fast = false;
    this.settled = false;
    this.resized = () => this.look(this.view, this.how.theme);
    window.addEventListener("resize", this.resized);
    this.ready = import(new URL("../fast_view.js", import.meta.url)).then(
      (bundle) => this.begin(bundle),
      () => this.fallBack(),
    );
  }

  get window() {
    const chosen = Number(this.choice.value);
    return this.how.fill ? Math.min(chosen, FEWER) : chosen;
  }

  begin({ Points, mount }) {
    this.settled = this.fast = true;
    if (this.gone) return;
    this.points = new Points();
    this.points.lacking = this.asked;
    this.panel = mount(this.place, this.points, this.how);
  }

  fallBack() {
    this.settled = true;
    const note = this.section.querySelector(".plain");
    note.textContent = PLAIN;
    note.hidden = false;
    this.place.hidden = true;
    this.section.querySelector(".plain-price").hidden = false;
  }

  receive(header, bytes) {
    this.points?.receive(header, bytes);
  }

  look(view, theme) {
    this.view = view;
    const fill = view !== "board";
    this.how = { theme, zoom: fill ? PROJECTED * unit() : null, fill, lines: LINES[view] };
    this.panel?.show(this.how);
  }

  // Nothing comes any more: the picture stays and says so.
  end() {
    this.points?.receive({ kind: "ended" });
  }

  destroy() {
    this.gone = true;
    window.removeEventListener("resize", this.resized);
    this.panel?.destroy();
  }
}

// How much larger the window is than the smallest one that is projected.
function unit() {
  return Math.max(0.6, Math.min(innerWidth / 1280, innerHeight / 720));
}
