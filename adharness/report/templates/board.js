"use strict";
// Without the scripts the page shows everything; they only add tabs, filters, sorting and copying.
// Loaded last: everything it starts is there.
(() => {
  const tables = findAll("table.ranked, table.plain-table");
  pageLong.start(tables);
  pageTabs.start();
  const filters = pageFilters.start(document.querySelector(".filters"), tables);
  pageCopying.start(tables, filters.said);
  pageSorting.start(tables);
  pageState.listen(() => {
    pageTabs.restore();
    pageSorting.restore(tables);
    filters.restore();
  });
  pageContents.start();
  document.documentElement.classList.remove("begins");
  pageState.go();
  drawCharts();
  // The exact number, for whoever rests on a rounded one.
  document.addEventListener("pointerover", ({ target }) => {
    const cell = target.closest && target.closest("td[data-v]:not([title], .rank)");
    if (cell) cell.title = Number(cell.dataset.v).toPrecision(6);
  });
})();
