"use strict";
// Without this script the page shows everything; it only adds tabs, filters and sorting.
(() => {
  document.documentElement.classList.add("js");
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Tabs: one panel at a time; the arrow keys move between them.
  const addTabs = (box, number) => {
    const panels = all(":scope > [data-tab]", box);
    if (panels.length < 2) return;
    const list = document.createElement("div");
    list.className = "tabs";
    list.setAttribute("role", "tablist");
    list.setAttribute("aria-label", box.dataset.tabs);
    const show = (chosen, focus) => panels.forEach((panel, at) => {
      const tab = list.children[at];
      panel.hidden = at !== chosen;
      tab.setAttribute("aria-selected", String(at === chosen));
      tab.tabIndex = at === chosen ? 0 : -1;
      if (focus && at === chosen) tab.focus();
    });
    panels.forEach((panel, at) => {
      const tab = document.createElement("button");
      tab.type = "button";
      tab.textContent = panel.dataset.tab;
      tab.id = `tab-${number}-${at}`;
      panel.id = panel.id || `panel-${number}-${at}`;
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", panel.id);
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", tab.id);
      tab.addEventListener("click", () => show(at, false));
      list.append(tab);
    });
    list.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const now = [...list.children].indexOf(document.activeElement);
      show((now + step + panels.length) % panels.length, true);
      event.preventDefault();
    });
    box.prepend(list);
    show(0, false);
  };
  all("[data-tabs]").forEach(addTabs);

  // Filters: whatever carries data-dataset, data-normalizer or data-thresholder obeys them.
  const form = document.querySelector(".filters");
  const selects = all("select", form);
  const filter = () => {
    const wanted = selects.filter((select) => select.value);
    all("[data-dataset], [data-normalizer], [data-thresholder]").forEach((part) => {
      part.hidden = wanted.some(({ name, value }) => name in part.dataset && part.dataset[name] !== value);
    });
    // A column that a filter has made constant says nothing: it steps aside.
    all("[data-of]").forEach((cell) => {
      cell.hidden = wanted.some(({ name }) => name === cell.dataset.of);
    });
    const boards = all("#boards tbody tr");
    form.querySelector("output").textContent =
      `${boards.filter((row) => !row.hidden).length} of ${boards.length} lines on the boards`;
  };
  if (selects.length) {
    form.hidden = false;
    // Begin calmly: one line a method, under the first normalizer and thresholder of the suite.
    selects.filter(({ name }) => name !== "dataset").forEach((select) => { select.selectedIndex = 1; });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", filter);
    filter();
  }

  // Sorting: a click on a column's head; undefined numbers stay at the end either way.
  const key = (row, column) => {
    const cell = row.cells[column];
    if (!cell || cell.colSpan > 1) return null;
    if (!cell.classList.contains("num")) return cell.textContent.trim().toLowerCase();
    return cell.dataset.v === undefined ? null : Number(cell.dataset.v);
  };
  const compare = (a, b, sign) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (typeof a === "number" ? a - b : a.localeCompare(b));
  };
  const sort = (table, head) => {
    const column = head.cellIndex;
    const first = head.classList.contains("metric") || head.classList.contains("dialect") || head.classList.contains("total")
      ? "descending" : "ascending";
    const now = head.getAttribute("aria-sort");
    const next = !now ? first : now === "ascending" ? "descending" : "ascending";
    all("[aria-sort]", table).forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", next);
    table.classList.add("sorted");
    const body = table.tBodies[0];
    const sign = next === "ascending" ? 1 : -1;
    body.append(...[...body.rows].sort((a, b) => compare(key(a, column), key(b, column), sign)));
  };
  all("main table:not(.pictures)").forEach((table) => {
    [...table.tHead.rows[table.tHead.rows.length - 1].cells].forEach((head) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(table, head));
    });
  });

  drawCharts();
})();
