"use strict";
// One look for all figures: colours by name, quiet axes, shares in percent, keys in words.
const LOOK = {
  colour: (number) => `var(--c${number % 6})`,
  // From the seventh on a colour comes again, with another dash.
  dash: (number) => ["", "5 3", "2 2"][Math.floor(number / 6) % 3],
  percent: (share) => (share === null || share === undefined ? "–" : (100 * share).toFixed(1)),
  amount: (value) => (Math.abs(value) >= 1000 ? d3.format(",.0f")(value).replaceAll(",", "\u202f")
    : String(Number(value.toPrecision(3)))).replace("-", "−"),
  style: { fontFamily: "inherit", fontSize: "11px", background: "none", color: "var(--ink)", overflow: "visible" },
  axis: (label, more = {}) => ({
    label, labelArrow: "none", tickSize: 3, ticks: 5, ...more,
  }),
  shares: (label, domain = [0, 1]) => LOOK.axis(`${label} (%)`, {
    domain, grid: true, labelAnchor: "center", tickFormat: (share) => String(Math.round(1000 * share) / 10),
  }),
  // Two drawings stand beside each other where there is room.
  halves: (width, count = 2) => (width < 300 * count ? Math.min(width, 480) : Math.min(Math.floor((width - 24 * (count - 1)) / count), 460)),
  plot: (options) => Plot.plot({ marginLeft: 44, marginBottom: 40, marginTop: 22, marginRight: 14, style: LOOK.style, ...options }),
  // The key says what the drawing shows; pointing at a line of it lights its marks.
  key: (items) => {
    const list = document.createElement("ul");
    list.className = "key";
    items.forEach(({ name, text, number, bound, shape }) => {
      const item = document.createElement("li");
      const swatch = document.createElement("i");
      swatch.className = shape || `line${LOOK.dash(number) ? " dashed" : ""}`;
      swatch.style.color = LOOK.colour(number);
      swatch.setAttribute("aria-hidden", "true");
      const label = document.createElement("bdi");
      label.textContent = name;
      item.append(swatch, label, text ? ` ${text}` : "");
      if (bound) item.append(" (upper bound)");
      const light = (on) => {
        const drawn = list.closest(".drawn");
        drawn.classList.toggle("lit", on);
        drawn.querySelectorAll(`.s${number}`).forEach((mark) => mark.classList.toggle("on", on));
      };
      item.addEventListener("pointerenter", () => light(true));
      item.addEventListener("pointerleave", () => light(false));
      list.append(item);
    });
    return list;
  },
};
