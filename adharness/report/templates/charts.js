"use strict";
// Charts: <figure data-chart="KIND"> holds its data as JSON; CHARTS[KIND](data, width) gives the SVG.
// They are drawn when they come into view, and again when their width changes.
const CHARTS = {};
// Other scripts add kinds; board.js, the last one, calls this once.
const drawCharts = () => {
  const draw = (figure) => {
    const width = Math.floor(figure.clientWidth);
    if (!width || Number(figure.dataset.width) === width) return;
    const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
    const drawing = CHARTS[figure.dataset.chart](data, width);
    figure.dataset.width = width;
    const old = figure.querySelector(".drawn");
    if (old) old.remove();
    const place = document.createElement("div");
    place.className = "drawn";
    place.append(drawing);
    figure.prepend(place);
  };
  const seen = new IntersectionObserver((entries) => {
    entries.filter((entry) => entry.isIntersecting).forEach((entry) => draw(entry.target));
  }, { rootMargin: "400px" });
  const resized = new ResizeObserver((entries) => {
    entries.filter((entry) => entry.target.dataset.width).forEach((entry) => draw(entry.target));
  });
  const figures = [...document.querySelectorAll("figure[data-chart]")];
  figures.forEach((figure) => { seen.observe(figure); resized.observe(figure); });
  addEventListener("beforeprint", () => figures.forEach(draw));
};
