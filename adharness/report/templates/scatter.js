"use strict";
// Images in a plane, both axes to one scale: a dot is normal, a cross anomalous.
CHARTS.scatter = (data, width) => {
  const wide = Math.min(width, 460);
  const dots = data.x.map((x, at) => ({ x, y: data.y[at], number: data.of[at], anomalous: data.anomalous[at] }));
  const centres = data.classes.map((label, number) => {
    const own = dots.filter((dot) => dot.number === number);
    return { label, x: d3.median(own, ({ x }) => x), y: d3.median(own, ({ y }) => y) };
  });
  const colour = ({ number }) => LOOK.colour(number);
  const classed = data.classes.map((_, number) => dots.filter((dot) => dot.number === number));
  const svg = LOOK.plot({
    width: wide, marginLeft: 14, marginRight: 14, marginTop: 14, marginBottom: 14, aspectRatio: 1,
    x: { axis: null }, y: { axis: null },
    marks: [
      ...classed.flatMap((own, number) => [
        Plot.dot(own.filter(({ anomalous }) => !anomalous), { className: `series s${number}`, x: "x", y: "y", r: 2.4, fill: colour, fillOpacity: 0.7 }),
        Plot.dot(own.filter(({ anomalous }) => anomalous), { className: `series s${number}`, x: "x", y: "y", r: 2.8, symbol: "times", stroke: colour, strokeWidth: 1.3 }),
      ]),
      Plot.text(centres, { x: "x", y: "y", text: "label", fontWeight: 600, fill: "var(--ink)", stroke: "var(--paper)", strokeWidth: 4 }),
    ],
  });
  const text = data.classes.map((label, number) => {
    const odd = d3.sum(classed[number], ({ anomalous }) => anomalous);
    return `${label}: ${classed[number].length - odd} normal and ${odd} anomalous images`;
  }).join("; ") + ".";
  const below = document.createElement("div");
  const note = document.createElement("p");
  note.className = "keynote";
  note.textContent = "• normal, × anomalous";
  below.append(LOOK.key(data.classes.map((name, number) => ({ name, number, shape: "dot" }))), note);
  return { drawings: [{ svg, label: "images by class and label", text }], below };
};
