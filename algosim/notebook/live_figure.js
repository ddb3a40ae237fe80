// Appended to plotly's widget module, with its two classes. A page then answers a picture with its number and cost
// once it is on the screen, not with everything that plotly filled in; and a second view begins with the newest picture.
function followMarket(FigureModel, FigureView) {
  const put = (target, path, value) => {
    if (value === "_undefined_") return;
    const keys = path.split(".");
    const last = keys.pop();
    for (const key of keys) target = target[key] ??= {};
    if (value === null) delete target[last];
    else target[last] = value;
  };

  FigureModel.prototype.do_update = function () {
    const sent = this.model.get("_py2js_update");
    if (sent === null) return;
    const traces = this.model.get("_widget_data");
    for (const [path, values] of Object.entries(sent.style_data ?? {})) {
      sent.style_traces.forEach((number, i) => put(traces[number], path, values[i % values.length]));
    }
    const layout = this.model.get("_widget_layout");
    for (const [path, value] of Object.entries(sent.layout_data ?? {})) put(layout, path, value);
  };

  const remove = FigureView.prototype.remove;
  FigureView.prototype.remove = function () {
    this.gone = true;
    remove.call(this);
  };

  const update = FigureView.prototype.do_update;
  FigureView.prototype.do_update = function () {
    this.began = performance.now();
    update.call(this);
  };

  // Busy are the update itself and, from the next frame's start on, what puts it on the screen.
  FigureView.prototype._sendTraceDeltas = function (number) {
    const updated = performance.now();
    const spent = updated - (this.began ?? updated);
    requestAnimationFrame(() => {
      const frame = performance.now();
      setTimeout(() => {
        if (this.gone) return;
        const cost = (spent + performance.now() - frame) / 1000;
        this.model.set("_js2py_traceDeltas", { trace_edit_id: number, cost });
        this.touch();
      });
    });
  };
  FigureView.prototype._sendLayoutDelta = () => {};
}
