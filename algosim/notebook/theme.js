// Tells Python whether the page is light or dark, and when that changes. JupyterLab says it on the body; so does VS Code.
const dark = ({ jpThemeLight, vscodeThemeKind }) => jpThemeLight === "false" || !!vscodeThemeKind?.endsWith("dark");

export default {
  initialize({ model }) {
    const tell = () => {
      const theme = dark(document.body.dataset) ? "dark" : "light";
      if (model.get("theme") === theme) return;
      model.set("theme", theme);
      model.save_changes();
    };
    const watch = new MutationObserver(tell);
    const attributeFilter = ["data-jp-theme-light", "data-vscode-theme-kind"];
    watch.observe(document.body, { attributes: true, attributeFilter });
    tell();
    return () => watch.disconnect();
  },
};
