// The panel as a widget of a notebook (anywidget), and what a web page needs to build one of its own.

import { mount } from "./panel.js";
import { Points } from "./points.js";

export { mount, Points };

// A widget has one Points, however many views: `initialize` and `render` are given different proxies of the
// model, so it is kept here. It goes on taking messages while no view is open.
export default () => {
  const points = new Points();
  return {
    initialize({ model }) {
      const ask = () => model.send({ kind: "hello" });
      points.lacking = ask;
      model.on("msg:custom", (header, buffers) => points.receive(header, buffers[0]));
      ask();
    },
    render({ model, el }) {
      return mount(el, points, { theme: model.get("theme") }).destroy;
    },
  };
};
