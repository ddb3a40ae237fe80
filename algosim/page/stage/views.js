// Which of its views the page shows: the address says it, keys change it.

const NAMES = ["board", "present", "leaderboard"];
const KEYS = { p: "present", l: "leaderboard" };

export class Views {
  constructor(changed) {
    this.changed = changed;
    this.pressed = this.pressed.bind(this);
    this.travelled = this.travelled.bind(this);
    document.addEventListener("keydown", this.pressed);
    window.addEventListener("popstate", this.travelled);
  }

  get shown() {
    const name = new URL(location.href).searchParams.get("view");
    return NAMES.includes(name) ? name : "board";
  }

  show(name) {
    const address = new URL(location.href);
    address.searchParams.set("view", name);
    history.replaceState(history.state, "", address);
    this.changed(name);
  }

  toggle(name) {
    this.show(this.shown === name ? "board" : name);
  }

  travelled() {
    this.changed(this.shown);
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || writes(event)) return;
    if (event.key === "Escape" && this.shown !== "board") this.show("board");
    else if (event.key.toLowerCase() in KEYS) this.toggle(KEYS[event.key.toLowerCase()]);
  }

  destroy() {
    document.removeEventListener("keydown", this.pressed);
    window.removeEventListener("popstate", this.travelled);
  }
}

// Whether somebody types: letters then belong to the field.
function writes(event) {
  const [at] = event.composedPath();
  const kind = at.tagName === "INPUT" ? at.type : "";
  if (at.isContentEditable || ["TEXTAREA", "SELECT"].includes(at.tagName)) return true;
  return at.tagName === "INPUT" && !["range", "checkbox", "radio", "button"].includes(kind);
}
