"use strict";
// Lists of the test images that a method got wrong, the worst first; each opens a dialog.
(() => {
  const { make, named, compact, signed, drawing, makeDialog } = drill;
  const KINDS = "fmc";
  const TITLES = { e: "False alarms and misses", f: "False alarms", m: "Misses", c: "Correct, nearest to the threshold first", a: "All, worst first" };
  const NOUNS = { e: "false alarms and misses", f: "false alarms", m: "misses", c: "correct decisions", a: "decisions" };
  const SAID = { f: "false alarm", m: "missed", c: "correct", "-": "not decided", "?": "not on its lists" };
  const STEP = 60;
  const ENDS = { "∞": Infinity, "−∞": -Infinity };
  const number = (value) => (typeof value === "string" ? ENDS[value] : value);

  const option = (value, text) => make("option", { value }, text);
  const chooser = (label, name, options, change) => {
    const select = make("select", { name, onchange: change }, ...options);
    return [select, make("label", {}, label, select)];
  };

  // A cell that tells of its own lists alone: what it does not tell is marked.
  const spread = (cell, count) => {
    const whole = (values, rest) => {
      const found = Array(count).fill(rest);
      cell.told.forEach((i, at) => { found[i] = values[at]; });
      return found;
    };
    return cell.told ? { ...cell, kinds: whole(cell.kinds, "?"), scores: whole(cell.scores, null), each: cell.each && whole(cell.each, null) } : cell;
  };

  const fill = (box, data, dialog) => {
    const { images, classes, plates } = data;
    const cells = data.cells.map((cell) => spread(cell, images.path.length));
    const of = (setting) => cells.filter((cell) => cell.setting === setting);
    const threshold = (cell, i) => (cell.each ? cell.each[i] : cell.thresholds[images.class[i]]);
    const margin = (cell, i) =>
      (number(cell.scores[i]) - number(threshold(cell, i))) / cell.scales[images.class[i]];
    const excess = (cell, i) => (images.label[i] ? -1 : 1) * margin(cell, i);
    const plate = (i) => plates[images.plate[i]];
    const drawn = (cell, i) => (cell.layers[images.plate[i]] || [null])[0];
    const contour = (cell, i) => (cell.layers[images.plate[i]] || [null, null])[1];

    // The images of a kind, worst first; where not all are here, only as deep as the list is whole.
    const ordered = (cell, kinds, wanted) => {
      const found = images.path.map((_, i) => i).filter((i) =>
        kinds.includes(cell.kinds[i]) && (wanted < 0 || images.class[i] === wanted));
      const sign = (i) => (images.label[i] ? -1 : 1) * number(cell.scores[i]);
      const far = new Map(found.map((i) => [i, excess(cell, i)]));
      const right = (i) => Number(cell.kinds[i] === "c");
      found.sort((a, b) => (far.get(a) === far.get(b) ? right(a) - right(b) || sign(b) - sign(a) : far.get(b) - far.get(a)));
      if (data.depth === null) return found;
      const seen = {};
      return found.filter((i) => {
        const key = `${images.class[i]} ${cell.kinds[i]}`;
        seen[key] = (seen[key] || 0) + 1;
        return seen[key] <= data.depth;
      });
    };
    const total = (cell, kinds, wanted) => cell.totals
      .filter((_, at) => wanted < 0 || at === wanted)
      .reduce((sum, counts) => sum + [...kinds].reduce((s, kind) => s + counts[KINDS.indexOf(kind)], 0), 0);
    const kindsOf = (choice) => ({ e: "fm", a: "fmc" }[choice] || choice);

    const state = { setting: 0, method: of(0)[0].method, list: [], shown: STEP };
    const cell = () => of(state.setting).find(({ method }) => method === state.method);
    const rows = make("tbody");
    const count = make("p", { class: "lead", role: "status" });
    const more = make("button", { type: "button", class: "plain-button", onclick: () => { state.shown += STEP; list(); } }, "Show more");

    const fields = (i) => [
      make("td", { class: "wide" }, named(classes[images.class[i]])),
      make("td", { class: "wide" }, named(data.defects[images.defect[i]] || (images.label[i] ? "anomalous" : "normal"))),
    ];
    const decided = (entry, i) => make("td", { class: "fm".includes(entry.kinds[i]) ? "wrong" : "" }, SAID[entry.kinds[i]]);
    const judged = (entry, i) => {
      const known = "fmc".includes(entry.kinds[i]);
      return [
        make("td", { class: "num score" }, compact(entry.scores[i])),
        make("td", { class: "num wide" }, compact(threshold(entry, i))),
        make("td", { class: "num" }, known ? signed(margin(entry, i)) : "–"),
        decided(entry, i),
      ];
    };
    const line = (i, at) => {
      const picture = plate(i) ? drawing(plate(i), drawn(cell(), i), {}, "") : null;
      const button = make("button", { type: "button", tabindex: at ? -1 : 0, "aria-haspopup": "dialog", onclick: () => open(at) },
        data.plates.length ? make("span", { class: "frame", "aria-hidden": "true" }, picture) : null, named(images.path[i]));
      return make("tr", {}, make("th", { scope: "row" }, button), ...fields(i), ...judged(cell(), i));
    };

    const list = () => {
      const wanted = Number(byClass.value), kinds = kindsOf(byKind.value);
      state.list = ordered(cell(), kinds, wanted);
      rows.replaceChildren(...state.list.slice(0, state.shown).map(line));
      const all = total(cell(), kinds, wanted);
      const what = NOUNS[byKind.value], part = state.list.length < all ? `, the worst ${state.list.length} listed` : "";
      count.textContent = `${all || "No"} ${what}${part} · ${data.settings[state.setting].note}`;
      table.hidden = !state.list.length;
      more.hidden = state.list.length <= state.shown;
    };
    const restart = () => { state.shown = STEP; list(); };
    const methods = () => {
      const names = of(state.setting).map(({ method }) => method);
      byMethod.replaceChildren(...names.map((name) => option(name, name)));
      state.method = names.includes(state.method) ? state.method : names[0];
      byMethod.value = state.method;
    };
    const [bySetting, settingLabel] = chooser("Protocol", "protocol",
      data.settings.map(({ title }, at) => option(at, title)),
      () => { state.setting = Number(bySetting.value); methods(); restart(); });
    const [byMethod, methodLabel] = chooser("Method", "method", [], () => { state.method = byMethod.value; restart(); });
    const [byClass, classLabel] = chooser("Class", "class",
      [option(-1, "All"), ...classes.map((name, at) => option(at, name))], restart);
    const [byKind, kindLabel] = chooser("Images", "kind", Object.entries(TITLES).map(([kind, title]) => option(kind, title)), restart);

    const table = make("div", { class: "drill-box scroll", role: "region", "aria-label": `Test images of ${box.dataset.name}` },
      make("table", { class: "pictures drill-list" },
        make("thead", {}, make("tr", {},
          ...["Image", "Class", "Defect"].map((text, at) => make("th", { scope: "col", class: at ? "wide" : "" }, text)),
          make("th", { scope: "col", class: "num score" }, "Score"), make("th", { scope: "col", class: "num wide" }, "Threshold"),
          make("th", { scope: "col", class: "num", title: "Score minus threshold, in interquartile ranges of the class's scores" }, "Margin"),
          make("th", { scope: "col" }, "Decision"))), rows));
    // One stop of the Tab key for the whole list; the arrows move within it.
    rows.addEventListener("keydown", (event) => {
      const buttons = [...rows.querySelectorAll("button")];
      const at = buttons.indexOf(document.activeElement);
      const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
      if (next === undefined || at < 0) return;
      event.preventDefault();
      focus(Math.max(0, Math.min(buttons.length - 1, next)));
    });
    const focus = (at) => {
      const buttons = [...rows.querySelectorAll("button")];
      if (!buttons.length) return;
      buttons.forEach((button, i) => { button.tabIndex = i === at ? 0 : -1; });
      buttons[at].focus();
    };

    const open = (at) => dialog.show({
      at, list: state.list, data, images, of: of(state.setting), method: state.method, hidden: box.dataset.hidden,
      setting: data.settings[state.setting], plate, drawn, contour, judged,
      back: (place) => { if (place >= state.shown) { state.shown = place + 1; list(); } focus(place); },
    });
    methods();
    box.append(make("form", { class: "drill-choice", "aria-label": `Choose test images of ${box.dataset.name}`, onsubmit: (event) => event.preventDefault() },
      settingLabel, methodLabel, classLabel, kindLabel), count, table, more);
    list();
  };

  const boxes = [...document.querySelectorAll(".drill")];
  if (!boxes.length) return;
  const dialog = makeDialog();
  boxes.forEach((box) => fill(box, JSON.parse(box.nextElementSibling.textContent), dialog));
})();
