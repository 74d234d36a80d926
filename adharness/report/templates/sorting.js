"use strict";
// Sorting: a click on a head sorts, another one turns the order, a third gives back the order of the
// page (as ranked). Equal values stay sorted by name; undefined ones are last either way.
const pageSorting = (() => {
  const names = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const firsts = new WeakMap();

  const valueOf = (row, column) => {
    const cell = row.cells[column];
    if (!cell || cell.classList.contains("why")) return null;
    if (!cell.classList.contains("num")) return (cell.querySelector("bdi") || cell).textContent.trim();
    return cell.dataset.v === undefined ? null : Number(cell.dataset.v);
  };
  const compare = (a, b, sign) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (typeof a === "number" ? a - b : names.compare(a, b));
  };
  const keyOf = (head) => head.dataset.column || head.dataset.of || (head.classList.contains("rank") ? "rank" : "name");
  const rowsOf = (table) => {
    const body = table.tBodies[0];
    if (!firsts.has(table)) firsts.set(table, [...body.rows]);
    return firsts.get(table);
  };
  const inOrder = (table, head, order) => {
    const rows = rowsOf(table);
    if (!order) return rows;
    const sign = order === "ascending" ? 1 : -1;
    const named = [...head.parentElement.cells].findIndex((cell) => keyOf(cell) === "name");
    return rows
      .map((row) => [row, valueOf(row, head.cellIndex), valueOf(row, named)])
      .sort((a, b) => compare(a[1], b[1], sign) || compare(a[2], b[2], 1))
      .map(([row]) => row);
  };
  const apply = (table, head, order) => {
    findAll("thead [aria-sort]", table).forEach((other) => other.removeAttribute("aria-sort"));
    if (order) head.setAttribute("aria-sort", order);
    table.classList.toggle("sorted", Boolean(order));
    const rows = document.createDocumentFragment();
    rows.append(...inOrder(table, head, order));
    table.tBodies[0].append(rows);
    table.dispatchEvent(new CustomEvent("sorted", { bubbles: true }));
  };
  const stateKey = (table) => `sort.${table.closest("[id]").id}`;
  const next = (head) => {
    const first = head.classList.contains("num") && !/\brank\b|\bcost\b/.test(head.className) &&
      !head.textContent.includes("↓") ? "descending" : "ascending";
    const now = head.getAttribute("aria-sort");
    const turned = first === "descending" ? "ascending" : "descending";
    return !now ? first : now === first ? turned : null;
  };
  const choose = (table, head) => {
    const order = next(head);
    apply(table, head, order);
    pageState.set(stateKey(table), order && [keyOf(head), order]);
  };
  const restore = (table) => {
    const [key, order] = pageState.get(stateKey(table)) || [];
    const head = [...pageColumns.headOf(table).cells].find((cell) => keyOf(cell) === key);
    const known = head && ["ascending", "descending"].includes(order);
    if (known) apply(table, head, order);
    else if (table.classList.contains("sorted")) apply(table, null, null);
  };
  const asRanked = (table) => {
    apply(table, null, null);
    pageState.set(stateKey(table), null);
  };
  const addButton = (head) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    head.append(button);
  };

  return {
    start: (tables) => {
      tables.forEach((table) => [...pageColumns.headOf(table).cells].forEach(addButton));
      tables.forEach(restore);
      document.addEventListener("click", ({ target }) => {
        const button = target.closest && target.closest("th > button.sort");
        if (button) choose(button.closest("table"), button.closest("th"));
      });
    },
    restore: (tables) => tables.forEach(restore),
    asRanked,
  };
})();
