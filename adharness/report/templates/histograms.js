"use strict";
// Each class on its own line: normal images above it, anomalous ones below, the threshold across.
CHARTS.histograms = (data, width, chosen) => {
  const { ends: [low, high], classes, bound } = data.methods[chosen.method];
  const wide = Math.min(width, 760);
  const names = classes.map(({ name }) => name);
  const bins = classes[0].counts[0].length;
  const step = (high - low) / bins;
  // Each class and kind is drawn to its own highest bin: sets differ in size, shapes are compared.
  const bars = classes.flatMap(({ name, counts }) => counts.flatMap((of, kind) => {
    const most = Math.max(1, ...of);
    return of.flatMap((count, at) => (count ? [{
      name, kind, count, from: low + at * step, to: low + (at + 1) * step,
      height: (kind ? -1 : 1) * (count / most),
    }] : []));
  }));
  const cuts = classes.flatMap(({ name, cuts: rules }) =>
    ((rules[chosen.thresholder] || {}).at || []).map((at) => ({ name, at })));
  const shares = ({ cuts: rules }) => (rules[chosen.thresholder] || { shares: [null, null] }).shares.map(LOOK.percent);
  const room = Math.min(150, Math.max(...names.map((name) => name.length)) * 6.5 + 14);
  const right = wide < 480 ? 62 : 96;
  const scale = {
    domain: [low, high], label: `${data.scale}`, labelArrow: "none", labelAnchor: "center", ticks: wide < 480 ? 4 : 7,
  };
  const kinds = ["var(--c0)", "var(--c1)"];
  const svg = LOOK.plot({
    width: wide,
    height: 58 + 54 * names.length,
    marginLeft: room, marginRight: right, marginTop: 20,
    x: scale,
    y: { domain: [-1.1, 1.1], axis: null },
    fy: { domain: names, label: null, padding: 0.12, axis: null },
    marks: [
      Plot.ruleY(names, { fy: (name) => name, y: 0, stroke: "var(--rule)" }),
      ...[0, 1].map((kind) => Plot.rect(bars.filter((bar) => bar.kind === kind), {
        fy: "name", x1: "from", x2: "to", y1: 0, y2: "height", fill: kinds[kind], insetLeft: 0.5, insetRight: 0.5,
      })),
      Plot.ruleX(cuts, { fy: "name", x: "at", stroke: "var(--ink)", strokeWidth: 1.5, strokeDasharray: "4 2" }),
      Plot.text(classes, {
        fy: "name", frameAnchor: "left", dx: -6, textAnchor: "end", fontWeight: 600,
        text: ({ name }) => (name.length > 22 ? `${name.slice(0, 21)}…` : name),
      }),
      Plot.text(classes, { fy: "name", frameAnchor: "right", dx: right - 4, textAnchor: "end", text: (each) => shares(each).join(" · ") }),
      Plot.tip(bars, Plot.pointer({
        fy: "name", x: (bar) => (bar.from + bar.to) / 2, y: "height",
        title: (bar) => `${bar.name}: ${bar.count} ${bar.kind ? "anomalous" : "normal"}\n${LOOK.amount(bar.from)} to ${LOOK.amount(bar.to)}`,
      })),
    ],
  });
  const text = `${chosen.method}, threshold by ${chosen.thresholder}. ` + classes.map((each) => {
    const [alarms, recall] = shares(each);
    return `${each.name}: ${alarms} % false alarms, ${recall} % recall`;
  }).join("; ") + ".";
  const below = document.createElement("div");
  const key = LOOK.key([{ name: "normal images", number: 0, shape: "box" }, { name: "anomalous images", number: 1, shape: "box" }]);
  const note = document.createElement("p");
  note.className = "keynote";
  note.textContent = `Dashed: the deployed threshold of the class (${chosen.thresholder}). At the right false alarms · recall, %. `
    + "Bars are as high as their share of the fullest bin of their kind; the last bins hold what lies beyond."
    + (bound ? " An upper bound: it knows the class." : "");
  below.append(key, note);
  return { drawings: [{ svg, label: chosen.method, text }], below };
};
