// Appended to plotly's widget module, with its two classes. A view is then as wide as its place, also where it is drawn
// before it has one.
function fillWidth(FigureModel, FigureView) {
  const render = FigureView.prototype.perform_render;
  FigureView.prototype.perform_render = function () {
    render.call(this);
    let width = this.el.clientWidth;
    this.sizes = new ResizeObserver(() => {
      if (this.el.clientWidth === width || !this.el.clientWidth || !this.el._fullLayout) return;
      width = this.el.clientWidth;
      this.autosizeFigure();
    });
    this.sizes.observe(this.el);
  };
  const remove = FigureView.prototype.remove;
  FigureView.prototype.remove = function () {
    this.sizes?.disconnect();
    remove.call(this);
  };
}
