"use strict";
// Without the scripts the page shows everything; they only add tabs, filters, sorting and copying.
// Loaded last: everything it starts is there.
(() => {
  document.documentElement.classList.add("js");
  const tables = findAll("table.ranked, table.plain-table");
  pageTabs.start();
  pageSorting.start(tables);
  const filters = pageFilters.start(document.querySelector(".filters"), tables);
  pageState.listen(() => {
    pageTabs.restore();
    pageSorting.restore(tables);
    filters.restore();
  });
  pageState.go();
  drawCharts();
})();
