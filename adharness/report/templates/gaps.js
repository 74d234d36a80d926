"use strict";
// Bars of the gap from a common zero, the unified protocols beside each other.
CHARTS.gaps = (data, width, chosen) => {
  const rules = data.metrics[chosen.metric];
  const bars = rules[""] || rules[chosen.thresholder] || [];
  const beside = width >= 560;
  const [low, high] = data.ends[chosen.metric];
  const methods = d3.groupSort(bars, (own) => -d3.max(own, ({ value }) => value), ({ method }) => method);
  const signed = (value) => {
    const text = (100 * value).toFixed(1);
    return Number(text) === 0 ? "0.0" : (value > 0 ? `+${text}` : text.replace("-", "−"));
  };
  const wide = Math.min(width, beside ? 300 * data.versus.length + 150 : 480);
  const across = beside ? { fx: "versus" } : { fy: "versus" };
  const facet = { domain: data.versus, label: null, axis: beside ? "top" : null, padding: 0.08 };
  const name = (text) => (text.length > 20 ? `${text.slice(0, 19)}…` : text);
  const each = 22 * methods.length;
  const svg = LOOK.plot({
    width: wide,
    height: beside ? each + 72 : (each + 30) * data.versus.length + 60,
    marginLeft: Math.min(150, 16 + 7 * d3.max(methods, (method) => Math.min(20, method.length))),
    marginTop: 26, marginRight: 40,
    x: { domain: [low, high + (high - low) * 0.12], label: "percentage points lost", labelArrow: "none", labelAnchor: "center", ticks: 4, grid: true, tickFormat: (value) => signed(value).replace(".0", "") },
    y: { domain: methods, label: null, tickSize: 0, tickFormat: name, padding: 0.3 },
    ...(beside ? { fx: facet } : { fy: { ...facet, padding: 0.18 } }),
    marks: [
      Plot.barX(bars, {
        ...across, y: "method", x1: 0, x2: "value", stroke: "var(--bar)",
        fill: (bar) => (bar.bound ? "none" : "var(--bar)"), strokeDasharray: "3 2", strokeOpacity: (bar) => (bar.bound ? 1 : 0),
      }),
      Plot.link(bars.filter(({ ends }) => ends), {
        ...across, y: "method", x1: (bar) => bar.ends[0], x2: (bar) => bar.ends[1], stroke: "var(--ink)", strokeWidth: 1.2,
        markerStart: "tick", markerEnd: "tick",
      }),
      Plot.ruleX([0], { stroke: "var(--ink)" }),
      Plot.text(bars, {
        ...across, y: "method", x: (bar) => Math.max(bar.value, 0, ...(bar.ends || [])), dx: 6, textAnchor: "start",
        text: (bar) => signed(bar.value), stroke: "var(--paper)", strokeWidth: 3, fill: "var(--ink)",
      }),
      beside ? null : Plot.text(data.versus, { fy: (versus) => versus, frameAnchor: "top-left", dy: -14, text: (versus) => versus, fontWeight: 600 }),
    ],
  });
  const text = `Per-class minus unified, ${chosen.metric}. ` + data.versus.map((versus) => `${versus}: ${bars
    .filter((bar) => bar.versus === versus).map(({ method, value }) => `${method} ${signed(value)}`).join(", ")}`).join("; ") + ".";
  const below = document.createElement("p");
  below.className = "keynote";
  below.textContent = `Macro ${chosen.metric}${rules[""] ? "" : `, threshold by ${chosen.thresholder}`}. `
    + "Whiskers: paired interval, or the range over seeds." + (bars.some(({ bound }) => bound) ? " Dashed: an upper bound, which knows the class." : "");
  return { drawings: [{ svg, label: chosen.metric, text }], below };
};
