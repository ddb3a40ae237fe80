// Whether Streamlit is light or dark, told to the page where charts and style sheet look for it.

export function themeOf(element) {
  const ground = getComputedStyle(element).getPropertyValue("--st-background-color").trim();
  const parts = ground.startsWith("#") ? hexadecimal(ground) : (ground.match(/[\d.]+/g) ?? [255, 255, 255]).map(Number);
  const [red, green, blue] = parts;
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128 ? "dark" : "light";
}

// JupyterLab's attribute of the body: the fast view and the style sheet of the board follow it.
export function spread(theme) {
  document.body.dataset.jpThemeLight = String(theme === "light");
}

function hexadecimal(colour) {
  const digits = colour.length < 7 ? [...colour.slice(1)].map((digit) => digit + digit).join("") : colour.slice(1);
  return [0, 2, 4].map((i) => parseInt(digits.slice(i, i + 2), 16));
}
