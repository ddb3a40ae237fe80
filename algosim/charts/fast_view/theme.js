// Whether the page around is dark: JupyterLab says so on its body, other pages by what the reader prefers.

const preference = window.matchMedia("(prefers-color-scheme: dark)");

export function currentTheme() {
  const said = document.body.dataset.jpThemeLight;
  if (said !== undefined) return said === "true" ? "light" : "dark";
  return preference.matches ? "dark" : "light";
}

export function watchTheme(changed) {
  const observer = new MutationObserver(changed);
  observer.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  preference.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    preference.removeEventListener("change", changed);
  };
}
