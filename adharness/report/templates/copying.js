"use strict";
// Copies a table as it is shown: the lines, columns and order that the reader sees, and what it is.
const pageCopying = (() => {
  const { element, menu } = pageMenus;
  const clean = (text) => text.replace(/\s+/g, " ").trim();
  const open = (part) => !("off" in part.dataset);
  const textOf = (part, ...selectors) =>
    clean(selectors.map((one) => findAll(one, part).map((each) => each.textContent).join(" ")).join(" "));

  const headsOf = (table) => {
    const overs = [...table.tHead.rows[0].cells].filter(open)
      .flatMap((over) => Array(over.colSpan).fill(table.classList.contains("ranked") ? clean(over.textContent) : ""));
    let exact = "";  // a dialect stands right after the metric that it reads otherwise
    return [...pageColumns.headOf(table).cells].map((head) => {
      const label = head.classList.contains("rank") ? "Rank" : textOf(head, "bdi") || clean(head.textContent);
      const follows = head.classList.contains("dialect") && !head.querySelector(".tag");
      if (!follows) exact = label;
      const unit = textOf(head, ".unit");
      const text = (follows ? `${exact} ${label}` : label) + (unit ? ` (${unit})` : "");
      return { head, text, number: head.classList.contains("num") };
    }).filter(({ head }) => open(head)).map(({ text, number }, at) => ({ text, number, group: overs[at] || "" }));
  };
  const cellOf = (cell) => {
    const best = cell.querySelector(".best") !== null;
    if (cell.classList.contains("rank")) return { text: clean(cell.textContent), number: true };
    if (cell.matches("th")) {
      const why = textOf(cell, ".why");
      return { text: textOf(cell, ".method") + (why ? ` (${why})` : "") };
    }
    if (!cell.classList.contains("num")) return { text: clean(cell.textContent) };
    return { text: clean(cell.firstChild.textContent), aside: textOf(cell, "small"), best, number: true };
  };
  const rowsOf = (table) => {
    const heads = [...pageColumns.headOf(table).cells];
    const wanted = heads.filter(open).length;
    return [...table.tBodies[0].rows].filter(open).map((row) => {
      const cells = [...row.cells].filter((cell, at) => cell.matches("td.why") || open(heads[at])).map(cellOf);
      return [...cells, ...Array(Math.max(0, wanted - cells.length)).fill({ text: "" })];
    });
  };

  // What a pasted table must not lose: what it shows, of which run, and what was left out.
  const aboutOf = (table, filters, intervals) => {
    const sorted = table.querySelector("thead [aria-sort]");
    const notes = findAll(".footnotes li", table.closest("[id]")).map((each) => clean(each.textContent));
    return [
      clean(table.caption.querySelector("bdi").textContent),
      document.body.dataset.source,
      ...(filters() ? [`Shown: ${filters()}.`] : []),
      ...(sorted ? [`Sorted by ${textOf(sorted, "bdi") || clean(sorted.textContent)}, ${sorted.ariaSort}.`] : []),
      ...(intervals ? [document.body.dataset.intervals] : []),
      ...(notes.length ? [`Undefined: ${notes.join("; ")}.`] : []),
    ].filter(Boolean).map(clean);
  };
  const asShown = (table, filters, intervals) =>
    ({ about: aboutOf(table, filters, intervals), heads: headsOf(table), rows: rowsOf(table) });

  const status = element("p", { className: "hide" });
  status.setAttribute("role", "status");
  const say = (text) => { status.textContent = text; };

  // Where the clipboard is closed to the page, the text waits selected in a box.
  const offer = (text) => {
    const area = element("textarea", { value: text, readOnly: true, rows: 16 });
    area.setAttribute("aria-label", "The table as text");
    const close = element("button", { type: "button", textContent: "Close" });
    const box = element("dialog", { className: "offer" },
      element("p", { textContent: "This browser does not let the page copy. The text is selected: copy it by hand." }), area, close);
    box.setAttribute("aria-label", "Copy by hand");
    close.addEventListener("click", () => box.close());
    box.addEventListener("close", () => box.remove());
    document.body.append(box);
    box.showModal();
    area.focus();
    area.select();
  };
  const copy = async (text, name) => {
    say("");
    try {
      await navigator.clipboard.writeText(text);
      say(`Copied as ${name}.`);
      return true;
    } catch {
      offer(text);
      return false;
    }
  };
  const download = (text, name) => {
    const link = element("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    say(`Saved as ${name}.`);
  };

  // One menu for all tables, made when it is first wanted: hundreds of them would weigh the page down.
  const sheetFor = (table, filters) => {
    const intervals = element("input", { type: "checkbox" });
    const write = (format) => copyFormats[format](asShown(table, filters, intervals.checked), intervals.checked);
    const button = (text, act) => {
      const made = element("button", { type: "button", textContent: text });
      made.addEventListener("click", () => act(made));
      return made;
    };
    const copier = (text, format) => button(text, async (made) => {
      if (!await copy(write(format), text)) return;
      made.classList.add("done");
      setTimeout(() => made.classList.remove("done"), 1500);
    });
    return [
      element("p", {}, copier("Markdown", "markdown"), copier("CSV", "csv"), copier("LaTeX", "latex")),
      element("label", {}, intervals, "with intervals"),
      element("p", {}, button("Download CSV", () => download(write("csv"), `${table.closest("[id]").id}.csv`))),
    ];
  };
  const addTools = (table, filters) => {
    const box = menu("Copy");
    box.addEventListener("toggle", () => {
      const sheet = box.querySelector(".sheet");
      if (box.open && !sheet.firstChild) sheet.append(...sheetFor(table, filters));
    });
    const back = element("button", { type: "button", className: "unsort", textContent: "As ranked", disabled: true });
    if (!table.classList.contains("ranked")) back.textContent = "First order";
    back.addEventListener("click", () => pageSorting.asRanked(table));
    table.addEventListener("sorted", () => { back.disabled = !table.classList.contains("sorted"); });
    table.closest(".scroll").before(element("div", { className: "tools" }, back, box));
  };

  return {
    start: (tables, filters) => {
      document.body.append(status);
      findAll("button[data-copy]").forEach((button) => {
        button.hidden = false;
        button.addEventListener("click", () => copy(document.getElementById(button.dataset.copy).textContent, "BibTeX"));
      });
      tables.forEach((table) => addTools(table, filters));
    },
  };
})();
