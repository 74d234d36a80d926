"use strict";
// Curves of methods in one or more panels: joined by lines, or steps where no line may be drawn.
CHARTS.curves = (data, width, chosen) => {
  const scope = data.choices.find(({ name }) => name === "class").values.indexOf(chosen.class);
  const methods = data.methods
    .filter(({ lines }) => lines[scope])
    .map((method) => ({ ...method, line: method.lines[scope] }))
    .sort((a, b) => b.line.areas[0] - a.line.areas[0]);
  const side = LOOK.halves(width, data.panels.length);
  const range = chosen.range ? parseInt(chosen.range.replace(/\D+/, ""), 10) / 100 : 1;

  const drawing = (panel, at) => {
    const end = panel.limited ? range : 1;
    const drawn = methods.filter(({ line }) => line.curves[at] >= 0);
    const curve = ({ line }) => {
      const points = curveAt(line.curves[at]);
      return panel.steps ? [[0, points[0][1]], ...points] : points;
    };
    const points = drawn.flatMap((method) => curve(method)
      .filter(([x]) => x <= end).map(([x, y]) => ({ x, y, method })));
    const deployed = drawn.flatMap((method) => {
      const point = ((method.at || {})[chosen.thresholder] || [])[scope];
      return point && point[at] ? [{ x: point[at][0], y: point[at][1], method }] : [];
    });
    const said = ({ x, y, method }) => `${method.name}\n${panel.x} ${LOOK.percent(x)} %\n${panel.y} ${LOOK.percent(y)} %`;
    const level = panel.steps ? data.prevalence && data.prevalence[scope] : null;
    const svg = LOOK.plot({
      width: side,
      height: Math.round(side * 0.86),
      clip: end < 1,
      x: LOOK.shares(panel.x, [0, end]),
      y: { ...LOOK.shares(panel.y), labelAnchor: "top" },
      marks: [
        panel.steps || panel.limited ? null : Plot.line([[0, 0], [1, 1]], { stroke: "var(--rule)", strokeDasharray: "3 3" }),
        Number.isFinite(level) ? Plot.ruleY([level], { stroke: "var(--soft)", strokeDasharray: "3 3" }) : null,
        Number.isFinite(level) ? Plot.text([level], { y: (share) => share, frameAnchor: "left", dx: 4, dy: 8, textAnchor: "start", fill: "var(--soft)", text: () => `prevalence ${LOOK.percent(level)} %`, stroke: "var(--paper)", strokeWidth: 3 }) : null,
        ...drawn.map((method) => Plot.line(curve(method), {
          className: `series s${method.colour}`,
          stroke: LOOK.colour(method.colour),
          strokeDasharray: LOOK.dash(method.colour),
          strokeWidth: 1.75,
          curve: panel.steps ? "step-before" : "linear",
          clip: true,
        })),
        ...deployed.filter(({ x }) => x <= end).map((point) => Plot.dot([point], {
          className: `series s${point.method.colour}`, x: "x", y: "y", r: 4,
          fill: LOOK.colour(point.method.colour), stroke: "var(--paper)", strokeWidth: 1.25,
        })),
        Plot.tip([...points, ...deployed], Plot.pointer({ x: "x", y: "y", title: said })),
      ],
    });
    const text = `${panel.name}, ${chosen.class}. ` + methods
      .map(({ name, line }) => `${name}: ${panel.area} ${LOOK.percent(line.areas[at])} %`).join("; ") + ".";
    return { svg, label: `${panel.name}, ${chosen.class}`, text };
  };

  const areas = data.panels.map(({ area }) => area).join(" / ");
  const below = document.createElement("div");
  if (data.panels.length > 2) below.className = "under";
  const note = document.createElement("p");
  note.className = "keynote";
  note.textContent = data.choices.some(({ name }) => name === "thresholder")
    ? `${areas} in percent; ● the operating point at the deployed threshold (${chosen.thresholder}).`
    : `${areas} in percent.`;
  below.append(LOOK.key(methods.map(({ name, colour, bound, line }) => ({
    name, bound, number: colour, text: line.areas.map(LOOK.percent).join(" / "),
  }))), note);
  return { drawings: data.panels.map(drawing), below };
};
