"use strict";
// Which columns of a table are shown. One style sheet hides them by their place: thousands of cells
// need not be touched one by one.
const pageColumns = (() => {
  const sheet = document.createElement("style");
  const headOf = (table) => table.tHead.rows[table.tHead.rows.length - 1];

  // The heads over the columns know what they span: `wide` is how many of theirs are left.
  const narrow = (table, hidden) => {
    const cells = [...headOf(table).cells];
    let at = 0;
    [...table.tHead.rows[0].cells].forEach((over) => {
      const span = Number(over.dataset.span || over.colSpan);
      over.dataset.span = span;
      const wide = cells.slice(at, at + span).filter((cell) => !hidden.has(cell)).length;
      at += span;
      over.toggleAttribute("data-off", wide === 0);
      if (wide) over.colSpan = wide;
    });
    const numbers = cells.filter((cell) => "column" in cell.dataset && !hidden.has(cell)).length;
    findAll("td.why", table).forEach((cell) => { cell.colSpan = Math.max(1, numbers); });
  };

  const rules = (table, hidden) => {
    const { id } = table.closest("[id]");
    return [...hidden].map((cell) => {
      const place = `:nth-child(${cell.cellIndex + 1}):not(.why)`;
      return `#${id} thead > tr:last-child > ${place}, #${id} tbody > tr > ${place} { display: none }`;
    });
  };

  return {
    headOf,
    // `isHidden(head, table)` is asked for each head of each table that the page lays out as one.
    show: (tables, isHidden) => {
      const text = tables.flatMap((table) => {
        const hidden = new Set([...headOf(table).cells].filter((head) => isHidden(head, table)));
        [...headOf(table).cells].forEach((head) => head.toggleAttribute("data-off", hidden.has(head)));
        narrow(table, hidden);
        return rules(table, hidden);
      });
      sheet.textContent = text.join("\n");
      if (!sheet.isConnected) document.head.append(sheet);
    },
  };
})();
