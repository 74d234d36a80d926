"use strict";
// Quality against a cost, with the front as a step line: what no other method beats in both.
CHARTS.pareto = (data, width, chosen) => {
  const axis = data.choices[0].values.indexOf(chosen.cost);
  const wide = Math.min(width, 680);
  const high = Math.round(Math.min(wide * 0.62, 380));
  // What the models cost is the same under every normalizer; their quality and the fronts are not.
  const under = data.under[chosen.normalizer];
  const front = new Set(under.fronts[axis]);
  const all = data.methods.map((method, at) => (
    { ...method, ...under.points[at], cost: method.costs[axis], front: front.has(at) }));
  const points = all.filter(({ cost, value }) => cost !== null && value !== undefined);
  const below = document.createElement("p");
  below.className = "keynote";
  const left = all.filter(({ cost }) => cost === null).map(({ name }) => name);
  const missing = left.length ? ` Without this number, and so not drawn: ${left.join(", ")}.` : "";
  const named = data.choices[1].values.length > 1 ? `Normalizer ${chosen.normalizer}. ` : "";
  below.textContent = `${named}Joined: the front. Uprights: the interval of the quality, or the range over seeds.${missing}`;
  if (!points.length) {
    below.textContent = "Not drawn: no method has this number. There is none, or it was not recorded.";
    return { drawings: [], below };
  }
  const costs = points.map(({ cost }) => cost);
  const [least, most] = d3.extent(costs);
  const log = least > 0 && most / least > 20;
  const room = log ? (most / least) ** 0.06 : (most - least) * 0.08 || most * 0.1 || 1;
  const x = {
    type: log ? "log" : "linear", label: `${chosen.cost}${log ? " (log)" : ""}`, labelArrow: "none", labelAnchor: "center",
    domain: log ? [least / room, most * room] : [Math.max(0, least - room), most + room],
    grid: true, ticks: log ? 4 : 6, tickFormat: (value) => LOOK.amount(value),
  };
  const ends = points.flatMap(({ value, ends: [low, up] }) => [value, low ?? value, up ?? value]);
  const y = { ...LOOK.shares(data.quality, d3.nice(...d3.extent(ends), 6)), labelAnchor: "top" };
  const line = under.fronts[axis].map((at) => all[at]);
  const grey = "var(--soft)";
  const colour = (point) => (point.front ? LOOK.colour(0) : grey);
  const said = (point) => `${point.name}${point.front ? ", on the front" : ""}\n${chosen.cost} ${LOOK.amount(point.cost)}\n`
    + `${data.quality} ${LOOK.percent(point.value)} %`;
  const options = { width: wide, height: high, x, y };
  const scales = Plot.plot({ ...options, marginLeft: 44, marginRight: 14, marginTop: 22, marginBottom: 40 });
  const [px, py] = ["x", "y"].map((name) => scales.scale(name).apply);
  const svg = LOOK.plot({
    ...options,
    marks: [
      Plot.link(points.filter(({ ends: [low, up] }) => low !== null && up !== null), {
        x: "cost", y1: (point) => point.ends[0], y2: (point) => point.ends[1], stroke: "var(--rule)", strokeWidth: 1.5,
      }),
      Plot.line(line, { x: "cost", y: "value", curve: "step-after", stroke: LOOK.colour(0), strokeWidth: 1.5 }),
      Plot.dot(points, {
        x: "cost", y: "value", r: 4.5, stroke: colour, strokeWidth: 1.5,
        fill: (point) => (point.bound ? "var(--paper)" : colour(point)),
      }),
      ...placed(points, px, py, wide).map(({ point, dx, dy, anchor }) => Plot.text([point], {
        x: "cost", y: "value", dx, dy, textAnchor: anchor, text: "name", fontWeight: point.front ? 600 : 400,
        fill: point.front ? "var(--ink)" : grey, stroke: "var(--paper)", strokeWidth: 3,
      })),
      Plot.tip(points, Plot.pointer({ x: "cost", y: "value", title: said })),
    ],
  });
  const text = `${data.quality} against ${chosen.cost}. ` + points.map((point) => said(point).replaceAll("\n", ", ")).join("; ") + ".";
  return { drawings: [{ svg, label: chosen.cost, text }], below };

  // Each name takes the first free place around its dot.
  function placed(dots, toX, toY, edge) {
    const taken = dots.map((point) => [toX(point.cost) - 6, toY(point.value) - 6, toX(point.cost) + 6, toY(point.value) + 6]);
    const free = (box) => box[0] > 44 && box[2] < edge + 20 && taken.every((one) => box[2] < one[0] || box[0] > one[2] || box[3] < one[1] || box[1] > one[3]);
    return [...dots].sort((a, b) => b.front - a.front).map((point) => {
      const [cx, cy, long] = [toX(point.cost), toY(point.value), point.name.length * 6.4];
      const places = [[9, 0, "start"], [-9, 0, "end"], [9, -13, "start"], [9, 13, "start"], [-9, -13, "end"], [-9, 13, "end"], [9, -25, "start"], [9, 25, "start"]]
        .map(([dx, dy, anchor]) => {
          const from = anchor === "start" ? cx + dx : cx + dx - long;
          return { point, dx, dy, anchor, box: [from, cy + dy - 6, from + long, cy + dy + 6] };
        });
      const found = places.find(({ box }) => free(box)) || places[0];
      taken.push(found.box);
      return found;
    });
  }
};
