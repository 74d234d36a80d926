"use strict";
// <figure data-chart="KIND"> holds its data as JSON. CHARTS[KIND](data, width, chosen) gives
// { drawings: [{ svg, label, text }], below }: SVGs with a name and their content in words, and an
// element under them, or nothing. A figure is drawn when it comes into view, and again when its
// width or what is chosen changes.
const CHARTS = {};

// Curves are stored once for the whole page, as steps in ten-thousandths; see report/curves.py.
const curveAt = (() => {
  let curves = null;
  const decoded = new Map();
  return (place) => {
    if (place < 0) return null;
    curves ??= JSON.parse(document.getElementById("shelf").textContent);
    if (!decoded.has(place)) {
      let x = 0;
      let y = 0;
      const steps = curves[place];
      decoded.set(place, d3.range(0, steps.length, 2).map((at) => [
        (x += steps[at]) / 10000, (y += steps[at + 1]) / 10000,
      ]));
    }
    return decoded.get(place);
  };
})();

// Other scripts add kinds; board.js, the last one, calls this once.
const drawCharts = () => {
  const PRINTED = 680;
  const MARGIN = 400;
  const parsed = new WeakMap();
  const dataOf = (figure) => {
    if (!parsed.has(figure)) {
      const script = figure.querySelector('script[type="application/json"]');
      parsed.set(figure, JSON.parse(script.textContent));
    }
    return parsed.get(figure);
  };
  const filterOf = (name) => document.querySelector(`.filters select[name="${name}"]`);

  // What the reader chose: by the page's filter where it has one of this name, else in the figure.
  const chosenIn = (figure) => Object.fromEntries((dataOf(figure).choices || []).map((choice) => {
    const own = figure.querySelector(`.choices select[name="${choice.name}"]`);
    const value = (own || filterOf(choice.name) || {}).value;
    return [choice.name, choice.values.includes(value) ? value : choice.values[0]];
  }));
  const addChoices = (figure) => {
    const open = (dataOf(figure).choices || [])
      .filter(({ name, values }) => values.length > 1 && !filterOf(name));
    if (!open.length) return;
    const row = document.createElement("div");
    row.className = "choices";
    open.forEach(({ name, label, values }) => {
      const box = document.createElement("label");
      const select = document.createElement("select");
      select.name = name;
      select.append(...values.map((value) => new Option(value, value)));
      select.addEventListener("change", () => draw(figure, true));
      box.append(label, select);
      row.append(box);
    });
    figure.querySelector("figcaption").after(row);
  };

  const named = ({ svg, label, text }, title) => {
    const content = document.createElementNS("http://www.w3.org/2000/svg", "desc");
    content.textContent = text;
    svg.prepend(content);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label ? `${title}: ${label}` : title);
    return svg;
  };
  const draw = (figure, again = false, printed = 0) => {
    const width = printed || Math.floor(figure.clientWidth);
    if (!width || (!again && Number(figure.dataset.width) === width)) return;
    if (!figure.dataset.width) addChoices(figure);
    figure.dataset.width = width;
    const place = document.createElement("div");
    place.className = "drawn";
    try {
      const made = CHARTS[figure.dataset.chart](dataOf(figure), width, chosenIn(figure));
      const title = figure.querySelector("figcaption .strong").textContent;
      place.append(...made.drawings.map((drawing) => named(drawing, title)));
      if (made.below) place.append(made.below);
    } catch (fault) {  // the other figures are still to be drawn
      console.error(figure.dataset.chart, fault);
      place.textContent = "This figure could not be drawn.";
    }
    const old = figure.querySelector(".drawn");
    if (old) old.replaceWith(place);
    else figure.append(place);
  };

  const figures = [...document.querySelectorAll("figure[data-chart]")];
  const near = (figure) => {
    const { width, top, bottom } = figure.getBoundingClientRect();
    return width > 0 && bottom > -MARGIN && top < innerHeight + MARGIN;
  };
  let waiting = false;
  const soon = () => {  // whatever may bring a figure into view: scrolling, tabs, filters
    if (waiting) return;
    waiting = true;
    setTimeout(() => { waiting = false; figures.filter(near).forEach((figure) => draw(figure)); }, 40);
  };
  ["scroll", "resize", "click", "change", "keyup", "toggle"]
    .forEach((name) => addEventListener(name, soon, { capture: true, passive: true }));
  // What lies above the place that a link leads to is drawn first: a figure that grew on the way there
  // would push the place on.
  const lead = (hash) => {
    const place = document.getElementById(hash.slice(1).split("?")[0]);
    const before = (figure) => figure.compareDocumentPosition(place) & Node.DOCUMENT_POSITION_FOLLOWING;
    if (place) figures.filter(before).forEach((figure) => draw(figure));
    return place;
  };
  addEventListener("click", ({ target }) => {
    const link = target.closest && target.closest('a[href^="#"]');
    if (link) lead(link.hash);
  }, true);
  setTimeout(() => {  // when every script has made its part
    const place = location.hash && lead(location.hash);
    if (place) place.scrollIntoView({ behavior: "instant" });
  });
  soon();
  document.querySelectorAll(".filters").forEach((form) => form.addEventListener("change", (event) => {
    const follows = (figure) => (dataOf(figure).choices || []).some(({ name }) => name === event.target.name);
    figures.filter((figure) => figure.dataset.width && follows(figure)).forEach((figure) => draw(figure, true));
  }));
  addEventListener("beforeprint", () => figures.forEach((figure) => draw(figure, false, PRINTED)));
  addEventListener("afterprint", soon);
};
