"use strict";
// One test image in a dialog: its picture on one side, what every method said on the other.
const drill = (() => {
  const make = (tag, properties = {}, ...children) => {
    const made = tag === "svg" || tag === "path"
      ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    Object.entries(properties).forEach(([name, value]) => {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
    });
    made.append(...children.filter((child) => child !== null));
    return made;
  };
  const named = (text) => make("bdi", {}, text);
  const compact = (value) => {
    if (value === null || value === undefined) return "–";
    if (typeof value === "string") return value;
    if (value === 0) return "0";
    const short = Math.abs(value) >= 1000 ? String(Math.round(value)) : value.toPrecision(3);
    return short.replace("-", "−");
  };
  const signed = (value) => {
    if (!Number.isFinite(value)) return value > 0 ? "+∞" : "−∞";
    const short = Math.abs(value) < 0.005 ? value.toExponential(0) : value.toFixed(2);
    return (value > 0 ? "+" : "") + short.replaceAll("-", "−");
  };
  // The picture of an image, with a method's map and outlines over it where there are some.
  const drawing = (plate, picture, outlines, label) => {
    const found = make("span", {
      class: plate.height > plate.width ? "plate tall" : "plate", role: "img", "aria-label": label,
      style: `--w: ${Number(plate.width)}; --h: ${Number(plate.height)}`,
    }, make("i", { class: `photo ${plate.picture}${picture ? " grey" : ""}` }));
    if (picture) found.append(make("i", { class: `map ${picture}` }));
    const drawn = Object.entries(outlines).filter(([, path]) => path);
    if (drawn.length) {
      found.append(make("svg", { viewBox: `0 0 ${plate.width} ${plate.height}`, preserveAspectRatio: "none", "aria-hidden": "true" },
        ...drawn.map(([kind, d]) => make("path", { class: kind, d }))));
    }
    return found;
  };

  const makeDialog = () => {
    const title = make("h3", { id: "drill-title", tabindex: -1 }), facts = make("p", { role: "status" });
    const stage = make("div", { class: "drill-stage" }), says = make("div"), lines = make("tbody");
    const caption = make("caption");
    const slider = make("input", { type: "range", min: 0, max: 100, value: 60, oninput: () => stage.style.setProperty("--mix", slider.value / 100) });
    const edge = make("input", { type: "checkbox", checked: true, onchange: () => draw() });
    const marked = make("input", { type: "checkbox", checked: true, onchange: () => draw() });
    const layers = make("div", { class: "drill-layers" },
      make("label", {}, "Map", slider), make("label", {}, edge, make("span", { class: "swatch" }), "True mask"),
      make("label", {}, marked, make("span", { class: "swatch dashed" }), "Above the pixel threshold"));
    const button = (text, label, click) => make("button", { type: "button", class: "plain-button", "aria-label": label, onclick: click }, text);
    const before = button("←", "Previous image", () => step(-1)), after = button("→", "Next image", () => step(1));
    const shut = button("Close", "Close", () => dialog.close());
    const body = make("div", { class: "drill-body" },
      make("div", {}, stage, layers, says),
      make("div", {}, make("table", { class: "pictures drill-methods" }, caption, make("thead", {}, make("tr", {},
        make("th", { scope: "col" }, "Method"), make("th", { scope: "col", class: "num" }, "Score"),
        make("th", { scope: "col", class: "num wide" }, "Threshold"), make("th", { scope: "col", class: "num" }, "Margin"), make("th", { scope: "col" }, "Decision"))), lines)));
    const dialog = make("dialog", { class: "drill-one", "aria-labelledby": "drill-title" },
      make("div", { class: "drill-head" }, make("div", {}, title, facts), make("div", { class: "drill-move" }, before, after, shut)), body);
    document.body.append(dialog);

    let view = null;
    const image = () => view.list[view.at];
    const cell = () => view.of.find(({ method }) => method === view.method);
    const outlines = (entry, i) => ({ edge: edge.checked && view.plate(i).mask, contour: marked.checked && view.contour(entry, i) });
    const why = (entry, i) => {
      if (!entry.maps) return ["This method gives no map: it judges images whole."];
      if (!view.drawn(entry, i)) return [view.setting.title === view.data.settings[0].title
        ? "No map of this image is stored." : "The maps of this protocol are left out, to keep this page small."];
      const pixel = entry.pixel[view.images.class[i]];
      const ends = entry.ranges[view.images.class[i]];
      const colours = ends ? make("span", {}, compact(ends[0]), make("i", { class: "ramp" }), `${compact(ends[1])}: patch scores, one range of colours for all images of this method and class`) : "";
      if (pixel === null) return [colours, "No contour: the suite asks for no metric that is decided at a pixel threshold."];
      const line = view.contour(entry, i);
      if (line === null) return [colours, `No contour: the pixel threshold ${compact(pixel)} is on the normalizer's scale, the stored map is not.`];
      return [colours, line ? `Pixel threshold ${compact(pixel)}.` : `No pixel is above the pixel threshold ${compact(pixel)}.`];
    };
    const draw = () => {
      const i = image(), entry = cell(), shown = view.plate(i);
      stage.replaceChildren(shown
        ? drawing(shown, view.drawn(entry, i), outlines(entry, i), `${view.images.path[i]} with the anomaly map of ${view.method}`)
        : make("p", { class: "notice" }, view.hidden || "The run kept no picture of this image: it keeps typical ones and the worst errors."));
      layers.hidden = !shown;
      slider.disabled = !shown || !view.drawn(entry, i);
      edge.disabled = !shown || !shown.mask;
      marked.disabled = !shown || !view.contour(entry, i);
      const notes = shown ? why(entry, i) : [];
      if (shown && !shown.mask) notes.push(view.images.label[i] ? "The data set gives no mask of this defect." : "A normal image: there is nothing to find.");
      says.replaceChildren(...notes.filter(Boolean).map((note) => make("p", { class: "drill-say" }, note)));
    };
    const small = (entry, i) => {
      const shown = view.plate(i);
      if (!shown) return null;
      const picture = view.drawn(entry, i);
      return make("span", { class: "frame", "aria-hidden": "true" }, picture ? drawing(shown, picture, {}, "") : "no map");
    };
    const line = (entry, i) => make("tr", { class: entry.method === view.method ? "chosen" : "" },
      make("th", { scope: "row" }, make("button", { type: "button", "aria-pressed": String(entry.method === view.method), onclick: () => choose(entry.method) },
        small(entry, i), named(entry.method))), ...view.judged(entry, i));
    const silent = (name) => make("tr", {}, make("th", { scope: "row" }, named(name)), make("td", { colspan: 4 }, "no result: see Left out"));
    const render = () => {
      const i = image(), { images, data, setting } = view;
      title.replaceChildren(named(images.path[i]));
      const defect = data.defects[images.defect[i]];
      facts.replaceChildren(named(data.classes[images.class[i]]), " · ", images.label[i] ? "anomalous" : "normal",
        ...(defect ? [" · ", named(defect)] : []), view.plate(i) ? ` · ${view.plate(i).size}` : "", ` · ${view.at + 1} of ${view.list.length}`);
      caption.textContent = `${setting.title}: every method on this image`;
      lines.replaceChildren(...view.of.map((entry) => line(entry, i)), ...setting.silent.map(silent));
      before.disabled = view.at === 0;
      after.disabled = view.at === view.list.length - 1;
      draw();
    };
    const choose = (method) => {
      view.method = method;
      render();
      lines.querySelector(".chosen button").focus();
    };
    const step = (by) => {
      const next = view.at + by;
      if (next < 0 || next >= view.list.length) return;
      const inTable = lines.contains(document.activeElement);
      view.at = next;
      render();
      if (inTable) lines.querySelector(".chosen button").focus();
      else if (document.activeElement === document.body || document.activeElement.disabled) title.focus();
    };
    dialog.addEventListener("keydown", (event) => {
      if (event.target === slider) return;
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key], turn = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (by) step(by);
      else if (turn && lines.contains(event.target)) {
        const at = view.of.indexOf(cell()) + turn;
        if (view.of[at]) choose(view.of[at].method);
      } else return;
      event.preventDefault();
    });
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    dialog.addEventListener("close", () => view.back(view.at));
    return { show: (wanted) => { view = { ...wanted }; render(); dialog.showModal(); body.scrollTop = 0; title.focus(); } };
  };

  return { make, named, compact, signed, drawing, makeDialog };
})();
