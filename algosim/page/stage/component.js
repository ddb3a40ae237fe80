// What Streamlit mounts. The stage itself is a module of the page's own server, which the browser fetches once.

const stages = new WeakMap();

// Streamlit calls this again whenever its theme or the data changes; the stage stays.
export default function ({ parentElement, data }) {
  const held = stages.get(parentElement) ?? { stage: null, left: false };
  if (!stages.has(parentElement)) {
    stages.set(parentElement, held);
    const place = document.createElement("div");
    parentElement.append(place);
    import(new URL("algosim/stage/stage.js", document.baseURI)).then(({ Stage }) => {
      if (!held.left) held.stage = new Stage(place, data);
    });
  }
  held.stage?.themed();
  return () => {
    held.left = true;
    held.stage?.destroy();
    stages.delete(parentElement);
  };
}
