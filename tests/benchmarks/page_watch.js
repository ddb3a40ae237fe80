// Notes when a picture is on the screen and which tick is its last, what comes over websockets, and long tasks.
window.watched = { pictures: [], received: 0, longest: 0 };
const { watched } = window;

const Socket = window.WebSocket;
window.WebSocket = class extends Socket {
  constructor(...all) {
    super(...all);
    this.addEventListener("message", ({ data }) => (watched.received += data.byteLength ?? data.length ?? 0));
  }
};

new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) watched.longest = Math.max(watched.longest, duration);
}).observe({ entryTypes: ["longtask"] });

const painted = (tick) => requestAnimationFrame(() => setTimeout(() => watched.pictures.push([Date.now(), tick])));

setInterval(() => {
  for (const plot of document.querySelectorAll(".js-plotly-plot")) {
    if (plot.seen || !plot.on) continue;
    plot.seen = true;
    const drawn = () => plot.data[0].x.at?.(-1); // where numbers come packed, the fast view is what counts
    plot.on("plotly_afterplot", () => drawn() !== undefined && painted({ time: drawn() }));
  }
  for (const readout of document.querySelectorAll(".algosim-fast-view .readout")) {
    if (readout.seen) continue;
    readout.seen = true;
    new MutationObserver(() => {
      const price = readout.querySelector(".entry b")?.textContent;
      if (price !== readout.price) painted({ price: (readout.price = price) });
    }).observe(readout, { childList: true, characterData: true, subtree: true });
  }
}, 100);
