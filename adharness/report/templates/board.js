"use strict";
// Without the scripts the page shows everything; they only add tabs, filters, sorting and copying.
// Loaded last: everything it starts is there.
(() => {
  document.documentElement.classList.add("js");
  const tables = findAll("table.ranked, table.plain-table");
  pageTabs.start();
  const filters = pageFilters.start(document.querySelector(".filters"), tables);
  pageCopying.start(tables, filters.said);
  pageSorting.start(tables);
  pageState.listen(() => {
    pageTabs.restore();
    pageSorting.restore(tables);
    filters.restore();
  });
  pageState.go();
  drawCharts();
})();
