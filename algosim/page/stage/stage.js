// The stage: lays out what the page shows, and hands what comes over its line to the parts that draw it.

import { Figures } from "./figures.js";
import { Line } from "./line.js";
import { Numbers } from "./numbers.js";
import { PricePanel } from "./price_panel.js";
import { spread, themeOf } from "./theme.js";
import { Views } from "./views.js";

const GONE = "stopped: the page's server is gone; this page comes back by itself when the server does";

export class Stage {
  // `data` has the live address, relative to the page, and the HTML of the layout.
  constructor(place, data) {
    this.place = place;
    place.innerHTML = data.layout;
    this.root = place.firstElementChild;
    this.pieces = new Map([...this.all("[data-piece]")].map((piece) => [piece.dataset.piece, piece]));
    this.numbers = new Numbers(this.root);
    this.figures = new Figures(this.root);
    this.price = new PricePanel(this.one(".stage"), { asked: () => this.greet() });
    this.views = new Views((name) => this.show(name));
    for (const button of this.all("[data-show]")) button.onclick = () => this.views.show(button.dataset.show);
    this.show(this.views.shown);
    this.line = new Line(new URL(data.live, document.baseURI.replace(/^http/, "ws")), this);
    this.price.ready.then(() => this.greet());
  }

  one(selector) {
    return this.root.querySelector(selector);
  }

  all(selector) {
    return this.root.querySelectorAll(selector);
  }

  // Whoever has just come, or looks otherwise than before, says what it needs.
  greet() {
    if (!this.price.settled) return;
    this.line?.say({ kind: "hello", window: this.price.window, view: this.views.shown, fast: this.price.fast });
  }

  show(name) {
    this.root.dataset.view = document.documentElement.dataset.algosimView = name;
    for (const button of this.all("[data-show]")) button.setAttribute("aria-pressed", button.dataset.show === name);
    this.themed();
    this.greet();
  }

  // Streamlit's theme or the view has changed; the projector is always dark.
  themed() {
    const theme = this.views.shown === "present" ? "dark" : themeOf(this.place.parentElement);
    this.root.classList.toggle("algosim-dark", theme === "dark");
    spread(theme);
    this.price.look(this.views.shown, theme);
    this.figures.look(theme);
  }

  // What the line hears

  opened() {
    this.greet();
  }

  binary(header, bytes) {
    this.price.receive(header, bytes);
  }

  text(said) {
    if (said.kind === "pieces") this.put(said);
    else if (said.kind === "figure") this.figures.draw(said.name, said.figure);
    else if (said.kind === "tick") this.numbers.tick(said);
    else if (said.kind === "stopped") this.alarm(`stopped: ${said.why || "the page's server ends"}`);
  }

  put({ html = {}, now }) {
    for (const [name, text] of Object.entries(html)) {
      const piece = this.pieces.get(name);
      if (piece && piece.held !== text) piece.innerHTML = piece.held = text;
    }
    if (!now) return;
    this.numbers.show(now);
    this.line.lively = !now.over;
    this.root.classList.toggle("several", now.accounts > 1);
  }

  // Streamlit's dialog about the same would lie on top of it.
  lost() {
    document.documentElement.dataset.algosimGone = "";
    this.alarm(GONE);
  }

  found() {
    delete document.documentElement.dataset.algosimGone;
    this.alarm("");
  }

  alarm(text) {
    const place = this.one(".lost");
    place.textContent = text;
    place.hidden = !text;
    this.root.classList.toggle("gone", Boolean(text));
    if (text) this.price.end();
  }

  destroy() {
    delete document.documentElement.dataset.algosimGone;
    this.line.close();
    this.views.destroy();
    this.price.destroy();
    this.figures.destroy();
    this.place.remove();
  }
}
